//! The distribution client: one run's connections to registries (OCI distribution specification
//! 1.1, docker's token authentication).
//!
//! Invariants:
//! - only a 404 means absent; everything else that is no success is an error;
//! - manifests are hashed when they come and when they go; blobs are hashed by whoever reads them;
//! - a credential goes to its own registry and to the token realm that this registry names, never
//!   over plain HTTP (loopback apart) and never after a redirect to another host;
//! - requests that can be sent twice are, after a delay that the registry or chance decides;
//!   streamed uploads are not, since only the caller can open their source again.

mod abandon;
mod ask;
mod auth;
mod blobs;
mod call;
mod error;
mod http;
mod made;
mod manifests;
mod referrers;
mod retry;
mod scope;
mod tags;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use ask::{Answer, Ask};
pub use blobs::{Mount, Upload};
pub use error::{Cause, Error, Trouble};
pub use http::{Proxies, Settings, SettingsError, Timing};
pub use manifests::{Head, Vouched};

use crate::image::{Digest, RegistryName, Repository};
use crate::notice::Notices;
use scope::Scopes;
use url::Url;

/// The registries of a run: connections, logins and limits, shared by all its repositories.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    http: http::Http,
    hosts: Mutex<HashMap<RegistryName, Arc<Host>>>,
    notices: Notices,
}

/// What is known of one registry.
struct Host {
    name: RegistryName,
    auth: auth::Auth,
    /// Found out by the first request where it is not known from the name.
    wire: OnceLock<Wire>,
    /// Requests in flight at the same time.
    control: tokio::sync::Semaphore,
    gate: retry::Gate,
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

/// Requests to one registry that may be in flight at the same time, transfers apart.
const CONTROL_REQUESTS: usize = 16;

/// What may be done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    scopes: Scopes,
}

impl Client {
    /// A client for the registries of a run.
    ///
    /// # Errors
    /// A certificate file that the user named and that cannot be read.
    pub fn new(settings: Settings, notices: Notices) -> Result<Self, SettingsError> {
        let http = http::Http::new(settings)?;
        Ok(Self(Arc::new(Shared {
            http,
            hosts: Mutex::default(),
            notices,
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
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts
            .entry(repository.registry().clone())
            .or_insert_with(|| {
                Arc::new(Host {
                    name: repository.registry().clone(),
                    auth: auth::Auth::default(),
                    wire: self.0.http.known_wire(repository.registry()),
                    control: tokio::sync::Semaphore::new(CONTROL_REQUESTS),
                    gate: retry::Gate::default(),
                    uploads: Mutex::default(),
                    opening: Arc::default(),
                    common: Mutex::default(),
                })
            });
        Remote {
            client: self.clone(),
            host: host.clone(),
            repository: repository.clone(),
            access,
            scopes: Scopes::of(repository, access, mount_from),
        }
    }

    /// The connections as such, for another service at `url`: proxies, certificates and timeouts are
    /// the same, and it follows no redirect.
    pub fn web(&self, url: &url::Url) -> reqwest::Client {
        self.0.http.client(url, http::Lane::Control).clone()
    }

    /// How many requests were sent so far, those for tokens among them; [`Client::web`]'s are not.
    pub fn requests(&self) -> u64 {
        self.0.http.sent()
    }

    fn notices(&self) -> &Notices {
        &self.0.notices
    }
}

impl Remote {
    /// The repository's name.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// How long to wait for this registry, and how often to try.
    pub fn timing(&self) -> Timing {
        self.client.0.http.settings.timing
    }
}
