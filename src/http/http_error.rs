//! Errors of HTTP requests that brought no usable response.

use std::time::Duration;

use reqwest::StatusCode;
use thiserror::Error;

use super::retry::is_transient;
use super::retry_timing::RetryTiming;
use crate::notices::to_printable;

/// Reason why an HTTP request brought no usable response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpError {
    /// The connection failed or broke.
    #[error("{0}")]
    Connection(String),
    /// The name of the host does not exist.
    #[error("the host does not exist")]
    UnknownHost,
    /// The TLS handshake failed, or the server's certificate was refused.
    #[error("the TLS connection failed: {0}")]
    Tls(String),
    /// The proxy refused to open the connection.
    #[error("the proxy {proxy} answered {status}")]
    Proxy {
        /// Its host and port.
        proxy: String,
        /// Its answer.
        status: StatusCode,
    },
    /// No data arrived within this time.
    #[error("no data received for {} s", .0.as_secs_f64())]
    Stalled(Duration),
    /// Data kept arriving, and the response was not complete within this time.
    #[error("the response was not complete after {} s", .0.as_secs_f64())]
    Slow(Duration),
    /// The response breaks the rules of HTTP, or leads to a forbidden address.
    #[error("invalid response: {0}")]
    InvalidResponse(String),
    /// The response is longer than this limit in bytes.
    #[error("invalid response: a body of more than {0} bytes")]
    TooLong(usize),
}

impl HttpError {
    /// Returns whether another attempt may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Stalled(_) => true,
            Self::Proxy { status, .. } => is_transient(*status),
            _ => false,
        }
    }

    /// Converts an error of reqwest: its reasons from the outermost to the innermost, without the URL,
    /// whose query may contain a secret.
    pub(crate) fn from_reqwest(error: &reqwest::Error, timing: RetryTiming) -> Self {
        let mut reasons = Vec::new();
        let mut at: &(dyn std::error::Error + 'static) = error;
        while let Some(inner) = inner_error(at) {
            if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls.to_string());
            }
            reasons.push(inner.to_string());
            at = inner;
        }
        if error.is_timeout() {
            return Self::Stalled(timing.connect);
        }
        // An outer error often repeats the text of the inner one.
        reasons.dedup_by(|inner, outer| outer.contains(inner.as_str()));
        let text = if reasons.is_empty() {
            "the connection failed".to_owned()
        } else {
            reasons.join(": ")
        };
        // The connection knows an alert of the server, such as that it wants a certificate, as text alone.
        if text.contains("received fatal alert") {
            return Self::Tls(to_printable(&text, 300));
        }
        // The resolver says so of a name that does not exist, not of one that it cannot look up now.
        if text.contains("Name or service not known") || text.contains("No address associated") {
            return Self::UnknownHost;
        }
        Self::Connection(to_printable(&text, 300))
    }
}

/// Returns the cause of an error. The `source` of an `io::Error` skips the error that it wraps.
fn inner_error<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    let made_from = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    made_from.map(|inner| inner as _).or_else(|| error.source())
}
