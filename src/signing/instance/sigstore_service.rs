//! One service of Sigstore: what is asked of it, and what its refusals mean.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use thiserror::Error;
use url::Url;

use crate::http::{HttpClient, HttpError, ServiceRequest, ServiceResponse};
use crate::notices::to_printable;

pub(crate) const ID_TOKEN_SERVICE: &str = "the runner's token service";
pub(crate) const FULCIO_SERVICE: &str = "Fulcio";
pub(super) const REKOR_SERVICE: &str = "Rekor";
pub(super) const TIMESTAMP_SERVICE: &str = "the timestamp authority";

/// Why no signature could be made.
#[derive(Debug, Clone, Error)]
#[error("{service} ({at}) {cause}")]
pub struct SigstoreServiceError {
    /// Who did not do its part.
    pub service: &'static str,
    /// Its address, without what follows the host.
    pub at: String,
    /// What came instead.
    pub cause: SigstoreErrorKind,
    /// Size of the request's body in bytes.
    pub sent: usize,
}

/// From this size on, in bytes, a request to a log is large: the log or a proxy in front of it may refuse it
/// or close the connection. Rekor's own signatures take a few kilobytes.
const LARGE_REQUEST: usize = 64 << 10;

/// What a service did instead of its part.
#[derive(Debug, Clone, Error)]
pub enum SigstoreErrorKind {
    /// No answer, or none in time.
    #[error("does not answer: {0}")]
    NoAnswer(HttpError),
    /// It refused.
    #[error("answers {status}{}", with_message(.message))]
    Refused {
        /// The status.
        status: StatusCode,
        /// Its own words, made printable.
        message: String,
    },
    /// Its answer is not what it should be.
    #[error("sent an invalid response: {0}")]
    InvalidAnswer(String),
}

fn with_message(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

impl SigstoreServiceError {
    /// Returns why a log does not take a large request, where that may be the reason.
    pub fn reason(&self) -> Option<String> {
        let is_about_size = match &self.cause {
            SigstoreErrorKind::NoAnswer(_) => true,
            SigstoreErrorKind::Refused { status, .. } => {
                matches!(status.as_u16(), 400 | 413 | 422 | 500..)
            }
            SigstoreErrorKind::InvalidAnswer(_) => false,
        };
        (self.service == REKOR_SERVICE && self.sent >= LARGE_REQUEST && is_about_size).then(|| {
            format!(
                "a log of Rekor v1 receives attestations whole, and this request has {} bytes: it may be over the limit of the log",
                self.sent
            )
        })
    }

    /// How to go on, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        if self.reason().is_some() {
            return Some(
                "attest a smaller file, or use a log of Rekor v2, which receives a digest alone (signing-config)",
            );
        }
        let SigstoreErrorKind::Refused { status, .. } = &self.cause else {
            return None;
        };
        match (self.service, status.as_u16()) {
            (ID_TOKEN_SERVICE, 400..500) => Some(
                "give the job permissions: id-token: write, and the step to the job that has it",
            ),
            (FULCIO_SERVICE, 400 | 401 | 403) => Some(
                "Fulcio accepts only the issuers and audiences in its configuration: set oidc-issuer and oidc-audience",
            ),
            _ => None,
        }
    }

    /// Whether a log has the entry already.
    pub(super) fn is_conflict(&self) -> bool {
        let SigstoreErrorKind::Refused { status, .. } = &self.cause else {
            return false;
        };
        *status == StatusCode::CONFLICT
    }

    /// Whether the service refused what it was sent, and may take another.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(&self.cause, SigstoreErrorKind::Refused { status, .. } if status.is_client_error())
    }
}

/// A service at its address.
#[derive(Clone)]
pub(crate) struct SigstoreService {
    name: &'static str,
    url: Url,
}

impl SigstoreService {
    pub(crate) fn new(name: &'static str, url: Url) -> Self {
        Self { name, url }
    }

    /// An address below the service's own.
    pub(crate) fn url_below(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) async fn get(
        &self,
        client: &HttpClient,
        url: Url,
        headers: HeaderMap,
    ) -> Result<ServiceResponse, SigstoreServiceError> {
        self.send(client, Method::GET, url, headers, Vec::new())
            .await
    }

    pub(crate) async fn post(
        &self,
        client: &HttpClient,
        url: Url,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<ServiceResponse, SigstoreServiceError> {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(kind))];
        self.send(
            client,
            Method::POST,
            url,
            headers.into_iter().collect(),
            body,
        )
        .await
    }

    async fn send(
        &self,
        client: &HttpClient,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<ServiceResponse, SigstoreServiceError> {
        let sent = body.len();
        let ask = ServiceRequest {
            service: self.name,
            method,
            url,
            headers,
            body: body.into(),
        };
        let answer = client.send_to_service(&ask).await;
        answer.map_err(|cause| match cause {
            HttpError::InvalidResponse(reason) => self.invalid_answer(reason),
            HttpError::TooLong(limit) => {
                self.invalid_answer(format!("a body of more than {limit} bytes"))
            }
            cause => SigstoreServiceError {
                sent,
                ..self.error(SigstoreErrorKind::NoAnswer(cause))
            },
        })
    }

    /// The body of a success; every other answer is a refusal.
    pub(crate) fn expect_success(
        &self,
        answer: ServiceResponse,
    ) -> Result<ServiceResponse, SigstoreServiceError> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(self.error(SigstoreErrorKind::Refused {
            status: answer.status,
            message: error_message(&answer.body),
        }))
    }

    pub(crate) fn invalid_answer(&self, what: impl std::fmt::Display) -> SigstoreServiceError {
        self.error(SigstoreErrorKind::InvalidAnswer(to_printable(
            &what.to_string(),
            200,
        )))
    }

    pub(crate) fn error(&self, cause: SigstoreErrorKind) -> SigstoreServiceError {
        let host = self.url.host_str().unwrap_or_default();
        SigstoreServiceError {
            service: self.name,
            at: match self.url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            cause,
            sent: 0,
        }
    }
}

/// The words in an answer: the message of a JSON one, else a text that is not a page.
fn error_message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let json_message = json.as_ref().and_then(|json| json["message"].as_str());
    match json_message {
        Some(json_message) => to_printable(json_message, 200),
        None if text.trim_start().starts_with('<') => String::new(),
        None => to_printable(&text, 200),
    }
}
