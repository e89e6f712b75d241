//! Upload sessions and mounts of blobs: opens, resumes, closes and cancels them.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::header::RANGE;
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::error::{RegistryError, RequestErrorKind};
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use crate::http::{
    ConnectionPool, ERROR_LIMIT, HttpError, RequestPermit, read_limited, redirect_target,
};
use crate::image::{Descriptor, Digest, Repository};

/// An upload session that a registry has opened.
#[derive(Debug)]
pub struct UploadSession {
    /// An address is large, and a session small.
    url: Box<Url>,
    /// What it wants at least in every chunk but the last (`OCI-Chunk-Min-Length`).
    pub(super) min_chunk_size: u64,
    state: SessionState,
    /// Whether a request into it failed, and it is used again.
    is_resumed: bool,
}

/// How far an upload session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionState {
    /// The registry has so many bytes.
    Offset(u64),
    /// Only the registry knows.
    Unknown,
    /// It is of no more use.
    Closed,
}

/// The least that a registry wants in a chunk which is not the last.
const CHUNK_MIN_LENGTH: &str = "oci-chunk-min-length";
/// As many bytes are worth the question whether a registry kept them when an upload broke off.
const RESUME_THRESHOLD: u64 = 1 << 20;

impl UploadSession {
    fn new(url: Url, min_chunk_size: u64) -> Self {
        Self {
            url: Box::new(url),
            min_chunk_size,
            state: SessionState::Offset(0),
            is_resumed: false,
        }
    }

    /// Returns how many bytes the registry has received: the upload resumes there.
    pub fn received_bytes(&self) -> u64 {
        match self.state {
            SessionState::Offset(begin) => begin,
            SessionState::Unknown | SessionState::Closed => 0,
        }
    }

