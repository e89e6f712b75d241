//! Comments of an issue or a pull request.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::error::GithubApiError;
use super::repository_api::GithubApi;
use crate::http::ServiceResponse;

/// Comment of an issue or a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueComment {
    /// Number of the comment. A later comment has a higher one.
    pub id: u64,
    /// Text, in Markdown.
    pub body: String,
    /// Login of the author; `None` if the account is gone.
    pub author: Option<String>,
    /// Whether the author is an app or another bot.
    pub author_is_bot: bool,
    /// Name of the app that wrote it, if one did.
    pub app_slug: Option<String>,
    /// Address of its page.
    pub html_url: String,
    /// Time of RFC 3339.
    pub created_at: String,
    /// Time of RFC 3339.
    pub updated_at: String,
}

/// Permission that reading comments of a pull request needs.
const READ_PERMISSION: &str = "pull-requests: read";
/// Permission that writing a comment on a pull request needs.
const WRITE_PERMISSION: &str = "pull-requests: write";
/// Comments of a page, which is the most that GitHub gives.
const PAGE_SIZE: usize = 100;
/// Most comments that are read.
const COMMENTS_LIMIT: usize = 1_000;
/// Longest response with comments, in bytes: a body has at most 65,536 characters.
const RESPONSE_LIMIT: usize = 32 << 20;

#[derive(Deserialize)]
struct IssueCommentJson {
    id: u64,
    body: Option<String>,
    user: Option<UserJson>,
    performed_via_github_app: Option<AppJson>,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    updated_at: String,
}

#[derive(Deserialize)]
struct UserJson {
    login: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct AppJson {
    slug: Option<String>,
}

impl From<IssueCommentJson> for IssueComment {
    fn from(json: IssueCommentJson) -> Self {
        Self {
            id: json.id,
            body: json.body.unwrap_or_default(),
            author_is_bot: json.user.as_ref().is_some_and(|user| user.kind == "Bot"),
            author: json.user.map(|user| user.login),
            app_slug: json.performed_via_github_app.and_then(|app| app.slug),
            html_url: json.html_url,
            created_at: json.created_at,
            updated_at: json.updated_at,
        }
    }
}

impl GithubApi {
    /// Returns all comments of a pull request, the oldest first.
    ///
    /// # Errors
    /// See [`GithubApiError`]; also more than 1,000 comments.
    pub async fn list_issue_comments(
        &self,
        number: u64,
    ) -> Result<Vec<IssueComment>, GithubApiError> {
        let mut url = self.address(&["issues", &number.to_string(), "comments"]);
        url.query_pairs_mut()
            .append_pair("per_page", &PAGE_SIZE.to_string());
        let mut comments = Vec::new();
        let mut next = Some(url);
        while let Some(url) = next {
            if comments.len() >= COMMENTS_LIMIT {
                return Err(GithubApiError::TooManyItems {
                    limit: COMMENTS_LIMIT,
                    path: url.path().to_owned(),
                });
            }
            let answer = self.get(&url, READ_PERMISSION, RESPONSE_LIMIT).await?;
            let page: Vec<IssueCommentJson> = parse(&Method::GET, &url, &answer.body)?;
            comments.extend(page.into_iter().map(IssueComment::from));
            next = next_page(&url, &answer.headers);
        }
        Ok(comments)
    }

    /// Writes a comment on a pull request, and sends it once.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn create_issue_comment(
        &self,
        number: u64,
        body: &str,
    ) -> Result<IssueComment, GithubApiError> {
        let url = self.address(&["issues", &number.to_string(), "comments"]);
        self.send_comment(Method::POST, url, body).await
    }

