//! Counts of the blobs and manifests that a copy wrote or found at one destination.

/// Counts of a copy at one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CopyStats {
    /// Manifests written, the root among them.
    pub manifests_written: u64,
    /// Blobs whose bytes were sent.
    pub moved: BlobAmount,
    /// Blobs that the registry took over from a repository that had them before the run.
    pub mounted: BlobAmount,
    /// Blobs that were there before the run.
    pub present: BlobAmount,
    /// Blobs that the registry has because of another image or destination of this run.
    pub shared: BlobAmount,
    /// Bytes that did not have to be moved again when a download or an upload broke off, so many
    /// times.
    pub resumed: BlobAmount,
}

/// So many blobs, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlobAmount {
    /// How many.
    pub blobs: u64,
    /// How much they hold together.
    pub bytes: u64,
}

/// Way in which a destination got a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    Moved,
    Mounted,
    Present,
    Shared,
}

impl CopyStats {
    pub(super) fn add(&mut self, placed: Placement, bytes: u64) {
        match placed {
            Placement::Moved => &mut self.moved,
            Placement::Mounted => &mut self.mounted,
            Placement::Present => &mut self.present,
            Placement::Shared => &mut self.shared,
        }
        .add(bytes);
    }

    /// Returns whether the registry has mounted a blob.
    pub(super) fn has_mounts(&self) -> bool {
        self.mounted.blobs + self.shared.blobs > 0
    }

    /// Returns the amount that was not sent: mounted, present or shared.
    pub fn not_sent(&self) -> BlobAmount {
        let reasons = [self.mounted, self.present, self.shared];
        reasons
            .into_iter()
            .fold(BlobAmount::default(), |sum, amount| BlobAmount {
                blobs: sum.blobs + amount.blobs,
                bytes: sum.bytes + amount.bytes,
            })
    }
}

impl BlobAmount {
    pub(super) fn add(&mut self, bytes: u64) {
        self.blobs += 1;
        self.bytes += bytes;
    }
}
