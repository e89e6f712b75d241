use super::{Given, request};
use crate::release::{Failure, Request, Verb};

/// A promotion takes its tags from the image first; the event, where there is one, may name the
/// version.
pub(super) async fn request(given: &Given) -> Result<Request, Failure> {
    request::common(given, Verb::Promote, false).await
}
