//! Errors of stores, and the side of a copy on which they occurred.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::archive::ArchiveError;
use crate::image::{Digest, WalkLimitExceeded};
use crate::layout::LayoutError;
use crate::registry;

/// Error of a store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A registry.
    #[error(transparent)]
    Registry(#[from] registry::RegistryError),
    /// An image layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// An archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file of a layout or archive could not be read to its end.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A blob's bytes are not what its descriptor says.
    #[error("blob {expected}: {problem}")]
    WrongBlob {
        /// The digest that it goes by.
        expected: Digest,
        /// What is wrong with it.
        problem: String,
    },
    /// A manifest that another one names is not there.
    #[error("manifest {child}, named by {parent}, is missing")]
    MissingChild {
        /// What is missing.
        child: Digest,
        /// What names it.
        parent: Digest,
    },
    /// A manifest has another size than its index says.
    #[error("manifest {child} has {size} bytes, its index {parent} says {expected}")]
    WrongChildSize {
        /// The manifest.
        child: Digest,
        /// The index.
        parent: Digest,
        /// Its size in bytes.
        size: u64,
        /// The size that the index says.
        expected: u64,
    },
    /// An index names more than can be an image.
    #[error("the index {0} names more than {limit} manifests, more than any image", limit = crate::image::MANIFESTS_LIMIT)]
    TooManyManifests(Digest),
    /// What a manifest names takes more memory than there is for manifests.
    #[error(
        "the manifests that this run holds at once exceed the memory for manifests at manifest {0}, which no real image needs"
    )]
    OverBudget(Digest),
    /// A manifest that was read is gone.
    #[error("manifest {0} was deleted during the run")]
    Vanished(Digest),
}

/// Side of a copy that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where the image is read from.
    Source,
    /// Where it is written to.
    Destination,
}

/// A copy that failed.
#[derive(Debug, Clone, Error)]
#[error("{side}: {error}")]
pub struct CopyError {
    /// The side that failed.
    pub side: Side,
    /// How. What one source fails to give, it fails to give all destinations.
    #[source]
    pub error: Arc<StoreError>,
}

impl CopyError {
    pub(super) fn from_source(error: Arc<StoreError>) -> Self {
        Self {
            side: Side::Source,
            error,
        }
    }

    /// Returns whether the blob may be sent again. A registry as a source has used up its attempts
    /// by then.
    pub(super) fn is_retryable(&self) -> bool {
        match (self.side, &*self.error) {
            (Side::Source, StoreError::Registry(_)) => false,
            (_, error) => error.is_transient(),
        }
    }

    /// Returns whether a destination requests smaller chunks.
    pub(super) fn wants_smaller_chunk(&self) -> bool {
        matches!(&*self.error, StoreError::Registry(error) if error.wants_smaller_chunk())
    }

    /// Returns whether a destination refuses a manifest for its media type or form.
    pub(super) fn is_rejected_manifest(&self) -> bool {
        match (self.side, &*self.error) {
            (Side::Destination, StoreError::Registry(error)) => error.is_rejected_manifest(),
            _ => false,
        }
    }

    /// Returns whether a destination states that it lacks content that was expected there.
    pub(super) fn lacks_content(&self) -> bool {
        match (self.side, &*self.error) {
            (Side::Destination, StoreError::Registry(error)) => error.lacks_content(),
            _ => false,
        }
    }
}

impl From<WalkLimitExceeded> for StoreError {
    fn from(error: WalkLimitExceeded) -> Self {
        Self::TooManyManifests(error.parent)
    }
}

impl StoreError {
    pub(super) fn at_source(self) -> CopyError {
        CopyError::from_source(Arc::new(self))
    }

    pub(super) fn at_destination(self) -> CopyError {
        CopyError {
            side: Side::Destination,
            error: Arc::new(self),
        }
    }

    /// Returns whether another attempt may help. Wrong bytes may have been damaged in transit, so
    /// they are read again.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_transient(),
            Self::WrongBlob { .. } => true,
            _ => false,
        }
    }

    /// Returns whether a manifest is there and cannot be read, or differs from its entry in the index.
    pub fn is_unreadable_manifest(&self) -> bool {
        match self {
            Self::Registry(error) => {
                let cause = &error.cause;
                matches!(cause, registry::RequestErrorKind::Manifest(error) if error.is_malformed())
            }
            Self::Layout(error) => error.fault.is_unreadable_manifest(),
            Self::WrongChildSize { .. } | Self::MissingChild { .. } => true,
            _ => false,
        }
    }

    /// Returns whether a manifest or blob can never be read: it is missing, beyond the limits, or not what its
    /// digest says.
    pub fn is_unusable_content(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_unusable_content(),
            Self::Layout(error) => error.fault.is_unusable_content(),
            Self::WrongBlob { .. } | Self::WrongChildSize { .. } | Self::MissingChild { .. } => {
                true
            }
            _ => false,
        }
    }

    /// Returns the problem with access, where facts about the runner can explain it.
    pub fn access_problem(&self) -> Option<registry::AccessProblem> {
        match self {
            Self::Registry(error) => error.access_problem(),
            _ => None,
        }
    }

    /// Returns what the person at the failed job can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Archive(error) => error.fault.hint(),
            Self::Layout(error) => error.fault.hint().map(str::to_owned),
            _ => None,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}
