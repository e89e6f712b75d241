//! Check runs of a commit (GitHub REST API, "List check runs for a Git reference").

use serde::Deserialize;

use super::error::GithubApiError;
use super::repository_api::GithubApi;

/// Permission that lists check runs.
pub const CHECKS_PERMISSION: &str = "checks: read";

/// Check run of a commit. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Id; that of its job, if GitHub Actions ran it.
    pub id: u64,
    /// Name.
    pub name: String,
    /// App that created it, such as `github-actions`.
    pub app_slug: Option<String>,
    /// Status, such as `completed`.
    pub status: String,
    /// Conclusion, such as `success`; `None` before it is completed.
    pub conclusion: Option<String>,
    /// Time of its start, RFC 3339.
    pub started_at: Option<String>,
    /// Time of its end, RFC 3339.
    pub completed_at: Option<String>,
    /// Address of its page.
    pub html_url: Option<String>,
}

#[derive(Deserialize)]
struct CheckRunJson {
    id: u64,
    name: String,
    app: Option<AppJson>,
    status: String,
    conclusion: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
    html_url: Option<String>,
}

/// App in an answer of the API.
#[derive(Deserialize)]
pub(super) struct AppJson {
    /// Name of the app in addresses.
    pub(super) slug: Option<String>,
}

impl GithubApi {
    /// Returns all check runs of a commit, also those that newer ones of their name replaced.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_check_runs(&self, sha: &str) -> Result<Vec<CheckRun>, GithubApiError> {
        let mut url = self.repository_path(&["commits", sha, "check-runs"]);
        url.query_pairs_mut().append_pair("filter", "all");
        let found = self.list_items(url, Some("check_runs"), CHECKS_PERMISSION);
        let runs: Vec<CheckRunJson> = found.await?;
        Ok(runs.into_iter().map(CheckRunJson::into_run).collect())
    }
}

impl CheckRunJson {
    fn into_run(self) -> CheckRun {
        CheckRun {
            id: self.id,
            name: self.name,
            app_slug: self.app.and_then(|app| app.slug),
            status: self.status,
            conclusion: self.conclusion,
            started_at: self.started_at,
            completed_at: self.completed_at,
            html_url: self.html_url,
        }
    }
}
