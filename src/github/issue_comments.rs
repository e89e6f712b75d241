//! Comments of a pull request (GitHub REST API, "Issue comments").

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::check_runs::AppJson;
use super::commits::AccountJson;
use super::error::GithubApiError;
use super::repository_api::GithubApi;

/// Permission that lists comments of pull requests.
const READ_PERMISSION: &str = "pull-requests: read";
/// Permission that creates and changes them.
pub const COMMENT_PERMISSION: &str = "pull-requests: write";

/// Longest answer about one comment, in bytes.
const ANSWER_LIMIT: usize = 1 << 20;

/// Comment. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueComment {
    /// Id.
    pub id: u64,
    /// Text, in Markdown.
    pub body: String,
    /// Login of the author.
    pub author: Option<String>,
    /// Whether the author is an app.
    pub author_is_bot: bool,
    /// App whose token wrote it.
    pub app_slug: Option<String>,
    /// Address of its page.
    pub html_url: Option<String>,
}

#[derive(Deserialize)]
struct IssueCommentJson {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    user: Option<AccountJson>,
    performed_via_github_app: Option<AppJson>,
    html_url: Option<String>,
}

impl GithubApi {
    /// Returns all comments of a pull request or an issue, oldest first.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_issue_comments(
        &self,
        number: u64,
    ) -> Result<Vec<IssueComment>, GithubApiError> {
        let url = self.repository_path(&["issues", &number.to_string(), "comments"]);
        let comments: Vec<IssueCommentJson> = self.list_items(url, None, READ_PERMISSION).await?;
        Ok(comments.into_iter().map(Into::into).collect())
    }

    /// Creates a comment. The request is sent once.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn create_issue_comment(
        &self,
        number: u64,
        body: &str,
    ) -> Result<IssueComment, GithubApiError> {
        let url = self.repository_path(&["issues", &number.to_string(), "comments"]);
        self.send_comment(Method::POST, url, body).await
    }

    /// Replaces the text of a comment. The request is sent once.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn update_issue_comment(
        &self,
        id: u64,
        body: &str,
    ) -> Result<IssueComment, GithubApiError> {
        let url = self.repository_path(&["issues", "comments", &id.to_string()]);
        self.send_comment(Method::PATCH, url, body).await
    }

    async fn send_comment(
        &self,
        method: Method,
        url: url::Url,
        body: &str,
    ) -> Result<IssueComment, GithubApiError> {
        let body = json!({ "body": body });
        let sent = self.send_json(method, url, &body, COMMENT_PERMISSION, ANSWER_LIMIT);
        let comment: IssueCommentJson = sent.await?;
        Ok(comment.into())
    }
}

impl From<IssueCommentJson> for IssueComment {
    fn from(json: IssueCommentJson) -> Self {
        let kind = json
            .user
            .as_ref()
            .and_then(|account| account.kind.as_deref());
        Self {
            id: json.id,
            body: json.body.unwrap_or_default(),
            author_is_bot: kind == Some("Bot"),
            author: json.user.and_then(|account| account.login),
            app_slug: json.performed_via_github_app.and_then(|app| app.slug),
            html_url: json.html_url,
        }
    }
}
