//! Checks whether a repository has a blob.

use reqwest::{Method, StatusCode};
use url::Url;

use super::error::RegistryError;
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use crate::image::{Descriptor, Digest};

impl RepositoryClient {
    /// Returns whether the repository has the blob.
    ///
    /// # Errors
    /// Any answer but success and 404, or a blob of another size.
    pub async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        let call = RegistryRequest::new(
            Method::HEAD,
            format!("blob {}", blob.digest),
            self.blob_url(blob.digest),
        );
        let response = self.send(&call).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => {
                self.check_length(&call, &response, blob.size)?;
                Ok(true)
            }
            _ => Err(self.error_from_response(&call, response).await),
        }
    }

    pub(super) fn blob_url(&self, digest: Digest) -> Url {
        self.url(&format!("blobs/{digest}"))
    }
}
