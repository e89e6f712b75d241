//! The HTTP clients, made from our settings alone: nothing is taken from the environment by itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use url::Url;

use super::UrlScheme;
use crate::credentials;
use crate::image::RegistryName;
use crate::notices::Notices;

/// How registries are reached.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Who we are, where.
    pub credentials: credentials::CredentialStore,
    /// Further certificate authorities to trust: a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The system's certificate authorities, where they are not at the usual place
    /// (`SSL_CERT_FILE`).
    pub ssl_cert_file: Option<PathBuf>,
    /// A folder of certificate authorities (`SSL_CERT_DIR`).
    pub ssl_cert_dir: Option<PathBuf>,
    /// Registries to speak plain HTTP with. Those on loopback need no word.
    pub insecure: Vec<RegistryName>,
    /// The proxies to go through.
    pub proxies: ProxySettings,
    /// How long to wait, and how often to try.
    pub timing: RetryTiming,
}

/// The proxies to go through, in the form of the usual variables.
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    /// `HTTP_PROXY`: for plain HTTP.
    pub http: Option<String>,
    /// `HTTPS_PROXY`: for HTTPS.
    pub https: Option<String>,
    /// `NO_PROXY`: hosts to reach directly. Loopback is always reached directly.
    pub no_proxy: Option<String>,
}

/// How long to wait, and how often to try.
#[derive(Debug, Clone, Copy)]
pub struct RetryTiming {
    /// For a connection to stand.
    pub connect: Duration,
    /// For any byte to move, in either direction, before a request counts as dead.
    pub stall: Duration,
    /// For the body of a small answer (a manifest, a page of a list, a token) to be complete, however
    /// it trickles.
    pub whole: Duration,
    /// The first delay before a request is sent again; later ones double.
    pub retry: Duration,
    /// How often a request is sent at most.
    pub attempts: u32,
}

impl Default for RetryTiming {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            whole: Duration::from_secs(60),
            retry: Duration::from_millis(500),
            attempts: 6,
        }
    }
}

impl RetryTiming {
    /// How long to wait before the next try, after `tried` of them.
    pub fn delay(&self, tried: u32) -> Duration {
        super::retry::backoff_delay(self.retry, tried)
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpSettingsError {
    /// A certificate file that was named cannot be read, or holds no certificate.
    #[error("{}: {reason}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A proxy address is malformed.
    #[error("the proxy address for {0} is malformed")]
    Proxy(&'static str),
}

/// Which connections a request takes: many small ones share an HTTP/2 connection, transfers have
/// one each, since a single connection moves bulk slower than several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionPool {
    Control,
    Bulk,
}

/// From this size on a blob goes by a connection of its own. Below it, opening one takes longer than
/// the blob does: with 1 MiB, a copy of six layers of 1 MiB took 0.42 s at 20 ms, with this 0.32 s.
const BULK_THRESHOLD: u64 = 4 << 20;

impl ConnectionPool {
    /// The connections for a blob of so many bytes.
    pub(super) fn for_size(size: u64) -> Self {
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

pub(super) struct HttpTransport {
    pub(super) settings: HttpSettings,
    /// Told of every token before it is used.
    pub(super) notices: Notices,
    /// How many requests were sent.
    sent: AtomicU64,
    /// What all tokens weigh that were given.
    pub(super) tokens: AtomicU64,
    extra_roots: Vec<CertificateDer<'static>>,
    proxies: Vec<reqwest::Proxy>,
    /// Reading all certificate authorities takes milliseconds that plain HTTP need not spend.
    tls: OnceLock<PooledClients>,
    plain: OnceLock<PooledClients>,
}

impl HttpTransport {
    pub(super) fn new(settings: HttpSettings, notices: Notices) -> Result<Self, HttpSettingsError> {
        let mut extra_roots = Vec::new();
        for path in [&settings.ca_file, &settings.ssl_cert_file]
            .into_iter()
            .flatten()
        {
            extra_roots.extend(read_certificates(path)?);
        }
        let proxies = build_proxies(&settings.proxies)?;
        Ok(Self {
            settings,
            notices,
            sent: AtomicU64::new(0),
            tokens: AtomicU64::new(0),
            extra_roots,
            proxies,
            tls: OnceLock::new(),
            plain: OnceLock::new(),
        })
    }

    pub(super) fn client(&self, url: &Url, pool: ConnectionPool) -> &reqwest::Client {
        let clients = if url.scheme() == "https" {
            self.tls
                .get_or_init(|| self.build_clients(self.root_certificates()))
        } else {
            self.plain
                .get_or_init(|| self.build_clients(RootCertStore::empty()))
        };
        match pool {
            ConnectionPool::Control => &clients.control,
            ConnectionPool::Bulk => &clients.bulk,
        }
    }

    /// Sends a request, and counts it.
    pub(super) fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> impl Future<Output = reqwest::Result<reqwest::Response>> + use<> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        request.send()
    }

    /// How many requests were sent so far.
    pub(super) fn sent_count(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether the user wants plain HTTP spoken with a registry.
    pub(super) fn is_insecure(&self, registry: &RegistryName) -> bool {
        self.settings.insecure.contains(registry)
    }

    /// How a registry is spoken to, as far as its name says: one on loopback may go either way.
    pub(super) fn known_scheme(&self, registry: &RegistryName) -> OnceLock<UrlScheme> {
        match (self.is_insecure(registry), registry.is_loopback()) {
            (true, _) => UrlScheme::Http.into(),
            (false, false) => UrlScheme::Https.into(),
            (false, true) => OnceLock::new(),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that makes connections, with the settings of the run"
    )]
    fn build_clients(&self, roots: RootCertStore) -> PooledClients {
        // A configuration of our own says itself which versions of HTTP it offers.
        let tls = |alpn: &[&[u8]]| {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let mut config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("the provider knows TLS 1.2 and 1.3")
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
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

    /// The bundled authorities, the system's, and those that the user named.
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

/// Where distributions keep their bundle: Debian, Fedora, SUSE, Alpine.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpSettingsError> {
    let wrong = |reason: String| HttpSettingsError::Certificates {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("is not a PEM file of certificates: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong("holds no certificate (BEGIN CERTIFICATE)".to_owned()));
    }
    Ok(certificates)
}

fn build_proxies(settings: &ProxySettings) -> Result<Vec<reqwest::Proxy>, HttpSettingsError> {
    let direct = format!(
        "localhost,127.0.0.0/8,::1,{}",
        settings.no_proxy.as_deref().unwrap_or_default()
    );
    let direct = reqwest::NoProxy::from_string(&direct);
    let made =
        |address: &Option<String>, scheme, make: fn(&str) -> reqwest::Result<reqwest::Proxy>| {
            address
                .as_deref()
                .filter(|address| !address.is_empty())
                .map(|address| {
                    make(address)
                        .map(|proxy| proxy.no_proxy(direct.clone()))
                        .map_err(|_| HttpSettingsError::Proxy(scheme))
                })
        };
    [
        made(&settings.http, "http", |address| {
            reqwest::Proxy::http(address)
        }),
        made(&settings.https, "https", |address| {
            reqwest::Proxy::https(address)
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
