//! Index of the blobs that registries have, over all images and destinations of a run.
//!
//! A blob is uploaded to a registry once: a task that needs it while another task uploads it waits,
//! and then lets the registry mount it from the repository that has it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedMutexGuard, Semaphore, SemaphorePermit};

use crate::image::{CanonicalRegistry, Digest, RegistryName, Repository};

/// Index of the repositories that have each blob. Cheap to clone; one for a run. All names of a
/// registry count as one registry: a blob that it has under one name is mounted under another.
#[derive(Clone)]
pub struct BlobIndex {
    registries: Arc<Mutex<HashMap<CanonicalRegistry, RegistryBlobs>>>,
    /// Turns to write a large manifest.
    large: Arc<Semaphore>,
}

/// From this size on a manifest waits for its turn to be written: it is in memory meanwhile.
const LARGE: usize = 64 << 10;
/// Large manifests that are written at the same time.
const LARGE_AT_ONCE: usize = 2;

impl Default for BlobIndex {
    fn default() -> Self {
        Self {
            registries: Arc::default(),
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
        }
    }
}

#[derive(Default)]
struct RegistryBlobs {
    blobs: HashMap<Digest, BlobHolders>,
    /// How often in a row it has not mounted what it was asked to.
    declined: u32,
}

#[derive(Default)]
struct BlobHolders {
    /// The repositories that had it when the run began.
    before: RepositoriesByPath,
    /// Those that the run has brought it to.
    now: RepositoriesByPath,
    transfer_lock: Arc<tokio::sync::Mutex<()>>,
}

/// Repositories of one registry by their paths.
type RepositoriesByPath = BTreeMap<String, Repository>;

/// Time at which a repository got a blob: before or during the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BlobOrigin {
    /// It had it when the run began.
    BeforeRun,
    /// The run has brought it.
    ThisRun,
}

/// Location of a blob at a registry.
pub(super) enum BlobLocation {
    /// In the very repository.
    SameRepository(BlobOrigin),
    /// In another one, from which it can be mounted.
    OtherRepository(Repository, BlobOrigin),
    /// Nowhere that is known. Whoever needs it next waits until this is dropped.
    Unknown(Option<OwnedMutexGuard<()>>),
}

/// So many mounts declined in a row show that a registry does not mount.
const DECLINED_LIMIT: u32 = 2;

