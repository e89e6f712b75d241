//! Requests to services that are no registries, over the same connections: proxies, certificates,
//! patience and what is sent again are the same.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use url::Url;

use super::body::read_limited;
use super::error::{RequestErrorKind, cause};
use super::http_clients::ConnectionPool;
use super::{RegistryClient, retry};

/// A request that can be sent again as it is.
#[derive(Clone)]
pub struct ServiceRequest {
    /// Who is asked, for messages: `Fulcio`.
    pub service: &'static str,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// What it says beside the body. A secret is to be marked as sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer, whatever it says.
#[derive(Debug, Clone)]
pub struct ServiceResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// The longest answer that is read, in bytes.
const RESPONSE_LIMIT: usize = 4 << 20;

impl RegistryClient {
    /// Asks a service. What passes (no connection, no answer in time, 429, 5xx, 403 with a Retry-After) is
    /// asked again, within bounds; the last answer comes back as it is. It follows no redirect.
    ///
    /// # Errors
    /// No answer.
    pub async fn send_to_service(
        &self,
        ask: &ServiceRequest,
    ) -> Result<ServiceResponse, RequestErrorKind> {
        self.ask_within(ask, RESPONSE_LIMIT).await
    }

    /// Asks a service as `RegistryClient::ask` does, for an answer of at most `limit` bytes.
    ///
    /// # Errors
    /// No answer, or a longer one.
    pub async fn ask_within(
        &self,
        ask: &ServiceRequest,
        limit: usize,
    ) -> Result<ServiceResponse, RequestErrorKind> {
        let timing = self.0.http.settings.timing;
        let mut tried = 0;
        loop {
            tried += 1;
            let outcome = self.send_to_service_once(ask, limit).await;
            let (why, pause) = match &outcome {
                Ok(answer) if retry::is_transient_for_service(answer.status, &answer.headers) => (
                    format!("answers {}", answer.status),
                    retry::retry_after(&answer.headers),
                ),
                Err(cause @ (RequestErrorKind::Connection(_) | RequestErrorKind::Stalled)) => {
                    (cause.to_string(), None)
                }
                _ => return outcome,
            };
            if tried >= timing.attempts {
                return outcome;
            }
            let pause = pause.unwrap_or_else(|| timing.delay(tried));
            self.notices().info(format!(
                "{}: {why}; trying again in {:.1} s ({tried} of {} tries)",
                ask.service,
                pause.as_secs_f64(),
                timing.attempts
            ));
            tokio::time::sleep(pause).await;
        }
    }

    /// As `RegistryClient::ask`, one time only and with an answer of at most `limit` bytes.
    ///
    /// # Errors
    /// No answer, or a longer one.
    pub async fn send_to_service_once(
        &self,
        ask: &ServiceRequest,
        limit: usize,
    ) -> Result<ServiceResponse, RequestErrorKind> {
        let http = &self.0.http;
        let timing = http.settings.timing;
        let request = http
            .client(&ask.url, ConnectionPool::Control)
            .request(ask.method.clone(), ask.url.clone())
            .headers(ask.headers.clone())
            .body(ask.body.clone());
        let sent = tokio::time::timeout(timing.stall, http.send(request)).await;
        let response = sent
            .map_err(|_| RequestErrorKind::Stalled)?
            .map_err(|error| cause(&error))?;
        Ok(ServiceResponse {
            status: response.status(),
            headers: response.headers().clone(),
            body: read_limited(response, limit, timing).await?,
        })
    }
}
