//! Timeline entry that a run has written itself.

use crate::image::Manifest;
use crate::record::{EntryName, RecordBlob};

/// Timeline entry that was written.
pub(crate) struct WrittenEntry {
    pub(crate) name: EntryName,
    pub(crate) manifest: Manifest,
    pub(crate) blob: RecordBlob,
}
