//! GitHub's attestations API: where `gh attestation verify` looks for what is attested of an image.
//!
//! Nothing there is looked at before: a bundle that is uploaded a second time, since the answer to the
//! first time was lost, is listed twice, and both count.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Mutex;
use url::Url;

use super::{API_VERSION, GithubApiError, JSON_MEDIA_TYPE, repository_url};
use crate::http::{HttpClient, HttpError, ServiceRequest, ServiceResponse};
use crate::notices::to_printable;

/// The attestations of one repository.
#[derive(Clone)]
pub struct AttestationStore {
    /// `https://api.github.com/repos/acme/web/attestations`
    api: Url,
    /// `https://github.com/acme/web/attestations`
    web_url: Url,
    token: SecretString,
    /// GitHub wants what creates something one after the other.
    turn: Arc<Mutex<()>>,
}

/// Why a bundle was not taken.
#[derive(Debug, Clone, Error)]
#[error("GitHub's API ({host}) {cause}")]
pub struct AttestationUploadError {
    /// Who did not take it.
    pub host: String,
    /// What came instead.
    pub cause: UploadErrorKind,
}

/// What the API did instead of taking a bundle.
#[derive(Debug, Clone, Error)]
pub enum UploadErrorKind {
    /// No answer, or none in time.
    #[error("does not answer: {0}")]
    NoAnswer(HttpError),
    /// It refused.
    #[error("answers {status} to POST {path}{}", with_message(.message))]
    Refused {
        /// The status.
        status: StatusCode,
        /// What was asked for.
        path: String,
        /// Its own words, made printable.
        message: String,
    },
    /// It took it, and does not say where it is.
    #[error("gives what cannot be used: {0}")]
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
    /// How to go on, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        let UploadErrorKind::Refused {
            status, message, ..
        } = &self.cause
        else {
            return None;
        };
        match status.as_u16() {
            // The words for a private repository of a user or an organisation without the plan.
            _ if message.contains("Feature not available") => Some(NOT_ENABLED_HINT),
            401 => Some("github-token has to be a token of this job, as github.token is"),
            403 => Some(
                "give the job permissions: attestations: write; a pull request from a fork never has it",
            ),
            404 => Some(NOT_ENABLED_HINT),
            422 => Some(
                "the bundle's certificate has to be of a workflow of this very repository: see GITHUB_REPOSITORY",
            ),
            _ => None,
        }
    }
}

const NOT_ENABLED_HINT: &str = "GitHub keeps attestations of public repositories, of private ones on GitHub Enterprise Cloud alone, and none on GitHub Enterprise Server: leave github-attestations out where it does not";

impl AttestationStore {
    /// Those of `repository` (`owner/name`), with the API at `base` (`GITHUB_API_URL`), shown by
    /// `server` (`GITHUB_SERVER_URL`).
    ///
    /// # Errors
    /// These make no address.
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

    /// Has a bundle kept. Returns where GitHub shows it.
    ///
    /// # Errors
    /// See [`AttestationUploadError`]. What passes is tried again.
    pub async fn upload(
        &self,
        client: &HttpClient,
        bundle: &[u8],
    ) -> Result<Url, AttestationUploadError> {
        let headers = self.headers().ok_or_else(|| {
            self.error(UploadErrorKind::InvalidAnswer(
                "github-token is no header".to_owned(),
            ))
        })?;
        let ask = ServiceRequest {
            service: "GitHub's API",
            method: Method::POST,
            url: self.api.clone(),
            headers,
            body: [b"{\"bundle\":", bundle, b"}"].concat().into(),
        };
        let answer = {
            let _turn = self.turn.lock().await;
            client.send_to_service(&ask).await
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
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
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

/// What an error says: its message, and of a failed validation the single errors.
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
