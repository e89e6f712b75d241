use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::notice::{Notices, Progress};

/// Counts the bytes that all copies of a run move, and says so. Cheap to clone.
#[derive(Clone)]
pub struct Meter {
    counts: Arc<(AtomicU64, AtomicU64)>,
    notices: Notices,
}

impl Meter {
    /// A meter at zero.
    pub fn new(notices: Notices) -> Self {
        Self {
            counts: Arc::default(),
            notices,
        }
    }

    /// Adds bytes that may have to be moved.
    pub(super) fn expect(&self, bytes: u64) {
        self.counts.1.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes off bytes that need not be moved after all.
    pub(super) fn spare(&self, bytes: u64) {
        self.counts.1.fetch_sub(bytes, Ordering::Relaxed);
        self.say();
    }

    /// Adds bytes that were moved.
    pub(super) fn moved(&self, bytes: u64) {
        self.counts.0.fetch_add(bytes, Ordering::Relaxed);
        self.say();
    }

    /// Takes back bytes of a blob that has to start again.
    pub(super) fn undo(&self, bytes: u64) {
        self.counts.0.fetch_sub(bytes, Ordering::Relaxed);
        self.say();
    }

    fn say(&self) {
        self.notices.progress(Progress {
            moved: self.counts.0.load(Ordering::Relaxed),
            total: self.counts.1.load(Ordering::Relaxed),
        });
    }
}
