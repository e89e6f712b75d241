//! Reader of images from a store or an archive.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::{ImageStore, StoreError};
use crate::archive::ImageArchive;
use crate::http::RetryTiming;
use crate::image::{
    Descriptor, Digest, DigestHasher, Manifest, ManifestBudget, Repository, TagOrDigest,
};
use crate::layout::LayoutReferrers;
use crate::registry::{self, LargeTurn, RepositoryClient, ResumedBytes, TagPage};

/// A blob's bytes as they come.
pub type SourceStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// A blob that is being read.
pub(super) struct BlobReading {
    pub(super) stream: SourceStream,
    /// What did not have to be read again where it broke off.
    pub(super) resumed: ResumedBytes,
}

/// Reader of images from a store or an archive. Each manifest is read once, for all tasks that ask
/// for it, as long as there is memory to keep it.
pub struct ImageReader {
    kind: ReaderKind,
    manifests: Mutex<HashMap<Digest, CachedManifest>>,
    /// The manifests that were made here.
    generated: Mutex<HashSet<Digest>>,
    tag_page: OnceCell<TagPage>,
    /// Turns to read what is small as a rule and large here.
    large: Semaphore,
}

/// From this size on a small blob waits for its turn to be read as a whole.
const LARGE: u64 = 64 << 10;
/// Large ones that are read at the same time from one source.
const LARGE_AT_ONCE: usize = 2;

/// What is known of a manifest. Whoever asks first finds out, and the others wait for it.
type CachedManifest = Arc<OnceCell<Option<Manifest>>>;

enum ReaderKind {
    Store(ImageStore),
    Archive(ImageArchive),
}

impl ImageReader {
    /// Constructs a reader of a store.
    pub fn from_store(store: ImageStore) -> Self {
        Self {
            kind: ReaderKind::Store(store),
            manifests: Mutex::default(),
            generated: Mutex::default(),
            tag_page: OnceCell::new(),
            large: Semaphore::new(LARGE_AT_ONCE),
        }
    }

    /// Constructs a reader of an archive.
    pub fn from_archive(archive: ImageArchive) -> Self {
        Self {
            kind: ReaderKind::Archive(archive),
            manifests: Mutex::default(),
            generated: Mutex::default(),
            tag_page: OnceCell::new(),
            large: Semaphore::new(LARGE_AT_ONCE),
        }
    }

