//! The copy engine: brings a root and everything below it from a source to a store, the root last.
//!
//! Plan, then move: what is missing at the destination is found out first, many questions at once;
//! then blobs travel, the largest first, each hashed on its way and committed only if its size and
//! digest are right; then manifests, children before parents, as the bytes they came as. No tag is
//! written here.

mod blob;
mod error;
mod meter;
mod plan;
mod source;
mod store;
mod verified;

pub use error::{Error, Side, StoreError};
pub use meter::Meter;
pub use source::{ReadStream, Source};
pub use store::Store;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::image::Manifest;
use crate::notice::Notices;

/// Blobs that travel at the same time.
const TRANSFERS: usize = 8;
/// Questions and manifests under way at the same time, to one destination.
const REQUESTS: usize = 16;

/// What a copy did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content {
    /// Manifests written, the root among them.
    pub manifests_written: u64,
    /// Blobs whose bytes were moved.
    pub blobs_moved: u64,
    /// Blobs that the registry took over from another of its repositories.
    pub blobs_mounted: u64,
    /// Blobs that were there.
    pub blobs_present: u64,
    /// Bytes of the blobs moved.
    pub bytes_moved: u64,
    /// Bytes of the blobs that did not have to move.
    pub bytes_present: u64,
}

/// A copy to one destination.
pub struct Copy<'a> {
    /// Where the image is.
    pub source: &'a Source,
    /// The image.
    pub root: &'a Manifest,
    /// Where it is to be.
    pub destination: &'a Store,
    /// Where to say what is retried.
    pub notices: &'a Notices,
    /// Counts the bytes of all copies of a run.
    pub meter: &'a Meter,
}

impl Copy<'_> {
    /// Copies what is missing. Afterwards the destination has the root, by digest, and all below it.
    ///
    /// # Errors
    /// Whatever cannot be read, is not what its digest says, or cannot be written. What was written
    /// by then stays and is named by nothing.
    pub async fn run(&self) -> Result<Content, Error> {
        if self.destination.has_root(self.root.digest).await? {
            return Ok(Content::default());
        }
        let plan = plan::missing(self).await?;
        let outcome = self.carry_out(&plan).await;
        if outcome.is_err() {
            self.destination.close_uploads().await;
        }
        outcome
    }

    /// Copies the blobs of the root alone; the root itself is for the caller to write.
    ///
    /// # Errors
    /// As [`Copy::run`].
    pub async fn run_blobs(&self) -> Result<Content, Error> {
        let mut plan = plan::missing(self).await?;
        plan.levels.clear();
        let outcome = self.carry_out(&plan).await;
        if outcome.is_err() {
            self.destination.close_uploads().await;
        }
        outcome
    }

    async fn carry_out(&self, plan: &plan::Plan) -> Result<Content, Error> {
        self.meter
            .expect(plan.blobs.iter().map(|blob| blob.size).sum());
        let mounts = blob::Mounts::new(self.source, self.destination);
        let mut content = stream::iter(&plan.blobs)
            .map(|blob| blob::place(self, blob, &mounts))
            .buffer_unordered(TRANSFERS)
            .try_fold(Content::default(), |content, placed| async move {
                Ok(content.with(placed))
            })
            .await?;
        for level in plan.levels.iter().rev() {
            stream::iter(level)
                .map(|manifest| self.destination.put_manifest(manifest))
                .buffer_unordered(REQUESTS)
                .try_collect::<()>()
                .await?;
            content.manifests_written += level.len() as u64;
        }
        Ok(content)
    }
}

impl Content {
    fn with(mut self, placed: blob::Placed) -> Self {
        match placed {
            blob::Placed::Moved(size) => {
                self.blobs_moved += 1;
                self.bytes_moved += size;
            }
            blob::Placed::Mounted(size) => {
                self.blobs_mounted += 1;
                self.bytes_present += size;
            }
            blob::Placed::Present(size) => {
                self.blobs_present += 1;
                self.bytes_present += size;
            }
        }
        self
    }
}
