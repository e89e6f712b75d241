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

mod abandon;
mod addresses;
mod ask;
mod auth;
mod blobs;
mod body;
mod call;
mod download;
mod error;
mod http;
mod made;
mod manifests;
mod newness;
mod pace;
mod pages;
mod parts;
mod referrers;
mod retry;
mod scope;
mod sending;
mod tags;
mod upload;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

pub use ask::{Answer, Ask};
pub(crate) use download::skip;
pub use download::{Download, Resumed};
pub use error::{Cause, Error, Trouble};
pub use http::{Proxies, Settings, SettingsError, Timing};
pub use manifests::{Head, Vouched};
pub use tags::FewTags;
pub use upload::{Mount, Slot, Upload};

use crate::image::{Digest, ManifestBudget, RegistryName, Repository};
use crate::notice::Notices;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use scope::Scopes;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

/// The registries of a run: connections, logins and limits, shared by all its repositories.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    http: http::Http,
    hosts: Mutex<HashMap<RegistryName, Arc<Host>>>,
    /// Turns to read a large answer.
    large_answers: Semaphore,
    /// The memory for manifests.
    manifests: ManifestBudget,
}

/// What is known of one registry.
struct Host {
    name: RegistryName,
    auth: auth::Auth,
    /// Found out by the first request where it is not known from the name.
    wire: OnceLock<Wire>,
    /// Requests in flight at the same time, and transfers of large blobs.
    control: pace::Pace,
    transfers: pace::Pace,
    gate: retry::Gate,
    newness: newness::Newness,
    lists: referrers::Lists,
    parts: parts::Parts,
    /// Upload sessions that are neither finished nor closed.
    uploads: Mutex<HashMap<Url, Repository>>,
    /// Held, shared, while a session is being opened.
    opening: Arc<tokio::sync::RwLock<()>>,
    /// Blobs that many images have in common, and that this run has seen to.
    common: Mutex<HashMap<(Repository, Digest), Brought>>,
}

/// Whether a blob is there. Whoever needs it first sees to it, and the others wait for it.
type Brought = Arc<tokio::sync::OnceCell<()>>;

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Plain,
    Tls,
}

impl Wire {
    fn scheme(self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Tls => "https",
        }
    }
}

/// Requests to one registry that may be in flight at the same time. They share a connection where it
/// speaks HTTP/2; a server is to take at least so many streams on one (RFC 9113, 6.5.2).
const CONTROL_REQUESTS: usize = 100;
/// Large blobs that may travel at the same time, to or from one registry.
const TRANSFERS: usize = 8;

/// One of the few turns to read what is small as a rule and large here.
pub struct LargeTurn<'a>(
    #[expect(dead_code, reason = "held until it is dropped")] SemaphorePermit<'a>,
);

/// What may be done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Read alone: sources.
    Pull,
    /// Read and write: destinations.
    PullPush,
}

/// One repository, as seen by a run with certain rights.
#[derive(Clone)]
pub struct Remote {
    client: Client,
    host: Arc<Host>,
    repository: Repository,
    access: Access,
    /// What it needs itself.
    scopes: Scopes,
    /// The login of the run that is enough for it, where one was announced.
    shared: Option<Scopes>,
}

impl Client {
    /// A client for the registries of a run.
    ///
    /// # Errors
    /// A certificate file that the user named and that cannot be read.
    pub fn new(settings: Settings, notices: Notices) -> Result<Self, SettingsError> {
        let http = http::Http::new(settings, notices)?;
        Ok(Self(Arc::new(Shared {
            http,
            hosts: Mutex::default(),
            large_answers: Semaphore::new(body::LARGE_AT_ONCE),
            manifests: ManifestBudget::default(),
        })))
    }

