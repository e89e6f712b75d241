//! Linked artifacts of an organization (GitHub REST API, "Artifact metadata").

use serde::Serialize;
use serde_json::Value;

use super::error::GithubApiError;
use super::repository_api::GithubApi;

/// Permission that creates both kinds of records.
const PERMISSION: &str = "artifact-metadata: write";

/// Longest answer, in bytes.
const ANSWER_LIMIT: usize = 1 << 20;

/// Record of where an artifact is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewStorageRecord {
    /// Name of the artifact: registry and repository, as the attestation names it.
    pub name: String,
    /// Digest, `sha256:<hex>`.
    pub digest: String,
    /// Version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Address of the registry.
    pub registry_url: String,
    /// Repository in the registry.
    pub repository: String,
    /// Address of the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_url: Option<String>,
    /// `active`, `eol` or `deleted`.
    pub status: String,
    /// Repository at GitHub, without the owner.
    pub github_repository: String,
}

/// Record of where an artifact is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewDeploymentRecord {
    /// Name of the artifact: registry and repository.
    pub name: String,
    /// Digest, `sha256:<hex>`.
    pub digest: String,
    /// Version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `deployed` or `decommissioned`.
    pub status: String,
    /// Environment.
    pub logical_environment: String,
    /// Name of the deployment, unique for the environment.
    pub deployment_name: String,
    /// Repository at GitHub, without the owner.
    pub github_repository: String,
}

impl GithubApi {
    /// Creates a storage record of an organization. The request is sent once.
    ///
    /// # Errors
    /// See [`GithubApiError`]; [`GithubApiError::is_unknown_artifact`] tells an artifact apart that GitHub does not
    /// know yet.
    pub async fn create_storage_record(
        &self,
        organization: &str,
        new: &NewStorageRecord,
    ) -> Result<(), GithubApiError> {
        self.create_metadata(organization, "storage-record", new)
            .await
    }

    /// Creates a deployment record of an organization. The request is sent once.
    ///
    /// # Errors
    /// See [`GithubApi::create_storage_record`].
    pub async fn create_deployment_record(
        &self,
        organization: &str,
        new: &NewDeploymentRecord,
    ) -> Result<(), GithubApiError> {
        self.create_metadata(organization, "deployment-record", new)
            .await
    }

    async fn create_metadata(
        &self,
        organization: &str,
        kind: &str,
        new: &impl Serialize,
    ) -> Result<(), GithubApiError> {
        let url = self.organization_path(organization, &["artifacts", "metadata", kind]);
        let body = serde_json::to_value(new).unwrap_or_default();
        let answer: Result<Value, _> = self.post_json(url, &body, PERMISSION, ANSWER_LIMIT).await;
        answer.map(drop)
    }
}