    /// Returns whether the session is closed.
    pub fn is_closed(&self) -> bool {
        self.state == SessionState::Closed
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Returns the offset, and marks the session as closed until a request tells the next offset.
    pub(super) fn take_offset(&mut self) -> u64 {
        let begin = self.received_bytes();
        self.state = SessionState::Closed;
        begin
    }

    /// Notes that only the registry knows how far it is.
    pub(super) fn mark_offset_unknown(&mut self) {
        self.state = SessionState::Unknown;
        self.is_resumed = true;
    }

    /// Notes that a connection broke after so many bytes at most were on their way.
    pub(super) fn record_break(&mut self, sent: u64) {
        if sent >= RESUME_THRESHOLD {
            self.mark_offset_unknown();
        }
    }
}

/// Returns how many bytes of an upload session the registry has received, from the header `Range`.
/// Some registries prefix `bytes=`, and state `0-0` for none.
pub(super) fn received_range(response: &Response) -> Option<u64> {
    let range = response.headers().get(RANGE)?.to_str().ok()?;
    let (begin, end) = range.trim_start_matches("bytes=").split_once('-')?;
    let end: u64 = end.trim().parse().ok()?;
    match (begin.trim(), end) {
        ("0", 0) => Some(0),
        ("0", end) => end.checked_add(1),
        _ => None,
    }
}

/// Which responses to a request have an upload session.
#[derive(Debug, Clone, Copy)]
pub(super) enum SessionAnswer {
    /// Each success.
    Always,
    /// 202; 201 says that the blob is there.
    UnlessCreated,
}

/// Result of a request to mount a blob.
#[derive(Debug)]
pub enum MountResult {
    /// The blob is there now.
    Mounted,
    /// The registry would rather have the bytes.
    Declined(UploadSession),
}

/// Leave to move a large blob to or from a registry, until it is dropped.
pub struct TransferSlot(#[expect(dead_code, reason = "dropping it gives it back")] RequestPermit);

/// How long closing an unused session may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

impl RepositoryClient {
    /// Waits until another blob of that size may travel. Small ones need no leave: they count among
    /// the requests.
    pub async fn acquire_slot(&self, size: u64) -> Option<TransferSlot> {
        match ConnectionPool::for_size(size) {
            ConnectionPool::Control => None,
            ConnectionPool::Bulk => {
                Some(TransferSlot(self.registry.transfer_limit.acquire().await))
            }
        }
    }

    /// Asks the registry to take a blob over from another of its repositories.
    ///
    /// # Errors
    /// A refusal. That it would rather have the bytes is none.
    pub async fn mount_blob(
        &self,
        blob: Digest,
        from: &Repository,
    ) -> Result<MountResult, RegistryError> {
        self.mount_blob_on(ConnectionPool::Control, blob, from)
            .await
    }

    async fn mount_blob_on(
        &self,
        pool: ConnectionPool,
        blob: Digest,
        from: &Repository,
    ) -> Result<MountResult, RegistryError> {
        let mut url = self.url("blobs/uploads/");
        url.query_pairs_mut()
            .append_pair("mount", &blob.to_string())
            .append_pair("from", from.path());
        let mut call = RegistryRequest::new(
            Method::POST,
            format!("mount of {blob} from {}", from.path()),
            url,
        );
        call.pool = pool;
        call.is_optional = true;
        let remote = self.with_read_access(from);
        let opened = remote.open_session(call, SessionAnswer::UnlessCreated);
        Ok(opened
            .await?
            .map_or(MountResult::Mounted, MountResult::Declined))
    }

    /// Asks in one request whether the blob is there and for an upload session if it is not: it is
    /// mounted from where it would be. A registry that does not mount opens a session even for a blob
    /// that it has.
    ///
    /// # Errors
    /// A refusal.
    pub async fn open_unless_present(
        &self,
        blob: &Descriptor,
    ) -> Result<MountResult, RegistryError> {
        self.mount_blob_on(
            ConnectionPool::for_size(blob.size),
            blob.digest,
            &self.repository,
        )
        .await
    }

    /// Opens an upload session for a blob of that size, on the connection that its bytes will take.
    ///
    /// # Errors
    /// A refusal.
    pub async fn start_upload(&self, size: u64) -> Result<UploadSession, RegistryError> {
        let mut call = RegistryRequest::new(Method::POST, "upload", self.url("blobs/uploads/"));
        call.pool = ConnectionPool::for_size(size);
        let nothing = self.error(
            &call,
            RequestErrorKind::Protocol("no upload session".to_owned()),
        );
        let opened = self.open_session(call, SessionAnswer::Always);
        opened.await?.ok_or(nothing)
    }

    /// Sends what opens an upload session, and tells the session where the answer has one. A
    /// task of its own: one that is dropped half-way would leave a session that nobody knows of.
    pub(super) async fn open_session(
        &self,
        mut call: RegistryRequest,
        answer: SessionAnswer,
    ) -> Result<Option<UploadSession>, RegistryError> {
        let remote = self.clone();
        let broken = self.error(
            &call,
            HttpError::Connection("the request was interrupted".to_owned()).into(),
        );
        call.opening = Some(Arc::new(
            self.registry.session_opening.clone().read_owned().await,
        ));
        let opening = tokio::spawn(async move {
            let response = remote.send_expecting_success(&call).await?;
            let session = match (answer, response.status()) {
                (SessionAnswer::UnlessCreated, StatusCode::CREATED) => Ok(None),
                (SessionAnswer::Always, _) | (_, StatusCode::ACCEPTED) => {
                    remote.session_from_response(&call, &response).map(Some)
                }
                (SessionAnswer::UnlessCreated, status) => {
                    let text = format!("status {status}, expected 201 or 202");
                    Err(remote.error(&call, RequestErrorKind::Protocol(text)))
                }
            };
            // Read to its end, so that the connection can be used again.
            let _ = read_limited(response, ERROR_LIMIT, remote.timing()).await;
            session
        });
        opening.await.unwrap_or(Err(broken))
    }

    /// Determines whether and where a session can resume after a failed request: it asks the
    /// registry how much of the blob has arrived. A session that is of no use is cancelled.
    pub async fn resume_upload(
        &self,
        mut upload: UploadSession,
        blob: &Descriptor,
    ) -> Option<UploadSession> {
        if upload.state == SessionState::Unknown && self.registry.chunk_policy.may_resume() {
            let call = RegistryRequest::new(Method::GET, "upload", upload.url().clone());
            let answer = self.send(&call).await.ok();
            let answer = answer.filter(|answer| answer.status().is_success());
            if let Some(there) = answer.as_ref().and_then(received_range) {
                let at = answer.and_then(|it| redirect_target(it.url(), it.headers()).ok());
                self.record_offset(&mut upload, there, at);
            }
        }
        match upload.state {
            SessionState::Offset(there) if there <= blob.size => Some(upload),
            _ => {
                self.cancel_upload(upload).await;
                None
            }
        }
    }

    /// Notes how far a session has come, and its address where that is another one now.
    pub(super) fn record_offset(&self, upload: &mut UploadSession, begin: u64, at: Option<Url>) {
        upload.state = SessionState::Offset(begin);
        if let Some(at) = at.filter(|at| at != upload.url()) {
            let mut open = self.open_uploads();
            open.remove(&upload.url);
            open.insert(at.clone(), self.repository.clone());
            *upload.url = at;
        }
    }

    /// Notes that the blob is there, and with it the session at its end.
    pub(super) fn record_closed(&self, upload: &UploadSession) {
        self.open_uploads().remove(&upload.url);
    }

    /// Closes an upload session that is not going to be used. A registry that cannot do so expires
    /// it by itself, so the answer does not matter and is not waited for long.
    pub async fn cancel_upload(&self, upload: UploadSession) {
        self.record_closed(&upload);
        let call = RegistryRequest::new(Method::DELETE, "upload", *upload.url);
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, self.send(&call)).await;
    }

    /// Closes the session that an answer opens which comes after its request was given up: nobody
    /// else knows of it.
    pub(super) fn cancel_late_session(
        &self,
        call: RegistryRequest,
        answer: impl Future<Output = reqwest::Result<Response>> + Send + 'static,
    ) {
        let remote = self.clone();
        tokio::spawn(async move {
            if let Ok(Ok(answer)) = tokio::time::timeout(remote.timing().stall, answer).await
                && answer.status() == StatusCode::ACCEPTED
                && let Ok(upload) = remote.session_from_response(&call, &answer)
            {
                remote.cancel_upload(upload).await;
            }
        });
    }

    /// Closes all upload sessions of this repository: those of transfers that were broken off.
    pub async fn cancel_uploads(&self) {
        // Those that are being opened are known once the registry has answered.
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, self.registry.session_opening.write()).await;
        let mine: Vec<Url> = {
            let open = self.open_uploads();
            let mine = open
                .iter()
                .filter(|(_, repository)| **repository == self.repository);
            mine.map(|(url, _)| url.clone()).collect()
        };
        join_all(
            mine.into_iter()
                .map(|url| self.cancel_upload(UploadSession::new(url, 0))),
        )
        .await;
    }

    fn open_uploads(&self) -> MutexGuard<'_, HashMap<Url, Repository>> {
        let uploads = &self.registry.uploads;
        uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session_from_response(
        &self,
        call: &RegistryRequest,
        response: &Response,
    ) -> Result<UploadSession, RegistryError> {
        let at = redirect_target(response.url(), response.headers())
            .map_err(|error| self.error(call, error.into()))?;
        self.open_uploads()
            .insert(at.clone(), self.repository.clone());
        let least = response.headers().get(CHUNK_MIN_LENGTH);
        let least = least.and_then(|least| least.to_str().ok()?.parse().ok());
        Ok(UploadSession::new(at, least.unwrap_or_default()))
    }
}
