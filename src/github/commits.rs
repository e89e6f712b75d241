//! Commits of a repository (GitHub REST API, "Get a commit").

use reqwest::StatusCode;
use serde::Deserialize;

use super::error::GithubApiError;
use super::repository_api::GithubApi;

/// Permission that reads commits.
const PERMISSION: &str = "contents: read";

/// Longest response about a commit, in bytes; it contains the changes of up to 300 files.
const COMMIT_LIMIT: usize = 8 << 20;

/// Commit of the repository. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitDetails {
    /// Full SHA.
    pub sha: String,
    /// Time of the commit, RFC 3339.
    pub committed_at: Option<String>,
    /// Login of the author; `None` where GitHub knows no account of the author's address.
    pub author_login: Option<String>,
    /// Login of the committer; `None` where GitHub knows no account of the committer's address.
    pub committer_login: Option<String>,
}

#[derive(Deserialize)]
struct CommitJson {
    #[serde(default)]
    sha: String,
    commit: Option<CommittedJson>,
    author: Option<AccountJson>,
    committer: Option<AccountJson>,
}

#[derive(Deserialize)]
struct CommittedJson {
    committer: Option<CommitterJson>,
}

#[derive(Deserialize)]
struct CommitterJson {
    date: Option<String>,
}

/// Account in an answer of the API.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AccountJson {
    /// Login; GitHub answers an empty object where it knows no account.
    pub(super) login: Option<String>,
    /// Kind of the account, such as `User` or `Bot`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

impl GithubApi {
    /// Returns a commit, `None` if GitHub does not know it.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn get_commit(&self, sha: &str) -> Result<Option<CommitDetails>, GithubApiError> {
        let url = self.repository_path(&["commits", sha]);
        let found: Result<CommitJson, _> = self.get_json(url, COMMIT_LIMIT).await;
        match found {
            Ok(json) => Ok(Some(json.into_details())),
            Err(GithubApiError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
                Ok(None)
            }
            Err(error) => Err(error.with_permission(PERMISSION)),
        }
    }

    /// Returns the time of a commit (RFC 3339), `None` if GitHub does not know the commit.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn get_commit_time(&self, sha: &str) -> Result<Option<String>, GithubApiError> {
        let commit = self.get_commit(sha).await?;
        Ok(commit.and_then(|commit| commit.committed_at))
    }
}

impl CommitJson {
    fn into_details(self) -> CommitDetails {
        let committed = self.commit.and_then(|commit| commit.committer);
        CommitDetails {
            sha: self.sha,
            committed_at: committed.and_then(|committer| committer.date),
            author_login: self.author.and_then(|account| account.login),
            committer_login: self.committer.and_then(|account| account.login),
        }
    }
}
