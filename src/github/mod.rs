//! GitHub's REST API: facts that the event does not contain, and the store of attestations.

mod api_connection;
mod artifact_metadata;
mod attestation_store;
mod check_runs;
mod commit_statuses;
mod commits;
mod deployments;
mod error;
mod issue_comments;
mod item_list;
mod pull_requests;
mod repository_api;
mod repository_url;
mod workflow_runs;

pub use artifact_metadata::{NewDeploymentRecord, NewStorageRecord};
pub use attestation_store::{AttestationStore, AttestationUploadError, UploadErrorKind};
pub use check_runs::{CHECKS_PERMISSION, CheckRun};
pub use commit_statuses::{CommitStatus, STATUSES_PERMISSION};
pub use commits::CommitDetails;
pub use deployments::{
    Deployment, DeploymentQuery, DeploymentState, DeploymentStatus, NewDeployment,
    NewDeploymentStatus,
};
pub use error::{GithubApiError, RefusedCall};
pub use issue_comments::{COMMENT_PERMISSION, IssueComment};
pub use pull_requests::{PULL_REQUESTS_PERMISSION, PullRequest};
pub use repository_api::GithubApi;
pub(crate) use repository_url::{API_VERSION, JSON_MEDIA_TYPE};
pub use workflow_runs::{ACTIONS_PERMISSION, RunReview, WorkflowJob, WorkflowRun};
