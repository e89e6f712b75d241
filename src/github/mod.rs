//! GitHub's REST API: for what the event does not say, and to keep attestations.
//!
//! Four GETs and a POST over the connections that the registry client makes, so that proxies and
//! certificates are the same for both. octocrab (0.54, without its default features, with rustls and
//! aws-lc-rs) would be 16 more crates and a second HTTP stack that takes neither from us. It is for
//! when there is more to say to GitHub than this.

mod attestations;

use std::path::Path;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use thiserror::Error;
use url::Url;

pub use attestations::{Attestations, UploadCause, UploadError};

use crate::event::Repository;

/// One repository, as the API knows it.
pub struct Api {
    client: reqwest::Client,
    /// `https://api.github.com/repos/acme/web`
    repository: Url,
    token: Option<SecretString>,
}

/// Why the API does not say what was asked.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The API's address or the repository's name makes no address.
    #[error("{0} is no address of an API")]
    Address(String),
    /// No answer came.
    #[error("GitHub's API does not answer: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// The answer is no success.
    #[error("GitHub's API answers {status} to GET {path}")]
    Status {
        /// The status.
        status: StatusCode,
        /// What was asked for.
        path: String,
    },
    /// The answer is no JSON.
    #[error("GitHub's API answers what is no JSON to GET {0}")]
    NotJson(String),
}

impl ApiError {
    /// How to go on.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Status { status, .. } if status.as_u16() == 404 || status.as_u16() == 403 => {
                "give github-token the permission contents: read, or say offline: true"
            }
            _ => "say offline: true to do without what the event does not say",
        }
    }
}

/// The version of the API that is spoken here, which is what it is without a word of it today.
const VERSION: (&str, &str) = ("x-github-api-version", "2022-11-28");
const ACCEPTED: &str = "application/vnd.github+json";

/// An answer may be passed on to another address this often.
const REDIRECTS: usize = 3;

impl Api {
    /// The API at `base` (`GITHUB_API_URL`) for `repository` (`owner/name`).
    ///
    /// # Errors
    /// These make no address.
    pub fn new(
        client: reqwest::Client,
        base: &Url,
        repository: &str,
        token: Option<SecretString>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            client,
            repository: below(base, &["repos"], repository)?,
            token,
        })
    }

    /// What it says of the repository.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn repository(&self) -> Result<Repository, ApiError> {
        Ok(Repository::read(&self.get(self.repository.clone()).await?))
    }

    /// When a commit was made; none where it does not know the commit.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn commit_time(&self, sha: &str) -> Result<Option<String>, ApiError> {
        let mut url = self.repository.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(["commits", sha]);
        }
        match self.get(url).await {
            Ok(commit) => Ok(commit
                .pointer("/commit/committer/date")
                .and_then(Value::as_str)
                .map(str::to_owned)),
            Err(ApiError::Status { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A file as a commit has it; none where there is none, or where the token may not see it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn file(&self, path: &Path, sha: &str) -> Result<Option<Bytes>, ApiError> {
        let mut url = self.repository.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("contents");
            segments.extend(path.iter().map(|name| name.to_string_lossy()));
        }
        url.query_pairs_mut().append_pair("ref", sha);
        match self.fetch(url, "application/vnd.github.raw+json").await {
            Ok((_, bytes)) => Ok(Some(bytes)),
            Err(ApiError::Status { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a commit has in a folder, the root by the empty path: the names, and whether each is a
    /// folder itself. None where there is none, or where the token may not see it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn folder(
        &self,
        path: &Path,
        sha: &str,
    ) -> Result<Option<Vec<(String, bool)>>, ApiError> {
        let mut url = self.repository.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("contents");
            segments.extend(path.iter().map(|name| name.to_string_lossy()));
        }
        url.query_pairs_mut().append_pair("ref", sha);
        let entries = match self.get(url).await {
            Ok(entries) => entries,
            Err(ApiError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // What is no folder is answered by one object.
        Ok(entries.as_array().map(|entries| {
            let entry = |entry: &Value| {
                let text = |name| entry.get(name).and_then(Value::as_str);
                Some((text("name")?.to_owned(), text("type") == Some("dir")))
            };
            entries.iter().filter_map(entry).collect()
        }))
    }

    async fn get(&self, url: Url) -> Result<Value, ApiError> {
        let (url, body) = self.fetch(url, ACCEPTED).await?;
        serde_json::from_slice(&body).map_err(|_| ApiError::NotJson(url.path().to_owned()))
    }

    /// What is at the address, and the address that it was found at.
    async fn fetch(&self, mut url: Url, accept: &str) -> Result<(Url, Bytes), ApiError> {
        for _ in 0..=REDIRECTS {
            let answer = self.request(&url, accept).send().await;
            let answer = answer.map_err(|error| ApiError::Unreachable(error.without_url()))?;
            if answer.status().is_success() {
                let body = answer.bytes().await;
                let body = body.map_err(|error| ApiError::Unreachable(error.without_url()))?;
                return Ok((url, body));
            }
            let status = answer.status();
            let next = answer
                .headers()
                .get(LOCATION)
                .filter(|_| status.is_redirection())
                .and_then(|location| url.join(location.to_str().ok()?).ok())
                // The token is for this host alone.
                .filter(|next| next.origin() == url.origin());
            match next {
                Some(next) => url = next,
                None => {
                    let path = url.path().to_owned();
                    return Err(ApiError::Status { status, path });
                }
            }
        }
        Err(ApiError::Address(format!("{url}, passed on too often")))
    }

    fn request(&self, url: &Url, accept: &str) -> reqwest::RequestBuilder {
        let request = self
            .client
            .get(url.clone())
            .header(ACCEPT, accept)
            .header(VERSION.0, VERSION.1);
        match &self.token {
            // Never over plain HTTP.
            Some(token) if url.scheme() == "https" => {
                request.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
            }
            _ => request,
        }
    }
}

/// The address of `repository` (`owner/name`) below these segments of `base`.
fn below(base: &Url, first: &[&str], repository: &str) -> Result<Url, ApiError> {
    let wrong = || ApiError::Address(format!("{base} with {repository:?}"));
    let (owner, name) = repository.split_once('/').ok_or_else(wrong)?;
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(first)
        .extend([owner, name]);
    Ok(url)
}
