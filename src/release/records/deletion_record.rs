//! Record of a deletion by rules of retention: which manifests went, with their tags, by which rule.

use super::draft::base_record;
use super::open_timeline::OpenTimeline;
use super::timeline_request::{PATIENT_STRAY_LIMIT, TimelineRequest};
use crate::record::{RecordAction, RecordedDeletion};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::outcome::RecordResult;

/// Writes one record of all manifests that a run deleted in a repository; `None` if there are none. Its subject is the
/// first of them, which is gone.
///
/// # Errors
/// An environment that does not accept the record from this run, and a store that fails.
pub(crate) async fn record_deletions(
    request: &TimelineRequest,
    deletions: Vec<RecordedDeletion>,
    context: &ReleaseContext,
) -> Result<Option<RecordResult>, Failure> {
    let Some(first) = deletions.first().map(|deletion| deletion.digest) else {
        return Ok(None);
    };
    let (location, now) = (&request.location, request.account.now);
    let opened = OpenTimeline::open(context, location, now, PATIENT_STRAY_LIMIT);
    let timeline = Box::pin(opened).await?;
    let mut record = base_record(
        &timeline.basis(),
        &request.account,
        first,
        RecordAction::Pruned,
    );
    record.predicate.version = timeline.known().version_of(first);
    record.predicate.deletions = deletions;
    let mut stage = request.plan_entry_alone(context, &timeline, record).await?;
    stage.write_blobs().await?;
    stage.write_entry().await?;
    Ok(Some(stage.result()))
}
