//! Lifts a hold: the record first, then the tag.

use super::hold_place::HoldPlace;
use super::hold_request::{HoldOutcome, HoldRequest, HoldTagChange};
use super::hold_tag::{HoldTag, remove_hold_tag};
use crate::image::Digest;
use crate::record::{RecordAction, RecordId, TimelineEntry};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::outcome::RecordResult;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::timeline_request::TimelineRequest;

/// Records that say that a hold is lifted.
#[derive(Default)]
struct LiftRecords {
    /// The newest that this run wrote.
    written: Option<RecordResult>,
    /// One of an earlier run.
    recorded: Option<RecordId>,
}

/// Lifts a hold. One that is not there is lifted already.
///
/// # Errors
/// An environment that does not accept the record from this run, and a store that fails.
pub(super) async fn lift_hold(
    request: &HoldRequest,
    context: &ReleaseContext,
    mut place: HoldPlace,
) -> Result<HoldOutcome, Failure> {
    let there = HoldTag::read(request, &place).await?;
    let roots = find_roots(request, &place, there);
    let records = match (&request.timeline, &mut place) {
        (Some(written), HoldPlace::Recorded { timeline, .. }) => {
            write_records(request, context, written, timeline, &roots).await?
        }
        _ => LiftRecords::default(),
    };
    let tag_change = match (request.dry_run, there) {
        (false, there) => remove_hold_tag(request, context, there).await?,
        (true, HoldTag::Absent) => HoldTagChange::Absent,
        (true, _) => HoldTagChange::Deleted,
    };
    if roots.is_empty() && tag_change == HoldTagChange::Absent {
        context.notices.warning(format!(
            "{} has no hold {}: nothing to lift",
            request.place, request.name
        ));
    }
    Ok(HoldOutcome {
        dry_run: request.dry_run,
        name: request.name.clone(),
        place: request.place.clone(),
        environment: request.environment(),
        is_lifted: true,
        digest: roots.first().copied(),
        tag: request.name.to_tag(),
        tag_change,
        record: records.written,
        recorded: records.recorded,
        reason: request.reason.clone(),
    })
}

/// Returns the images that the hold is on, by its tag and by the records.
fn find_roots(request: &HoldRequest, place: &HoldPlace, there: HoldTag) -> Vec<Digest> {
    let mut roots = match there {
        HoldTag::Holds(digest) => vec![digest],
        HoldTag::Absent | HoldTag::Lifted(_) => Vec::new(),
    };
    for hold in place.holds_of(request.name.as_str()) {
        if !roots.contains(&hold.root) {
            roots.push(hold.root);
        }
    }
    roots
}

/// Writes a record for each image whose hold no record has ended; none on a dry run.
async fn write_records(
    request: &HoldRequest,
    context: &ReleaseContext,
    written: &TimelineRequest,
    timeline: &mut OpenTimeline,
    roots: &[Digest],
) -> Result<LiftRecords, Failure> {
    let mut records = LiftRecords::default();
    for root in roots {
        let ended = timeline.known().end_of_hold(request.name.as_str(), *root);
        if ended.is_some() {
            records.recorded = ended;
            continue;
        }
        let record = request.record(timeline, written, *root, RecordAction::Unhold);
        let mut stage = written
            .plan_entry_alone(context, timeline, record.clone())
            .await?;
        if !request.dry_run {
            stage.write_blobs().await?;
            stage.write_entry().await?;
        }
        let result = stage.result();
        if let Some(id) = result.id {
            timeline.advance(TimelineEntry::from_record(id, &record));
        }
        records.written = Some(result);
    }
    Ok(records)
}
