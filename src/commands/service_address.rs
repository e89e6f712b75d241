//! Addresses of services, from inputs.

use url::Url;

use super::invocation::Invocation;
use crate::cli::{Input, InputError};

/// Returns the address that an input holds.
pub(super) fn parse_address(
    invocation: &Invocation,
    input: Input,
) -> Result<Option<Url>, InputError> {
    let Some(entry) = invocation.arguments.entries(input).first() else {
        return Ok(None);
    };
    let url = Url::parse(&entry.text).ok().filter(is_confidential);
    let wrong = || {
        invocation
            .arguments
            .entry_error(input, entry, "is not an https address")
    };
    url.map(Some).ok_or_else(wrong)
}

/// Whether what goes there can be read by nobody else: plain HTTP stays on this machine.
pub(super) fn is_confidential(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}
