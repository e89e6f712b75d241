//! The HTTP client of a run, built from its settings alone: reqwest takes nothing from the environment.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use super::retry_timing::RetryTiming;
use super::settings::{HttpSettings, HttpSettingsError, ProxySettings};
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
    proxies: Vec<reqwest::Proxy>,
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
        let proxies = build_proxies(&settings.proxies)?;
        Ok(Self(Arc::new(HttpState {
            settings,
            notices,
            sent: AtomicU64::new(0),
            extra_roots,
            proxies,
            tls: OnceLock::new(),
            plain: OnceLock::new(),
        })))
    }

    /// Returns the connections of `pool` for the scheme of `url`.
    pub(crate) fn client(&self, url: &Url, pool: ConnectionPool) -> &reqwest::Client {
        let state = &self.0;
        let clients = if url.scheme() == "https" {
            state
                .tls
                .get_or_init(|| state.build_clients(state.root_certificates()))
        } else {
            state
                .plain
                .get_or_init(|| state.build_clients(RootCertStore::empty()))
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
        request.send()
    }

    /// Returns how many requests were sent so far.
    pub(crate) fn sent_count(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
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
    fn build_clients(&self, roots: RootCertStore) -> PooledClients {
        // A preconfigured TLS backend must name the versions of HTTP that it offers.
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

/// Paths of the bundle in distributions: Debian, Fedora, SUSE, Alpine.
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