impl BlobIndex {
    /// Waits for a turn to write a manifest of so many bytes; none where it needs none.
    pub(super) async fn large_turn(&self, size: usize) -> Option<SemaphorePermit<'_>> {
        if size <= LARGE {
            return None;
        }
        let turn = self.large.acquire().await;
        Some(turn.expect("the semaphore is never closed"))
    }

    /// Locates the blob at the repository's registry; of several repositories it prefers one of the
    /// paths that are `readable` with the existing login. A thousand images may share the blob, and
    /// each asks: the search visits only as many repositories as are readable.
    pub(super) async fn locate<'a>(
        &self,
        repository: &Repository,
        digest: Digest,
        readable: impl Iterator<Item = &'a str> + Clone,
    ) -> BlobLocation {
        let (moving, lead) = self.lookup(repository, digest, readable.clone());
        if let Some(lead) = lead {
            return lead;
        }
        if !self.supports_mount(repository.registry()) {
            return BlobLocation::Unknown(None);
        }
        let moving = moving.lock_owned().await;
        // It may have come while we waited.
        let (_, lead) = self.lookup(repository, digest, readable);
        lead.unwrap_or(BlobLocation::Unknown(Some(moving)))
    }

    fn lookup<'a>(
        &self,
        repository: &Repository,
        digest: Digest,
        readable: impl Iterator<Item = &'a str> + Clone,
    ) -> (Arc<tokio::sync::Mutex<()>>, Option<BlobLocation>) {
        let mut registries = self.lock();
        let registry = registries.entry(of(repository)).or_default();
        let mounts = registry.declined < DECLINED_LIMIT;
        let blob = registry.blobs.entry(digest).or_default();
        let here = blob.origin_in(repository).map(BlobLocation::SameRepository);
        let elsewhere = || {
            let (from, since) = blob.find_holder(readable).filter(|_| mounts)?;
            Some(BlobLocation::OtherRepository(from.clone(), since))
        };
        (blob.transfer_lock.clone(), here.or_else(elsewhere))
    }

    /// Notes that a repository has a blob.
    pub(super) fn record(&self, repository: &Repository, digest: Digest, since: BlobOrigin) {
        let mut registries = self.lock();
        let registry = registries.entry(of(repository)).or_default();
        let blob = registry.blobs.entry(digest).or_default();
        if blob.origin_in(repository).is_none() {
            let holders = match since {
                BlobOrigin::BeforeRun => &mut blob.before,
                BlobOrigin::ThisRun => &mut blob.now,
            };
            holders.insert(repository.path().to_owned(), repository.clone());
        }
    }

    /// Forgets what a repository has: it has turned out to have less.
    pub(super) fn forget_repository(&self, repository: &Repository) {
        if let Some(registry) = self.lock().get_mut(&of(repository)) {
            for blob in registry.blobs.values_mut() {
                blob.before.remove(repository.path());
                blob.now.remove(repository.path());
            }
        }
    }

    /// Returns whether a registry mounts blobs from one of its repositories into another, as far as
    /// is known.
    pub(super) fn supports_mount(&self, registry: &RegistryName) -> bool {
        let registries = self.lock();
        let declined = registries
            .get(&CanonicalRegistry::from_name(registry))
            .map(|registry| registry.declined);
        declined.unwrap_or_default() < DECLINED_LIMIT
    }

    /// Notes that a registry has not what it said that it mounted.
    pub(super) fn stop_mounting(&self, registry: &RegistryName) {
        let mut registries = self.lock();
        let key = CanonicalRegistry::from_name(registry);
        registries.entry(key).or_default().declined = DECLINED_LIMIT;
    }

    /// Notes what came of a mount.
    pub(super) fn record_mount(&self, registry: &RegistryName, did: bool) {
        let mut registries = self.lock();
        let registry = registries
            .entry(CanonicalRegistry::from_name(registry))
            .or_default();
        registry.declined = if did { 0 } else { registry.declined + 1 };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CanonicalRegistry, RegistryBlobs>> {
        self.registries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(repository: &Repository) -> CanonicalRegistry {
    CanonicalRegistry::from_name(repository.registry())
}

impl BlobHolders {
    /// Since when a repository has it. Known by another name of its registry it is asked once more: a
    /// blob is left out only where this very name has it.
    fn origin_in(&self, repository: &Repository) -> Option<BlobOrigin> {
        let path = repository.path();
        let has = |(holders, since): (&RepositoriesByPath, BlobOrigin)| {
            (holders.get(path) == Some(repository)).then_some(since)
        };
        self.holders_by_origin().into_iter().find_map(has)
    }

    /// A repository that has it: rather one that is readable, and then one that had it before the run.
    fn find_holder<'a, 'b>(
        &'b self,
        readable: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<(&'b Repository, BlobOrigin)> {
        let near = |(holders, since): (&'b RepositoriesByPath, BlobOrigin)| {
            let from = readable.clone().find_map(|path| holders.get(path))?;
            Some((from, since))
        };
        let any = |(holders, since): (&'b RepositoriesByPath, BlobOrigin)| {
            Some((holders.values().next()?, since))
        };
        let mut holders = self.holders_by_origin().into_iter();
        holders
            .clone()
            .find_map(near)
            .or_else(|| holders.find_map(any))
    }

    fn holders_by_origin(&self) -> [(&RepositoriesByPath, BlobOrigin); 2] {
        [
            (&self.before, BlobOrigin::BeforeRun),
            (&self.now, BlobOrigin::ThisRun),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(name: &str) -> Repository {
        name.parse().unwrap()
    }

    async fn lead(known: &BlobIndex, name: &str, digest: Digest) -> BlobLocation {
        known
            .locate(&repository(name), digest, std::iter::empty())
            .await
    }

    #[tokio::test]
    async fn a_blob_is_mounted_from_whoever_has_it() {
        let (known, blob) = (BlobIndex::default(), Digest::from_bytes(b"blob"));
        let BlobLocation::Unknown(Some(moving)) = lead(&known, "a.example/one", blob).await else {
            panic!("nobody has it yet");
        };
        let waiting = tokio::spawn({
            let known = known.clone();
            async move { lead(&known, "a.example/two", blob).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "it is on its way");
        known.record(&repository("a.example/one"), blob, BlobOrigin::ThisRun);
        drop(moving);
        assert!(matches!(
            waiting.await.unwrap(),
            BlobLocation::OtherRepository(from, BlobOrigin::ThisRun) if from == repository("a.example/one")
        ));
        assert!(matches!(
            lead(&known, "a.example/one", blob).await,
            BlobLocation::SameRepository(BlobOrigin::ThisRun)
        ));
        assert!(matches!(
            lead(&known, "b.example/one", blob).await,
            BlobLocation::Unknown(Some(_))
        ));
    }

    /// Where it was before the run its manifest is too, which some registries ask for.
    #[tokio::test]
    async fn a_mount_is_rather_from_where_the_login_reads_and_the_blob_was_before() {
        let (known, blob) = (BlobIndex::default(), Digest::from_bytes(b"blob"));
        known.record(&repository("a.example/a"), blob, BlobOrigin::ThisRun);
        known.record(&repository("a.example/b"), blob, BlobOrigin::BeforeRun);
        known.record(&repository("a.example/c"), blob, BlobOrigin::BeforeRun);
        let to = repository("a.example/to");
        for (readable, chosen) in [("b", "b"), ("c", "c"), ("a", "a"), ("none", "b")] {
            let lead = known.locate(&to, blob, [readable].into_iter()).await;
            let BlobLocation::OtherRepository(from, _) = lead else {
                panic!("{readable}");
            };
            assert_eq!(from.path(), chosen, "{readable}");
        }
    }

    #[tokio::test]
    async fn promise_5_a_mount_is_from_the_same_registry_by_any_of_its_names() {
        let (known, blob) = (BlobIndex::default(), Digest::from_bytes(b"blob"));
        known.record(
            &repository("localhost:5000/one"),
            blob,
            BlobOrigin::BeforeRun,
        );
        for (name, is_same) in [
            ("127.0.0.1:5000/two", true),
            ("[::1]:05000/two", true),
            ("[::ffff:127.0.0.1]:5000/one", true),
            ("127.0.0.1:5001/two", false),
            ("10.0.0.1:5000/two", false),
        ] {
            let lead = lead(&known, name, blob).await;
            let mounts =
                matches!(lead, BlobLocation::OtherRepository(from, _) if from.path() == "one");
            assert_eq!(mounts, is_same, "{name}");
        }
    }

    #[tokio::test]
    async fn a_registry_that_does_not_mount_is_sent_everything() {
        let (known, blob) = (BlobIndex::default(), Digest::from_bytes(b"blob"));
        let registry = repository("a.example/one").registry().clone();
        known.record(&repository("a.example/one"), blob, BlobOrigin::BeforeRun);
        for did in [false, true, false, false] {
            assert!(known.supports_mount(&registry));
            known.record_mount(&registry, did);
        }
        let lead = lead(&known, "a.example/two", blob).await;
        assert!(matches!(lead, BlobLocation::Unknown(None)));
    }
}
