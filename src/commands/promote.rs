use super::{Given, facts, request};
use crate::release::{Failure, Request, Verb};

/// A promotion takes its tags from the image first; the event, where there is one, may name the
/// version.
pub(super) fn request(given: &Given) -> Result<Request, Failure> {
    let mut request = request::common(given, Verb::Promote)?;
    request.facts = facts::find_if_any(given)?;
    Ok(request)
}
