//! Meter of the bytes that all copies of a run transfer, for progress messages.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::notices::{ImageCount, ImageProgress, Notices, TransferProgress};

/// Meter of the bytes that all copies of an image transfer; reports progress. Cheap to clone. The
/// meters of the images of a run add to one total.
#[derive(Clone)]
pub struct ProgressMeter {
    run: Arc<RunCounts>,
    image: Arc<ImageCounts>,
    notices: Notices,
}

#[derive(Default)]
struct RunCounts {
    bytes: ByteCounts,
    images: AtomicU64,
    images_done: AtomicU64,
}

struct ImageCounts {
    name: Arc<str>,
    bytes: ByteCounts,
    is_done: AtomicBool,
}

#[derive(Default)]
struct ByteCounts {
    moved: AtomicU64,
    total: AtomicU64,
}

impl ImageCounts {
    fn new(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            bytes: ByteCounts::default(),
            is_done: AtomicBool::new(false),
        })
    }
}

impl ProgressMeter {
    /// Constructs the meter of a run at zero.
    pub fn new(notices: Notices) -> Self {
        Self {
            run: Arc::default(),
            image: ImageCounts::new("image"),
            notices,
        }
    }

    /// Returns the meter of an image, whose bytes count for the run too. `name` is no other image's.
    #[must_use]
    pub fn for_image(&self, name: &str) -> Self {
        Self {
            image: ImageCounts::new(name),
            ..self.clone()
        }
    }

    /// Adds images that are to be copied, each of which ends with [`ProgressMeter::finish_image`].
    pub fn expect_images(&self, images: u64) {
        self.run.images.fetch_add(images, Ordering::Relaxed);
    }

    /// Counts the image as done.
    pub fn finish_image(&self) {
        self.run.images_done.fetch_add(1, Ordering::Relaxed);
        self.image.is_done.store(true, Ordering::Relaxed);
        self.report();
    }

    /// Adds bytes that may have to be moved.
    pub(super) fn expect_bytes(&self, bytes: u64) {
        for counts in self.byte_counts() {
            counts.total.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Takes off bytes that need not be moved after all.
    pub(super) fn skip_bytes(&self, bytes: u64) {
        for counts in self.byte_counts() {
            counts.total.fetch_sub(bytes, Ordering::Relaxed);
        }
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
        for counts in self.byte_counts() {
            counts.moved.fetch_add(bytes, Ordering::Relaxed);
        }
        self.report();
    }

    fn take_back_moved(&self, bytes: u64) {
        for counts in self.byte_counts() {
            counts.moved.fetch_sub(bytes, Ordering::Relaxed);
        }
        self.report();
    }

    /// Returns the counts of the run and of the image.
    fn byte_counts(&self) -> [&ByteCounts; 2] {
        [&self.run.bytes, &self.image.bytes]
    }

    fn report(&self) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let images = ImageCount {
            done: read(&self.run.images_done),
            of: read(&self.run.images),
        };
        self.notices.progress(TransferProgress {
            image: ImageProgress {
                name: self.image.name.clone(),
                moved: read(&self.image.bytes.moved),
                total: read(&self.image.bytes.total),
                is_done: self.image.is_done.load(Ordering::Relaxed),
            },
            moved: read(&self.run.bytes.moved),
            total: read(&self.run.bytes.total),
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
            self.meter.take_back_moved(counted);
        }
    }
}

fn lock(counted: &Mutex<Option<u64>>) -> MutexGuard<'_, Option<u64>> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}
