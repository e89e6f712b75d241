//! What a run knows of the blobs of registries, over all its images and destinations.
//!
//! A blob moves to a registry once: whoever needs it while another brings it waits, and then has the
//! registry take it over from the repository that has it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::image::{Digest, RegistryName, Repository};

/// Which repositories have which blobs. Cheap to clone; one for a run.
#[derive(Clone, Default)]
pub struct Known(Arc<Mutex<HashMap<RegistryName, Registry>>>);

#[derive(Default)]
struct Registry {
    blobs: HashMap<Digest, Blob>,
    /// How often in a row it has not mounted what it was asked to.
    declined: u32,
}

#[derive(Default)]
struct Blob {
    /// The repositories that have it, and since when.
    held: BTreeMap<Repository, Since>,
    moving: Arc<tokio::sync::Mutex<()>>,
}

/// How long a repository has had a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Since {
    /// It had it when the run began.
    Before,
    /// The run has brought it.
    Now,
}

/// Where a registry has a blob.
pub(super) enum Lead {
    /// In the very repository.
    Here(Since),
    /// In another one, from which it can be mounted.
    Elsewhere(Repository, Since),
    /// Nowhere that is known. Whoever needs it next waits until this is dropped.
    Nowhere(Option<OwnedMutexGuard<()>>),
}

/// So many mounts declined in a row show that a registry does not mount.
const DECLINED: u32 = 2;

impl Known {
    /// Where the repository's registry has the blob; of several repositories one from which it can
    /// be mounted `readily`.
    pub(super) async fn lead(
        &self,
        repository: &Repository,
        digest: Digest,
        readily: impl Fn(&Repository) -> bool,
    ) -> Lead {
        let (moving, lead) = self.look(repository, digest, &readily);
        if let Some(lead) = lead {
            return lead;
        }
        if !self.mounts(repository.registry()) {
            return Lead::Nowhere(None);
        }
        let moving = moving.lock_owned().await;
        // It may have come while we waited.
        let (_, lead) = self.look(repository, digest, &readily);
        lead.unwrap_or(Lead::Nowhere(Some(moving)))
    }

    fn look(
        &self,
        repository: &Repository,
        digest: Digest,
        readily: &impl Fn(&Repository) -> bool,
    ) -> (Arc<tokio::sync::Mutex<()>>, Option<Lead>) {
        let mut registries = self.lock();
        let registry = registries.entry(repository.registry().clone()).or_default();
        let mounts = registry.declined < DECLINED;
        let blob = registry.blobs.entry(digest).or_default();
        let lead = if let Some(since) = blob.held.get(repository) {
            Some(Lead::Here(*since))
        } else {
            let held = blob.held.iter().filter(|_| mounts);
            held.min_by_key(|(from, since)| (!readily(from), **since))
                .map(|(from, since)| Lead::Elsewhere(from.clone(), *since))
        };
        (blob.moving.clone(), lead)
    }

    /// Notes that a repository has a blob.
    pub(super) fn has(&self, repository: &Repository, digest: Digest, since: Since) {
        let mut registries = self.lock();
        let registry = registries.entry(repository.registry().clone()).or_default();
        let held = &mut registry.blobs.entry(digest).or_default().held;
        held.entry(repository.clone()).or_insert(since);
    }

    /// Forgets what a repository has: it has turned out to have less.
    pub(super) fn forget(&self, repository: &Repository) {
        if let Some(registry) = self.lock().get_mut(repository.registry()) {
            for blob in registry.blobs.values_mut() {
                blob.held.remove(repository);
            }
        }
    }

    /// Whether a registry takes blobs over from one of its repositories into another, as far as is
    /// known.
    pub(super) fn mounts(&self, registry: &RegistryName) -> bool {
        let registries = self.lock();
        let declined = registries.get(registry).map(|registry| registry.declined);
        declined.unwrap_or_default() < DECLINED
    }

    /// Notes what came of a mount.
    pub(super) fn mounted(&self, registry: &RegistryName, did: bool) {
        let mut registries = self.lock();
        let registry = registries.entry(registry.clone()).or_default();
        registry.declined = if did { 0 } else { registry.declined + 1 };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RegistryName, Registry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(name: &str) -> Repository {
        name.parse().unwrap()
    }

    async fn lead(known: &Known, name: &str, digest: Digest) -> Lead {
        known.lead(&repository(name), digest, |_| true).await
    }

    #[tokio::test]
    async fn a_blob_is_mounted_from_whoever_has_it() {
        let (known, blob) = (Known::default(), Digest::of(b"blob"));
        let Lead::Nowhere(Some(moving)) = lead(&known, "a.example/one", blob).await else {
            panic!("nobody has it yet");
        };
        let waiting = tokio::spawn({
            let known = known.clone();
            async move { lead(&known, "a.example/two", blob).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "it is on its way");
        known.has(&repository("a.example/one"), blob, Since::Now);
        drop(moving);
        assert!(matches!(
            waiting.await.unwrap(),
            Lead::Elsewhere(from, Since::Now) if from == repository("a.example/one")
        ));
        assert!(matches!(
            lead(&known, "a.example/one", blob).await,
            Lead::Here(Since::Now)
        ));
        assert!(matches!(
            lead(&known, "b.example/one", blob).await,
            Lead::Nowhere(Some(_))
        ));
    }

    /// Where it was before the run its manifest is too, which some registries ask for.
    #[tokio::test]
    async fn a_mount_is_rather_from_where_the_login_reads_and_the_blob_was_before() {
        let (known, blob) = (Known::default(), Digest::of(b"blob"));
        known.has(&repository("a.example/a"), blob, Since::Now);
        known.has(&repository("a.example/b"), blob, Since::Before);
        known.has(&repository("a.example/c"), blob, Since::Before);
        let to = repository("a.example/to");
        for (readable, chosen) in [("b", "b"), ("c", "c"), ("a", "a"), ("none", "b")] {
            let lead = known.lead(&to, blob, |from| from.path() == readable).await;
            let Lead::Elsewhere(from, _) = lead else {
                panic!("{readable}");
            };
            assert_eq!(from.path(), chosen, "{readable}");
        }
    }

    #[tokio::test]
    async fn a_registry_that_does_not_mount_is_sent_everything() {
        let (known, blob) = (Known::default(), Digest::of(b"blob"));
        let registry = repository("a.example/one").registry().clone();
        known.has(&repository("a.example/one"), blob, Since::Before);
        for did in [false, true, false, false] {
            assert!(known.mounts(&registry));
            known.mounted(&registry, did);
        }
        let lead = lead(&known, "a.example/two", blob).await;
        assert!(matches!(lead, Lead::Nowhere(None)));
    }
}
