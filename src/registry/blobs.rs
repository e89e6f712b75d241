//! Asking for blobs.

use reqwest::{Method, StatusCode};
use url::Url;

use super::Remote;
use super::call::Call;
use super::error::Error;
use crate::image::{Descriptor, Digest};

impl Remote {
    /// Whether the repository has the blob.
    ///
    /// # Errors
    /// Any answer but success and 404, or a blob of another size.
    pub async fn has_blob(&self, blob: &Descriptor) -> Result<bool, Error> {
        let call = Call::new(
            Method::HEAD,
            format!("blob {}", blob.digest),
            self.blob_url(blob.digest),
        );
        let response = self.call(&call).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => {
                self.check_length(&call, &response, blob.size)?;
                Ok(true)
            }
            _ => Err(self.refusal(&call, response).await),
        }
    }

    pub(super) fn blob_url(&self, digest: Digest) -> Url {
        self.url(&format!("blobs/{digest}"))
    }
}