    /// Reads the referrers that a layout or archive lists; a registry lists none here.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub async fn read_layout_referrers(&self) -> Result<LayoutReferrers, StoreError> {
        Ok(match &self.kind {
            ReaderKind::Store(ImageStore::Layout(layout)) => layout.read_referrers().await?,
            ReaderKind::Archive(archive) => archive.read_referrers().await?,
            ReaderKind::Store(ImageStore::Registry(_)) => LayoutReferrers::default(),
        })
    }

    /// Returns the first page of the tags of a registry, requested once; [`TagPage::Incomplete`]
    /// for others.
    ///
    /// # Errors
    /// An answer that may be another one later.
    pub async fn first_tag_page(&self) -> Result<&TagPage, StoreError> {
        let ask = || async {
            Ok(match self.as_repository_client() {
                Some(remote) => remote.first_tag_page().await?,
                None => TagPage::Incomplete,
            })
        };
        self.tag_page.get_or_try_init(ask).await
    }

    /// Returns what [`ImageReader::first_tag_page`] told, if it was asked.
    pub fn known_tag_page(&self) -> Option<&TagPage> {
        self.tag_page.get()
    }

    /// The store that it is, where it is one.
    pub fn as_store(&self) -> Option<&ImageStore> {
        match &self.kind {
            ReaderKind::Store(store) => Some(store),
            ReaderKind::Archive(_) => None,
        }
    }

    /// Returns the client of the repository; `None` for a layout or an archive.
    pub(super) fn as_repository_client(&self) -> Option<&RepositoryClient> {
        match &self.kind {
            ReaderKind::Store(ImageStore::Registry(remote)) => Some(remote),
            _ => None,
        }
    }

    /// Returns the repository, from which another one of the same registry can mount.
    pub(super) fn repository(&self) -> Option<&Repository> {
        self.as_repository_client()
            .map(RepositoryClient::repository)
    }

    /// Returns the manifest with that digest; `None` if it does not exist.
    ///
    /// # Errors
    /// A store that cannot tell, or bytes that are no manifest or another one.
    pub async fn get_manifest(&self, digest: Digest) -> Result<Option<Manifest>, StoreError> {
        let known = self.cached_manifest(digest);
        let mut is_read = false;
        let read = || {
            is_read = true;
            self.read_manifest(digest)
        };
        let found = known.get_or_try_init(read).await?.clone();
        if is_read && !self.budget().may_keep() {
            lock(&self.manifests).remove(&digest);
        }
        Ok(found)
    }

    /// Returns the memory budget for its manifests.
    pub(super) fn budget(&self) -> &ManifestBudget {
        match &self.kind {
            ReaderKind::Store(ImageStore::Registry(remote)) => remote.manifest_budget(),
            ReaderKind::Store(ImageStore::Layout(layout)) => layout.manifest_budget(),
            ReaderKind::Archive(archive) => archive.manifest_budget(),
        }
    }

    async fn read_manifest(&self, digest: Digest) -> Result<Option<Manifest>, StoreError> {
        Ok(match &self.kind {
            ReaderKind::Store(ImageStore::Registry(remote)) => {
                remote.get_manifest(&TagOrDigest::Digest(digest)).await?
            }
            ReaderKind::Store(ImageStore::Layout(layout)) => layout.get_manifest(digest).await?,
            ReaderKind::Archive(archive) => archive.get_manifest(digest).await?,
        })
    }

    fn cached_manifest(&self, digest: Digest) -> CachedManifest {
        lock(&self.manifests).entry(digest).or_default().clone()
    }

    /// Keeps a manifest that was read in another way, where there is memory for it.
    pub fn cache_manifest(&self, manifest: Manifest) {
        if self.budget().may_keep() {
            self.hold(manifest);
        }
    }

    fn hold(&self, manifest: Manifest) {
        // Where it is known already it is the same: a digest has one content.
        let _ = self.cached_manifest(manifest.digest).set(Some(manifest));
    }

    /// Adds a manifest that was made here. It reads as all others, and the source does not have it.
    pub fn add_generated(&self, manifest: Manifest) {
        lock(&self.generated).insert(manifest.digest);
        self.hold(manifest);
    }

    /// Returns whether `store` is the repository that this manifest is read from.
    pub(super) fn is_stored_in(&self, store: &ImageStore, digest: Digest) -> bool {
        let is_same = match (self.repository(), store) {
            (Some(own), ImageStore::Registry(remote)) => own == remote.repository(),
            _ => false,
        };
        is_same && !lock(&self.generated).contains(&digest)
    }

    /// Whether its content is on disk, where a look costs no request.
    pub fn is_on_disk(&self) -> bool {
        !matches!(self.kind, ReaderKind::Store(ImageStore::Registry(_)))
    }

    /// Checks that everything below a manifest is there, where it is on disk. Of a manifest that was made
    /// here, what it lists is checked.
    ///
    /// # Errors
    /// Content that is missing or damaged.
    pub async fn check_stored_content(&self, root: Digest) -> Result<(), StoreError> {
        let mut pending = vec![root];
        while let Some(digest) = pending.pop() {
            if lock(&self.generated).contains(&digest) {
                let made = self.get_manifest(digest).await?;
                let listed = made.iter().flat_map(Manifest::children);
                pending.extend(listed.map(|child| child.digest));
                continue;
            }
            match &self.kind {
                ReaderKind::Store(ImageStore::Registry(_)) => {}
                ReaderKind::Store(ImageStore::Layout(layout)) => drop(layout.check(digest).await?),
                ReaderKind::Archive(archive) => drop(archive.check(digest).await?),
            }
        }
        Ok(())
    }

    /// Opens a blob from its byte `at` on. Whoever reads it checks its size and digest.
    pub(super) async fn open_blob(
        &self,
        blob: &Descriptor,
        at: u64,
    ) -> Result<BlobReading, StoreError> {
        let mut resumed = ResumedBytes::default();
        let whole = match (&blob.data, &self.kind) {
            (Some(data), _) => futures_util::stream::iter([Ok(data.clone())]).boxed(),
            (None, ReaderKind::Store(ImageStore::Registry(remote))) => {
                let download = remote.open_blob(blob, at).await?;
                resumed = download.resumed();
                let stream = download.into_stream().map_err(StoreError::from).boxed();
                return Ok(BlobReading { stream, resumed });
            }
            (None, ReaderKind::Store(ImageStore::Layout(layout))) => layout
                .open_blob(blob)
                .await?
                .map_err(StoreError::from)
                .boxed(),
            (None, ReaderKind::Archive(archive)) => archive
                .open_blob(blob)
                .await?
                .map_err(StoreError::from)
                .boxed(),
        };
        let stream = match at {
            0 => whole,
            at => registry::skip_bytes(whole, at).boxed(),
        };
        Ok(BlobReading { stream, resumed })
    }

    /// Returns the timeouts and attempts of the source.
    pub(super) fn timing(&self) -> RetryTiming {
        match &self.kind {
            ReaderKind::Store(ImageStore::Registry(remote)) => remote.timing(),
            _ => RetryTiming::default(),
        }
    }

    /// Reads a small blob as a whole and verifies it, such as a config. A read that breaks off or
    /// returns wrong bytes is repeated, as for a large blob.
    ///
    /// # Errors
    /// A blob of more than `limit` bytes, or that is not what its descriptor says.
    pub async fn read_small_blob(
        &self,
        blob: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, StoreError> {
        if blob.size > limit {
            return Err(wrong_blob(
                blob,
                format!("it has {} bytes, more than a config may have", blob.size),
            ));
        }
        let _turns = self.large_turns(blob).await;
        let timing = self.timing();
        let mut tried = 0;
        loop {
            tried += 1;
            let reading = self.open_blob(blob, 0).await?;
            match collect_checked(reading.stream, blob).await {
                Err(error) if error.is_transient() && tried < timing.attempts => {
                    tokio::time::sleep(timing.delay(tried)).await;
                }
                outcome => return outcome,
            }
        }
    }
}

