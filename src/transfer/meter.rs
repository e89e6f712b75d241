//! Meter of the bytes that all copies of a run transfer, for progress messages.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::notices::{ImageProgress, Notices, TransferProgress};

/// Meter of the bytes that all copies of a run transfer; reports progress. Cheap to clone; one for
/// a run, so that concurrent images add to one total.
#[derive(Clone)]
pub struct ProgressMeter {
    counts: Arc<ProgressCounts>,
    notices: Notices,
}

#[derive(Default)]
struct ProgressCounts {
    moved: AtomicU64,
    total: AtomicU64,
    images: AtomicU64,
    images_done: AtomicU64,
}

impl ProgressMeter {
    /// Constructs a meter at zero.
    pub fn new(notices: Notices) -> Self {
        Self {
            counts: Arc::default(),
            notices,
        }
    }

    /// Adds images that are to be brought, each of which ends with [`ProgressMeter::finish_image`].
    pub fn expect_images(&self, images: u64) {
        self.counts.images.fetch_add(images, Ordering::Relaxed);
    }

    /// Counts one of the expected images as done.
    pub fn finish_image(&self) {
        self.counts.images_done.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds bytes that may have to be moved.
    pub(super) fn expect_bytes(&self, bytes: u64) {
        self.counts.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes off bytes that need not be moved after all.
    pub(super) fn skip_bytes(&self, bytes: u64) {
        self.counts.total.fetch_sub(bytes, Ordering::Relaxed);
        self.report();
    }

    /// Begins to count the bytes of one blob on their way to one place.
    pub(super) fn start_blob(&self) -> BlobProgress {
        BlobProgress {
            meter: self.clone(),
            counted: Arc::new(Mutex::new(Some(0))),
        }
    }

    fn add_moved(&self, bytes: u64) {
        self.counts.moved.fetch_add(bytes, Ordering::Relaxed);
        self.report();
    }

    fn report(&self) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &*self.counts;
        let images = ImageProgress {
            done: read(&counts.images_done),
            of: read(&counts.images),
        };
        self.notices.progress(TransferProgress {
            moved: read(&counts.moved),
            total: read(&counts.total),
            images: Some(images).filter(|images| images.of > 1),
        });
    }
}

/// The bytes of one blob on their way. A body may outlive the request that it was sent with, so
/// nothing counts once it is known what came of it.
pub(super) struct BlobProgress {
    meter: ProgressMeter,
    counted: Arc<Mutex<Option<u64>>>,
}

impl BlobProgress {
    /// Counts what passes.
    pub(super) fn count_frames<E>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
        let (meter, counted) = (self.meter.clone(), self.counted.clone());
        body.inspect(move |frame| {
            if let (Ok(frame), Some(counted)) = (frame, &mut *lock(&counted)) {
                *counted += frame.len() as u64;
                meter.add_moved(frame.len() as u64);
            }
        })
    }

    /// Counts the blob as transferred, with its size in bytes.
    pub(super) fn complete(&self, bytes: u64) {
        if let Some(counted) = lock(&self.counted).take() {
            self.meter.add_moved(bytes.saturating_sub(counted));
        }
    }

    /// Discards the bytes of an attempt that failed.
    pub(super) fn discard(&self) {
        if let Some(counted) = lock(&self.counted).take() {
            self.meter
                .counts
                .moved
                .fetch_sub(counted, Ordering::Relaxed);
            self.meter.report();
        }
    }
}

fn lock(counted: &Mutex<Option<u64>>) -> MutexGuard<'_, Option<u64>> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}
