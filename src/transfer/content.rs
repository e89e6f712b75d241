/// What a copy did at one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content {
    /// Manifests written, the root among them.
    pub manifests_written: u64,
    /// Blobs whose bytes were sent.
    pub moved: Amount,
    /// Blobs that the registry took over from a repository that had them before the run.
    pub mounted: Amount,
    /// Blobs that were there before the run.
    pub present: Amount,
    /// Blobs that the registry has because of another image or destination of this run.
    pub shared: Amount,
    /// Bytes that did not have to be moved again when a download or an upload broke off, so many
    /// times.
    pub resumed: Amount,
}

/// So many blobs, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// How many.
    pub blobs: u64,
    /// How much they hold together.
    pub bytes: u64,
}

/// How a blob came to be where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    Moved,
    Mounted,
    Present,
    Shared,
}

impl Content {
    pub(super) fn add(&mut self, placed: Placed, bytes: u64) {
        match placed {
            Placed::Moved => &mut self.moved,
            Placed::Mounted => &mut self.mounted,
            Placed::Present => &mut self.present,
            Placed::Shared => &mut self.shared,
        }
        .add(bytes);
    }

    /// What did not have to be sent, for whatever reason.
    pub fn spared(&self) -> Amount {
        let reasons = [self.mounted, self.present, self.shared];
        reasons
            .into_iter()
            .fold(Amount::default(), |sum, amount| Amount {
                blobs: sum.blobs + amount.blobs,
                bytes: sum.bytes + amount.bytes,
            })
    }
}

impl Amount {
    pub(super) fn add(&mut self, bytes: u64) {
        self.blobs += 1;
        self.bytes += bytes;
    }
}
