use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::{Store, StoreError};
use crate::archive::Archive;
use crate::image::{Descriptor, Digest, Hasher, Manifest, ManifestBudget, Repository, Target};
use crate::layout::Evidence;
use crate::registry::{self, FewTags, LargeTurn, Remote, Resumed, Timing};

/// A blob's bytes as they come.
pub type ReadStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// A blob that is being read.
pub(super) struct Reading {
    pub(super) stream: ReadStream,
    /// What did not have to be read again where it broke off.
    pub(super) resumed: Resumed,
}

/// Where an image is read from. Manifests are read once, however many ask for them, as long as there is
/// memory to keep them.
pub struct Source {
    kind: Kind,
    manifests: Mutex<HashMap<Digest, Known>>,
    /// The manifests that were made here.
    made: Mutex<HashSet<Digest>>,
    few_tags: OnceCell<FewTags>,
    /// Turns to read what is small as a rule and large here.
    large: Semaphore,
}

/// From this size on a small blob waits for its turn to be read as a whole.
const LARGE: u64 = 64 << 10;
/// Large ones that are read at the same time from one source.
const LARGE_AT_ONCE: usize = 2;

/// What is known of a manifest. Whoever asks first finds out, and the others wait for it.
type Known = Arc<OnceCell<Option<Manifest>>>;

enum Kind {
    Store(Store),
    Archive(Archive),
}

impl Source {
    /// A source that is a store.
    pub fn store(store: Store) -> Self {
        Self {
            kind: Kind::Store(store),
            manifests: Mutex::default(),
            made: Mutex::default(),
            few_tags: OnceCell::new(),
            large: Semaphore::new(LARGE_AT_ONCE),
        }
    }

    /// A source that is an archive.
    pub fn archive(archive: Archive) -> Self {
        Self {
            kind: Kind::Archive(archive),
            manifests: Mutex::default(),
            made: Mutex::default(),
            few_tags: OnceCell::new(),
            large: Semaphore::new(LARGE_AT_ONCE),
        }
    }

