//! What the registry holds: repositories with manifests, tags and blobs, and open uploads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use serde_json::Value;

use super::content::{Content, digest};
use super::upload::Upload;

/// A manifest as it was pushed.
#[derive(Clone)]
pub struct Manifest {
    pub media_type: String,
    pub bytes: Bytes,
}

impl Manifest {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

/// One repository. Nothing of another one can be seen in it.
#[derive(Clone, Default)]
pub struct Repository {
    pub manifests: BTreeMap<String, Manifest>,
    pub tags: BTreeMap<String, String>,
    /// Tags in the order in which each was pushed first.
    pub pushed_tags: Vec<String>,
    pub blobs: BTreeMap<String, Content>,
    /// By what they have as their subject, also those that were deleted since.
    pub referrers: BTreeMap<String, BTreeSet<String>>,
}

impl Repository {
    /// The digest and the manifest that a tag or digest names.
    pub fn find(&self, reference: &str) -> Option<(&String, &Manifest)> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        self.manifests.get_key_value(digest)
    }

    pub fn put(&mut self, reference: &str, manifest: Manifest) -> String {
        let digest = digest(&manifest.bytes);
        if let Some(subject) = manifest.json()["subject"]["digest"].as_str() {
            let referrers = self.referrers.entry(subject.to_owned()).or_default();
            referrers.insert(digest.clone());
        }
        self.manifests.insert(digest.clone(), manifest);
        if reference != digest {
            let before = self.tags.insert(reference.to_owned(), digest.clone());
            if before.is_none() {
                self.pushed_tags.push(reference.to_owned());
            }
        }
        digest
    }
}

/// Everything, behind one lock that is never held across an await.
#[derive(Default)]
pub struct State {
    pub repositories: BTreeMap<String, Repository>,
    pub uploads: BTreeMap<String, Arc<Mutex<Upload>>>,
    uploads_begun: u64,
}

impl State {
    pub fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    pub fn begin_upload(&mut self, upload: Upload) -> String {
        self.uploads_begun += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.uploads_begun);
        self.uploads
            .insert(id.clone(), Arc::new(Mutex::new(upload)));
        id
    }

    /// The upload, if it is one of this repository.
    pub fn upload(&self, repository: &str, id: &str) -> Option<Arc<Mutex<Upload>>> {
        let upload = self.uploads.get(id)?;
        (lock(upload).repository == repository).then(|| Arc::clone(upload))
    }
}

/// The shared state of a registry.
#[derive(Clone, Default)]
pub struct Store(Arc<Mutex<State>>);

impl Store {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

/// Locks, also after a panic elsewhere: that panic is what the test should show.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
