//! Sends the bytes of a blob into an upload session, in one request or in chunks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, StatusCode};

use super::challenge::AuthScheme;
use super::chunk_policy::BlobChunk;
use super::error::{RegistryError, RequestErrorKind};
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use super::upload_session::{UploadSession, received_range};
use crate::http::{
    ConnectionPool, ERROR_LIMIT, HttpError, is_transient, read_limited, redirect_target,
};
use crate::image::Descriptor;

/// In how many parts a stall is waited for while a registry stores what it has received in full: it
/// is asked after each whether the blob is there.
const COMMIT_CHECKS_PER_STALL: u32 = 4;
/// How many looks in all a registry may take to store it: five stalls.
const COMMIT_CHECKS_LIMIT: u32 = 5 * COMMIT_CHECKS_PER_STALL;
/// So many looks in a row without an answer show that nobody is there.
const UNANSWERED_CHECKS_LIMIT: u32 = 2;

/// The bytes of a blob on their way, which may be those of several requests in turn.
struct OutgoingBody<E>(Arc<Mutex<RemainingBody<E>>>);

struct RemainingBody<E> {
    body: BoxStream<'static, Result<Bytes, E>>,
    /// What came with the last bytes of a request and belongs to the next.
    leftover: Bytes,
}

/// How much of a part was taken, and who is to move next.
#[derive(Default)]
struct SendProgress {
    bytes: AtomicU64,
    /// The body was asked for more, and has not given it yet.
    source_pending: AtomicBool,
}

impl SendProgress {
    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn is_source_pending(&self) -> bool {
        self.source_pending.load(Ordering::Relaxed)
    }
}

impl<E: Send + 'static> OutgoingBody<E> {
    fn new(body: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Self {
        let body = body.boxed();
        let over = Bytes::new();
        Self(Arc::new(Mutex::new(RemainingBody {
            body,
            leftover: over,
        })))
    }

    /// The next so many bytes, counted as they go.
    fn chunk_stream(
        &self,
        size: u64,
        sent: Arc<SendProgress>,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + use<E> {
        let rest = self.0.clone();
        let mut left = size;
        stream::poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
            let mut item = match rest.leftover.is_empty() {
                true => rest.body.poll_next_unpin(context),
                false => Poll::Ready(Some(Ok(std::mem::take(&mut rest.leftover)))),
            };
            sent.source_pending
                .store(item.is_pending(), Ordering::Relaxed);
            if let Poll::Ready(Some(Ok(frame))) = &mut item {
                let taken = usize::try_from(left).map_or(frame.len(), |left| left.min(frame.len()));
                rest.leftover = frame.split_off(taken);
                left -= taken as u64;
                sent.bytes.fetch_add(taken as u64, Ordering::Relaxed);
            }
            item
        })
    }
}

impl RepositoryClient {
    /// Streams what an upload session still lacks of a blob into it, and closes it: `body` begins
    /// where the session has come to. Nothing is sent twice: on an error the caller asks again
    /// whether the blob is there, since the answer alone may have been lost, and
    /// `RepositoryClient::go_on` whether the session can be used again.
    ///
    /// # Errors
    /// A refusal, a broken or stalled connection; an error of `body` breaks the connection.
    pub async fn upload_blob<E>(
        &self,
        upload: &mut UploadSession,
        blob: &Descriptor,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<(), RegistryError>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let body = OutgoingBody::new(body);
        loop {
            let part = self.registry.chunk_policy.next(
                upload.take_offset(),
                blob.size,
                upload.min_chunk_size,
            );
            let sent = Arc::<SendProgress>::default();
            let bytes = reqwest::Body::wrap_stream(body.chunk_stream(part.size, sent.clone()));
            if let Err(error) = self.send_chunk(upload, blob, part, bytes, &sent).await {
                if matches!(&error.cause, RequestErrorKind::Http(error) if error.is_transient()) {
                    upload.record_break(part.begin + sent.bytes());
                }
                return Err(error);
            }
            if part.is_last {
                return Ok(());
            }
        }
    }

    /// Sends one part, after which the session is where the registry says.
    async fn send_chunk(
        &self,
        upload: &mut UploadSession,
        blob: &Descriptor,
        part: BlobChunk,
        body: reqwest::Body,
        sent: &SendProgress,
    ) -> Result<(), RegistryError> {
        let mut url = upload.url().clone();
        let method = match part.is_last {
            true => Method::PUT,
            false => Method::PATCH,
        };
        if part.is_last {
            url.query_pairs_mut()
                .append_pair("digest", &blob.digest.to_string());
        }
        let mut call = RegistryRequest::new(method, format!("blob {}", blob.digest), url);
        call.pool = ConnectionPool::for_size(blob.size);
        let _permit = self.acquire_permit(call.pool).await;
        self.registry.gate.wait().await;
        let scheme = self.registry.auth.scheme().unwrap_or(AuthScheme::Anonymous);
        let authorization = self
            .authorization(&call.url, &scheme)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        let sending = self.chunk_request(&call, part, authorization.as_ref(), body);
        let response = self
            .wait_for_response(sending, sent, part, blob)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        match response.filter(|response| !response.status().is_success() || !part.is_last) {
            None => {
                self.registry.record_answer(call.pool);
                self.record_closed(upload);
                Ok(())
            }
            Some(response) if response.status().is_success() => {
                self.registry.record_answer(call.pool);
                let at = redirect_target(response.url(), response.headers()).ok();
                self.record_offset(upload, part.begin + part.size, at);
                // Read to its end, so that the connection can be used again.
                let _ = read_limited(response, ERROR_LIMIT, self.timing()).await;
                Ok(())
            }
            Some(response) => Err(self
                .classify_refusal(&call, upload, part, authorization.as_ref(), response)
                .await),
        }
    }

