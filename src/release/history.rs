//! History of an environment, read from the timeline in its repository.

mod history_request;
mod list_names;

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Failure;
use super::context::ReleaseContext;
use super::records::location::TimelineLocation;
use super::records::timeline_view::TimelineView;
use super::resolve::image_store::open_to_show;
use crate::image::{Destination, Digest, Tag};
use crate::record::{
    HistoryLine, HistoryReadings, ListedEntries, RecordAction, RecordId, RecordTime, TagDrift,
    TagPeriod, TagRecord, TimelineHistory, expected_lines, tag_periods,
};
use crate::tagging::EnvironmentName;
use crate::transfer::{ImageStore, Side};
pub use history_request::HistoryRequest;
use list_names::{ListedNames, NameLister};

/// History of an environment.
#[derive(Debug, Clone)]
pub struct HistoryOutcome {
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository of the images.
    pub place: Destination,
    /// Repository of the entries, if it is another one.
    pub entries_at: Option<Destination>,
    /// Whether the environment signs its records.
    pub is_signed: bool,
    /// Entries, newest first.
    pub lines: Vec<HistoryLine>,
    /// Whether there are older entries than were looked at.
    pub has_more: bool,
    /// Release that the environment is on; `None` if no record says it.
    pub current: Option<RecordedCurrent>,
    /// Tags that name something else than the records say.
    pub drift: Vec<TagDrift>,
    /// Roots of the requested tag, oldest first.
    pub periods: Option<Vec<TagPeriod>>,
}

/// Release that an environment is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCurrent {
    /// Its root.
    pub root: Digest,
    /// Its version, if a record says it.
    pub version: Option<String>,
    /// Record that put the environment on it.
    pub record: RecordId,
    /// Time from which the environment is on it.
    pub since: RecordTime,
    /// The release that a rollback would put back.
    pub good_before: Option<(Digest, Option<String>)>,
}

/// Most entries that do not count and are read.
const STRAY_LIMIT: usize = 1_024;
/// Tags that are looked up at the same time.
const TAG_CONCURRENCY: usize = 16;

/// Reads the history of an environment.
///
/// # Errors
/// Stores that fail, and too many entries that do not count.
pub async fn history(
    request: &HistoryRequest,
    context: &ReleaseContext,
) -> Result<HistoryOutcome, Failure> {
    let location = &request.location;
    let images = open_to_show(context, &location.destination).await?;
    let environment_tag = read_tag(&images, location, location.environment.tag());
    let read = Box::pin(read_history(request, context));
    let (read, found) = try_join(read, environment_tag).await?;
    let known = read.to_history(request);
    let current = current_release(&known);
    let mut drift = Vec::new();
    let expected = current.as_ref().map(|current| current.root);
    let is_recorded = !known.timeline.entries().is_empty()
        && (found.is_some() || has_environment_tag(&read.readings, location));
    if found != expected && is_recorded {
        drift.push(TagDrift {
            tag: location.environment.tag().clone(),
            expected,
            found,
        });
    }
    if request.reads_each {
        drift.extend(line_drift(&read, &known, &images, location).await?);
    }
    let periods = match &request.tag {
        Some(tag) => {
            let now = read_tag(&images, location, tag).await?;
            Some(tag_periods(&tag_records(&read.readings, tag), now))
        }
        None => None,
    };
    let shown = shown_lines(request, &read, &known);
    let accepted = known.lines.iter();
    let accepted = accepted.filter(|line| request.filter.accepts(line));
    Ok(HistoryOutcome {
        environment: location.environment.clone(),
        place: location.destination.clone(),
        entries_at: location.entries_at.clone(),
        is_signed: location.trust.is_some(),
        has_more: !read.listed.is_complete
            || read.span < read.listed.view.names().len()
            || shown.len() < accepted.count(),
        lines: shown,
        current,
        drift,
        periods,
    })
}

/// What was read of a timeline.
pub(super) struct ReadHistory {
    listed: ListedNames,
    pub(super) readings: HistoryReadings,
    /// Newest entries that are known.
    span: usize,
}

impl ReadHistory {
    pub(super) fn to_history(&self, request: &HistoryRequest) -> TimelineHistory {
        let names = self.listed.view.names();
        let listed = ListedEntries {
            names,
            is_complete: self.listed.is_complete,
            clock: request.clock,
        };
        TimelineHistory::new(listed, &self.readings)
    }
}

/// Lists and reads entries until the requested ones and the current release are known.
pub(super) async fn read_history(
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
    // What a reinstatement ends is in its record alone.
    let reinstatements = span.iter();
    let reinstatements = reinstatements.filter(|name| name.action == RecordAction::Reinstate);
    view.read_into(reinstatements.collect(), &mut read.readings)
        .await?;
    read.span = count;
    let strays = read.readings.passed_over();
    match strays.len() > STRAY_LIMIT {
        true => Err(too_many_strays(view, strays)),
        false => Ok(()),
    }
}

