//! Uploading and mounting blobs: sessions, and what becomes of them.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::header::RANGE;
use reqwest::{Method, Response, StatusCode};
use tokio::sync::OwnedRwLockReadGuard;
use url::Url;

use super::Remote;
use super::body::{ERROR_LIMIT, read_limited};
use super::call::{Call, redirect};
use super::error::{Cause, Error};
use super::http::Lane;
use super::pace::Permit;
use crate::image::{Descriptor, Digest, Repository};

/// An upload session that a registry has opened.
#[derive(Debug)]
pub struct Upload {
    /// An address is large, and a session small.
    url: Box<Url>,
    /// What it wants at least in every chunk but the last (`OCI-Chunk-Min-Length`).
    pub(super) least: u64,
    state: State,
    /// Whether a request into it failed, and it is used again.
    goes_on: bool,
}

/// Held, shared, while a session is being opened.
pub(super) type Opening = Arc<OwnedRwLockReadGuard<()>>;

/// How far an upload session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The registry has so many bytes.
    At(u64),
    /// Only the registry knows.
    Unsure,
    /// It is of no more use.
    Over,
}

/// The least that a registry wants in a chunk which is not the last.
const CHUNK_MIN_LENGTH: &str = "oci-chunk-min-length";
/// As many bytes are worth the question whether a registry kept them when an upload broke off.
const WORTH_ASKING: u64 = 1 << 20;

impl Upload {
    fn at(url: Url, least: u64) -> Self {
        Self {
            url: Box::new(url),
            least,
            state: State::At(0),
            goes_on: false,
        }
    }

    /// How many bytes the registry has: its blob goes on there.
    pub fn begin(&self) -> u64 {
        match self.state {
            State::At(begin) => begin,
            State::Unsure | State::Over => 0,
        }
    }

    /// Whether it is of no more use.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Where it is. It counts as over until a request says where it is then.
    pub(super) fn leave(&mut self) -> u64 {
        let begin = self.begin();
        self.state = State::Over;
        begin
    }

    /// Notes that only the registry knows how far it is.
    pub(super) fn is_unsure(&mut self) {
        self.state = State::Unsure;
        self.goes_on = true;
    }

    /// Notes that a connection broke after so many bytes at most were on their way.
    pub(super) fn broke_off(&mut self, sent: u64) {
        if sent >= WORTH_ASKING {
            self.is_unsure();
        }
    }
}

/// How many bytes of an upload session an answer says that the registry has. Some say `bytes=`, and
/// for none `0-0`.
pub(super) fn received(response: &Response) -> Option<u64> {
    let range = response.headers().get(RANGE)?.to_str().ok()?;
    let (begin, end) = range.trim_start_matches("bytes=").split_once('-')?;
    let end: u64 = end.trim().parse().ok()?;
    match (begin.trim(), end) {
        ("0", 0) => Some(0),
        ("0", end) => end.checked_add(1),
        _ => None,
    }
}

/// What came of asking to mount a blob.
#[derive(Debug)]
pub enum Mount {
    /// The blob is there now.
    Mounted,
    /// The registry would rather have the bytes.
    Declined(Upload),
}

