//! Uploads small new blobs in as few requests as the registry allows.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::error::RegistryError;
use super::registry_state::SharedUpload;
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use super::upload_session::{SessionAnswer, UploadSession};
use crate::http::{Attempt, AttemptError, retry};
use crate::image::Descriptor;

impl RepositoryClient {
    /// Uploads a new blob, which the repository cannot have yet.
    ///
    /// The blob is the body of the request that opens an upload session. A registry that supports this
    /// answers 201; others answer 202 with the session, which the blob is then sent to, so that the offer
    /// costs no request (OCI distribution specification 1.1, "Single POST").
    ///
    /// # Errors
    /// A refusal, or transient failures in all attempts.
    pub async fn put_blob(&self, blob: &Bytes) -> Result<(), RegistryError> {
        let what = &Descriptor::from_bytes(blob);
        let opened = match self.offer_blob(what, blob).await {
            Ok(None) => return Ok(()),
            Ok(session) => session,
            // A registry that does not know the form refuses it.
            Err(error) if error.is_unusable_answer() => None,
            Err(error) => return Err(error),
        };
        let opened = &Mutex::new(opened);
        let upload = |attempt: Attempt| async move {
            // The blob may have been stored, and only the response lost.
            if attempt.number > 1 && self.has_blob(what).await.map_err(AttemptError::new_final)? {
                return Ok(());
            }
            let session = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.upload_new_blob(session, what, blob).await
        };
        let describe = |error: &RegistryError| Some(error.to_string());
        retry(self.timing(), self.client.notices(), describe, upload).await
    }

    /// Uploads a blob once, into `session` or a new one, and closes the session of a failed upload.
    async fn upload_new_blob(
        &self,
        session: Option<UploadSession>,
        what: &Descriptor,
        blob: &Bytes,
    ) -> Result<(), AttemptError<RegistryError>> {
        let mut session = match session {
            Some(session) => session,
            None => self
                .start_upload(what.size)
                .await
                .map_err(AttemptError::new_final)?,
        };
        let body = futures_util::stream::iter([Ok::<_, Infallible>(blob.clone())]);
        let Err(error) = self.upload_blob(&mut session, what, body).await else {
            return Ok(());
        };
        self.cancel_upload(session).await;
        let is_transient = error.is_transient();
        Err(AttemptError::new(error, is_transient))
    }

    /// Uploads a blob that many images share, once per run. Asks first whether the repository has it, unless
    /// the repository is known to be new.
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

    /// Opens an upload session with the whole blob. Returns `None` if the registry stored it at once.
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
        call.is_optional = true;
        self.open_session(call, SessionAnswer::UnlessCreated).await
    }
}
