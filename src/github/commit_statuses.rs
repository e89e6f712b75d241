//! Statuses of a commit (GitHub REST API, "List commit statuses for a reference").

use serde::Deserialize;

use super::commits::AccountJson;
use super::error::GithubApiError;
use super::repository_api::GithubApi;

/// Permission that lists commit statuses.
pub const STATUSES_PERMISSION: &str = "statuses: read";

/// Status of a commit. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// Id.
    pub id: u64,
    /// Name.
    pub context: String,
    /// State, such as `success`.
    pub state: String,
    /// Login of the account that created it.
    pub creator: Option<String>,
    /// Time of its creation, RFC 3339.
    pub created_at: Option<String>,
}

#[derive(Deserialize)]
struct CommitStatusJson {
    id: u64,
    context: String,
    state: String,
    creator: Option<AccountJson>,
    created_at: Option<String>,
}

impl GithubApi {
    /// Returns all statuses of a commit, newest first.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_commit_statuses(
        &self,
        sha: &str,
    ) -> Result<Vec<CommitStatus>, GithubApiError> {
        let url = self.repository_path(&["commits", sha, "statuses"]);
        let found = self.list_items(url, None, STATUSES_PERMISSION);
        let statuses: Vec<CommitStatusJson> = found.await?;
        let each = statuses.into_iter().map(|status| CommitStatus {
            id: status.id,
            context: status.context,
            state: status.state,
            creator: status.creator.and_then(|account| account.login),
            created_at: status.created_at,
        });
        Ok(each.collect())
    }
}
