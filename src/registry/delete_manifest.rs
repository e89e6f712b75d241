//! Deletes tags and manifests (OCI distribution specification 1.1, "Deleting Tags" and "Deleting Manifests").

use reqwest::{Method, StatusCode};

use super::error::RegistryError;
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use crate::image::TagOrDigest;

/// Result of a deletion that the registry understood.
#[derive(Debug, Clone)]
pub enum DeletionResult {
    /// The registry deleted it.
    Deleted,
    /// The registry does not have it, perhaps since an earlier attempt whose answer was lost.
    Absent,
    /// The registry refuses to delete it.
    Refused(Box<RegistryError>),
}

impl RepositoryClient {
    /// Deletes a tag alone, or a manifest with the tags that it has, as the registry does it.
    ///
    /// # Errors
    /// A login that fails, or an answer that may be another one later: it means unknown, not refused.
    pub async fn delete_manifest(
        &self,
        target: &TagOrDigest,
    ) -> Result<DeletionResult, RegistryError> {
        let url = self.url(&format!("manifests/{target}"));
        let call = RegistryRequest::new(Method::DELETE, format!("manifest {target}"), url);
        let response = self.send(&call).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(DeletionResult::Absent),
            status if status.is_success() => Ok(DeletionResult::Deleted),
            status => {
                let error = self.error_from_response(&call, response).await;
                let is_login = status == StatusCode::UNAUTHORIZED;
                match error.is_refusal() && !error.is_transient() && !is_login {
                    true => Ok(DeletionResult::Refused(Box::new(error))),
                    false => Err(error),
                }
            }
        }
    }
}
