//! GitHub's REST API: for what the event does not say, and to keep attestations.
//!
//! Four GETs and a POST over the connections that the registry client makes, so that proxies and
//! certificates are the same for both. octocrab (0.54, without its default features, with rustls and
//! aws-lc-rs) would be 16 more crates and a second HTTP stack that takes neither from us. It is for
//! when there is more to say to GitHub than this.

mod attestation_store;

use std::path::Path;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use url::Url;

pub use attestation_store::{AttestationStore, AttestationUploadError, UploadErrorKind};

use crate::event::RepositoryDetails;
use crate::http::{HttpClient, HttpError, ServiceRequest};

/// One repository, as the API knows it.
pub struct GithubApi {
    client: HttpClient,
    /// `https://api.github.com/repos/acme/web`
    repository: Url,
    token: Option<SecretString>,
}

/// Why the API does not say what was asked.
#[derive(Debug, Error)]
pub enum GithubApiError {
    /// The API's address or the repository's name makes no address.
    #[error("{0} is no address of an API")]
    Address(String),
    /// No answer came.
    #[error("GitHub's API does not answer: {0}")]
    Unreachable(HttpError),
    /// The answer is longer than what is asked for can be.
    #[error("GitHub's API answers more than {limit} bytes to GET {path}")]
    TooLong {
        /// The most that is read.
        limit: usize,
        /// What was asked for.
        path: String,
    },
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

impl GithubApiError {
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
const API_VERSION: (&str, &str) = ("x-github-api-version", "2022-11-28");
const JSON_MEDIA_TYPE: &str = "application/vnd.github+json";

/// The most bytes that are read of what the API says of a repository; a real answer has some 20 KB.
const REPOSITORY_LIMIT: usize = 512 << 10;
/// The most bytes that are read of what it says of a commit, which is with the changes of 300 files.
const COMMIT_LIMIT: usize = 8 << 20;
/// The most bytes that are read of what it says of a folder, of whose entries it shows a thousand.
const FOLDER_LIMIT: usize = 4 << 20;

/// An answer may be passed on to another address this often.
const REDIRECTS_LIMIT: usize = 3;

impl GithubApi {
    /// The API at `base` (`GITHUB_API_URL`) for `repository` (`owner/name`).
    ///
    /// # Errors
    /// These make no address.
    pub fn new(
        client: HttpClient,
        base: &Url,
        repository: &str,
        token: Option<SecretString>,
    ) -> Result<Self, GithubApiError> {
        Ok(Self {
            client,
            repository: repository_url(base, &["repos"], repository)?,
            token,
        })
    }

    /// What it says of the repository.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn get_repository(&self) -> Result<RepositoryDetails, GithubApiError> {
        let url = self.repository.clone();
        let said: Value = self.get_json(url, REPOSITORY_LIMIT).await?;
        Ok(RepositoryDetails::from_json(&said))
    }

    /// When a commit was made; none where it does not know the commit.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn get_commit_time(&self, sha: &str) -> Result<Option<String>, GithubApiError> {
        let mut url = self.repository.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(["commits", sha]);
        }
        match self.get_json::<Commit>(url, COMMIT_LIMIT).await {
            Ok(commit) => Ok(commit.date()),
            Err(GithubApiError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns a file of at most `limit` bytes as a commit has it; none where there is none, or where
    /// the token may not see it.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn get_file(
        &self,
        path: &Path,
        sha: &str,
        limit: usize,
    ) -> Result<Option<Bytes>, GithubApiError> {
        let mut url = self.repository.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("contents");
            segments.extend(path.iter().map(|name| name.to_string_lossy()));
        }
        url.query_pairs_mut().append_pair("ref", sha);
        let raw = "application/vnd.github.raw+json";
        match self.fetch(url, raw, limit).await {
            Ok((_, bytes)) => Ok(Some(bytes)),
            Err(GithubApiError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What a commit has in a folder, the root by the empty path: the names, and whether each is a
    /// folder itself. None where there is none, or where the token may not see it.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn folder(
        &self,
        path: &Path,
        sha: &str,
    ) -> Result<Option<Vec<(String, bool)>>, GithubApiError> {
        let mut url = self.repository.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("contents");
            segments.extend(path.iter().map(|name| name.to_string_lossy()));
        }
        url.query_pairs_mut().append_pair("ref", sha);
        let entries: Value = match self.get_json(url, FOLDER_LIMIT).await {
            Ok(entries) => entries,
            Err(GithubApiError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
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

    async fn get_json<T: DeserializeOwned>(
        &self,
        url: Url,
        limit: usize,
    ) -> Result<T, GithubApiError> {
        let (url, body) = self.fetch(url, JSON_MEDIA_TYPE, limit).await?;
        serde_json::from_slice(&body).map_err(|_| GithubApiError::NotJson(url.path().to_owned()))
    }

    /// Returns what is at the address, and the address that it was found at. What passes is asked for
    /// again, as at every other service.
    async fn fetch(
        &self,
        mut url: Url,
        accept: &'static str,
        limit: usize,
    ) -> Result<(Url, Bytes), GithubApiError> {
        for _ in 0..=REDIRECTS_LIMIT {
            let path = || url.path().to_owned();
            let request = self.build_request(&url, accept);
            let answer = self.client.send_to_service_within(&request, limit).await;
            let answer = answer.map_err(|cause| match cause {
                HttpError::TooLong(limit) => {
                    let path = path();
                    GithubApiError::TooLong { limit, path }
                }
                cause => GithubApiError::Unreachable(cause),
            })?;
            let status = answer.status;
            if status.is_success() {
                return Ok((url, answer.body));
            }
            let next = answer
                .headers
                .get(LOCATION)
                .filter(|_| status.is_redirection())
                .and_then(|location| url.join(location.to_str().ok()?).ok())
                // The token is for this host alone.
                .filter(|next| next.origin() == url.origin());
            match next {
                Some(next) => url = next,
                None => {
                    let path = path();
                    return Err(GithubApiError::Status { status, path });
                }
            }
        }
        Err(GithubApiError::Address(format!(
            "{url}, passed on too often"
        )))
    }

    fn build_request(&self, url: &Url, accept: &'static str) -> ServiceRequest {
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(accept)),
            (
                HeaderName::from_static(API_VERSION.0),
                HeaderValue::from_static(API_VERSION.1),
            ),
        ]);
        // The token never goes over plain HTTP. What is no header is none of GitHub's tokens.
        let token = self.token.as_ref().filter(|_| url.scheme() == "https");
        let bearer = token.map(|token| format!("Bearer {}", token.expose_secret()));
        if let Some(Ok(mut bearer)) = bearer.map(HeaderValue::try_from) {
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        ServiceRequest {
            service: "GitHub's API",
            method: Method::GET,
            url: url.clone(),
            headers,
            body: Bytes::new(),
        }
    }
}

/// What the API says of a commit, as far as it is asked for.
#[derive(Deserialize)]
struct Commit {
    commit: Option<Committed>,
}

#[derive(Deserialize)]
struct Committed {
    committer: Option<Committer>,
}

#[derive(Deserialize)]
struct Committer {
    date: Option<String>,
}

impl Commit {
    fn date(self) -> Option<String> {
        self.commit?.committer?.date
    }
}

/// The address of `repository` (`owner/name`) below these segments of `base`.
fn repository_url(base: &Url, first: &[&str], repository: &str) -> Result<Url, GithubApiError> {
    let wrong = || GithubApiError::Address(format!("{base} with {repository:?}"));
    let (owner, name) = repository.split_once('/').ok_or_else(wrong)?;
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(first)
        .extend([owner, name]);
    Ok(url)
}
