use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::notice::{Images, Notices, Progress};

/// Counts the bytes that all copies of a run move, and says so. Cheap to clone; one for a run, so that
/// images that travel side by side add to one total and not each say their own.
#[derive(Clone)]
pub struct Meter {
    counts: Arc<Counts>,
    notices: Notices,
}

#[derive(Default)]
struct Counts {
    moved: AtomicU64,
    total: AtomicU64,
    images: AtomicU64,
    images_done: AtomicU64,
}

impl Meter {
    /// A meter at zero.
    pub fn new(notices: Notices) -> Self {
        Self {
            counts: Arc::default(),
            notices,
        }
    }

    /// Adds images that are to be brought, each of which ends with [`Meter::image_done`].
    pub fn expect_images(&self, images: u64) {
        self.counts.images.fetch_add(images, Ordering::Relaxed);
    }

    /// One of the expected images is done.
    pub fn image_done(&self) {
        self.counts.images_done.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds bytes that may have to be moved.
    pub(super) fn expect(&self, bytes: u64) {
        self.counts.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes off bytes that need not be moved after all.
    pub(super) fn spare(&self, bytes: u64) {
        self.counts.total.fetch_sub(bytes, Ordering::Relaxed);
        self.say();
    }

    /// Begins to count the bytes of one blob on their way to one place.
    pub(super) fn passage(&self) -> Passage {
        Passage {
            meter: self.clone(),
            counted: Arc::new(Mutex::new(Some(0))),
        }
    }

    fn moved(&self, bytes: u64) {
        self.counts.moved.fetch_add(bytes, Ordering::Relaxed);
        self.say();
    }

    fn say(&self) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &*self.counts;
        let images = Images {
            done: read(&counts.images_done),
            of: read(&counts.images),
        };
        self.notices.progress(Progress {
            moved: read(&counts.moved),
            total: read(&counts.total),
            images: Some(images).filter(|images| images.of > 1),
        });
    }
}

/// The bytes of one blob on their way. A body may outlive the request that it was sent with, so
/// nothing counts once it is known what came of it.
pub(super) struct Passage {
    meter: Meter,
    counted: Arc<Mutex<Option<u64>>>,
}

impl Passage {
    /// Counts what passes.
    pub(super) fn count<E>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
        let (meter, counted) = (self.meter.clone(), self.counted.clone());
        body.inspect(move |frame| {
            if let (Ok(frame), Some(counted)) = (frame, &mut *lock(&counted)) {
                *counted += frame.len() as u64;
                meter.moved(frame.len() as u64);
            }
        })
    }

    /// The blob has come through with so many bytes.
    pub(super) fn complete(&self, bytes: u64) {
        if let Some(counted) = lock(&self.counted).take() {
            self.meter.moved(bytes.saturating_sub(counted));
        }
    }

    /// It has not, and starts again.
    pub(super) fn undo(&self) {
        if let Some(counted) = lock(&self.counted).take() {
            self.meter
                .counts
                .moved
                .fetch_sub(counted, Ordering::Relaxed);
            self.meter.say();
        }
    }
}

fn lock(counted: &Mutex<Option<u64>>) -> MutexGuard<'_, Option<u64>> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}
