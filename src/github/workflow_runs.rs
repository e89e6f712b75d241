//! Runs of workflows, their jobs and the reviews of their deployments (GitHub REST API, "Workflow runs").

use serde::Deserialize;

use super::commits::AccountJson;
use super::error::GithubApiError;
use super::repository_api::GithubApi;

/// Permission that reads runs, jobs and reviews.
pub const ACTIONS_PERMISSION: &str = "actions: read";

/// Run of a workflow. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Id.
    pub id: u64,
    /// File of the workflow, such as `.github/workflows/ci.yml`, without the ref that it was taken from.
    pub path: String,
    /// Event that started it, such as `push`.
    pub event: String,
    /// Branch or tag of its commit.
    pub head_branch: Option<String>,
    /// Full SHA of its commit.
    pub head_sha: String,
    /// Repository of its commit, `owner/name`.
    pub head_repository: Option<String>,
    /// Status, such as `completed`.
    pub status: Option<String>,
    /// Conclusion, such as `success`.
    pub conclusion: Option<String>,
    /// Number of the attempt, from 1.
    pub run_attempt: u64,
}

/// Job of a run. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowJob {
    /// Id, which is also that of its check run.
    pub id: u64,
    /// Id of the run.
    pub run_id: u64,
    /// Number of the attempt, from 1.
    #[serde(default = "first_attempt")]
    pub run_attempt: u64,
    /// Name.
    pub name: String,
    /// Status, such as `completed`.
    pub status: String,
    /// Conclusion, such as `success`.
    pub conclusion: Option<String>,
}

/// Review of a run's deployments to environments. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReview {
    /// State: `approved`, `rejected` or `pending`.
    pub state: String,
    /// Login of the reviewer.
    pub user: Option<String>,
    /// Comment.
    pub comment: String,
    /// Names of the environments.
    pub environments: Vec<String>,
}

#[derive(Deserialize)]
struct WorkflowRunJson {
    id: u64,
    path: String,
    event: String,
    head_branch: Option<String>,
    head_sha: String,
    head_repository: Option<RepositoryJson>,
    status: Option<String>,
    conclusion: Option<String>,
    #[serde(default = "first_attempt")]
    run_attempt: u64,
}

/// Repository in an answer of the API.
#[derive(Deserialize)]
pub(super) struct RepositoryJson {
    /// `owner/name`
    pub(super) full_name: Option<String>,
}

#[derive(Deserialize)]
struct RunReviewJson {
    state: String,
    user: Option<AccountJson>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    environments: Vec<EnvironmentJson>,
}

#[derive(Deserialize)]
struct EnvironmentJson {
    name: String,
}

fn first_attempt() -> u64 {
    1
}

impl GithubApi {
    /// Returns the runs of a workflow for a commit, newest first. `file` is the name of the workflow's file, such as
    /// `ci.yml`.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_workflow_runs(
        &self,
        file: &str,
        sha: &str,
    ) -> Result<Vec<WorkflowRun>, GithubApiError> {
        let mut url = self.repository_path(&["actions", "workflows", file, "runs"]);
        url.query_pairs_mut().append_pair("head_sha", sha);
        let found = self.list_items(url, Some("workflow_runs"), ACTIONS_PERMISSION);
        let runs: Vec<WorkflowRunJson> = found.await?;
        Ok(runs.into_iter().map(WorkflowRunJson::into_run).collect())
    }

    /// Returns the jobs of all attempts of a run.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_run_jobs(&self, run: u64) -> Result<Vec<WorkflowJob>, GithubApiError> {
        let mut url = self.repository_path(&["actions", "runs", &run.to_string(), "jobs"]);
        url.query_pairs_mut().append_pair("filter", "all");
        self.list_items(url, Some("jobs"), ACTIONS_PERMISSION).await
    }

    /// Returns the reviews of a run's deployments. The API does not tell the attempt that a review is about.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_run_approvals(&self, run: u64) -> Result<Vec<RunReview>, GithubApiError> {
        let url = self.repository_path(&["actions", "runs", &run.to_string(), "approvals"]);
        let found = self.list_items(url, None, ACTIONS_PERMISSION);
        let reviews: Vec<RunReviewJson> = found.await?;
        Ok(reviews
            .into_iter()
            .map(RunReviewJson::into_review)
            .collect())
    }
}

impl WorkflowRunJson {
    fn into_run(self) -> WorkflowRun {
        let path = self.path.split('@').next().unwrap_or_default();
        WorkflowRun {
            id: self.id,
            path: path.to_owned(),
            event: self.event,
            head_branch: self.head_branch,
            head_sha: self.head_sha,
            head_repository: self.head_repository.and_then(|it| it.full_name),
            status: self.status,
            conclusion: self.conclusion,
            run_attempt: self.run_attempt,
        }
    }
}

impl RunReviewJson {
    fn into_review(self) -> RunReview {
        let environments = self.environments.into_iter();
        RunReview {
            state: self.state,
            user: self.user.and_then(|account| account.login),
            comment: self.comment.unwrap_or_default(),
            environments: environments.map(|environment| environment.name).collect(),
        }
    }
}
