use super::Given;
use super::request::{self, Asked};
use crate::release::{Failure, Verb};

/// A promotion takes its tags from the image first; the event, where there is one, may name the
/// version.
pub(super) async fn request(given: &Given) -> Result<Asked, Failure> {
    request::common(given, Verb::Promote, false).await
}
