use thiserror::Error;

use crate::image::Digest;
use crate::notice::printable;

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Flaw {
    /// The layer has no signature beside it.
    #[error("it has no signature")]
    Unsigned,
    /// What is there cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// It is signed with a certificate.
    #[error("it is signed with a certificate (keyless), not with a key")]
    Certificate,
    /// It is signed with a key.
    #[error("it is signed with a key, not with a certificate (keyless)")]
    Key,
    /// Its certificate, its log entry or its time does not stand up to the trusted root.
    #[error("it does not stand up to the trusted root: {0}")]
    Untrusted(String),
    /// It is signed with another key.
    #[error("it was made with another key ({0})")]
    OtherKey(String),
    /// The key is right and the content is not what was signed.
    #[error("it names this key, and its content was changed after it was signed")]
    Tampered,
    /// Either of the two, which a `.sig` does not tell apart.
    #[error("it was made with another key, or its payload was changed after it was signed")]
    DoesNotFit,
    /// It is good, and of another image.
    #[error("it is the signature of another image, {0}")]
    OtherImage(Digest),
    /// It is good, and no signature of an image.
    #[error("it is no signature but an attestation of type {0:?}")]
    Attestation(String),
    /// It is good, and says something else than that an image is signed.
    #[error("it is not the signature of an image: {0}")]
    OtherKind(String),
}

impl Flaw {
    pub(super) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::Malformed(printable(&what.to_string(), 160))
    }
}
