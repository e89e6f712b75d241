//! GitHub's attestations API, which `gh attestation verify` reads.
//!
//! An upload does not look for an existing bundle: a bundle that is uploaded twice, since the first
//! response was lost, is listed twice, and both are valid.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;
use url::Url;

use super::api_connection::{ApiConnection, ApiRequest};
use super::error::GithubApiError;
use super::repository_url::{API_VERSION, JSON_MEDIA_TYPE, repository_url};
use crate::http::{HttpClient, HttpError, ServiceResponse};
use crate::notices::to_printable;

/// Store of the attestations of one repository.
#[derive(Clone)]
pub struct AttestationStore {
    /// `https://api.github.com/repos/acme/web/attestations`
    api: Url,
    /// `https://github.com/acme/web/attestations`
    web_url: Url,
    token: SecretString,
    /// GitHub expects requests that create content one at a time.
    turn: Arc<Mutex<()>>,
}

/// Longest answer, in bytes.
const ANSWER_LIMIT: usize = 1 << 20;

/// Why GitHub did not store a bundle.
#[derive(Debug, Clone, Error)]
#[error("GitHub's API ({host}) {cause}")]
pub struct AttestationUploadError {
    /// Host of the API.
    pub host: String,
    /// What failed.
    pub cause: UploadErrorKind,
}

/// What failed in the upload of a bundle.
#[derive(Debug, Clone, Error)]
pub enum UploadErrorKind {
    /// No usable response.
    #[error("does not answer: {0}")]
    NoAnswer(HttpError),
    /// The API refused the bundle.
    #[error("answers {status} to POST {path}{}", with_message(.message))]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// Path of the request.
        path: String,
        /// Message of the API, made printable.
        message: String,
    },
    /// The response does not say where the bundle is.
    #[error("sent an invalid response: {0}")]
    InvalidAnswer(String),
}

fn with_message(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

#[derive(Deserialize)]
struct CreatedAttestation {
    id: Value,
}

impl AttestationUploadError {
    /// Returns what the reader can do.
    pub fn hint(&self) -> Option<&'static str> {
        let UploadErrorKind::Refused {
            status, message, ..
        } = &self.cause
        else {
            return None;
        };
        match status.as_u16() {
            // GitHub's message for a private repository of a user or an organisation without the plan.
            _ if message.contains("Feature not available") => Some(NOT_ENABLED_HINT),
            401 => Some("github-token must be a token of this job, such as github.token"),
            403 => Some(
                "give the job permissions: attestations: write; a pull request from a fork never has it",
            ),
            404 => Some(NOT_ENABLED_HINT),
            422 => Some(
                "the bundle's certificate must name a workflow of this repository: see GITHUB_REPOSITORY",
            ),
            _ => None,
        }
    }
}

const NOT_ENABLED_HINT: &str = "GitHub stores attestations for public repositories, for private ones only on GitHub Enterprise Cloud, and for none on GitHub Enterprise Server: remove github-attestations if it does not";

