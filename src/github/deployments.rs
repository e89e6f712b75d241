//! Deployments of a repository and their statuses (GitHub REST API, "Deployments").

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::GithubApiError;
use super::repository_api::GithubApi;

/// Permission that lists deployments.
const READ_PERMISSION: &str = "deployments: read";
/// Permission that creates deployments and statuses.
const WRITE_PERMISSION: &str = "deployments: write";

/// Items of a page.
const PAGE_SIZE: usize = 100;

/// Longest answer about a page of deployments, in bytes.
const LIST_LIMIT: usize = 16 << 20;
/// Longest answer about one deployment or status, in bytes.
const ANSWER_LIMIT: usize = 1 << 20;

/// Deployment to create. It merges nothing and waits for no commit status.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDeployment {
    /// Full SHA, branch or tag.
    pub reference: String,
    /// Task, which separates the deployments of one tool from those of others.
    pub task: String,
    /// Name of the environment.
    pub environment: String,
    /// Description of at most 140 characters.
    pub description: String,
    /// Data that the deployment is stored with.
    pub payload: Value,
    /// Whether GitHub shows the environment as one of production.
    pub production_environment: bool,
}

/// Deployment of the repository. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Deployment {
    /// Id.
    pub id: u64,
    /// Full SHA of the deployed commit.
    pub sha: String,
    /// Ref by which it was created.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Task.
    pub task: String,
    /// Name of the environment.
    pub environment: String,
    /// Data that it is stored with.
    #[serde(default)]
    pub payload: Value,
    /// Time of creation, RFC 3339.
    pub created_at: String,
    /// Whether the environment is one of production.
    #[serde(default)]
    pub production_environment: bool,
}

/// Deployments that a list is about; `None` matches all.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeploymentQuery<'a> {
    /// Name of the environment.
    pub environment: Option<&'a str>,
    /// Task.
    pub task: Option<&'a str>,
    /// Full SHA.
    pub sha: Option<&'a str>,
}

/// State of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// It is under way.
    InProgress,
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// Another one took its place.
    Inactive,
}

/// Status to add to a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeploymentStatus {
    /// State.
    pub state: DeploymentState,
    /// Description of at most 140 characters.
    pub description: String,
    /// Address of the run's log.
    pub log_url: Option<String>,
    /// Address of what is deployed.
    pub environment_url: Option<String>,
    /// Whether GitHub marks earlier ones inactive, other than those of production.
    pub auto_inactive: bool,
}

/// Status of a deployment. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeploymentStatus {
    /// Id.
    pub id: u64,
    /// State, such as `success`.
    pub state: String,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
    /// Time of creation, RFC 3339.
    pub created_at: String,
}

impl DeploymentState {
    /// Returns the state as the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Inactive => "inactive",
        }
    }
}

impl GithubApi {
    /// Creates a deployment. The request is sent once: a caller that gets no usable answer looks for it.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn create_deployment(
        &self,
        new: &NewDeployment,
    ) -> Result<Deployment, GithubApiError> {
        let body = json!({
            "ref": new.reference,
            "task": new.task,
            "auto_merge": false,
            "required_contexts": [],
            "payload": new.payload,
            "environment": new.environment,
            "description": new.description,
            "transient_environment": false,
            "production_environment": new.production_environment,
        });
        let url = self.repository_path(&["deployments"]);
        self.post_json(url, &body, WRITE_PERMISSION, ANSWER_LIMIT)
            .await
    }

    /// Returns deployments, newest first, from at most `max_pages` pages of 100.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_deployments(
        &self,
        query: &DeploymentQuery<'_>,
        max_pages: usize,
    ) -> Result<Vec<Deployment>, GithubApiError> {
        let mut found = Vec::new();
        for page in 1..=max_pages {
            let mut url = self.repository_path(&["deployments"]);
            let pairs = [
                ("environment", query.environment),
                ("task", query.task),
                ("sha", query.sha),
            ];
            let pairs = pairs
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            url.query_pairs_mut()
                .extend_pairs(pairs)
                .append_pair("per_page", &PAGE_SIZE.to_string());
            if page > 1 {
                url.query_pairs_mut().append_pair("page", &page.to_string());
            }
            let listed: Vec<Deployment> = self
                .get_permitted_json(url, READ_PERMISSION, LIST_LIMIT)
                .await?;
            let is_last = listed.len() < PAGE_SIZE;
            found.extend(listed);
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Adds a status to a deployment. The request is sent once.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn create_deployment_status(
        &self,
        id: u64,
        new: &NewDeploymentStatus,
    ) -> Result<DeploymentStatus, GithubApiError> {
        let mut body = json!({
            "state": new.state,
            "description": new.description,
            "auto_inactive": new.auto_inactive,
        });
        if let Some(url) = &new.log_url {
            body["log_url"] = url.as_str().into();
        }
        if let Some(url) = &new.environment_url {
            body["environment_url"] = url.as_str().into();
        }
        let url = self.repository_path(&["deployments", &id.to_string(), "statuses"]);
        self.post_json(url, &body, WRITE_PERMISSION, ANSWER_LIMIT)
            .await
    }

    /// Returns the newest statuses of a deployment, at most 100, newest first.
    ///
    /// # Errors
    /// See [`GithubApiError`].
    pub async fn list_deployment_statuses(
        &self,
        id: u64,
    ) -> Result<Vec<DeploymentStatus>, GithubApiError> {
        let mut url = self.repository_path(&["deployments", &id.to_string(), "statuses"]);
        let size = PAGE_SIZE.to_string();
        url.query_pairs_mut().append_pair("per_page", &size);
        self.get_permitted_json(url, READ_PERMISSION, LIST_LIMIT)
            .await
    }
}
