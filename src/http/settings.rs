//! Settings of the HTTP connections: certificates, proxies and timeouts.

use std::path::PathBuf;

use thiserror::Error;

use super::retry_timing::RetryTiming;

/// Settings of the HTTP connections of a run.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// PEM file of additional certificate authorities (input `ca-file`).
    pub ca_file: Option<PathBuf>,
    /// PEM file that replaces the system's bundle of certificate authorities (`SSL_CERT_FILE`).
    pub ssl_cert_file: Option<PathBuf>,
    /// Folder of certificate authorities (`SSL_CERT_DIR`).
    pub ssl_cert_dir: Option<PathBuf>,
    /// Certificate that the client shows to servers that want one (inputs `client-cert`, `client-key`).
    pub client_certificate: Option<ClientCertificateFiles>,
    /// Folders in the form of Docker's `certs.d`, with a folder for each host.
    pub certs_folders: Vec<PathBuf>,
    /// Hosts whose certificates are not verified, as `host` or `host:port`.
    pub unverified_hosts: Vec<String>,
    /// Proxies of all requests.
    pub proxies: ProxySettings,
    /// Timeouts and retries.
    pub timing: RetryTiming,
}

/// PEM files of a client certificate, with its chain, and of its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Proxies in the form of the usual environment variables.
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    /// `HTTP_PROXY`: for plain HTTP.
    pub http: Option<String>,
    /// `HTTPS_PROXY`: for HTTPS.
    pub https: Option<String>,
    /// `NO_PROXY`: hosts to reach directly. Loopback is always reached directly.
    pub no_proxy: Option<String>,
}

/// Setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpSettingsError {
    /// Certificate file that cannot be read, or contains no certificate.
    #[error("{}: {reason}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Client certificate whose key is another one's.
    #[error("the client certificate cannot be used: {0}")]
    ClientCertificate(String),
    /// Malformed address of a proxy.
    #[error("the proxy address for {0} is malformed")]
    Proxy(&'static str),
}