    /// What it lists beside its images, where it is on disk.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub async fn evidence(&self) -> Result<Evidence, StoreError> {
        Ok(match &self.kind {
            Kind::Store(Store::Layout(layout)) => layout.evidence().await?,
            Kind::Archive(archive) => archive.evidence().await?,
            Kind::Store(Store::Registry(_)) => Evidence::default(),
        })
    }

    /// What one answer tells of its tags, where it is on a registry. Asked once.
    ///
    /// # Errors
    /// An answer that may be another one later.
    pub async fn few_tags(&self) -> Result<&FewTags, StoreError> {
        let ask = || async {
            Ok(match self.remote() {
                Some(remote) => remote.few_tags().await?,
                None => FewTags::Unknown,
            })
        };
        self.few_tags.get_or_try_init(ask).await
    }

    /// The store that it is, where it is one.
    pub fn as_store(&self) -> Option<&Store> {
        match &self.kind {
            Kind::Store(store) => Some(store),
            Kind::Archive(_) => None,
        }
    }

    /// The repository that it is, on a registry.
    pub(super) fn remote(&self) -> Option<&Remote> {
        match &self.kind {
            Kind::Store(Store::Registry(remote)) => Some(remote),
            _ => None,
        }
    }

    /// The repository's name, from which another one of the same registry can mount.
    pub(super) fn repository(&self) -> Option<&Repository> {
        self.remote().map(Remote::repository)
    }

    /// The manifest with that digest, if it is there.
    ///
    /// # Errors
    /// A store that cannot tell, or bytes that are no manifest or another one.
    pub async fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, StoreError> {
        let known = self.known(digest);
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

    /// The memory for its manifests.
    pub(super) fn budget(&self) -> &ManifestBudget {
        match &self.kind {
            Kind::Store(Store::Registry(remote)) => remote.manifest_budget(),
            Kind::Store(Store::Layout(layout)) => layout.manifest_budget(),
            Kind::Archive(archive) => archive.manifest_budget(),
        }
    }

    async fn read_manifest(&self, digest: Digest) -> Result<Option<Manifest>, StoreError> {
        Ok(match &self.kind {
            Kind::Store(Store::Registry(remote)) => {
                remote.manifest(&Target::Digest(digest)).await?
            }
            Kind::Store(Store::Layout(layout)) => layout.manifest(digest).await?,
            Kind::Archive(archive) => archive.manifest(digest).await?,
        })
    }

    fn known(&self, digest: Digest) -> Known {
        lock(&self.manifests).entry(digest).or_default().clone()
    }

    /// Keeps a manifest that was read in another way, where there is memory for it.
    pub fn keep(&self, manifest: Manifest) {
        if self.budget().may_keep() {
            self.hold(manifest);
        }
    }

    fn hold(&self, manifest: Manifest) {
        // Where it is known already it is the same: a digest has one content.
        let _ = self.known(manifest.digest).set(Some(manifest));
    }

    /// Adds a manifest that was made here. It reads as all others, and the source does not have it.
    pub fn add_made(&self, manifest: Manifest) {
        lock(&self.made).insert(manifest.digest);
        self.hold(manifest);
    }

    /// Whether a manifest that is read from here is in `store`, since that is the same repository.
    pub(super) fn is_in(&self, store: &Store, digest: Digest) -> bool {
        let is_same = match (self.repository(), store) {
            (Some(own), Store::Registry(remote)) => own == remote.repository(),
            _ => false,
        };
        is_same && !lock(&self.made).contains(&digest)
    }

    /// Opens a blob from its byte `at` on. Whoever reads it checks its size and digest.
    pub(super) async fn open_blob(
        &self,
        blob: &Descriptor,
        at: u64,
    ) -> Result<Reading, StoreError> {
        let mut resumed = Resumed::default();
        let whole = match (&blob.data, &self.kind) {
            (Some(data), _) => futures_util::stream::iter([Ok(data.clone())]).boxed(),
            (None, Kind::Store(Store::Registry(remote))) => {
                let download = remote.open_blob(blob, at).await?;
                resumed = download.resumed();
                let stream = download.into_stream().map_err(StoreError::from).boxed();
                return Ok(Reading { stream, resumed });
            }
            (None, Kind::Store(Store::Layout(layout))) => layout
                .open_blob(blob)
                .await?
                .map_err(StoreError::from)
                .boxed(),
            (None, Kind::Archive(archive)) => archive
                .open_blob(blob)
                .await?
                .map_err(StoreError::from)
                .boxed(),
        };
        let stream = match at {
            0 => whole,
            at => registry::skip(whole, at).boxed(),
        };
        Ok(Reading { stream, resumed })
    }

    /// How long to wait for the source, and how often to try.
    pub(super) fn timing(&self) -> Timing {
        match &self.kind {
            Kind::Store(Store::Registry(remote)) => remote.timing(),
            _ => Timing::default(),
        }
    }

    /// A small blob as a whole, checked: a config. Bytes that break off or are wrong are asked for
    /// again, as those of a large one are.
    ///
    /// # Errors
    /// A blob of more than `limit` bytes, or that is not what its descriptor says.
    pub async fn small_blob(&self, blob: &Descriptor, limit: u64) -> Result<Bytes, StoreError> {
        if blob.size > limit {
            return Err(wrong(
                blob,
                format!("it has {} bytes, more than a config can", blob.size),
            ));
        }
        let _turns = self.large_turns(blob).await;
        let timing = self.timing();
        let mut tried = 0;
        loop {
            tried += 1;
            let reading = self.open_blob(blob, 0).await?;
            match read_small(reading.stream, blob).await {
                Err(error) if error.is_transient() && tried < timing.attempts => {
                    tokio::time::sleep(timing.delay(tried)).await;
                }
                outcome => return outcome,
            }
        }
    }
}

impl Source {
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
        let at_registry = match self.remote() {
            Some(remote) => Some(remote.large_turn().await),
            None => None,
        };
        Some((turn, at_registry))
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read_small(mut stream: ReadStream, blob: &Descriptor) -> Result<Bytes, StoreError> {
    let mut bytes = Vec::with_capacity(usize::try_from(blob.size).unwrap_or_default());
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > blob.size {
            return Err(wrong(blob, format!("it has more than {} bytes", blob.size)));
        }
    }
    let mut hasher = Hasher::new();
    hasher.update(&bytes);
    match hasher.finish() {
        actual if actual == blob.digest => Ok(bytes.into()),
        actual => Err(wrong(blob, format!("its bytes have the digest {actual}"))),
    }
}

fn wrong(blob: &Descriptor, problem: String) -> StoreError {
    StoreError::WrongBlob {
        expected: blob.digest,
        problem,
    }
}
