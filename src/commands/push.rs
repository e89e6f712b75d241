use super::{Given, request};
use crate::release::{Failure, Request, Verb};

/// A push takes its tags from the event; without rules in `tags` there must be one.
pub(super) async fn request(given: &Given) -> Result<Request, Failure> {
    request::common(given, Verb::Push, true).await
}
