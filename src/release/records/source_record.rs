//! What the environment that an image comes from must have recorded of it.

use super::observe::{ObservedTimeline, ObservedTimelines, RecordedImage};
use crate::release::Failure;
use crate::release::context::ReleaseContext;

/// Requires that the environment that the image comes from has a release of it that nothing took back, where that signs
/// its records; where it does not and keeps records, warns. What an earlier run has released or begun is promoted
/// already.
///
/// # Errors
/// An image that the environment has not released, or has taken back, as far as its records say.
pub(crate) fn require_source_record(
    context: &ReleaseContext,
    observed: &ObservedTimelines,
    image: &RecordedImage<'_>,
) -> Result<(), Failure> {
    let Some(source) = &observed.source else {
        return Ok(());
    };
    let is_known = |it: &ObservedTimeline| it.release.is_some() || it.begun.is_some();
    if observed.destinations.iter().all(is_known) {
        return Ok(());
    }
    let location = source.view.location();
    if location.trust.is_some() {
        return source.require_release(image.source_root);
    }
    if source.release.is_none() && !source.view.names().is_empty() {
        context.notices.warning(format!(
            "{}: the timeline of {} has no release of {}, which is promoted from there",
            location.entries(),
            location.environment,
            image.source_root.short()
        ));
    }
    Ok(())
}
