use std::sync::Arc;

use thiserror::Error;

use crate::image::{Digest, Tag};
use crate::transfer::{self, Side, StoreError};

/// Why what stands beside an image cannot be read or added to.
#[derive(Debug, Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// Something is listed and is not there.
    #[error("{what} {digest} is listed and is not there")]
    Missing {
        /// What it is.
        what: &'static str,
        /// Which one.
        digest: Digest,
    },
    /// What was written is not what comes back.
    #[error("the signature {digest} does not come back as it was written: {how}")]
    Changed {
        /// Which one.
        digest: Digest,
        /// What is wrong with it.
        how: String,
    },
    /// A tag names something else than it is for.
    #[error("tag {tag} names {problem}: something has overwritten it")]
    Foreign {
        /// The tag.
        tag: Tag,
        /// What is wrong with what it names.
        problem: &'static str,
    },
    /// A list has an entry that cannot be understood.
    #[error("the list of referrers of {0} has an entry that cannot be read")]
    Entry(Digest),
    /// A tag that has to change is not let.
    #[error("tag {tag} has to get another signature, and cannot be changed: {error}")]
    Frozen {
        /// The tag.
        tag: Tag,
        /// What the store said.
        error: Box<StoreError>,
    },
    /// More than can stand beside an image.
    #[error("the image has more than {limit} referrers, at all levels", limit = super::discover::BOUND)]
    Boundless,
    /// Others kept writing the same tag.
    #[error("tag {0} was written by others each time that it was added to")]
    Contended(Tag),
}

/// What failed at one side of a copy.
#[derive(Debug, Error)]
#[error("{side}: {error}")]
pub struct Sided {
    /// The side.
    pub side: Side,
    /// How.
    #[source]
    pub error: Error,
}

impl Sided {
    /// At the place that is written to.
    pub(super) fn there(error: impl Into<Error>) -> Self {
        Self {
            side: Side::Destination,
            error: error.into(),
        }
    }
}

impl From<transfer::Error> for Sided {
    fn from(error: transfer::Error) -> Self {
        Self {
            side: error.side,
            error: error.error.into(),
        }
    }
}

impl From<transfer::Failed> for Sided {
    fn from(failed: transfer::Failed) -> Self {
        failed.error.into()
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Arc<StoreError>> for Error {
    fn from(error: Arc<StoreError>) -> Self {
        Self::Store(error)
    }
}
