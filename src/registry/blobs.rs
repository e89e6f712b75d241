//! Blobs: asking for, reading, mounting and uploading them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{Stream, StreamExt};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, StatusCode};
use url::Url;

use super::auth::Scheme;
use super::call::{Call, redirect};
use super::error::{Cause, Error, cause};
use super::http::Lane;
use super::{Remote, retry};
use crate::image::{Descriptor, Digest, Repository};

/// An upload session that a registry has opened.
#[derive(Debug)]
pub struct Upload(Url);

/// What came of asking to mount a blob.
#[derive(Debug)]
pub enum Mount {
    /// The blob is there now.
    Mounted,
    /// The registry would rather have the bytes.
    Declined(Upload),
}

/// How much longer than a stall a registry may take to store what it has received in full.
const COMMIT_PATIENCE: u32 = 5;
/// How long closing an unused session may take.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);

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
                self.check_length(&call, &response, blob)?;
                Ok(true)
            }
            _ => Err(self.refusal(&call, response).await),
        }
    }

    /// The blob's bytes as they come. The reader checks size and digest.
    ///
    /// # Errors
    /// Also in the stream: a connection that breaks or stalls.
    pub async fn open_blob(
        &self,
        blob: &Descriptor,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let mut call = Call::new(
            Method::GET,
            format!("blob {}", blob.digest),
            self.blob_url(blob.digest),
        );
        call.lane = Lane::Bulk;
        let response = self.succeed(&call).await?;
        self.check_length(&call, &response, blob)?;
        let stall = self.client.0.http.settings.timing.stall;
        let chunks = Box::pin(response.bytes_stream());
        let template = self.error(&call, Cause::Stalled);
        Ok(futures_util::stream::unfold(Some(chunks), move |state| {
            let template = template.clone();
            async move {
                let mut chunks = state?;
                let cause = match tokio::time::timeout(stall, chunks.next()).await {
                    Ok(Some(Ok(chunk))) => return Some((Ok(chunk), Some(chunks))),
                    Ok(Some(Err(error))) => cause(&error),
                    Ok(None) => return None,
                    Err(_) => Cause::Stalled,
                };
                Some((Err(Error { cause, ..template }), None))
            }
        }))
    }

    /// Asks the registry to take a blob over from another of its repositories.
    ///
    /// # Errors
    /// A refusal. That it would rather have the bytes is none.
    pub async fn mount(&self, blob: Digest, from: &Repository) -> Result<Mount, Error> {
        let mut url = self.url("blobs/uploads/");
        url.query_pairs_mut()
            .append_pair("mount", &blob.to_string())
            .append_pair("from", from.path());
        let call = Call::new(
            Method::POST,
            format!("mount of {blob} from {}", from.path()),
            url,
        );
        let opened = self.open(call, |status| status != StatusCode::CREATED);
        Ok(opened.await?.map_or(Mount::Mounted, Mount::Declined))
    }

    /// Opens an upload session.
    ///
    /// # Errors
    /// A refusal.
    pub async fn start_upload(&self) -> Result<Upload, Error> {
        let call = Call::new(Method::POST, "upload", self.url("blobs/uploads/"));
        let nothing = self.error(&call, Cause::Protocol("no upload session".to_owned()));
        self.open(call, |_| true).await?.ok_or(nothing)
    }

    /// Sends what opens an upload session, and tells the session where the answer `is_session`. A
    /// task of its own: one that is dropped half-way would leave a session that nobody knows of.
    pub(super) async fn open(
        &self,
        call: Call,
        is_session: fn(StatusCode) -> bool,
    ) -> Result<Option<Upload>, Error> {
        let remote = self.clone();
        let broken = self.error(&call, Cause::Connection("it was broken off".to_owned()));
        let under_way = self.host.opening.clone().read_owned().await;
        let opening = tokio::spawn(async move {
            let _under_way = under_way;
            let response = remote.succeed(&call).await?;
            is_session(response.status())
                .then(|| remote.session(&call, &response))
                .transpose()
        });
        opening.await.unwrap_or(Err(broken))
    }

    /// Streams a blob into an upload session and closes it. Sent once: on an error the caller asks
    /// again whether the blob is there, since the answer alone may have been lost.
    ///
    /// # Errors
    /// A refusal, a broken or stalled connection; an error of `body` breaks the connection.
    pub async fn upload<E>(
        &self,
        upload: &Upload,
        blob: &Descriptor,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<(), Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut url = upload.0.clone();
        url.query_pairs_mut()
            .append_pair("digest", &blob.digest.to_string());
        let call = Call::new(Method::PUT, format!("blob {}", blob.digest), url);
        let sent = Arc::new(AtomicU64::new(0));
        let counter = sent.clone();
        let body = body.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        });
        self.host.gate.wait().await;
        let scheme = self.host.auth.scheme().unwrap_or(Scheme::Open);
        let authorization = self
            .authorization(&call.url, &scheme)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        let mut request = self
            .client
            .0
            .http
            .client(&call.url, Lane::Bulk)
            .put(call.url.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, blob.size);
        if let Some(authorization) = &authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let request = request.body(reqwest::Body::wrap_stream(body));
        let sending = self.client.0.http.send(request);
        let stall = self.client.0.http.settings.timing.stall;
        let response = watch(sending, &sent, blob.size, stall)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        if response.status().is_success() {
            self.open_uploads().remove(&upload.0);
            return Ok(());
        }
        if retry::is_transient(response.status())
            && let Some(pause) = retry::retry_after(response.headers())
        {
            self.host.gate.close_for(pause);
        }
        // A long upload can outlive its token; the next try fetches another.
        if let (StatusCode::UNAUTHORIZED, Some(refused)) = (response.status(), &authorization)
            && self.host.auth.forget(&self.scopes, refused)
        {
            return Err(self.error(&call, Cause::TokenDied));
        }
        Err(self.refusal(&call, response).await)
    }

    /// Closes an upload session that is not going to be used. A registry that cannot do so expires
    /// it by itself, so the answer does not matter and is not waited for long.
    pub async fn cancel(&self, upload: Upload) {
        self.open_uploads().remove(&upload.0);
        let call = Call::new(Method::DELETE, "upload", upload.0);
        let _ = tokio::time::timeout(CANCEL_PATIENCE, self.call(&call)).await;
    }

    /// Closes all upload sessions of this repository: those of transfers that were broken off.
    pub async fn close_uploads(&self) {
        let mine: Vec<Url> = {
            let open = self.open_uploads();
            let mine = open
                .iter()
                .filter(|(_, repository)| **repository == self.repository);
            mine.map(|(url, _)| url.clone()).collect()
        };
        join_all(mine.into_iter().map(|url| self.cancel(Upload(url)))).await;
    }

    fn open_uploads(&self) -> MutexGuard<'_, HashMap<Url, Repository>> {
        let uploads = &self.host.uploads;
        uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blob_url(&self, digest: Digest) -> Url {
        self.url(&format!("blobs/{digest}"))
    }

    fn session(&self, call: &Call, response: &reqwest::Response) -> Result<Upload, Error> {
        let at = redirect(response.url(), response.headers())
            .map_err(|cause| self.error(call, cause))?;
        self.open_uploads()
            .insert(at.clone(), self.repository.clone());
        Ok(Upload(at))
    }

    fn check_length(
        &self,
        call: &Call,
        response: &reqwest::Response,
        blob: &Descriptor,
    ) -> Result<(), Error> {
        let length = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        match length.filter(|length| *length != blob.size) {
            None => Ok(()),
            Some(length) => Err(self.error(
                call,
                Cause::Protocol(format!(
                    "the blob has {length} bytes, its manifest says {}",
                    blob.size
                )),
            )),
        }
    }
}

/// Waits for an upload for as long as bytes keep moving. Once all are sent, the registry may take
/// its time to store them.
async fn watch(
    sending: impl Future<Output = reqwest::Result<reqwest::Response>>,
    sent: &AtomicU64,
    size: u64,
    stall: Duration,
) -> Result<reqwest::Response, Cause> {
    let mut sending = std::pin::pin!(sending);
    // The source has the same patience: what it owes from the start is not the registry's fault.
    let mut before = None;
    let mut waits_for_commit = 0;
    loop {
        if let Ok(outcome) = tokio::time::timeout(stall, &mut sending).await {
            return outcome.map_err(|error| cause(&error));
        }
        let now = sent.load(Ordering::Relaxed);
        if now >= size && waits_for_commit < COMMIT_PATIENCE {
            waits_for_commit += 1;
        } else if before == Some(now) {
            return Err(Cause::Stalled);
        }
        before = Some(now);
    }
}