/// Leave to move a large blob to or from a registry, until it is dropped.
pub struct Slot(#[expect(dead_code, reason = "dropping it gives it back")] Permit);

/// How long closing an unused session may take.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);

impl Remote {
    /// Waits until another blob of that size may travel. Small ones need no leave: they count among
    /// the requests.
    pub async fn slot(&self, size: u64) -> Option<Slot> {
        match Lane::of(size) {
            Lane::Control => None,
            Lane::Bulk => Some(Slot(self.host.transfers.enter().await)),
        }
    }

    /// Asks the registry to take a blob over from another of its repositories.
    ///
    /// # Errors
    /// A refusal. That it would rather have the bytes is none.
    pub async fn mount(&self, blob: Digest, from: &Repository) -> Result<Mount, Error> {
        self.mount_on(Lane::Control, blob, from).await
    }

    async fn mount_on(&self, lane: Lane, blob: Digest, from: &Repository) -> Result<Mount, Error> {
        let mut url = self.url("blobs/uploads/");
        url.query_pairs_mut()
            .append_pair("mount", &blob.to_string())
            .append_pair("from", from.path());
        let mut call = Call::new(
            Method::POST,
            format!("mount of {blob} from {}", from.path()),
            url,
        );
        call.lane = lane;
        let remote = self.reading(from);
        let opened = remote.open(call, |status| status != StatusCode::CREATED);
        Ok(opened.await?.map_or(Mount::Mounted, Mount::Declined))
    }

    /// Asks in one request whether the blob is there and for an upload session if it is not: it is
    /// mounted from where it would be. A registry that does not mount opens a session even for a blob
    /// that it has.
    ///
    /// # Errors
    /// A refusal.
    pub async fn open_unless_there(&self, blob: &Descriptor) -> Result<Mount, Error> {
        self.mount_on(Lane::of(blob.size), blob.digest, &self.repository)
            .await
    }

    /// Opens an upload session for a blob of that size, on the connection that its bytes will take.
    ///
    /// # Errors
    /// A refusal.
    pub async fn start_upload(&self, size: u64) -> Result<Upload, Error> {
        let mut call = Call::new(Method::POST, "upload", self.url("blobs/uploads/"));
        call.lane = Lane::of(size);
        let nothing = self.error(&call, Cause::Protocol("no upload session".to_owned()));
        self.open(call, |_| true).await?.ok_or(nothing)
    }

    /// Sends what opens an upload session, and tells the session where the answer `is_session`. A
    /// task of its own: one that is dropped half-way would leave a session that nobody knows of.
    pub(super) async fn open(
        &self,
        mut call: Call,
        is_session: fn(StatusCode) -> bool,
    ) -> Result<Option<Upload>, Error> {
        let remote = self.clone();
        let broken = self.error(&call, Cause::Connection("it was broken off".to_owned()));
        call.opening = Some(Arc::new(self.host.opening.clone().read_owned().await));
        let opening = tokio::spawn(async move {
            let response = remote.succeed(&call).await?;
            let session = is_session(response.status())
                .then(|| remote.session(&call, &response))
                .transpose();
            // Read to its end, so that the connection can be used again.
            let _ = read_limited(response, ERROR_LIMIT, remote.timing()).await;
            session
        });
        opening.await.unwrap_or(Err(broken))
    }

    /// Whether and where a session can be gone on with into which a request failed: it asks the
    /// registry how much of the blob has arrived. One that is of no use is closed.
    pub async fn go_on(&self, mut upload: Upload, blob: &Descriptor) -> Option<Upload> {
        if upload.state == State::Unsure && self.host.parts.go_on() {
            let call = Call::new(Method::GET, "upload", upload.url().clone());
            let answer = self.call(&call).await.ok();
            let answer = answer.filter(|answer| answer.status().is_success());
            if let Some(there) = answer.as_ref().and_then(received) {
                let at = answer.and_then(|it| redirect(it.url(), it.headers()).ok());
                self.is_at(&mut upload, there, at);
            }
        }
        match upload.state {
            State::At(there) if there <= blob.size => Some(upload),
            _ => {
                self.cancel(upload).await;
                None
            }
        }
    }

    /// Notes how far a session has come, and its address where that is another one now.
    pub(super) fn is_at(&self, upload: &mut Upload, begin: u64, at: Option<Url>) {
        upload.state = State::At(begin);
        if let Some(at) = at.filter(|at| at != upload.url()) {
            let mut open = self.open_uploads();
            open.remove(&upload.url);
            open.insert(at.clone(), self.repository.clone());
            *upload.url = at;
        }
    }

    /// Notes that the blob is there, and with it the session at its end.
    pub(super) fn closed(&self, upload: &Upload) {
        self.open_uploads().remove(&upload.url);
    }

    /// Closes an upload session that is not going to be used. A registry that cannot do so expires
    /// it by itself, so the answer does not matter and is not waited for long.
    pub async fn cancel(&self, upload: Upload) {
        self.closed(&upload);
        let call = Call::new(Method::DELETE, "upload", *upload.url);
        let _ = tokio::time::timeout(CANCEL_PATIENCE, self.call(&call)).await;
    }

    /// Closes the session that an answer opens which comes after its request was given up: nobody
    /// else knows of it.
    pub(super) fn close_late(
        &self,
        call: Call,
        answer: impl Future<Output = reqwest::Result<Response>> + Send + 'static,
    ) {
        let remote = self.clone();
        tokio::spawn(async move {
            if let Ok(Ok(answer)) = tokio::time::timeout(remote.timing().stall, answer).await
                && answer.status() == StatusCode::ACCEPTED
                && let Ok(upload) = remote.session(&call, &answer)
            {
                remote.cancel(upload).await;
            }
        });
    }

    /// Closes all upload sessions of this repository: those of transfers that were broken off.
    pub async fn close_uploads(&self) {
        // Those that are being opened are known once the registry has answered.
        let _ = tokio::time::timeout(CANCEL_PATIENCE, self.host.opening.write()).await;
        let mine: Vec<Url> = {
            let open = self.open_uploads();
            let mine = open
                .iter()
                .filter(|(_, repository)| **repository == self.repository);
            mine.map(|(url, _)| url.clone()).collect()
        };
        join_all(mine.into_iter().map(|url| self.cancel(Upload::at(url, 0)))).await;
    }

    fn open_uploads(&self) -> MutexGuard<'_, HashMap<Url, Repository>> {
        let uploads = &self.host.uploads;
        uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self, call: &Call, response: &Response) -> Result<Upload, Error> {
        let at = redirect(response.url(), response.headers())
            .map_err(|cause| self.error(call, cause))?;
        self.open_uploads()
            .insert(at.clone(), self.repository.clone());
        let least = response.headers().get(CHUNK_MIN_LENGTH);
        let least = least.and_then(|least| least.to_str().ok()?.parse().ok());
        Ok(Upload::at(at, least.unwrap_or_default()))
    }
}
