//! Pull requests of a commit (GitHub REST API, "List pull requests associated with a commit").

use serde::Deserialize;

use super::commits::AccountJson;
use super::error::GithubApiError;
use super::repository_api::GithubApi;
use super::workflow_runs::RepositoryJson;

/// Permission that lists the pull requests of a commit.
pub const PULL_REQUESTS_PERMISSION: &str = "pull-requests: read";

/// Pull request. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Number.
    pub number: u64,
    /// State: `open` or `closed`.
    pub state: String,
    /// Time of its merge, RFC 3339; `None` if it is not merged.
    pub merged_at: Option<String>,
    /// Full SHA of the commit that merged it.
    pub merge_commit_sha: Option<String>,
    /// Branch with the changes.
    pub head_ref: String,
    /// Full SHA of the newest commit of that branch.
    pub head_sha: String,
    /// Repository of that branch, `owner/name`; `None` if it is gone.
    pub head_repository: Option<String>,
    /// Branch that it is for.
    pub base_ref: String,
    /// Repository of that branch, `owner/name`.
    pub base_repository: Option<String>,
    /// Login of its author.
    pub author: Option<String>,
}

#[derive(Deserialize)]
struct PullRequestJson {
    number: u64,
    #[serde(default)]
    state: String,
    merged_at: Option<String>,
    merge_commit_sha: Option<String>,
    head: BranchJson,
    base: BranchJson,
    user: Option<AccountJson>,
}

#[derive(Deserialize)]
struct BranchJson {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    sha: String,
    repo: Option<RepositoryJson>,
}

impl GithubApi {
    /// Returns the pull requests that contain a commit: the merged one that brought it in, if it is on the default
    /// branch, else the open and merged ones.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_commit_pull_requests(
        &self,
        sha: &str,
    ) -> Result<Vec<PullRequest>, GithubApiError> {
        let url = self.repository_path(&["commits", sha, "pulls"]);
        let found = self.list_items(url, None, PULL_REQUESTS_PERMISSION);
        let pulls: Vec<PullRequestJson> = found.await?;
        Ok(pulls.into_iter().map(PullRequestJson::into_pull).collect())
    }
}

impl PullRequestJson {
    fn into_pull(self) -> PullRequest {
        let repository = |repository: Option<RepositoryJson>| repository?.full_name;
        PullRequest {
            number: self.number,
            state: self.state,
            merged_at: self.merged_at,
            merge_commit_sha: self.merge_commit_sha,
            head_ref: self.head.reference,
            head_sha: self.head.sha,
            head_repository: repository(self.head.repo),
            base_ref: self.base.reference,
            base_repository: repository(self.base.repo),
            author: self.user.and_then(|account| account.login),
        }
    }
}
