use super::invocation::Invocation;
use super::release_request::{self, ReleaseJob};
use crate::release::{Failure, ReleaseVerb};

/// A push takes its tags from the event; without rules in `tags` there must be one.
pub(super) async fn build_request(invocation: &Invocation) -> Result<ReleaseJob, Failure> {
    release_request::build_job(invocation, ReleaseVerb::Push, true).await
}
