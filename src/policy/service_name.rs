use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The name of a service: a part of its repositories' names, so lower-case letters, digits, dots,
/// dashes and underscores, beginning with a letter or digit, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Service(String);

/// Why a text is no [`Service`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "is not a valid service name: use 1 to 64 lower-case letters, digits, dots, dashes or underscores, the first a letter or digit"
)]
pub struct ServiceNameError;

impl Service {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Service {
    type Err = ServiceNameError;

    fn from_str(text: &str) -> Result<Self, ServiceNameError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let allowed = |b: u8| plain(b) || matches!(b, b'.' | b'-' | b'_');
        let fine =
            text.len() <= 64 && text.bytes().next().is_some_and(plain) && text.bytes().all(allowed);
        fine.then(|| Self(text.to_owned())).ok_or(ServiceNameError)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
