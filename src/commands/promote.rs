use super::Invocation;
use super::release_request::{self, ReleaseJob};
use crate::release::{Failure, ReleaseVerb};

/// A promotion takes its tags from the image first; the event, where there is one, may name the
/// version.
pub(super) async fn build_request(given: &Invocation) -> Result<ReleaseJob, Failure> {
    release_request::build_job(given, ReleaseVerb::Promote, false).await
}
