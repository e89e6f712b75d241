//! GitHub's REST API: facts that the event does not contain, and the store of attestations.

mod artifact_metadata;
mod attestation_store;
mod deployments;
mod error;
mod repository_api;
mod repository_url;

pub use artifact_metadata::{NewDeploymentRecord, NewStorageRecord};
pub use attestation_store::{AttestationStore, AttestationUploadError, UploadErrorKind};
pub use deployments::{
    Deployment, DeploymentQuery, DeploymentState, DeploymentStatus, NewDeployment,
    NewDeploymentStatus,
};
pub use error::{GithubApiError, RefusedCall};
pub use repository_api::GithubApi;
