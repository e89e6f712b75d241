//! Texts of inputs that go into a record: everybody who may pull the image can read them, for years.

use url::Url;

use super::invocation::Invocation;
use crate::cli::{Input, InputError};
use crate::release::Failure;

/// Inputs whose text is recorded as it is given.
const RECORDED_INPUTS: [Input; 6] = [
    Input::Reason,
    Input::OverrideFreeze,
    Input::Link,
    Input::Dockerfile,
    Input::Target,
    Input::Name,
];

/// Most characters of a reason: a record is read by people.
pub(super) const REASON_LIMIT: usize = 2_000;

/// Refuses to record a secret that this run knows.
///
/// # Errors
/// An input that has one.
pub(super) fn refuse_secrets(invocation: &Invocation) -> Result<(), Failure> {
    let arguments = &invocation.arguments;
    let has_secret = |input: &Input| {
        let text = match arguments.is_accepted(*input) {
            true => arguments.text(*input).unwrap_or_default(),
            false => "",
        };
        invocation.log.without_secrets(text, &[]) != text
    };
    match RECORDED_INPUTS.into_iter().find(has_secret) {
        None => Ok(()),
        Some(input) => {
            Err(
                Failure::from(arguments.error(input, None, "has a secret of this run in it"))
                    .with_reason("everybody who may pull the image can read its records")
                    .with_hint("leave the secret out"),
            )
        }
    }
}

/// Returns the address in the input `link`.
///
/// # Errors
/// A text that is no address of a page, and an address with a user or password.
pub(super) fn parse_link(invocation: &Invocation) -> Result<Option<String>, InputError> {
    let arguments = &invocation.arguments;
    let text = match arguments.is_accepted(Input::Link) {
        true => arguments.text(Input::Link),
        false => None,
    };
    let Some(text) = text else {
        return Ok(None);
    };
    let wrong = |reason| Err(arguments.error(Input::Link, None, reason));
    match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "https" | "http") => wrong("is not an http(s) address"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            wrong("has a user or password in it")
        }
        Ok(_) => Ok(Some(text.to_owned())),
        Err(_) => wrong("is not an http(s) address"),
    }
}
