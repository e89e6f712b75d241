//! The distribution client: one run's connections to registries (OCI distribution specification
//! 1.1, docker's token authentication).
//!
//! Invariants:
//! - only a 404 means absent; everything else that is no success is an error;
//! - manifests are hashed when they come and when they go; blobs are hashed by whoever reads them;
//! - a credential goes to its own registry and to the token realm that this registry names, never
//!   over plain HTTP (loopback apart) and never after a redirect to another host;
//! - a registry leads to no address that only this machine can reach, and what another host than the
//!   registry answers is not shown;
//! - requests that can be sent twice are, after a delay that the registry or chance decides, and
//!   downloads go on where they broke off; streamed uploads are not sent twice, since only the caller
//!   can open their source again, and go on where the registry has come to.

mod addresses;
mod auth;
mod blobs;
mod body;
mod cancel_uploads;
mod chunk_policy;
mod concurrency_limit;
mod download;
mod error;
mod http_clients;
mod manifests;
mod pages;
mod quirks;
mod referrers_api;
mod repository_existence;
mod request;
mod retry;
mod service_request;
mod single_post;
mod tag_list;
mod token_scopes;
mod upload_content;
mod upload_session;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

pub(crate) use download::skip_bytes;
pub use download::{BlobDownload, ResumedBytes};
pub use error::{AccessProblem, RegistryError, RequestErrorKind};
pub use http_clients::{HttpSettings, HttpSettingsError, ProxySettings, RetryTiming};
pub use manifests::{ManifestHead, PutManifestReceipt};
pub use quirks::{QuirkEvidence, REGISTRY_QUIRKS, RegistryQuirk};
pub use service_request::{ServiceRequest, ServiceResponse};
pub use tag_list::TagPage;
pub use upload_session::{MountResult, TransferSlot, UploadSession};

use crate::image::{Digest, ManifestBudget, RegistryName, Repository};
use crate::notices::Notices;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use token_scopes::TokenScopes;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

/// The registries of a run: connections, logins and limits, shared by all its repositories.
#[derive(Clone)]
pub struct RegistryClient(Arc<ClientState>);

struct ClientState {
    http: http_clients::HttpTransport,
    hosts: Mutex<HashMap<RegistryName, Arc<RegistryState>>>,
    /// Turns to read a large answer.
    large_answers: Semaphore,
    /// The memory for manifests.
    manifests: ManifestBudget,
}

/// What is known of one registry.
struct RegistryState {
    name: RegistryName,
    auth: auth::RegistryAuth,
    /// Found out by the first request where it is not known from the name.
    scheme: OnceLock<UrlScheme>,
    /// Requests in flight at the same time, and transfers of large blobs.
    control_limit: concurrency_limit::ConcurrencyLimit,
    transfer_limit: concurrency_limit::ConcurrencyLimit,
    gate: retry::RetryAfterGate,
    existence: repository_existence::RepositoryExistence,
    referrers_support: referrers_api::ReferrersSupport,
    chunk_policy: chunk_policy::ChunkPolicy,
    /// Upload sessions that are neither finished nor closed.
    uploads: Mutex<HashMap<Url, Repository>>,
    /// Held, shared, while a session is being opened.
    session_opening: Arc<tokio::sync::RwLock<()>>,
    /// Blobs that many images have in common, and that this run has seen to.
    common_blobs: Mutex<HashMap<(Repository, Digest), SharedUpload>>,
    /// Time of the registry's last answer, in seconds of the Unix epoch; 0 until one says it.
    server_time: AtomicI64,
}

/// Whether a blob is there. Whoever needs it first sees to it, and the others wait for it.
type SharedUpload = Arc<tokio::sync::OnceCell<()>>;

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UrlScheme {
    Http,
    Https,
}

impl UrlScheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Requests to one registry that may be in flight at the same time. They share a connection where it
/// speaks HTTP/2; a server is to take at least so many streams on one (RFC 9113, 6.5.2).
const CONTROL_REQUESTS_LIMIT: usize = 100;
/// Large blobs that may travel at the same time, to or from one registry.
const TRANSFERS_LIMIT: usize = 8;

/// One of the few turns to read what is small as a rule and large here.
pub struct LargeTurn<'a>(
    #[expect(dead_code, reason = "held until it is dropped")] SemaphorePermit<'a>,
);

/// What may be done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepositoryAccess {
    /// Read alone: sources.
    Pull,
    /// Read and write: destinations.
    PullPush,
}

/// One repository, as seen by a run with certain rights.
#[derive(Clone)]
pub struct RepositoryClient {
    client: RegistryClient,
    registry: Arc<RegistryState>,
    repository: Repository,
    access: RepositoryAccess,
    /// What it needs itself.
    scopes: TokenScopes,
    /// The login of the run that is enough for it, where one was announced.
    shared_scopes: Option<TokenScopes>,
}

