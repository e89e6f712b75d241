//! Proxies: which one a request goes through, and what it answers.

use std::fmt;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use super::private_address::host_and_port;
use super::settings::{HttpSettingsError, ProxySettings};

/// Proxies of a run.
pub(super) struct Proxies {
    /// The same proxies in the form that connections take.
    pub(super) connectors: Vec<reqwest::Proxy>,
    matcher: Matcher,
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address of a proxy may contain a password.
        f.write_str("Proxies")
    }
}

impl Proxies {
    /// Reads the settings.
    ///
    /// # Errors
    /// A malformed address.
    pub(super) fn new(settings: &ProxySettings) -> Result<Self, HttpSettingsError> {
        let direct = format!(
            "localhost,127.0.0.0/8,::1,{}",
            settings.no_proxy.as_deref().unwrap_or_default()
        );
        let exceptions = reqwest::NoProxy::from_string(&direct);
        let filled = |address: &Option<String>| {
            let address = address.as_deref().unwrap_or_default();
            (!address.is_empty()).then(|| address.to_owned())
        };
        let (http, https) = (filled(&settings.http), filled(&settings.https));
        let mut connectors = Vec::new();
        if let Some(address) = &http {
            let proxy = reqwest::Proxy::http(address);
            let proxy = proxy.map_err(|_| HttpSettingsError::Proxy("http"))?;
            connectors.push(proxy.no_proxy(exceptions.clone()));
        }
        if let Some(address) = &https {
            let proxy = reqwest::Proxy::https(address);
            let proxy = proxy.map_err(|_| HttpSettingsError::Proxy("https"))?;
            connectors.push(proxy.no_proxy(exceptions));
        }
        let matcher = Matcher::builder()
            .http(http.unwrap_or_default())
            .https(https.unwrap_or_default())
            .no(direct)
            .build();
        Ok(Self {
            connectors,
            matcher,
        })
    }

    /// Returns the host and port of the proxy for an address; `None` if it is reached directly.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<String> {
        let intercepted = self.matcher.intercept(&url.as_str().parse().ok()?)?;
        let proxy = Url::parse(&intercepted.uri().to_string()).ok()?;
        Some(host_and_port(&proxy))
    }
}

impl Proxies {
    /// Returns the status with which the proxy refuses a connection to the host of an address; `None` if it
    /// does not refuse now, or is not asked over plain HTTP.
    pub(super) async fn refusal(&self, url: &Url, patience: Duration) -> Option<StatusCode> {
        let intercepted = self.matcher.intercept(&url.as_str().parse().ok()?)?;
        let proxy = intercepted.uri();
        if proxy.scheme_str() != Some("http") {
            return None;
        }
        let target = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(login) = intercepted
            .basic_auth()
            .and_then(|login| login.to_str().ok())
        {
            request.push_str(&format!("Proxy-Authorization: {login}\r\n"));
        }
        request.push_str("\r\n");
        let address = (proxy.host()?.to_owned(), proxy.port_u16().unwrap_or(80));
        let answer = tokio::time::timeout(patience, read_status(address, request)).await;
        answer.ok()?.filter(|status| !status.is_success())
    }
}

/// Sends a request to a proxy, and returns the status of its answer.
async fn read_status(proxy: (String, u16), request: String) -> Option<StatusCode> {
    let mut stream = TcpStream::connect(proxy).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    // `HTTP/1.1 403`.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.ok()?;
    let head = std::str::from_utf8(&head).ok()?;
    head.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}