    fn chunk_request(
        &self,
        call: &RegistryRequest,
        part: BlobChunk,
        authorization: Option<&HeaderValue>,
        body: reqwest::Body,
    ) -> impl Future<Output = reqwest::Result<Response>> + use<> {
        let http = self.client.http();
        let mut request = http
            .client(&call.url, call.pool)
            .request(call.method.clone(), call.url.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, part.size);
        if let Some(range) = part.content_range() {
            request = request.header(CONTENT_RANGE, range);
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        http.send(request.body(body))
    }

    /// Waits for the answer to a part for as long as bytes keep moving. Once all of a blob are sent,
    /// the registry may take its time to store them; nothing comes back where the blob turns out to
    /// be there though no answer came.
    async fn wait_for_response(
        &self,
        sending: impl Future<Output = reqwest::Result<Response>>,
        sent: &SendProgress,
        part: BlobChunk,
        blob: &Descriptor,
    ) -> Result<Option<Response>, RequestErrorKind> {
        let timing = self.timing();
        let stall = timing.stall;
        let failed = |error| HttpError::from_reqwest(&error, timing).into();
        let mut sending = std::pin::pin!(sending);
        let mut before = None;
        let (mut looks, mut silent) = (0, 0);
        loop {
            let is_stored = part.is_last && sent.bytes() >= part.size;
            let patience = if is_stored {
                stall / COMMIT_CHECKS_PER_STALL
            } else {
                stall
            };
            if let Ok(outcome) = tokio::time::timeout(patience, &mut sending).await {
                return outcome.map(Some).map_err(failed);
            }
            if is_stored {
                let look = tokio::time::timeout(patience, self.has_blob(blob));
                let found = match select(&mut sending, Box::pin(look)).await {
                    Either::Left((outcome, _)) => {
                        return outcome.map(Some).map_err(failed);
                    }
                    Either::Right((found, _)) => found,
                };
                looks += 1;
                silent = match found {
                    Ok(Ok(true)) => return Ok(None),
                    Ok(Ok(false)) => 0,
                    Ok(Err(_)) | Err(_) => silent + 1,
                };
                if looks >= COMMIT_CHECKS_LIMIT || silent >= UNANSWERED_CHECKS_LIMIT {
                    return Err(HttpError::Stalled(stall).into());
                }
                continue;
            }
            let now = sent.bytes();
            // What the source owes is not the registry's fault, and the source is timed as well.
            if before == Some(now) && !sent.is_source_pending() {
                return Err(HttpError::Stalled(stall).into());
            }
            before = Some(now);
        }
    }

    /// The error that an answer to a part amounts to. Where another way is worth a try it says so.
    async fn classify_refusal(
        &self,
        call: &RegistryRequest,
        upload: &mut UploadSession,
        part: BlobChunk,
        authorization: Option<&HeaderValue>,
        response: Response,
    ) -> RegistryError {
        let status = response.status();
        if is_transient(status) {
            self.registry.back_off(status, response.headers());
        }
        // A long upload can outlive its token; the next try fetches another.
        if let (StatusCode::UNAUTHORIZED, Some(refused)) = (status, authorization)
            && self.registry.auth.forget_token(refused)
        {
            upload.mark_offset_unknown();
            return self.error(call, RequestErrorKind::TokenExpired);
        }
        let is_size = matches!(
            status,
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::RANGE_NOT_SATISFIABLE
        );
        let elsewhere = (status == StatusCode::RANGE_NOT_SATISFIABLE)
            .then(|| received_range(&response))
            .flatten()
            .filter(|there| *there != part.begin);
        let at = elsewhere.map(|there| {
            (
                there,
                redirect_target(response.url(), response.headers()).ok(),
            )
        });
        let mut refusal = self.error_from_response(call, response).await;
        let words = || refusal.cause.to_string();
        if let Some((there, at)) = at {
            refusal.cause = RequestErrorKind::SessionLost(words());
            self.record_offset(upload, there, at);
        } else if is_size
            && self
                .registry
                .chunk_policy
                .record_too_large(part.size, upload.min_chunk_size)
        {
            refusal.cause = RequestErrorKind::ChunkTooLarge(words());
            upload.mark_offset_unknown();
        } else if status.is_client_error() && upload.is_resumed() {
            // What it kept of a broken upload may be other than it says.
            self.registry.chunk_policy.disable_resume();
            refusal.cause = RequestErrorKind::SessionLost(words());
        } else if is_lost_session(&refusal.cause) {
            refusal.cause = RequestErrorKind::SessionLost(words());
        }
        refusal
    }
}

/// Returns whether a refusal says that the session is gone: 404 or 410, unless it is the repository that
/// does not exist.
fn is_lost_session(cause: &RequestErrorKind) -> bool {
    let RequestErrorKind::Status { status, code, .. } = cause else {
        return false;
    };
    let is_gone = matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE);
    is_gone && !matches!(code.as_deref(), Some("NAME_UNKNOWN" | "NAME_INVALID"))
}