    /// The repository, to be used with the rights of `access`. For a destination, `mount_from` are
    /// repositories of the same registry from which blobs may be mounted: the login asks to read
    /// them too.
    pub fn repository(
        &self,
        repository: &Repository,
        access: Access,
        mount_from: &[&Repository],
    ) -> Remote {
        let host = self.host(repository.registry());
        let scopes = Scopes::of(repository, access, mount_from);
        Remote {
            client: self.clone(),
            shared: host.auth.shared(&scopes),
            host,
            repository: repository.clone(),
            access,
            scopes,
        }
    }

    /// Announces what the run is going to need, before [`Client::repository`] opens it: repositories
    /// of one registry then share logins, where the registry grants that, and each of them can mount
    /// from the others. May be said again, and with more.
    pub fn expect<'a>(&self, needed: impl IntoIterator<Item = (&'a Repository, Access)>) {
        let credentials = &self.0.http.settings.credentials;
        let mut logins: Vec<(&Repository, Vec<(String, Access)>)> = Vec::new();
        for (repository, access) in needed {
            let need = (repository.path().to_owned(), access);
            let alike = logins.iter_mut().find(|(first, _)| {
                first.registry() == repository.registry()
                    && credentials.are_alike(first, repository)
            });
            match alike {
                Some((_, needs)) => needs.push(need),
                None => logins.push((repository, vec![need])),
            }
        }
        for (first, needs) in logins {
            self.host(first.registry()).auth.expect(needs);
        }
    }

    fn host(&self, registry: &RegistryName) -> Arc<Host> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(registry.clone()).or_insert_with(|| {
            Arc::new(Host {
                name: registry.clone(),
                auth: auth::Auth::default(),
                wire: self.0.http.known_wire(registry),
                control: pace::Pace::of(CONTROL_REQUESTS),
                transfers: pace::Pace::of(TRANSFERS),
                gate: retry::Gate::default(),
                newness: newness::Newness::default(),
                lists: referrers::Lists::default(),
                parts: parts::Parts::of(registry),
                uploads: Mutex::default(),
                opening: Arc::default(),
                common: Mutex::default(),
            })
        });
        host.clone()
    }

    /// How many requests were sent so far, those for tokens among them.
    pub fn requests(&self) -> u64 {
        self.0.http.sent()
    }

    fn notices(&self) -> &Notices {
        &self.0.http.notices
    }

    fn large_answers(&self) -> &Semaphore {
        &self.0.large_answers
    }
}

impl Host {
    /// Heeds an answer that only says "not now". Returns how long it asks to be left alone.
    fn held_back(&self, status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
        let pause = retry::retry_after(headers);
        if let Some(pause) = pause {
            self.gate.close_for(pause);
        }
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            self.control.slower();
            self.transfers.slower();
        }
        pause
    }

    fn answered(&self, lane: http::Lane) {
        self.pace(lane).answered();
    }

    fn pace(&self, lane: http::Lane) -> &pace::Pace {
        match lane {
            http::Lane::Control => &self.control,
            http::Lane::Bulk => &self.transfers,
        }
    }
}

impl Remote {
    /// The repository's name.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The paths of the registry's repositories that the login can read.
    pub fn readable(&self) -> impl Iterator<Item = &str> + Clone {
        self.login().paths()
    }

    fn reads(&self, other: &Repository) -> bool {
        self.login().allow(other.path(), Access::Pull)
    }

    /// The scopes to log in with.
    fn login(&self) -> &Scopes {
        let shared = self.shared.as_ref();
        shared
            .filter(|_| !self.host.auth.goes_alone(&self.scopes))
            .unwrap_or(&self.scopes)
    }

    /// The same repository, with leave to read another one, to mount from it.
    fn reading(&self, other: &Repository) -> Self {
        let mut remote = self.clone();
        if !self.reads(other) {
            remote.scopes = self.scopes.reading(other.path());
            remote.shared = self.host.auth.shared(&remote.scopes);
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

    /// How long to wait for this registry, and how often to try.
    pub fn timing(&self) -> Timing {
        self.client.0.http.settings.timing
    }
}
