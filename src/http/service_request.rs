//! Requests to services that are not registries: Sigstore's services and GitHub's API.

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use thiserror::Error;
use url::Url;

use super::http_client::{ConnectionPool, HttpClient};
use super::http_error::HttpError;
use super::response_body::read_limited;
use super::retry::{Attempt, AttemptError, is_transient, retry};
use super::retry_after::retry_after;

/// Request that can be repeated.
#[derive(Clone)]
pub struct ServiceRequest {
    /// Name of the service in log messages: `Fulcio`.
    pub service: &'static str,
    /// HTTP method.
    pub method: Method,
    /// URL.
    pub url: Url,
    /// Headers. A secret must be marked as sensitive.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// Response with any status.
#[derive(Debug, Clone)]
pub struct ServiceResponse {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// The longest response that is read, in bytes.
const RESPONSE_LIMIT: usize = 4 << 20;

impl HttpClient {
    /// Sends a request to a service, and returns the response with its status.
    ///
    /// Repeats it while the failure is transient: no connection, no response in time, 429, 5xx, or 403
    /// with `Retry-After`. Follows no redirect.
    ///
    /// # Errors
    /// No response, or one of more than 4 MiB.
    pub async fn send_to_service(
        &self,
        request: &ServiceRequest,
    ) -> Result<ServiceResponse, HttpError> {
        self.send_to_service_within(request, RESPONSE_LIMIT).await
    }

    /// Sends a request as [`HttpClient::send_to_service`] does, for a response of at most `limit` bytes.
    ///
    /// # Errors
    /// No response, or a longer one.
    pub async fn send_to_service_within(
        &self,
        request: &ServiceRequest,
        limit: usize,
    ) -> Result<ServiceResponse, HttpError> {
        let describe = |failed: &ServiceFailure| Some(format!("{}: {failed}", request.service));
        let attempt = |attempt: Attempt| async move {
            match self.send_to_service_once(request, limit).await {
                Ok(response) if !attempt.is_last && response.is_transient() => {
                    let pause = retry_after(&response.headers);
                    let failed = ServiceFailure::Status(response.status);
                    Err(AttemptError::new_transient(failed, pause))
                }
                Ok(response) => Ok(response),
                Err(error) => {
                    let is_transient = error.is_transient();
                    Err(AttemptError::new(ServiceFailure::Http(error), is_transient))
                }
            }
        };
        let outcome = retry(self.timing(), self.notices(), describe, attempt).await;
        outcome.map_err(|failed| match failed {
            ServiceFailure::Http(error) => error,
            ServiceFailure::Status(status) => HttpError::InvalidResponse(status.to_string()),
        })
    }

    /// Sends a request once, for a response of at most `limit` bytes.
    ///
    /// # Errors
    /// No response, or a longer one.
    pub async fn send_to_service_once(
        &self,
        request: &ServiceRequest,
        limit: usize,
    ) -> Result<ServiceResponse, HttpError> {
        let timing = self.timing();
        let builder = self
            .client(&request.url, ConnectionPool::Control)
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone());
        let sent = tokio::time::timeout(timing.stall, self.send(builder)).await;
        let response = match sent {
            Err(_) => return Err(HttpError::Stalled(timing.stall)),
            Ok(Err(error)) => {
                let error = HttpError::from_reqwest(&error, timing);
                return Err(self.name_proxy(&request.url, error).await);
            }
            Ok(Ok(response)) => response,
        };
        Ok(ServiceResponse {
            status: response.status(),
            headers: response.headers().clone(),
            body: read_limited(response, limit, timing).await?,
        })
    }
}

/// Failure of one attempt.
#[derive(Debug, Error)]
enum ServiceFailure {
    /// A status that says "not now".
    #[error("answered {0}")]
    Status(StatusCode),
    /// No usable response.
    #[error("{0}")]
    Http(HttpError),
}

impl ServiceResponse {
    /// Returns whether the status says "not now". GitHub's API says so with 403 as well.
    fn is_transient(&self) -> bool {
        is_transient(self.status)
            || self.status == StatusCode::FORBIDDEN && self.headers.contains_key(RETRY_AFTER)
    }
}
