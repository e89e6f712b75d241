//! Checks whether a repository has a blob.

use reqwest::header::{CONTENT_RANGE, HeaderMap, RANGE};
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
            // An address that is signed for a GET refuses a HEAD.
            status if status.is_client_error() && !self.is_own_url(response.url()) => {
                self.has_first_byte(blob).await
            }
            _ => Err(self.error_from_response(&call, response).await),
        }
    }

    /// Whether the first byte of the blob can be read.
    async fn has_first_byte(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        let object = format!("blob {}", blob.digest);
        let call = RegistryRequest::new(Method::GET, object, self.blob_url(blob.digest))
            .header(RANGE, "bytes=0-0");
        let response = self.send(&call).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            StatusCode::PARTIAL_CONTENT => {
                let total = total_length(response.headers());
                self.check_size(&call, total, blob.size)?;
                Ok(true)
            }
            // No byte of an empty blob is in the range.
            StatusCode::RANGE_NOT_SATISFIABLE if blob.size == 0 => Ok(true),
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

/// Returns the size of the whole that `Content-Range` tells (RFC 9110, 14.4).
fn total_length(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit_once('/')?.1.trim().parse().ok()
}
