use super::{Given, facts, request};
use crate::release::{Failure, Request, Verb};

/// A push takes its tags from the event; without rules in `tags` there must be one.
pub(super) fn request(given: &Given) -> Result<Request, Failure> {
    let mut request = request::common(given, Verb::Push)?;
    request.facts = if request::has_rules(&request) {
        facts::find_if_any(given)?
    } else {
        Some(facts::find(given)?)
    };
    Ok(request)
}
