//! Reasons why bytes are not accepted as a manifest.

use thiserror::Error;

use super::manifest_limits::{HOLD_LIMIT, LIMITED_LIST};
use super::{Digest, DigestError, MANIFEST_LIMIT, MEMBERS_LIMIT};

/// Why bytes are no manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// The bytes are more than [`MANIFEST_LIMIT`].
    #[error("is larger than {} MiB", MANIFEST_LIMIT >> 20)]
    TooLarge,
    /// The bytes have more members than [`MEMBERS_LIMIT`].
    #[error("has more than {MEMBERS_LIMIT} members, which no image needs")]
    TooManyMembers,
    /// With all others that the run holds it takes more memory than there is for manifests.
    #[error(
        "and the others that this run holds at once take more than {} MiB, more than any real image needs",
        HOLD_LIMIT >> 20
    )]
    OverBudget,
    /// The bytes are no JSON object of the right shape.
    #[error("is not a manifest: {0}")]
    Json(String),
    /// A schema 1 manifest, which has no digest of its own.
    #[error(
        "is a manifest of schema version {0}; only 2 is supported: pull and push it with a current docker"
    )]
    Schema(u64),
    /// A media type that is none of [`super::MediaType`].
    #[error("has the unsupported media type {0:?}")]
    MediaType(String),
    /// What the manifest holds contradicts what it says it is.
    #[error("has the media type {stated}, but the content of {is}")]
    Mixed {
        /// The media type as the manifest or the server gives it.
        stated: &'static str,
        /// What it looks like.
        is: &'static str,
    },
    /// A descriptor's digest is malformed or unsupported.
    #[error("names {digest:?}, which {reason}")]
    Digest {
        /// The text in place of a digest.
        digest: String,
        /// What is wrong with it.
        reason: DigestError,
    },
    /// A descriptor's size is negative.
    #[error("gives {0} a negative size")]
    Size(Digest),
}

impl ManifestError {
    /// Whether every attempt ends so: the bytes are at fault or beyond a limit, and not the memory of this run.
    pub fn is_lasting(&self) -> bool {
        !matches!(self, Self::OverBudget)
    }

    /// Whether the bytes are at fault, and not that they would take too much room.
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::TooLarge | Self::TooManyMembers | Self::OverBudget => false,
            Self::Json(reason) => {
                !(reason.contains("invalid length") && reason.contains(LIMITED_LIST))
            }
            _ => true,
        }
    }
}
