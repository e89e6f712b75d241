use super::Given;
use super::request::{self, Asked};
use crate::release::{Failure, Verb};

/// A push takes its tags from the event; without rules in `tags` there must be one.
pub(super) async fn request(given: &Given) -> Result<Asked, Failure> {
    request::common(given, Verb::Push, true).await
}