impl ImageReader {
    /// Waits for the turns to read a blob as a whole, here and over all sources on the registry.
    async fn large_turns(
        &self,
        blob: &Descriptor,
    ) -> Option<(SemaphorePermit<'_>, Option<LargeTurn<'_>>)> {
        // What its descriptor holds is in memory already.
        if blob.size <= LARGE || blob.data.is_some() {
            return None;
        }
        let turn = self.large.acquire().await;
        let turn = turn.expect("the semaphore is never closed");
        let at_registry = match self.as_repository_client() {
            Some(remote) => Some(remote.large_turn().await),
            None => None,
        };
        Some((turn, at_registry))
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn collect_checked(mut stream: SourceStream, blob: &Descriptor) -> Result<Bytes, StoreError> {
    let mut bytes = Vec::with_capacity(usize::try_from(blob.size).unwrap_or_default());
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > blob.size {
            return Err(wrong_blob(
                blob,
                format!("it has more than {} bytes", blob.size),
            ));
        }
    }
    let mut hasher = DigestHasher::new();
    hasher.update(&bytes);
    match hasher.finish() {
        actual if actual == blob.digest => Ok(bytes.into()),
        actual => Err(wrong_blob(
            blob,
            format!("its bytes have the digest {actual}"),
        )),
    }
}

fn wrong_blob(blob: &Descriptor, problem: String) -> StoreError {
    StoreError::WrongBlob {
        expected: blob.digest,
        problem,
    }
}
