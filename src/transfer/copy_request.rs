//! Request for a copy: roots, their source and their destinations.

use super::{BlobIndex, CopyError, ImageReader, ImageStore, ProgressMeter};
use crate::http::RetryTiming;
use crate::image::{Digest, Manifest};
use crate::notices::Notices;

/// Images, or what stands beside one, and where they are to be.
pub struct CopyRequest<'a> {
    /// Where they are.
    pub source: &'a ImageReader,
    /// They.
    pub roots: Vec<Root>,
    /// Whether a destination may have a root already.
    pub root_presence: RootPresence,
    /// Where they are to be, each place once.
    pub destinations: Vec<&'a ImageStore>,
    /// Whether foreign layers are copied too.
    pub foreign_layers: ForeignLayers,
    /// What the run knows of blobs.
    pub blob_index: &'a BlobIndex,
    /// Where to say what is retried.
    pub notices: &'a Notices,
    /// Counts the bytes of all copies of a run.
    pub meter: &'a ProgressMeter,
}

/// What becomes of layers that registries need not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForeignLayers {
    /// They stay where their addresses say.
    #[default]
    Skip,
    /// They are read from the source, and copied as other layers.
    Copy,
}

/// A manifest to be copied with all below it.
#[derive(Debug, Clone)]
pub enum Root {
    /// This one, which is in memory.
    Read(Box<Manifest>),
    /// The one with this digest, which is read when it is needed.
    Named(Digest),
}

impl Root {
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::Read(manifest) => manifest.digest,
            Self::Named(digest) => *digest,
        }
    }
}

/// Knowledge about roots before any destination is asked for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootPresence {
    /// Nothing.
    Unknown,
    /// No destination has one, by its own list.
    Missing,
}

/// The first destination that failed, by its place, and how. What was written by then stays and is
/// named by nothing.
#[derive(Debug, Clone)]
pub struct CopyFailure {
    /// Its place among the destinations.
    pub at: usize,
    /// How.
    pub error: CopyError,
}

impl CopyRequest<'_> {
    /// Returns the timeouts and attempts of a destination. A layout has those of its source.
    pub(super) fn destination_timing(&self, store: &ImageStore) -> RetryTiming {
        match store {
            ImageStore::Registry(remote) => remote.timing(),
            ImageStore::Layout(_) => self.source.timing(),
        }
    }
}
