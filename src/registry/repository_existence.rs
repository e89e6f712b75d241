//! Whether a repository is new: then nothing need be asked for that cannot be there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};
use tokio::sync::OnceCell;

use super::RepositoryClient;
use super::request::RegistryRequest;

/// What is known of the repositories of a registry.
#[derive(Default)]
pub(super) struct RepositoryExistence(Mutex<HashMap<String, RepositoryRecord>>);

#[derive(Default)]
struct RepositoryRecord {
    is_new: Arc<OnceCell<bool>>,
    has_manifest: bool,
}

impl RepositoryExistence {
    fn with_record<T>(&self, path: &str, read: impl FnOnce(&mut RepositoryRecord) -> T) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read(known.entry(path.to_owned()).or_default())
    }

    fn is_new(&self, path: &str) -> Arc<OnceCell<bool>> {
        self.with_record(path, |known| known.is_new.clone())
    }
}

impl RepositoryRecord {
    fn record_is_new(&mut self, is_new: bool) {
        // Once it holds something it is never new again.
        if self.is_new.set(is_new).is_err() && !is_new {
            self.is_new = Arc::new(OnceCell::new_with(Some(false)));
        }
    }
}

impl RepositoryClient {
    /// Whether the registry has no manifest in the repository, as far as its list of tags tells. Asked
    /// once; a registry that does not say is taken to have some. There may be blobs of a run that died:
    /// `RepositoryClient::open_unless_there` finds them.
    pub async fn is_new(&self) -> bool {
        self.is_new_or_query(self.query_is_new()).await
    }

    /// The same, as an answer of its own tells it where nobody has asked yet.
    pub(super) async fn is_new_or_query(&self, ask: impl Future<Output = bool>) -> bool {
        let known = self.registry.existence.is_new(self.repository.path());
        *known.get_or_init(|| ask).await
    }

    /// Whether it is known by now, without asking, that it has none.
    pub fn is_known_new(&self) -> bool {
        let known = self.registry.existence.is_new(self.repository.path());
        known.get() == Some(&true)
    }

    /// Whether it is known by now that it holds something, be it blobs alone.
    pub(super) fn is_known_not_new(&self) -> bool {
        let known = self.registry.existence.is_new(self.repository.path());
        known.get() == Some(&false)
    }

    /// Whether an answer has shown by now that it has a manifest.
    pub(super) fn is_known_to_have_manifests(&self) -> bool {
        let existence = &self.registry.existence;
        existence.with_record(self.repository.path(), |known| known.has_manifest)
    }

    /// Notes that the repository holds something, be it blobs alone.
    pub fn mark_not_new(&self) {
        self.record_is_new(false);
    }

    pub(super) fn mark_has_manifests(&self) {
        let existence = &self.registry.existence;
        existence.with_record(self.repository.path(), |known| {
            known.record_is_new(false);
            known.has_manifest = true;
        });
    }

    pub(super) fn record_is_new(&self, is_new: bool) {
        let existence = &self.registry.existence;
        existence.with_record(self.repository.path(), |known| known.record_is_new(is_new));
    }

    async fn query_is_new(&self) -> bool {
        let call = RegistryRequest::new(Method::GET, "tag list", self.url("tags/list?n=1"))
            .header(ACCEPT, "application/json");
        let answer = self.send(&call).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::NOT_FOUND)
    }
}
