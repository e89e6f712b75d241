//! Lists and reads the entries of a timeline, as far as a history needs them.

use std::collections::HashMap;

use super::history_request::HistoryRequest;
use super::list_names::{ListedNames, NameLister};
use crate::record::{
    EntryName, HistoryReadings, ListedEntries, RecordAction, RecordTime, TimelineHistory,
};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::location::TimelineLocation;
use crate::release::records::timeline_view::TimelineView;

/// Most entries that do not count and are read.
const STRAY_LIMIT: usize = 1_024;

/// How the records of a timeline are signed, as far as a reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimelineSigning {
    /// Only records of the expected signers count.
    Verified,
    /// All records that were read are in bundles, and no signer is expected.
    Unchecked,
    /// No signer is expected, and a record is not signed.
    Unsigned,
}

/// What was read of a timeline.
pub(crate) struct ReadHistory {
    pub(super) listed: ListedNames,
    pub(crate) readings: HistoryReadings,
    /// Newest entries that are known.
    pub(super) span: usize,
}

impl ReadHistory {
    pub(crate) fn to_history(&self, request: &HistoryRequest) -> TimelineHistory {
        let names = self.listed.view.names();
        let listed = ListedEntries {
            names,
            is_complete: self.listed.is_complete,
            clock: request.clock,
        };
        TimelineHistory::new(listed, &self.readings)
    }

    pub(super) fn signing(&self, location: &TimelineLocation) -> TimelineSigning {
        let read = self.readings.read_entries();
        match location.trust {
            Some(_) => TimelineSigning::Verified,
            None if !read.is_empty() && read.iter().all(|entry| entry.is_signed) => {
                TimelineSigning::Unchecked
            }
            None => TimelineSigning::Unsigned,
        }
    }

    /// Returns whether the oldest entry, or one before the requested time, is known.
    pub(super) fn reaches_back(&self, request: &HistoryRequest) -> bool {
        let is_all_known = self.span == self.listed.view.names().len();
        let reaches = |since| self.is_known_since(since);
        is_all_known && self.listed.is_complete || request.filter.since.is_some_and(reaches)
    }

    fn is_known_since(&self, since: RecordTime) -> bool {
        let names = self.listed.view.names();
        let oldest = names.get(names.len() - self.span);
        let begins_before = self.listed.begin.is_some_and(|begin| begin <= since);
        oldest.is_some_and(|name| name.planned_at < since)
            || begins_before && self.span == names.len()
    }
}

/// Lists and reads entries until the requested ones and the current release are known.
pub(crate) async fn read_history(
    request: &HistoryRequest,
    context: &ReleaseContext,
) -> Result<ReadHistory, Failure> {
    let mut lister = NameLister::new(request, context);
    let mut read = ReadHistory {
        listed: lister.list().await?,
        readings: HistoryReadings::default(),
        span: 0,
    };
    loop {
        let total = read.listed.view.names().len();
        let wanted = match request.limit {
            Some(limit) if request.tag.is_none() => (2 * read.span).max(limit).min(total),
            _ => total,
        };
        read_span(request, &mut read, wanted).await?;
        if is_enough(request, &read) {
            return Ok(read);
        }
        if read.span < total {
            continue;
        }
        match read.listed.is_complete {
            true => return Ok(read),
            false => read.listed = lister.list().await?,
        }
    }
}

/// Makes the newest `count` entries known.
async fn read_span(
    request: &HistoryRequest,
    read: &mut ReadHistory,
    count: usize,
) -> Result<(), Failure> {
    let names = read.listed.view.names();
    let span = &names[names.len() - count..];
    let reads_each = request.reads_each || request.tag.is_some();
    let view = &read.listed.view;
    view.scan(span, reads_each, &mut read.readings).await?;
    // What a reinstatement ends, what a deletion removed, and why somebody stepped in, is in the record alone.
    let explained = span.iter().filter(|name| has_explanation(&name.action));
    view.read_into(explained.collect(), &mut read.readings)
        .await?;
    read.span = count;
    let strays = read.readings.passed_over();
    match strays.len() > STRAY_LIMIT {
        true => Err(too_many_strays(view, strays)),
        false => Ok(()),
    }
}

const fn has_explanation(action: &RecordAction) -> bool {
    matches!(
        action,
        RecordAction::Reinstate
            | RecordAction::Rollback
            | RecordAction::Failed
            | RecordAction::Pruned
            | RecordAction::Hold
            | RecordAction::Unhold
    )
}

fn too_many_strays(view: &TimelineView, strays: &HashMap<EntryName, String>) -> Failure {
    let mut names: Vec<String> = strays.keys().map(ToString::to_string).collect();
    names.sort();
    names.truncate(5);
    let location = view.location();
    Failure::service(format!(
        "{}: more than {STRAY_LIMIT} timeline entries of {} do not count",
        location.entries(),
        location.environment
    ))
    .with_reason("whoever may push to the repository can write such tags")
    .with_hint(format!(
        "delete the tags that are not of your runs, such as {}",
        names.join(", ")
    ))
}

fn is_enough(request: &HistoryRequest, read: &ReadHistory) -> bool {
    let history = read.to_history(request);
    if history.timeline.current().is_none() {
        return false;
    }
    let since = request.filter.since;
    let passed_since = || since.is_some_and(|since| read.is_known_since(since));
    let Some(limit) = request.limit else {
        return passed_since();
    };
    let counted = history.lines.iter().rev();
    let counted = counted.filter(|line| line.entry.is_some() && request.filter.accepts(line));
    counted.take(limit).count() == limit || passed_since()
}
