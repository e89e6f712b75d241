use std::fmt;
use std::str::FromStr;

use crate::image::{Digest, DigestError};

/// Name of a record: the SHA-256 digest of the stored blob, the bundle or the bare statement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(Digest);

impl RecordId {
    /// Returns the id of the record that is stored as `blob`.
    pub fn from_blob(blob: &[u8]) -> Self {
        Self(Digest::from_bytes(blob))
    }

    /// Returns the id that is the digest of a stored blob.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// Returns the digest of the stored blob.
    pub const fn digest(self) -> Digest {
        self.0
    }
}

impl FromStr for RecordId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for RecordId {
    /// Writes `sha256:<64 hex digits>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}", self.0)
    }
}
