//! What the environment that an image comes from must have recorded of it.

use super::observe::{ObservedTimeline, ObservedTimelines, RecordedImage, SourceTimeline};
use crate::release::Failure;
use crate::release::context::ReleaseContext;

/// Requires that the environment that the image comes from has a release of it, where that signs its records; where it
/// does not and keeps records, warns. What an earlier run has released or begun is promoted already.
///
/// # Errors
/// An image that the environment has not released, as far as its records say.
pub(crate) fn require_source_record(
    context: &ReleaseContext,
    observed: &ObservedTimelines,
    image: &RecordedImage<'_>,
) -> Result<(), Failure> {
    let source = observed.source.as_ref();
    let Some(source) = source.filter(|source| source.release.is_none()) else {
        return Ok(());
    };
    let is_known = |it: &ObservedTimeline| it.release.is_some() || it.begun.is_some();
    if observed.destinations.iter().all(is_known) {
        return Ok(());
    }
    let location = source.view.location();
    if location.trust.is_some() {
        return Err(unrecorded_source(source, image));
    }
    if !source.view.names().is_empty() {
        context.notices.warning(format!(
            "{}: the timeline of {} has no release of {}, which is promoted from there",
            location.entries(),
            location.environment,
            image.source_root.short()
        ));
    }
    Ok(())
}

fn unrecorded_source(source: &SourceTimeline, image: &RecordedImage<'_>) -> Failure {
    let location = source.view.location();
    let environment = &location.environment;
    Failure::refused(format!(
        "{}: the timeline of {environment} has no release of {}, which is to be promoted from there",
        location.entries(),
        image.source_root
    ))
    .with_reason(format!(
        "{environment} signs its records: an image without one was not released there"
    ))
    .with_hint(format!(
        "release it to {environment} with a record: push or promote with environment: {environment}; what was there before records were kept is recorded by shipmark adopt --environment {environment}, which the policy has to allow with adopt-until"
    ))
}