    /// Replaces the text of a comment, and sends it once.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn update_issue_comment(
        &self,
        id: u64,
        body: &str,
    ) -> Result<IssueComment, GithubApiError> {
        let url = self.address(&["issues", "comments", &id.to_string()]);
        self.send_comment(Method::PATCH, url, body).await
    }

    async fn send_comment(
        &self,
        method: Method,
        url: Url,
        body: &str,
    ) -> Result<IssueComment, GithubApiError> {
        let body = Bytes::from(json!({ "body": body }).to_string());
        let answer = self
            .send_once(
                (method.clone(), &url),
                body,
                WRITE_PERMISSION,
                RESPONSE_LIMIT,
            )
            .await?;
        let comment: IssueCommentJson = parse(&method, &url, &answer.body)?;
        Ok(comment.into())
    }
}

impl GithubApi {
    /// Gets an address, and retries transient failures.
    async fn get(
        &self,
        url: &Url,
        permission: &'static str,
        limit: usize,
    ) -> Result<ServiceResponse, GithubApiError> {
        let request = self.build_request(url, super::repository_url::JSON_MEDIA_TYPE);
        let answer = self.client.send_to_service_within(&request, limit).await;
        let answer = answer.map_err(|cause| too_long(&Method::GET, url, cause))?;
        require_success(&Method::GET, url, permission, answer)
    }

    /// Sends a request that must not be repeated, since GitHub may have taken it.
    async fn send_once(
        &self,
        (method, url): (Method, &Url),
        body: Bytes,
        permission: &'static str,
        limit: usize,
    ) -> Result<ServiceResponse, GithubApiError> {
        let mut request = self.build_request(url, super::repository_url::JSON_MEDIA_TYPE);
        request.method = method.clone();
        request.body = body;
        let json = HeaderValue::from_static("application/json");
        request.headers.insert(CONTENT_TYPE, json);
        let answer = self.client.send_to_service_once(&request, limit).await;
        let answer = answer.map_err(|cause| too_long(&method, url, cause))?;
        require_success(&method, url, permission, answer)
    }
}

fn too_long(method: &Method, url: &Url, cause: crate::http::HttpError) -> GithubApiError {
    match cause {
        crate::http::HttpError::TooLong(limit) => GithubApiError::TooLong {
            limit,
            path: format!("{method} {}", url.path()),
        },
        cause => GithubApiError::Unreachable(cause),
    }
}

fn require_success(
    method: &Method,
    url: &Url,
    permission: &'static str,
    answer: ServiceResponse,
) -> Result<ServiceResponse, GithubApiError> {
    match answer.status.is_success() {
        true => Ok(answer),
        false => Err(GithubApiError::Refused {
            status: answer.status,
            method: method.clone(),
            path: url.path().to_owned(),
            permission,
        }),
    }
}

fn parse<T: serde::de::DeserializeOwned>(
    method: &Method,
    url: &Url,
    body: &[u8],
) -> Result<T, GithubApiError> {
    serde_json::from_slice(body)
        .map_err(|_| GithubApiError::NotJson(format!("{method} {}", url.path())))
}

/// Returns the address of the next page; `None` after the last one, or if it is on another host, which gets no token.
fn next_page(url: &Url, headers: &HeaderMap) -> Option<Url> {
    let links = headers.get(LINK)?.to_str().ok()?;
    let next = links
        .split(',')
        .find(|link| link.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    let next = url.join(address).ok()?;
    (next.origin() == url.origin()).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_on_the_same_host() {
        let url: Url = "https://api.example.com/a?page=1".parse().unwrap();
        for (link, expected) in [
            (
                "<https://api.example.com/a?page=1>; rel=\"prev\", <https://api.example.com/a?page=2>; rel=\"next\"",
                Some("https://api.example.com/a?page=2"),
            ),
            ("<https://evil.example.com/a?page=2>; rel=\"next\"", None),
            ("<http://api.example.com/a?page=2>; rel=\"next\"", None),
            ("<https://api.example.com/a?page=2>; rel=\"last\"", None),
            ("rel=\"next\"", None),
        ] {
            let headers = HeaderMap::from_iter([(LINK, HeaderValue::from_static(link))]);
            let next = next_page(&url, &headers).map(String::from);
            assert_eq!(next.as_deref(), expected, "{link}");
        }
        assert_eq!(next_page(&url, &HeaderMap::new()), None);
    }
}
