//! The HTTP client of a run, built from its settings alone: reqwest takes nothing from the environment.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use url::Url;

use super::host_tls::{ClientIdentity, HostTls, load_hosts, load_identity, read_certificates};
use super::http_error::HttpError;
use super::private_address::host_and_port;
use super::proxies::Proxies;
use super::request_line::request_line;
use super::retry_timing::RetryTiming;
use super::server_trust::{AnchorVerifier, UncheckedCertificates};
use super::settings::{HttpSettings, HttpSettingsError};
use crate::notices::Notices;

/// Connections that a request uses: small requests share an HTTP/2 connection, transfers have one
/// connection each, since several connections move bulk faster than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionPool {
    Control,
    Bulk,
}

/// Size from which a blob has a connection of its own. Below it, opening a connection takes longer than
/// the transfer: with 1 MiB, a copy of six layers of 1 MiB took 0.42 s at 20 ms, with this 0.32 s.
const BULK_THRESHOLD: u64 = 4 << 20;

impl ConnectionPool {
    /// Returns the connections for a blob of `size` bytes.
    pub(crate) fn for_size(size: u64) -> Self {
        if size < BULK_THRESHOLD {
            Self::Control
        } else {
            Self::Bulk
        }
    }
}

struct PooledClients {
    control: reqwest::Client,
    bulk: reqwest::Client,
}

/// HTTP client of a run. Its clones share connections and counters.
#[derive(Clone)]
pub struct HttpClient(Arc<HttpState>);

struct HttpState {
    settings: HttpSettings,
    notices: Notices,
    /// Number of requests that were sent.
    sent: AtomicU64,
    extra_roots: Vec<CertificateDer<'static>>,
    proxies: Proxies,
    identity: Option<ClientIdentity>,
    /// Hosts with TLS settings of their own, with their connections.
    hosts: BTreeMap<String, (HostTls, OnceLock<PooledClients>)>,
    /// Built on the first HTTPS request: plain HTTP need not spend the milliseconds that reading all
    /// certificate authorities takes.
    tls: OnceLock<PooledClients>,
    plain: OnceLock<PooledClients>,
}

impl HttpClient {
    /// Returns a client with these settings, which reports to `notices`.
    ///
    /// # Errors
    /// A certificate file that cannot be used, or a malformed address of a proxy.
    pub fn new(settings: HttpSettings, notices: Notices) -> Result<Self, HttpSettingsError> {
        let mut extra_roots = Vec::new();
        for path in [&settings.ca_file, &settings.ssl_cert_file]
            .into_iter()
            .flatten()
        {
            extra_roots.extend(read_certificates(path)?);
        }
        let files = settings.client_certificate.as_ref();
        let identity = files.map(load_identity).transpose()?;
        let hosts = load_hosts(&settings, &notices).into_iter();
        let client = Self(Arc::new(HttpState {
            proxies: Proxies::new(&settings.proxies)?,
            identity,
            hosts: hosts
                .map(|(host, tls)| (host, (tls, OnceLock::new())))
                .collect(),
            settings,
            notices,
            sent: AtomicU64::new(0),
            extra_roots,
            tls: OnceLock::new(),
            plain: OnceLock::new(),
        }));
        client.0.check_identity()?;
        Ok(client)
    }

    /// Returns the connections of `pool` for the scheme of `url`.
    pub(crate) fn client(&self, url: &Url, pool: ConnectionPool) -> &reqwest::Client {
        let state = &self.0;
        let clients = match (url.scheme(), state.find_host(url)) {
            ("https", Some((tls, clients))) => {
                clients.get_or_init(|| state.build_clients(state.tls_config(tls)))
            }
            ("https", None) => {
                let tls = HostTls::default();
                state
                    .tls
                    .get_or_init(|| state.build_clients(state.tls_config(&tls)))
            }
            _ => state
                .plain
                .get_or_init(|| state.build_clients(plain_config())),
        };
        match pool {
            ConnectionPool::Control => &clients.control,
            ConnectionPool::Bulk => &clients.bulk,
        }
    }

    /// Sends a request, and counts it.
    pub(crate) fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> impl Future<Output = reqwest::Result<reqwest::Response>> + use<> {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
        let notices = self.0.notices.clone();
        let (client, request) = request.build_split();
        async move {
            let request = request?;
            let (method, url) = (request.method().clone(), request.url().clone());
            let began = Instant::now();
            let result = client.execute(request).await;
            notices.detail(|| request_line(&method, &url, &result, began.elapsed()));
            result
        }
    }

