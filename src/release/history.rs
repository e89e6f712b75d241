//! History of an environment, read from the timeline in its repository.

mod drift;
mod history_request;
mod list_names;
mod read_history;
pub(crate) mod whole_timeline;

use futures_util::future::try_join;

use super::Failure;
use super::context::ReleaseContext;
use super::records::release_name::adoption_advice;
use super::records::unfinished::ReleaseAccount;
use super::resolve::image_store::open_to_show;
use crate::image::{Destination, Digest, Tag};
use crate::record::{
    HistoryFilter, HistoryLine, HistoryReadings, RecordId, RecordTime, TagDrift, TagPeriod,
    TagRecord, Timeline, TimelineHistory, tag_periods,
};
use crate::tagging::EnvironmentName;
pub(super) use drift::{environment_drift, read_drift, read_tag};
pub use history_request::HistoryRequest;
pub use read_history::TimelineSigning;
pub(super) use read_history::{ReadHistory, read_history};

/// History of an environment.
#[derive(Debug, Clone)]
pub struct HistoryOutcome {
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository of the images.
    pub place: Destination,
    /// Repository of the entries, if it is another one.
    pub entries_at: Option<Destination>,
    /// How its records are signed.
    pub signing: TimelineSigning,
    /// Which entries are shown.
    pub filter: HistoryFilter,
    /// Entries, newest first.
    pub lines: Vec<HistoryLine>,
    /// Whether there are older entries than were looked at.
    pub has_more: bool,
    /// Release that the environment is on; `None` if no record says it.
    pub current: Option<RecordedCurrent>,
    /// Tags that name something else than the records say.
    pub drift: Vec<TagDrift>,
    /// Releases without an entry of the image that the environment's tag names instead of the current one.
    pub unfinished: Vec<ReleaseAccount>,
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
    if known.timeline.entries().is_empty() {
        let advice = adoption_advice(location);
        let place = location.entries();
        context.notices.warning(format!("{place}: {advice}"));
    }
    let current = current_release(&known.timeline);
    let environment_drift = environment_drift(&read, &known, location, found);
    let unfinished = drift::unfinished_drift(&read, &images, environment_drift.as_ref(), context);
    let unfinished = unfinished.await?;
    let mut drift: Vec<TagDrift> = environment_drift.into_iter().collect();
    if request.reads_each {
        drift.extend(drift::written_tags_drift(&read, &known, &images, location).await?);
    }
    let periods = match &request.tag {
        Some(tag) => {
            let now = read_tag(&images, location, tag).await?;
            Some(tag_periods(&tag_records(&read.readings, tag), now))
        }
        None => None,
    };
    let (signing, reaches_back) = (read.signing(location), read.reaches_back(request));
    let accepted = known.lines.iter();
    let accepted = accepted.filter(|line| request.filter.accepts(line)).count();
    let shown = shown_lines(request, &read, known);
    Ok(HistoryOutcome {
        environment: location.environment.clone(),
        place: location.destination.clone(),
        entries_at: location.entries_at.clone(),
        signing,
        filter: request.filter.clone(),
        has_more: shown.len() < accepted || !reaches_back,
        lines: shown,
        current,
        drift,
        unfinished,
        periods,
    })
}

/// Returns the lines that are shown, newest first.
fn shown_lines(
    request: &HistoryRequest,
    read: &ReadHistory,
    known: TimelineHistory,
) -> Vec<HistoryLine> {
    let names = read.listed.view.names();
    let oldest = names.get(names.len() - read.span);
    // Older ones may not be named by all records that are read.
    let is_in_span = |line: &HistoryLine| {
        read.listed.is_complete
            || oldest.is_none_or(|oldest| line.name.planned_at >= oldest.planned_at)
    };
    let limit = request.limit.unwrap_or(usize::MAX);
    let mut counted = 0;
    let newest_first = known.lines.into_iter().rev().filter(is_in_span);
    newest_first
        .filter(|line| request.filter.accepts(line))
        .take_while(|line| {
            counted += usize::from(line.entry.is_some());
            counted <= limit
        })
        .collect()
}

pub(super) fn current_release(timeline: &Timeline) -> Option<RecordedCurrent> {
    let (entry, root) = timeline.current()?;
    let before = timeline.rollback_target(root);
    Some(RecordedCurrent {
        root,
        version: timeline.version_of(root),
        record: entry.record,
        since: entry.planned_at,
        good_before: before.map(|before| (before.root, before.version.clone())),
    })
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
