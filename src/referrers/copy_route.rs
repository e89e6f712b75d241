//! Source and destination of the referrers that are copied.

use crate::notices::Notices;
use crate::transfer::{BlobIndex, ForeignLayers, ImageReader, ImageStore, ProgressMeter};

/// Source and destination of a copy of referrers.
#[derive(Clone, Copy)]
pub struct CopyRoute<'a> {
    /// Where things come from.
    pub source: &'a ImageReader,
    /// Where they go.
    pub store: &'a ImageStore,
    /// Whether foreign layers are copied too.
    pub foreign_layers: ForeignLayers,
    /// Whether a referrer that the destination refuses for its media type or form is skipped, and no error.
    pub skips_rejected: bool,
    /// What the run knows of blobs.
    pub blob_index: &'a BlobIndex,
    /// Where to say what is retried.
    pub notices: &'a Notices,
    /// Counts the bytes of all copies of a run.
    pub meter: &'a ProgressMeter,
}