    /// Returns how many requests were sent so far.
    pub(crate) fn sent_count(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Returns the failure of a request to `url` with the proxy that it went through, if it did.
    pub(crate) async fn name_proxy(&self, url: &Url, error: HttpError) -> HttpError {
        let Some(proxy) = self.0.proxies.proxy_for(url) else {
            return error;
        };
        let status = match &error {
            HttpError::Connection(text) if text.contains(PROXY_LOGIN) => {
                Some(reqwest::StatusCode::PROXY_AUTHENTICATION_REQUIRED)
            }
            HttpError::Connection(text) if text.contains(PROXY_REFUSAL) => {
                self.0.proxies.refusal(url, self.timing().connect).await
            }
            _ => None,
        };
        match (error, status) {
            (_, Some(status)) => HttpError::Proxy { proxy, status },
            (HttpError::Connection(text), None) => {
                HttpError::Connection(format!("through the proxy {proxy}: {text}"))
            }
            (HttpError::UnknownHost, None) => {
                HttpError::Connection(format!("the host of the proxy {proxy} does not exist"))
            }
            (error, None) => error,
        }
    }

    /// Returns the timeouts and retries.
    pub(crate) fn timing(&self) -> RetryTiming {
        self.0.settings.timing
    }

    /// Returns the receiver of log lines.
    pub(crate) fn notices(&self) -> &Notices {
        &self.0.notices
    }
}

impl HttpState {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that makes connections, with the settings of the run"
    )]
    fn build_clients(&self, config: rustls::ClientConfig) -> PooledClients {
        // A preconfigured TLS backend must name the versions of HTTP that it offers.
        let tls = |alpn: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            config
        };
        let timing = &self.settings.timing;
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("shipmark/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(timing.connect)
                .tcp_nodelay(true)
                .no_proxy();
            self.proxies
                .connectors
                .iter()
                .cloned()
                .fold(builder, reqwest::ClientBuilder::proxy)
        };
        let control = builder().tls_backend_preconfigured(tls(&[b"h2", b"http/1.1"]));
        let bulk = builder()
            .tls_backend_preconfigured(tls(&[b"http/1.1"]))
            .http1_only();
        PooledClients {
            control: control
                .build()
                .expect("a client from these settings can be built"),
            bulk: bulk
                .build()
                .expect("a client from these settings can be built"),
        }
    }

    /// Returns the TLS settings of the host of an address, if it has its own.
    fn find_host(&self, url: &Url) -> Option<&(HostTls, OnceLock<PooledClients>)> {
        if self.hosts.is_empty() {
            return None;
        }
        let with_port = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let by_name = || self.hosts.get(&host_and_port(url));
        self.hosts.get(&with_port).or_else(by_name)
    }

    /// Checks that the client certificate and its key belong together.
    fn check_identity(&self) -> Result<(), HttpSettingsError> {
        match &self.identity {
            None => Ok(()),
            Some(identity) => {
                let config = start_config().with_root_certificates(RootCertStore::empty());
                let config =
                    config.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key());
                let checked =
                    config.map_err(|error| HttpSettingsError::ClientCertificate(error.to_string()));
                checked.map(drop)
            }
        }
    }

    /// Returns the TLS of a host: whom the client trusts there, and what it shows.
    fn tls_config(&self, tls: &HostTls) -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match tls.is_unverified {
            true => Arc::new(UncheckedCertificates(provider)),
            false => {
                let named = self.extra_roots.iter().chain(&tls.authorities).cloned();
                let mut roots = self.root_certificates();
                roots.add_parsable_certificates(tls.authorities.iter().cloned());
                let verifier = AnchorVerifier::new(roots, named.collect(), provider);
                Arc::new(verifier.expect("the bundled authorities are roots"))
            }
        };
        let config = start_config()
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        match tls.identity.as_ref().or(self.identity.as_ref()) {
            None => config.with_no_client_auth(),
            Some(identity) => config
                .clone()
                .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
                .unwrap_or_else(|_| config.with_no_client_auth()),
        }
    }

    /// Returns the bundled authorities, the system's, and those of the settings.
    fn root_certificates(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(self.extra_roots.iter().cloned());
        let bundle = SYSTEM_BUNDLES
            .iter()
            .map(Path::new)
            .find(|path| path.is_file());
        let bundle = bundle.filter(|_| self.settings.ssl_cert_file.is_none());
        let system = rustls_native_certs::load_certs_from_paths(
            bundle,
            self.settings.ssl_cert_dir.as_deref(),
        );
        roots.add_parsable_certificates(system.certs);
        roots
    }
}

/// What the connector says of a proxy that wants a login, and of one that refuses otherwise.
const PROXY_LOGIN: &str = "tunnel error: proxy authorization required";
const PROXY_REFUSAL: &str = "tunnel error: unsuccessful";

fn start_config() -> rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
}

/// Returns TLS that trusts nobody, for connections that do not use it.
fn plain_config() -> rustls::ClientConfig {
    let config = start_config().with_root_certificates(RootCertStore::empty());
    config.with_no_client_auth()
}

/// Paths of the bundle in distributions: Debian, Fedora, SUSE, Alpine.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