impl RegistryClient {
    /// A client for the registries of a run.
    ///
    /// # Errors
    /// A certificate file that the user named and that cannot be read.
    pub fn new(settings: HttpSettings, notices: Notices) -> Result<Self, HttpSettingsError> {
        let http = http_clients::HttpTransport::new(settings, notices)?;
        Ok(Self(Arc::new(ClientState {
            http,
            hosts: Mutex::default(),
            large_answers: Semaphore::new(body::LARGE_AT_ONCE),
            manifests: ManifestBudget::default(),
        })))
    }

    /// The repository, to be used with the rights of `access`. For a destination, `mount_from` are
    /// repositories of the same registry from which blobs may be mounted: the login asks to read
    /// them too.
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
            registry: host,
            repository: repository.clone(),
            access,
            scopes,
        }
    }

    /// Announces what the run is going to need, before [`RegistryClient::open_repository`] opens it: repositories
    /// of one registry then share logins, where the registry grants that, and each of them can mount
    /// from the others. May be said again, and with more.
    pub fn expect<'a>(&self, needed: impl IntoIterator<Item = (&'a Repository, RepositoryAccess)>) {
        let credentials = &self.0.http.settings.credentials;
        let mut logins: Vec<(&Repository, Vec<(String, RepositoryAccess)>)> = Vec::new();
        for (repository, access) in needed {
            let need = (repository.path().to_owned(), access);
            let alike = logins.iter_mut().find(|(first, _)| {
                first.registry() == repository.registry()
                    && credentials.share_login(first, repository)
            });
            match alike {
                Some((_, needs)) => needs.push(need),
                None => logins.push((repository, vec![need])),
            }
        }
        for (first, needs) in logins {
            self.registry_state(first.registry()).auth.expect(needs);
        }
    }

    fn registry_state(&self, registry: &RegistryName) -> Arc<RegistryState> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(registry.clone()).or_insert_with(|| {
            Arc::new(RegistryState {
                name: registry.clone(),
                auth: auth::RegistryAuth::default(),
                scheme: self.0.http.known_scheme(registry),
                control_limit: concurrency_limit::ConcurrencyLimit::new(CONTROL_REQUESTS_LIMIT),
                transfer_limit: concurrency_limit::ConcurrencyLimit::new(TRANSFERS_LIMIT),
                gate: retry::RetryAfterGate::default(),
                existence: repository_existence::RepositoryExistence::default(),
                referrers_support: referrers_api::ReferrersSupport::default(),
                chunk_policy: chunk_policy::ChunkPolicy::for_registry(registry),
                uploads: Mutex::default(),
                session_opening: Arc::default(),
                common_blobs: Mutex::default(),
                server_time: AtomicI64::new(0),
            })
        });
        host.clone()
    }

    /// How many requests were sent so far, those for tokens among them.
    pub fn request_count(&self) -> u64 {
        self.0.http.sent_count()
    }

    fn notices(&self) -> &Notices {
        &self.0.http.notices
    }

    fn large_answers(&self) -> &Semaphore {
        &self.0.large_answers
    }
}

impl RegistryState {
    /// Heeds an answer that only says "not now". Returns how long it asks to be left alone.
    fn back_off(&self, status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
        let pause = retry::retry_after(headers);
        if let Some(pause) = pause {
            self.gate.close_for(pause);
        }
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            self.control_limit.halve();
            self.transfer_limit.halve();
        }
        pause
    }

    fn record_answer(&self, pool: http_clients::ConnectionPool) {
        self.concurrency_limit(pool).record_answer();
    }

    fn concurrency_limit(
        &self,
        pool: http_clients::ConnectionPool,
    ) -> &concurrency_limit::ConcurrencyLimit {
        match pool {
            http_clients::ConnectionPool::Control => &self.control_limit,
            http_clients::ConnectionPool::Bulk => &self.transfer_limit,
        }
    }
}

impl RepositoryClient {
    /// The repository's name.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The paths of the registry's repositories that the login can read.
    pub fn readable_paths(&self) -> impl Iterator<Item = &str> + Clone {
        self.login_scopes().paths()
    }

    fn can_read(&self, other: &Repository) -> bool {
        self.login_scopes()
            .allows(other.path(), RepositoryAccess::Pull)
    }

    /// The scopes to log in with.
    fn login_scopes(&self) -> &TokenScopes {
        let shared = self.shared_scopes.as_ref();
        shared
            .filter(|_| !self.registry.auth.uses_own_login(&self.scopes))
            .unwrap_or(&self.scopes)
    }

    /// The same repository, with leave to read another one, to mount from it.
    fn with_read_access(&self, other: &Repository) -> Self {
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

    /// Waits for one of the turns to read a large answer: another body that is read as a whole.
    pub async fn large_turn(&self) -> LargeTurn<'_> {
        let turn = self.client.large_answers().acquire().await;
        LargeTurn(turn.expect("the semaphore is never closed"))
    }

    /// Returns the time by the registry's clock, in seconds of the Unix epoch, as its last answer said;
    /// `None` if none did.
    pub fn server_time(&self) -> Option<i64> {
        let time = self.registry.server_time.load(Ordering::Relaxed);
        (time > 0).then_some(time)
    }

    /// How long to wait for this registry, and how often to try.
    pub fn timing(&self) -> RetryTiming {
        self.client.0.http.settings.timing
    }
}
