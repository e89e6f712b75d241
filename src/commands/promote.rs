use super::invocation::Invocation;
use super::release_request::{self, ReleaseJob};
use crate::release::{Failure, ReleaseVerb};

/// A promotion takes its tags from the image first; the event, where there is one, may name the
/// version.
pub(super) async fn build_request(invocation: &Invocation) -> Result<ReleaseJob, Failure> {
    release_request::build_job(invocation, ReleaseVerb::Promote, false).await
}
