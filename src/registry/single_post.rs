//! Small blobs that are made here, brought in as few requests as the registry allows.

use std::convert::Infallible;
use std::sync::PoisonError;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};

use super::error::RegistryError;
use super::request::RegistryRequest;
use super::upload_session::UploadSession;
use super::{RepositoryClient, SharedUpload};
use crate::image::Descriptor;

impl RepositoryClient {
    /// Brings a blob that was made just now, so that the repository cannot have it: it goes along
    /// with the request that opens an upload session. A registry that takes it so answers 201, any
    /// other 202 with the session that it is then sent to (OCI distribution specification 1.1,
    /// "Single POST"), so that asking costs nothing.
    ///
    /// # Errors
    /// A refusal, or a connection that breaks again and again.
    pub async fn put_blob(&self, blob: &Bytes) -> Result<(), RegistryError> {
        let what = Descriptor::from_bytes(blob);
        let mut opened = match self.offer_blob(&what, blob).await {
            Ok(None) => return Ok(()),
            Ok(session) => session,
            // A registry that does not know the form refuses it.
            Err(error) if error.is_refusal() => None,
            Err(error) => return Err(error),
        };
        let timing = self.timing();
        let mut tried = 0;
        loop {
            tried += 1;
            let mut session = match opened.take() {
                Some(session) => session,
                None => self.start_upload(what.size).await?,
            };
            let body = futures_util::stream::iter([Ok::<_, Infallible>(blob.clone())]);
            let Err(error) = self.upload_blob(&mut session, &what, body).await else {
                return Ok(());
            };
            self.cancel_upload(session).await;
            if !error.is_transient() || tried >= timing.attempts {
                return Err(error);
            }
            self.client.notices().info(format!(
                "{error}; trying again ({tried} of {} tries)",
                timing.attempts
            ));
            tokio::time::sleep(timing.delay(tried)).await;
            // It may have been stored, and only the answer lost.
            if self.has_blob(&what).await? {
                return Ok(());
            }
        }
    }

    /// Brings a blob that many images have in common: it is asked for first, unless the repository is
    /// known to be new, and once a run.
    ///
    /// # Errors
    /// As [`RepositoryClient::put_blob`].
    pub async fn put_common_blob(&self, blob: &Bytes) -> Result<(), RegistryError> {
        let what = Descriptor::from_bytes(blob);
        let known: SharedUpload = {
            let common = &self.registry.common_blobs;
            let mut common = common.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (self.repository.clone(), what.digest);
            common.entry(key).or_default().clone()
        };
        let results = known.get_or_try_init(async || {
            if !self.is_known_new() && self.has_blob(&what).await? {
                return Ok(());
            }
            self.put_blob(blob).await
        });
        results.await.copied()
    }

    /// Opens an upload session with the whole blob; none where the registry has taken it at once.
    async fn offer_blob(
        &self,
        what: &Descriptor,
        blob: &Bytes,
    ) -> Result<Option<UploadSession>, RegistryError> {
        let mut url = self.url("blobs/uploads/");
        url.query_pairs_mut()
            .append_pair("digest", &what.digest.to_string());
        let object = format!("blob {}", what.digest);
        let mut call = RegistryRequest::new(Method::POST, object, url);
        let kind = HeaderValue::from_static("application/octet-stream");
        call.headers.insert(CONTENT_TYPE, kind);
        call.body = blob.clone();
        self.open_session(call, |status| status != StatusCode::CREATED)
            .await
    }
}
