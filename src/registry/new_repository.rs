//! Determines whether a repository is new, so that no request needs to look for content in it.

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};

use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;

impl RepositoryClient {
    /// Returns whether the repository has no manifest, as far as its tag list tells. Queried once; without
    /// a clear response the repository counts as not new. It may have blobs of an interrupted run, which
    /// [`RepositoryClient::open_unless_present`] finds.
    pub async fn is_new(&self) -> bool {
        self.is_new_or_query(self.query_is_new()).await
    }

    /// Returns the same as [`RepositoryClient::is_new`], with `ask` as the query if none was made
    /// yet.
    pub(super) async fn is_new_or_query(&self, ask: impl Future<Output = bool>) -> bool {
        let known = self.registry.existence.is_new(self.repository.path());
        *known.get_or_init(|| ask).await
    }

    /// Returns whether the repository is already known to have no manifest, without a request.
    pub fn is_known_new(&self) -> bool {
        let known = self.registry.existence.is_new(self.repository.path());
        known.get() == Some(&true)
    }

    /// Returns whether the repository is already known to have content, if only blobs.
    pub(super) fn is_known_not_new(&self) -> bool {
        let known = self.registry.existence.is_new(self.repository.path());
        known.get() == Some(&false)
    }

    /// Returns whether a response has already shown a manifest in the repository.
    pub(super) fn is_known_to_have_manifests(&self) -> bool {
        let existence = &self.registry.existence;
        existence.with_record(self.repository.path(), |known| known.has_manifest)
    }

    /// Records that the repository has content, if only blobs.
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