impl AttestationStore {
    /// Returns the store of `repository` (`owner/name`), with the API at `base` (`GITHUB_API_URL`) and the
    /// web pages at `server` (`GITHUB_SERVER_URL`).
    ///
    /// # Errors
    /// These do not form a valid URL.
    pub fn new(
        base: &Url,
        server: &Url,
        repository: &str,
        token: SecretString,
    ) -> Result<Self, GithubApiError> {
        let of = |base, first: &[&str]| {
            let mut url = repository_url(base, first, repository)?;
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.push("attestations");
            }
            Ok::<_, GithubApiError>(url)
        };
        Ok(Self {
            api: of(base, &["repos"])?,
            web_url: of(server, &[])?,
            token,
            turn: Arc::default(),
        })
    }

    /// Uploads a bundle, and retries transient failures. Returns the address of its web page.
    ///
    /// # Errors
    /// See [`AttestationUploadError`].
    pub async fn upload(
        &self,
        client: &HttpClient,
        bundle: &[u8],
    ) -> Result<Url, AttestationUploadError> {
        let headers = self.headers().ok_or_else(|| {
            self.error(UploadErrorKind::InvalidAnswer(
                "github-token contains characters that a header cannot".to_owned(),
            ))
        })?;
        let bundle: Value = serde_json::from_slice(bundle).map_err(|_| {
            self.error(UploadErrorKind::InvalidAnswer(
                "no request: the bundle is no JSON".to_owned(),
            ))
        })?;
        let body = json!({ "bundle": bundle });
        let request = ApiRequest {
            method: Method::POST,
            url: &self.api,
            headers,
            body: Some(&body),
            limit: ANSWER_LIMIT,
            is_repeated: true,
        };
        let answer = {
            let _turn = self.turn.lock().await;
            ApiConnection::new(client.clone()).send(request).await
        };
        let answer = answer.map_err(|cause| self.error(UploadErrorKind::NoAnswer(cause)))?;
        if !answer.status.is_success() {
            return Err(self.refusal_error(&answer));
        }
        let created: Option<CreatedAttestation> = serde_json::from_slice(&answer.body).ok();
        let id = match created.map(|created| created.id) {
            Some(Value::Number(id)) => id.to_string(),
            Some(Value::String(id)) if !id.is_empty() => id,
            _ => {
                let what = "no JSON object with the attestation's id".to_owned();
                return Err(self.error(UploadErrorKind::InvalidAnswer(what)));
            }
        };
        let mut url = self.web_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(&id);
        }
        Ok(url)
    }

    fn headers(&self) -> Option<HeaderMap> {
        let bearer = format!("Bearer {}", self.token.expose_secret());
        let mut bearer = HeaderValue::try_from(bearer).ok()?;
        bearer.set_sensitive(true);
        let headers = [
            (ACCEPT, HeaderValue::from_static(JSON_MEDIA_TYPE)),
            (AUTHORIZATION, bearer),
            (
                HeaderName::from_static(API_VERSION.0),
                HeaderValue::from_static(API_VERSION.1),
            ),
        ];
        Some(headers.into_iter().collect())
    }

    fn refusal_error(&self, answer: &ServiceResponse) -> AttestationUploadError {
        self.error(UploadErrorKind::Refused {
            status: answer.status,
            path: self.api.path().to_owned(),
            message: error_message(&answer.body),
        })
    }

    fn error(&self, cause: UploadErrorKind) -> AttestationUploadError {
        let host = self.api.host_str().unwrap_or_default();
        AttestationUploadError {
            host: match self.api.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            cause,
        }
    }
}

/// Returns the message of an error response, followed by the errors of a failed validation.
fn error_message(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = json["errors"].as_array().into_iter().flatten();
    let errors = errors.map(|error| error["message"].as_str().or(error.as_str()));
    let parts = std::iter::once(json["message"].as_str()).chain(errors);
    let parts: Vec<_> = parts.flatten().collect();
    to_printable(&parts.join("; "), 300)
}

impl fmt::Debug for AttestationStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attestations({})", self.api)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attestations(base: &str, server: &str) -> AttestationStore {
        let [base, server] = [base, server].map(|url| url.parse().unwrap());
        AttestationStore::new(&base, &server, "acme/web", "t".into()).unwrap()
    }

    #[test]
    fn an_enterprise_servers_addresses_are_its_own() {
        let found = attestations("https://ghe.example/api/v3", "https://ghe.example");
        let api = "https://ghe.example/api/v3/repos/acme/web/attestations";
        assert_eq!(found.api.as_str(), api);
        let shown = "https://ghe.example/acme/web/attestations";
        assert_eq!(found.web_url.as_str(), shown);
    }

    #[test]
    fn the_token_is_printed_nowhere() {
        let found = attestations("https://api.github.com", "https://github.com");
        let text = "Attestations(https://api.github.com/repos/acme/web/attestations)";
        assert_eq!(format!("{found:?}"), text);
        assert!(found.headers().unwrap()[AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn all_messages_of_an_error_are_reported() {
        for (body, text) in [
            (r#"{"message":"Not Found"}"#, "Not Found"),
            (
                r#"{"message":"Validation failed","errors":["a",{"message":"b"},{"code":"c"}]}"#,
                "Validation failed; a; b",
            ),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(error_message(body.as_bytes()), text);
        }
    }
}
