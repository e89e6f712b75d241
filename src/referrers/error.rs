//! Errors of reading and writing referrers.

use std::sync::Arc;

use thiserror::Error;

use crate::image::{Digest, Tag};
use crate::transfer::{self, Side, StoreError};

/// Reason why referrers of an image cannot be read or added to.
#[derive(Debug, Error)]
pub enum ReferrerError {
    /// The store.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// Something is listed and is not there.
    #[error("{what} {digest} is listed, but missing")]
    Missing {
        /// What it is.
        what: &'static str,
        /// Which one.
        digest: Digest,
    },
    /// A registry with the referrers API took a referrer, and does not list it.
    #[error(
        "the registry took the signature {0}, and does not list it among the referrers of the image"
    )]
    Unlisted(Digest),
    /// What was written is not what comes back.
    #[error("the signature {digest} differs from the one that was written: {how}")]
    Changed {
        /// Which one.
        digest: Digest,
        /// What is wrong with it.
        how: String,
    },
    /// A tag names something else than it is for.
    #[error("tag {tag} names {problem}: something has overwritten it")]
    UnexpectedTagContent {
        /// The tag.
        tag: Tag,
        /// What is wrong with what it names.
        problem: &'static str,
    },
    /// A list has an entry that cannot be understood.
    #[error("the list of referrers of {0} has an entry that cannot be read")]
    MalformedEntry(Digest),
    /// A tag that has to change is not let.
    #[error("tag {tag} needs another signature, but cannot be changed: {error}")]
    ImmutableTag {
        /// The tag.
        tag: Tag,
        /// What the store said.
        error: Box<StoreError>,
    },
    /// More than can stand beside an image.
    #[error("the image has more than {limit} referrers at all levels", limit = super::limits::GRAPH_LIMIT)]
    TooManyReferrers,
    /// Others kept writing the same tag.
    #[error("other writers changed tag {0} at each attempt to add to it")]
    Contended(Tag),
}

/// Error of referrers with the side of the copy that failed.
#[derive(Debug, Error)]
#[error("{side}: {error}")]
pub struct SidedReferrerError {
    /// The side.
    pub side: Side,
    /// How.
    #[source]
    pub error: ReferrerError,
}

impl SidedReferrerError {
    /// Returns the error with the destination as its side.
    pub(super) fn at_destination(error: impl Into<ReferrerError>) -> Self {
        Self {
            side: Side::Destination,
            error: error.into(),
        }
    }
}

impl From<transfer::CopyError> for SidedReferrerError {
    fn from(error: transfer::CopyError) -> Self {
        Self {
            side: error.side,
            error: error.error.into(),
        }
    }
}

impl From<transfer::CopyFailure> for SidedReferrerError {
    fn from(failed: transfer::CopyFailure) -> Self {
        failed.error.into()
    }
}

impl From<StoreError> for ReferrerError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Arc<StoreError>> for ReferrerError {
    fn from(error: Arc<StoreError>) -> Self {
        Self::Store(error)
    }
}
