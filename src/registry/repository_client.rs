//! Client of one repository: its login and its shared limits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::SemaphorePermit;
use url::Url;

use super::registry_client::RegistryClient;
use super::registry_state::RegistryState;
use super::repository_access::RepositoryAccess;
use super::token_scopes::TokenScopes;
use crate::http::RetryTiming;
use crate::image::{ManifestBudget, Repository};

/// Turn to read a large response, until it is dropped.
pub struct LargeTurn<'a>(
    #[expect(dead_code, reason = "held until it is dropped")] SemaphorePermit<'a>,
);

/// Client of one repository, with certain access.
#[derive(Clone)]
pub struct RepositoryClient {
    pub(super) client: RegistryClient,
    pub(super) registry: Arc<RegistryState>,
    pub(super) repository: Repository,
    pub(super) access: RepositoryAccess,
    /// Scopes that this repository needs.
    pub(super) scopes: TokenScopes,
    /// Scopes of an announced shared login that include them.
    pub(super) shared_scopes: Option<TokenScopes>,
    /// Scope of this repository alone, for a token service that grants one scope per token.
    pub(super) single_scope: TokenScopes,
}

impl RegistryClient {
    /// Returns a client for one repository with `access`. A destination mounts blobs from `mount_from`,
    /// repositories of the same registry, and its login includes the right to read them.
    pub fn open_repository(
        &self,
        repository: &Repository,
        access: RepositoryAccess,
        mount_from: &[&Repository],
    ) -> RepositoryClient {
        let host = self.registry_state(repository.registry());
        let scopes = TokenScopes::for_repository(repository, access, mount_from);
        RepositoryClient {
            client: self.clone(),
            shared_scopes: host.auth.shared_login(&scopes),
            single_scope: scopes.first_only(),
            registry: host,
            repository: repository.clone(),
            access,
            scopes,
        }
    }
}

impl RepositoryClient {
    /// Allows as many requests in flight to the registry as this, in this run. A registry that answers 429 or 503 gets
    /// fewer, as ever.
    pub fn raise_request_limit(&self, most: usize) {
        self.registry.control_limit.raise_to(most);
    }

    /// Returns the repository's name.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Returns the address of `rest` below this repository's name.
    pub(super) fn url(&self, rest: &str) -> Url {
        let api = self.registry.name.api_host();
        let scheme = self
            .registry
            .scheme
            .get()
            .map_or("https", |wire| wire.as_str());
        // Registry and path are of checked types.
        Url::parse(&format!(
            "{scheme}://{api}/v2/{}/{rest}",
            self.repository.path()
        ))
        .expect("a checked registry, path and object make an address")
    }

    /// Returns whether an address is the registry's own, so that its authorization may go there.
    pub(super) fn is_own_url(&self, url: &Url) -> bool {
        let own = self.url("");
        (url.scheme(), url.host_str(), url.port_or_known_default())
            == (own.scheme(), own.host_str(), own.port_or_known_default())
    }

    /// Returns the paths of the registry's repositories that the login can read.
    pub fn readable_paths(&self) -> impl Iterator<Item = &str> + Clone {
        self.login_scopes().paths()
    }

    fn can_read(&self, other: &Repository) -> bool {
        self.login_scopes()
            .allows(other.path(), RepositoryAccess::Pull)
    }

    /// Returns the scopes to log in with, the widest first: those of the shared login, those of this
    /// repository and the ones that it mounts from, and its own alone. Each is used until the registry has
    /// shown that it does not grant it.
    pub(super) fn login_candidates(&self) -> impl Iterator<Item = &TokenScopes> {
        let auth = &self.registry.auth;
        let wider = self.shared_scopes.iter().chain([&self.scopes]);
        let wider = wider.filter(|scopes| {
            **scopes != self.single_scope && !auth.is_ungranted(&self.scopes, scopes)
        });
        wider.chain([&self.single_scope])
    }

    /// Returns the scopes to log in with.
    pub(super) fn login_scopes(&self) -> &TokenScopes {
        let widest = self.login_candidates().next();
        widest.unwrap_or(&self.single_scope)
    }

    /// Returns a client whose login can also read `other`, to mount from it.
    pub(super) fn with_read_access(&self, other: &Repository) -> Self {
        let mut remote = self.clone();
        if !self.can_read(other) {
            remote.scopes = self.scopes.with_read_access(other.path());
            remote.shared_scopes = self.registry.auth.shared_login(&remote.scopes);
        }
        remote
    }

    /// Returns the budget for the manifests of the run.
    pub fn manifest_budget(&self) -> &ManifestBudget {
        &self.client.0.manifests
    }

    /// Waits for a turn to read a large response as a whole.
    pub async fn large_turn(&self) -> LargeTurn<'_> {
        let turn = self.client.large_answers().acquire().await;
        LargeTurn(turn.expect("the semaphore is never closed"))
    }

    /// Returns the time by the registry's clock, in seconds of the Unix epoch, as its last answer told it;
    /// `None` if none did.
    pub fn server_time(&self) -> Option<i64> {
        let time = self.registry.server_time.load(Ordering::Relaxed);
        (time > 0).then_some(time)
    }

    /// Returns the timeouts and retries of requests.
    pub fn timing(&self) -> RetryTiming {
        self.client.http().timing()
    }
}
