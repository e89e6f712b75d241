//! Client of GitHub's API for one repository: its details, commits and files.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::api_connection::{ApiConnection, ApiRequest};
use super::error::{GithubApiError, message_of, names_rate_limit};
use super::repository_url::{API_VERSION, JSON_MEDIA_TYPE, repository_url};
use crate::event::RepositoryDetails;
use crate::http::{HttpClient, HttpError, ServiceResponse};

/// Client of GitHub's API for one repository.
#[derive(Clone)]
pub struct GithubApi {
    connection: ApiConnection,
    /// `https://api.github.com`
    base: Url,
    /// `https://api.github.com/repos/acme/web`
    repository: Url,
    token: Option<SecretString>,
}

/// Longest response about a repository, in bytes; a real one has some 20 KB.
const REPOSITORY_LIMIT: usize = 512 << 10;
/// Longest response about a folder, in bytes; it has at most 1000 entries.
const FOLDER_LIMIT: usize = 4 << 20;

/// Time for all attempts of one GET.
const READ_TIME_LIMIT: Duration = Duration::from_secs(60);

/// Shortest token, in bytes.
const TOKEN_LENGTH: usize = 8;

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
            connection: ApiConnection::new(client),
            base: base.clone(),
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
        let url = self.contents_url(path, sha);
        let raw = "application/vnd.github.raw+json";
        match self.fetch(url, raw, limit).await {
            Ok((_, response)) => Ok(Some(response.body)),
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
        let url = self.contents_url(path, sha);
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

    /// Returns the address of a file or folder at a commit.
    fn contents_url(&self, path: &Path, sha: &str) -> Url {
        let mut url = self.repository_path(&["contents"]);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path.iter().map(|name| name.to_string_lossy()));
        }
        url.query_pairs_mut().append_pair("ref", sha);
        url
    }

    /// Returns the address of a part of the repository.
    pub(super) fn repository_path(&self, path: &[&str]) -> Url {
        let mut url = self.repository.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url
    }

    /// Returns the address of a part of an organization.
    pub(super) fn organization_path(&self, organization: &str, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(["orgs", organization])
                .extend(path);
        }
        url
    }

    /// Returns JSON that a token needs `permission` for.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub(super) async fn get_permitted_json<T: DeserializeOwned>(
        &self,
        url: Url,
        permission: &'static str,
        limit: usize,
    ) -> Result<T, GithubApiError> {
        let found = self.get_json(url, limit).await;
        found.map_err(|error| error.with_permission(permission))
    }

    /// Sends JSON by POST once, and returns the answer.
    ///
    /// # Errors
    /// See [`GithubApi::send_json`].
    pub(super) async fn post_json<T: DeserializeOwned>(
        &self,
        url: Url,
        body: &Value,
        permission: &'static str,
        limit: usize,
    ) -> Result<T, GithubApiError> {
        self.send_json(Method::POST, url, body, permission, limit)
            .await
    }

    /// Sends JSON once, and returns the answer.
    ///
    /// # Errors
    /// See [`GithubApiError`]. The API may have taken the request all the same, unless it refused it.
    pub(super) async fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: &Value,
        permission: &'static str,
        limit: usize,
    ) -> Result<T, GithubApiError> {
        let request = ApiRequest {
            method: method.clone(),
            url: &url,
            headers: self.headers(&url, JSON_MEDIA_TYPE),
            body: Some(body),
            limit,
            is_repeated: false,
        };
        let sent = self.connection.send(request).await;
        let path = url.path().to_owned();
        let answer = sent.map_err(|cause| match cause {
            HttpError::TooLong(limit) => GithubApiError::TooLong {
                limit,
                path: path.clone(),
            },
            cause => GithubApiError::Unreachable(cause),
        })?;
        match answer.status.as_u16() {
            200 | 201 => {
                serde_json::from_slice(&answer.body).map_err(|_| GithubApiError::NotJson(path))
            }
            _ => {
                let (method, status) = (&method, answer.status);
                let body = &self.without_token(&answer.body);
                Err(GithubApiError::refused(
                    method, status, &path, body, permission,
                ))
            }
        }
    }

    pub(super) async fn get_json<T: DeserializeOwned>(
        &self,
        url: Url,
        limit: usize,
    ) -> Result<T, GithubApiError> {
        let (url, response) = self.fetch(url, JSON_MEDIA_TYPE, limit).await?;
        parse_json(&url, &response.body)
    }

    /// Returns the response of an address, and the address after redirects. Transient failures are retried,
    /// as for every service, within [`READ_TIME_LIMIT`].
    pub(super) async fn fetch(
        &self,
        url: Url,
        accept: &'static str,
        limit: usize,
    ) -> Result<(Url, ServiceResponse), GithubApiError> {
        let path = url.path().to_owned();
        let fetched = Box::pin(self.follow(url, accept, limit));
        match tokio::time::timeout(READ_TIME_LIMIT, fetched).await {
            Ok(fetched) => fetched,
            Err(_) => Err(GithubApiError::TimedOut {
                seconds: READ_TIME_LIMIT.as_secs(),
                path,
            }),
        }
    }

    /// Returns the response of an address after its redirects.
    async fn follow(
        &self,
        mut url: Url,
        accept: &'static str,
        limit: usize,
    ) -> Result<(Url, ServiceResponse), GithubApiError> {
        for _ in 0..=REDIRECTS_LIMIT {
            let path = || url.path().to_owned();
            let request = ApiRequest {
                method: Method::GET,
                url: &url,
                headers: self.headers(&url, accept),
                body: None,
                limit,
                is_repeated: true,
            };
            let answer = self.connection.send(request).await;
            let answer = answer.map_err(|cause| match cause {
                HttpError::TooLong(limit) => {
                    let path = path();
                    GithubApiError::TooLong { limit, path }
                }
                cause => GithubApiError::Unreachable(cause),
            })?;
            let status = answer.status;
            if status.is_success() {
                return Ok((url, answer));
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
                None if is_rate_limit(&answer) => {
                    let path = path();
                    return Err(GithubApiError::RateLimited { status, path });
                }
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

    /// Returns a body without the token, which an answer can repeat.
    fn without_token(&self, body: &[u8]) -> Vec<u8> {
        let token = self.token.as_ref().map(ExposeSecret::expose_secret);
        // What is shorter is no token of GitHub, and would blot out words.
        match token.filter(|token| token.len() >= TOKEN_LENGTH) {
            Some(token) => {
                let text = String::from_utf8_lossy(body);
                text.replace(token, "***").into_bytes()
            }
            None => body.to_vec(),
        }
    }

    fn headers(&self, url: &Url, accept: &'static str) -> HeaderMap {
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
        headers
    }
}

/// Returns the value of a response.
pub(super) fn parse_json<T: DeserializeOwned>(url: &Url, body: &[u8]) -> Result<T, GithubApiError> {
    serde_json::from_slice(body).map_err(|_| GithubApiError::NotJson(url.path().to_owned()))
}

/// Returns whether a refusal is about the number of requests and not about a permission.
fn is_rate_limit(answer: &ServiceResponse) -> bool {
    let has_none_left = || {
        let remaining = answer.headers.get("x-ratelimit-remaining");
        remaining.is_some_and(|remaining| remaining == "0")
    };
    match answer.status.as_u16() {
        429 => true,
        403 => {
            answer.headers.contains_key(RETRY_AFTER)
                || has_none_left()
                || names_rate_limit(&message_of(&answer.body))
        }
        _ => false,
    }
}
