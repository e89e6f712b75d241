//! Scheme of a registry's addresses.

/// Scheme of a registry's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlScheme {
    Http,
    Https,
}

impl UrlScheme {
    /// Returns the scheme as URLs write it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
