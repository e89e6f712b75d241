//! Client of GitHub's API for one repository: its details, commits and files.

use std::path::Path;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::GithubApiError;
use super::repository_url::{API_VERSION, JSON_MEDIA_TYPE, repository_url};
use crate::event::RepositoryDetails;
use crate::http::{HttpClient, HttpError, ServiceRequest};

/// Client of GitHub's API for one repository.
pub struct GithubApi {
    pub(super) client: HttpClient,
    /// `https://api.github.com/repos/acme/web`
    repository: Url,
    token: Option<SecretString>,
}

/// Longest response about a repository, in bytes; a real one has some 20 KB.
const REPOSITORY_LIMIT: usize = 512 << 10;
/// Longest response about a commit, in bytes; it contains the changes of up to 300 files.
const COMMIT_LIMIT: usize = 8 << 20;
/// Longest response about a folder, in bytes; it has at most 1000 entries.
const FOLDER_LIMIT: usize = 4 << 20;

/// Most redirects of one request.
const REDIRECTS_LIMIT: usize = 3;

impl GithubApi {
    /// Returns a client of the API at `base` (`GITHUB_API_URL`) for `repository` (`owner/name`).
    ///
    /// # Errors
    /// These do not form a valid URL.
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

    /// Returns the details of the repository.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn get_repository(&self) -> Result<RepositoryDetails, GithubApiError> {
        let url = self.repository.clone();
        let details: Value = self.get_json(url, REPOSITORY_LIMIT).await?;
        Ok(RepositoryDetails::from_json(&details))
    }

    /// Returns the time of a commit (RFC 3339), `None` if GitHub does not know the commit.
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

    /// Returns a file of at most `limit` bytes at a commit. `None` means that it does not exist, or that the
    /// token may not read it.
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

    /// Returns the entries of a folder at a commit (the empty path is the root): each name, and whether it is
    /// a folder. `None` means that the folder does not exist, or that the token may not read it.
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
        // For a file the API returns one object.
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

    /// Returns the content at an address, and the address after redirects. Transient failures are retried,
    /// as for every service.
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
                // The token must not go to another host.
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
            "{url}, after {REDIRECTS_LIMIT} redirects,"
        )))
    }

    /// Returns the address of a resource of the repository.
    pub(super) fn address(&self, segments: &[&str]) -> Url {
        let mut url = self.repository.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    pub(super) fn build_request(&self, url: &Url, accept: &'static str) -> ServiceRequest {
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(accept)),
            (
                HeaderName::from_static(API_VERSION.0),
                HeaderValue::from_static(API_VERSION.1),
            ),
        ]);
        // The token never goes over plain HTTP. Text that no header can hold is not a token of GitHub.
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

/// Response about a commit.
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
