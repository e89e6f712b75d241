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

use super::{ACCEPTED, ApiError, VERSION, below};
use crate::notice::printable;
use crate::registry::{Answer, Ask, Cause, Client};

/// The attestations of one repository.
#[derive(Clone)]
pub struct Attestations {
    /// `https://api.github.com/repos/acme/web/attestations`
    api: Url,
    /// `https://github.com/acme/web/attestations`
    shown: Url,
    token: SecretString,
    /// GitHub wants what creates something one after the other.
    turn: Arc<Mutex<()>>,
}

/// Why a bundle was not taken.
#[derive(Debug, Clone, Error)]
#[error("GitHub's API ({host}) {cause}")]
pub struct UploadError {
    /// Who did not take it.
    pub host: String,
    /// What came instead.
    pub cause: UploadCause,
}

/// What the API did instead of taking a bundle.
#[derive(Debug, Clone, Error)]
pub enum UploadCause {
    /// No answer, or none in time.
    #[error("does not answer: {0}")]
    Silent(Cause),
    /// It refused.
    #[error("answers {status} to POST {path}{}", said(.message))]
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
    Unusable(String),
}

fn said(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

#[derive(Deserialize)]
struct Created {
    id: Value,
}

impl UploadError {
    /// How to go on, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        let UploadCause::Refused {
            status, message, ..
        } = &self.cause
        else {
            return None;
        };
        match status.as_u16() {
            // The words for a private repository of a user or an organisation without the plan.
            _ if message.contains("Feature not available") => Some(NOT_KEPT),
            401 => Some("github-token has to be a token of this job, as github.token is"),
            403 => Some(
                "give the job permissions: attestations: write; a pull request from a fork never has it",
            ),
            404 => Some(NOT_KEPT),
            422 => Some(
                "the bundle's certificate has to be of a workflow of this very repository: see GITHUB_REPOSITORY",
            ),
            _ => None,
        }
    }
}

const NOT_KEPT: &str = "GitHub keeps attestations of public repositories, of private ones on GitHub Enterprise Cloud alone, and none on GitHub Enterprise Server: leave github-attestations out where it does not";

impl Attestations {
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
    ) -> Result<Self, ApiError> {
        let of = |base, first: &[&str]| {
            let mut url = below(base, first, repository)?;
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.push("attestations");
            }
            Ok::<_, ApiError>(url)
        };
        Ok(Self {
            api: of(base, &["repos"])?,
            shown: of(server, &[])?,
            token,
            turn: Arc::default(),
        })
    }

    /// Has a bundle kept. Returns where GitHub shows it.
    ///
    /// # Errors
    /// See [`UploadError`]. What passes is tried again.
    pub async fn upload(&self, client: &Client, bundle: &[u8]) -> Result<Url, UploadError> {
        let headers = self.headers().ok_or_else(|| {
            self.error(UploadCause::Unusable(
                "github-token is no header".to_owned(),
            ))
        })?;
        let ask = Ask {
            service: "GitHub's API",
            method: Method::POST,
            url: self.api.clone(),
            headers,
            body: [b"{\"bundle\":", bundle, b"}"].concat().into(),
        };
        let answer = {
            let _turn = self.turn.lock().await;
            client.ask(&ask).await
        };
        let answer = answer.map_err(|cause| self.error(UploadCause::Silent(cause)))?;
        if !answer.status.is_success() {
            return Err(self.refused(&answer));
        }
        let created: Option<Created> = serde_json::from_slice(&answer.body).ok();
        let id = match created.map(|created| created.id) {
            Some(Value::Number(id)) => id.to_string(),
            Some(Value::String(id)) if !id.is_empty() => id,
            _ => {
                let what = "no JSON object with the attestation's id".to_owned();
                return Err(self.error(UploadCause::Unusable(what)));
            }
        };
        let mut url = self.shown.clone();
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
            (ACCEPT, HeaderValue::from_static(ACCEPTED)),
            (AUTHORIZATION, bearer),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (
                HeaderName::from_static(VERSION.0),
                HeaderValue::from_static(VERSION.1),
            ),
        ];
        Some(headers.into_iter().collect())
    }

    fn refused(&self, answer: &Answer) -> UploadError {
        self.error(UploadCause::Refused {
            status: answer.status,
            path: self.api.path().to_owned(),
            message: message(&answer.body),
        })
    }

    fn error(&self, cause: UploadCause) -> UploadError {
        let host = self.api.host_str().unwrap_or_default();
        UploadError {
            host: match self.api.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            cause,
        }
    }
}

/// What an error says: its message, and of a failed validation the single errors.
fn message(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = json["errors"].as_array().into_iter().flatten();
    let errors = errors.map(|error| error["message"].as_str().or(error.as_str()));
    let parts = std::iter::once(json["message"].as_str()).chain(errors);
    let parts: Vec<_> = parts.flatten().collect();
    printable(&parts.join("; "), 300)
}

impl fmt::Debug for Attestations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attestations({})", self.api)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attestations(base: &str, server: &str) -> Attestations {
        let [base, server] = [base, server].map(|url| url.parse().unwrap());
        Attestations::new(&base, &server, "acme/web", "t".into()).unwrap()
    }

    #[test]
    fn an_enterprise_servers_addresses_are_its_own() {
        let found = attestations("https://ghe.example/api/v3", "https://ghe.example");
        let api = "https://ghe.example/api/v3/repos/acme/web/attestations";
        assert_eq!(found.api.as_str(), api);
        let shown = "https://ghe.example/acme/web/attestations";
        assert_eq!(found.shown.as_str(), shown);
    }

    #[test]
    fn the_token_is_printed_nowhere() {
        let found = attestations("https://api.github.com", "https://github.com");
        let text = "Attestations(https://api.github.com/repos/acme/web/attestations)";
        assert_eq!(format!("{found:?}"), text);
        assert!(found.headers().unwrap()[AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn all_that_an_error_says_is_said() {
        for (body, text) in [
            (r#"{"message":"Not Found"}"#, "Not Found"),
            (
                r#"{"message":"Validation failed","errors":["a",{"message":"b"},{"code":"c"}]}"#,
                "Validation failed; a; b",
            ),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(message(body.as_bytes()), text);
        }
    }
}
