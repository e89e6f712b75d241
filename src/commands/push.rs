use super::invocation::Invocation;
use super::release_request::{JobPurpose, ReleaseJob, build_job};
use crate::release::{Failure, ReleaseVerb};

/// A push takes its tags from the event; without rules in `tags` there must be one.
pub(super) async fn build_request(invocation: &Invocation) -> Result<ReleaseJob, Failure> {
    let purpose = JobPurpose {
        verb: ReleaseVerb::Push,
        needs_facts: true,
        is_check: false,
    };
    build_job(invocation, purpose).await
}
