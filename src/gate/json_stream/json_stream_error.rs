use thiserror::Error;

/// Reason why a stream is not one JSON document with one meaning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum JsonStreamError {
    /// It is not JSON, or not complete.
    #[error("{0}")]
    Syntax(String),
    /// An object has this member twice.
    #[error("it has the member {0} twice")]
    DuplicateMember(String),
    /// It exceeds a limit.
    #[error("{0}")]
    Limit(String),
    /// The stream broke.
    #[error("{0}")]
    Io(String),
}