fn too_many_strays(
    view: &TimelineView,
    strays: &std::collections::HashMap<crate::record::EntryName, String>,
) -> Failure {
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
    let oldest = read.listed.view.names();
    let oldest = oldest.get(oldest.len() - read.span);
    let is_passed = |since| {
        let begins_before = read.listed.begin.is_some_and(|begin| begin <= since);
        oldest.is_some_and(|name| name.planned_at < since)
            || begins_before && read.span == read.listed.view.names().len()
    };
    let passed_since = || request.filter.since.is_some_and(is_passed);
    let Some(limit) = request.limit else {
        return passed_since();
    };
    let counted = history.lines.iter().rev();
    let counted = counted.filter(|line| line.entry.is_some() && request.filter.accepts(line));
    counted.take(limit).count() == limit || passed_since()
}

/// Returns the lines that are shown, newest first.
fn shown_lines(
    request: &HistoryRequest,
    read: &ReadHistory,
    known: &TimelineHistory,
) -> Vec<HistoryLine> {
    let names = read.listed.view.names();
    let oldest = names.get(names.len() - read.span);
    // Older ones may not be named by all records that are read.
    let is_in_span = |line: &&HistoryLine| {
        read.listed.is_complete
            || oldest.is_none_or(|oldest| line.name.planned_at >= oldest.planned_at)
    };
    let limit = request.limit.unwrap_or(usize::MAX);
    let mut counted = 0;
    let newest_first = known.lines.iter().rev().filter(is_in_span);
    newest_first
        .filter(|line| request.filter.accepts(line))
        .take_while(|line| {
            counted += usize::from(line.entry.is_some());
            counted <= limit
        })
        .cloned()
        .collect()
}

pub(super) fn current_release(known: &TimelineHistory) -> Option<RecordedCurrent> {
    let timeline = &known.timeline;
    let (entry, root) = timeline.current()?;
    let mut releases = timeline.entries().iter().rev();
    let version_of =
        |root: Digest, entries: &mut dyn Iterator<Item = &crate::record::TimelineEntry>| {
            entries
                .filter(|entry| entry.root == root)
                .find_map(|entry| entry.version.clone())
        };
    let before = timeline.rollback_target(root);
    Some(RecordedCurrent {
        root,
        version: version_of(root, &mut releases),
        record: entry.record,
        since: entry.planned_at,
        good_before: before.map(|before| (before.root, before.version.clone())),
    })
}

/// Returns whether a record that was read says that it wrote the environment's tag.
fn has_environment_tag(readings: &HistoryReadings, location: &TimelineLocation) -> bool {
    let name = location.environment.as_str();
    let read = readings.read_entries();
    let mut tags = read.iter().flat_map(|read| &read.tags);
    tags.any(|tag| tag.name == name)
}

async fn line_drift(
    read: &ReadHistory,
    known: &TimelineHistory,
    images: &ImageStore,
    location: &TimelineLocation,
) -> Result<Vec<TagDrift>, Failure> {
    let is_complete = read.listed.is_complete && read.span == read.listed.view.names().len();
    let entries = read.readings.read_entries();
    let expected = expected_lines(&entries, &known.timeline, is_complete);
    let lookups = expected.into_iter().filter_map(|(tag, expected)| {
        let tag: Tag = tag.parse().ok()?;
        Some(async move {
            let found = read_tag(images, location, &tag).await?;
            Ok::<_, Failure>((found != Some(expected)).then_some(TagDrift {
                tag,
                expected: Some(expected),
                found,
            }))
        })
    });
    let lookups: Vec<_> = lookups.collect();
    let drift: Vec<Option<TagDrift>> = stream::iter(lookups)
        .buffered(TAG_CONCURRENCY)
        .try_collect()
        .await?;
    Ok(drift.into_iter().flatten().collect())
}

fn tag_records(readings: &HistoryReadings, tag: &Tag) -> Vec<TagRecord> {
    let read = readings.read_entries().into_iter();
    let records = read.filter_map(|read| {
        let mut tags = read.tags.iter();
        let written = tags.find(|written| written.name == tag.as_str())?;
        Some(TagRecord {
            entry: read.entry.clone(),
            previous: written.previous,
        })
    });
    records.collect()
}

async fn read_tag(
    store: &ImageStore,
    location: &TimelineLocation,
    tag: &Tag,
) -> Result<Option<Digest>, Failure> {
    let found = store.resolve_tag(tag).await;
    found.map_err(|error| Failure::from_store_error(Side::Source, &location.destination, error))
}
