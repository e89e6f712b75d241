//! Uploading and mounting blobs: sessions, and what becomes of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, join_all, select};
use futures_util::{Stream, stream};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::auth::Scheme;
use super::call::{Call, ERROR_LIMIT, read_limited, redirect};
use super::error::{Cause, Error, cause};
use super::http::Lane;
use super::pace::Permit;
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

/// Leave to move a large blob to or from a registry, until it is dropped.
pub struct Slot(#[expect(dead_code, reason = "dropping it gives it back")] Permit);

/// How much of a body was taken, and who is to move next.
#[derive(Default)]
struct Sent {
    bytes: AtomicU64,
    /// The body was asked for more, and has not given it yet.
    owed: AtomicBool,
}

impl Sent {
    fn watch<E>(
        self: Arc<Self>,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
        let mut body = Box::pin(body);
        stream::poll_fn(move |context| {
            let item = body.as_mut().poll_next(context);
            self.owed.store(item.is_pending(), Ordering::Relaxed);
            if let Poll::Ready(Some(Ok(chunk))) = &item {
                self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
            item
        })
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn is_owed(&self) -> bool {
        self.owed.load(Ordering::Relaxed)
    }
}

/// In how many parts a stall is waited for while a registry stores what it has received in full: it
/// is asked after each whether the blob is there.
const COMMIT_LOOKS: u32 = 4;
/// How many looks in all a registry may take to store it: five stalls.
const COMMIT_PATIENCE: u32 = 5 * COMMIT_LOOKS;
/// So many looks in a row without an answer show that nobody is there.
const COMMIT_SILENCE: u32 = 2;
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
        call: Call,
        is_session: fn(StatusCode) -> bool,
    ) -> Result<Option<Upload>, Error> {
        let remote = self.clone();
        let broken = self.error(&call, Cause::Connection("it was broken off".to_owned()));
        let under_way = self.host.opening.clone().read_owned().await;
        let opening = tokio::spawn(async move {
            let _under_way = under_way;
            let response = remote.succeed(&call).await?;
            let session = is_session(response.status())
                .then(|| remote.session(&call, &response))
                .transpose();
            // Read to its end, so that the connection can be used again.
            let _ = read_limited(response, ERROR_LIMIT, remote.timing().stall).await;
            session
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
        let mut call = Call::new(Method::PUT, format!("blob {}", blob.digest), url);
        call.lane = Lane::of(blob.size);
        let sent = Arc::<Sent>::default();
        let body = sent.clone().watch(body);
        self.host.gate.wait().await;
        let _permit = self.enter(call.lane).await;
        let scheme = self.host.auth.scheme().unwrap_or(Scheme::Open);
        let authorization = self
            .authorization(&call.url, &scheme)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        let mut request = self
            .client
            .0
            .http
            .client(&call.url, call.lane)
            .put(call.url.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, blob.size);
        if let Some(authorization) = &authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let request = request.body(reqwest::Body::wrap_stream(body));
        let sending = self.client.0.http.send(request);
        let response = self
            .answer_to(sending, &sent, blob)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        let Some(response) = response.filter(|response| !response.status().is_success()) else {
            self.host.answered(call.lane);
            self.open_uploads().remove(&upload.0);
            return Ok(());
        };
        if retry::is_transient(response.status()) {
            self.host.held_back(response.status(), response.headers());
        }
        // A long upload can outlive its token; the next try fetches another.
        if let (StatusCode::UNAUTHORIZED, Some(refused)) = (response.status(), &authorization)
            && self.host.auth.forget(self.login(), refused)
        {
            return Err(self.error(&call, Cause::TokenDied));
        }
        Err(self.refusal(&call, response).await)
    }

    /// Waits for the answer to an upload for as long as bytes keep moving. Once all are sent, the
    /// registry may take its time to store them; nothing comes back where the blob turns out to be
    /// there though no answer came.
    async fn answer_to(
        &self,
        sending: impl Future<Output = reqwest::Result<Response>>,
        sent: &Sent,
        blob: &Descriptor,
    ) -> Result<Option<Response>, Cause> {
        let stall = self.timing().stall;
        let mut sending = std::pin::pin!(sending);
        let mut before = None;
        let (mut looks, mut silent) = (0, 0);
        loop {
            let is_sent = sent.bytes() >= blob.size;
            let patience = if is_sent { stall / COMMIT_LOOKS } else { stall };
            if let Ok(outcome) = tokio::time::timeout(patience, &mut sending).await {
                return outcome.map(Some).map_err(|error| cause(&error));
            }
            if is_sent {
                let look = tokio::time::timeout(patience, self.has_blob(blob));
                let found = match select(&mut sending, Box::pin(look)).await {
                    Either::Left((outcome, _)) => {
                        return outcome.map(Some).map_err(|error| cause(&error));
                    }
                    Either::Right((found, _)) => found,
                };
                looks += 1;
                silent = match found {
                    Ok(Ok(true)) => return Ok(None),
                    Ok(Ok(false)) => 0,
                    Ok(Err(_)) | Err(_) => silent + 1,
                };
                if looks >= COMMIT_PATIENCE || silent >= COMMIT_SILENCE {
                    return Err(Cause::Stalled);
                }
                continue;
            }
            let now = sent.bytes();
            // What the source owes is not the registry's fault, and the source is timed as well.
            if before == Some(now) && now < blob.size && !sent.is_owed() {
                return Err(Cause::Stalled);
            }
            before = Some(now);
        }
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

    fn session(&self, call: &Call, response: &Response) -> Result<Upload, Error> {
        let at = redirect(response.url(), response.headers())
            .map_err(|cause| self.error(call, cause))?;
        self.open_uploads()
            .insert(at.clone(), self.repository.clone());
        Ok(Upload(at))
    }
}
