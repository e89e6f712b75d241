use super::invocation::Invocation;
use super::release_request::{JobPurpose, ReleaseJob, build_job};
use crate::release::{Failure, ReleaseVerb};

/// A promotion takes its tags from the image first; the event, where there is one, may name the
/// version.
pub(super) async fn build_request(invocation: &Invocation) -> Result<ReleaseJob, Failure> {
    let purpose = JobPurpose {
        verb: ReleaseVerb::Promote,
        needs_facts: false,
        is_check: false,
    };
    build_job(invocation, purpose).await
}
