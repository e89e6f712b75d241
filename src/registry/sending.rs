//! Sending a blob's bytes into an upload session, in one request or in chunks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, StatusCode};

use super::auth::Scheme;
use super::body::{ERROR_LIMIT, read_limited};
use super::call::{Call, redirect};
use super::error::{Cause, Error, cause};
use super::http::Lane;
use super::parts::Part;
use super::upload::{Upload, received};
use super::{Remote, retry};
use crate::image::Descriptor;

/// In how many parts a stall is waited for while a registry stores what it has received in full: it
/// is asked after each whether the blob is there.
const COMMIT_LOOKS: u32 = 4;
/// How many looks in all a registry may take to store it: five stalls.
const COMMIT_PATIENCE: u32 = 5 * COMMIT_LOOKS;
/// So many looks in a row without an answer show that nobody is there.
const COMMIT_SILENCE: u32 = 2;

/// The bytes of a blob on their way, which may be those of several requests in turn.
struct Outgoing<E>(Arc<Mutex<Rest<E>>>);

struct Rest<E> {
    body: BoxStream<'static, Result<Bytes, E>>,
    /// What came with the last bytes of a request and belongs to the next.
    over: Bytes,
}

/// How much of a part was taken, and who is to move next.
#[derive(Default)]
struct Sent {
    bytes: AtomicU64,
    /// The body was asked for more, and has not given it yet.
    owed: AtomicBool,
}

impl Sent {
    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn is_owed(&self) -> bool {
        self.owed.load(Ordering::Relaxed)
    }
}

impl<E: Send + 'static> Outgoing<E> {
    fn of(body: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Self {
        let body = body.boxed();
        let over = Bytes::new();
        Self(Arc::new(Mutex::new(Rest { body, over })))
    }

    /// The next so many bytes, counted as they go.
    fn part(
        &self,
        size: u64,
        sent: Arc<Sent>,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + use<E> {
        let rest = self.0.clone();
        let mut left = size;
        stream::poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
            let mut item = match rest.over.is_empty() {
                true => rest.body.poll_next_unpin(context),
                false => Poll::Ready(Some(Ok(std::mem::take(&mut rest.over)))),
            };
            sent.owed.store(item.is_pending(), Ordering::Relaxed);
            if let Poll::Ready(Some(Ok(frame))) = &mut item {
                let taken = usize::try_from(left).map_or(frame.len(), |left| left.min(frame.len()));
                rest.over = frame.split_off(taken);
                left -= taken as u64;
                sent.bytes.fetch_add(taken as u64, Ordering::Relaxed);
            }
            item
        })
    }
}

impl Remote {
    /// Streams what an upload session still lacks of a blob into it, and closes it: `body` begins
    /// where the session has come to. Nothing is sent twice: on an error the caller asks again
    /// whether the blob is there, since the answer alone may have been lost, and
    /// [`Remote::go_on`] whether the session can be used again.
    ///
    /// # Errors
    /// A refusal, a broken or stalled connection; an error of `body` breaks the connection.
    pub async fn upload<E>(
        &self,
        upload: &mut Upload,
        blob: &Descriptor,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<(), Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let body = Outgoing::of(body);
        loop {
            let part = self
                .host
                .parts
                .next(upload.leave(), blob.size, upload.least);
            let sent = Arc::<Sent>::default();
            let bytes = reqwest::Body::wrap_stream(body.part(part.size, sent.clone()));
            if let Err(error) = self.send_part(upload, blob, part, bytes, &sent).await {
                if matches!(error.cause, Cause::Connection(_) | Cause::Stalled) {
                    upload.broke_off(part.begin + sent.bytes());
                }
                return Err(error);
            }
            if part.is_last {
                return Ok(());
            }
        }
    }

    /// Sends one part, after which the session is where the registry says.
    async fn send_part(
        &self,
        upload: &mut Upload,
        blob: &Descriptor,
        part: Part,
        body: reqwest::Body,
        sent: &Sent,
    ) -> Result<(), Error> {
        let mut url = upload.url().clone();
        let method = match part.is_last {
            true => Method::PUT,
            false => Method::PATCH,
        };
        if part.is_last {
            url.query_pairs_mut()
                .append_pair("digest", &blob.digest.to_string());
        }
        let mut call = Call::new(method, format!("blob {}", blob.digest), url);
        call.lane = Lane::of(blob.size);
        let _permit = self.enter(call.lane).await;
        self.host.gate.wait().await;
        let scheme = self.host.auth.scheme().unwrap_or(Scheme::Open);
        let authorization = self
            .authorization(&call.url, &scheme)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        let sending = self.sending(&call, part, authorization.as_ref(), body);
        let response = self
            .answer_to(sending, sent, part, blob)
            .await
            .map_err(|cause| self.error(&call, cause))?;
        match response.filter(|response| !response.status().is_success() || !part.is_last) {
            None => {
                self.host.answered(call.lane);
                self.closed(upload);
                Ok(())
            }
            Some(response) if response.status().is_success() => {
                self.host.answered(call.lane);
                let at = redirect(response.url(), response.headers()).ok();
                self.is_at(upload, part.begin + part.size, at);
                // Read to its end, so that the connection can be used again.
                let _ = read_limited(response, ERROR_LIMIT, self.timing()).await;
                Ok(())
            }
            Some(response) => Err(self
                .declined(&call, upload, part, authorization.as_ref(), response)
                .await),
        }
    }

    fn sending(
        &self,
        call: &Call,
        part: Part,
        authorization: Option<&HeaderValue>,
        body: reqwest::Body,
    ) -> impl Future<Output = reqwest::Result<Response>> + use<> {
        let http = &self.client.0.http;
        let mut request = http
            .client(&call.url, call.lane)
            .request(call.method.clone(), call.url.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, part.size);
        if let Some(range) = part.range() {
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
    async fn answer_to(
        &self,
        sending: impl Future<Output = reqwest::Result<Response>>,
        sent: &Sent,
        part: Part,
        blob: &Descriptor,
    ) -> Result<Option<Response>, Cause> {
        let stall = self.timing().stall;
        let mut sending = std::pin::pin!(sending);
        let mut before = None;
        let (mut looks, mut silent) = (0, 0);
        loop {
            let is_stored = part.is_last && sent.bytes() >= part.size;
            let patience = if is_stored {
                stall / COMMIT_LOOKS
            } else {
                stall
            };
            if let Ok(outcome) = tokio::time::timeout(patience, &mut sending).await {
                return outcome.map(Some).map_err(|error| cause(&error));
            }
            if is_stored {
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
            if before == Some(now) && !sent.is_owed() {
                return Err(Cause::Stalled);
            }
            before = Some(now);
        }
    }

    /// The error that an answer to a part amounts to. Where another way is worth a try it says so.
    async fn declined(
        &self,
        call: &Call,
        upload: &mut Upload,
        part: Part,
        authorization: Option<&HeaderValue>,
        response: Response,
    ) -> Error {
        let status = response.status();
        if retry::is_transient(status) {
            self.host.held_back(status, response.headers());
        }
        // A long upload can outlive its token; the next try fetches another.
        if let (StatusCode::UNAUTHORIZED, Some(refused)) = (status, authorization)
            && self.host.auth.forget(self.login(), refused)
        {
            upload.is_unsure();
            return self.error(call, Cause::TokenDied);
        }
        let is_size = matches!(
            status,
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::RANGE_NOT_SATISFIABLE
        );
        let elsewhere = (status == StatusCode::RANGE_NOT_SATISFIABLE)
            .then(|| received(&response))
            .flatten()
            .filter(|there| *there != part.begin);
        let at = elsewhere.map(|there| (there, redirect(response.url(), response.headers()).ok()));
        let mut refusal = self.refusal(call, response).await;
        let words = || refusal.cause.to_string();
        if let Some((there, at)) = at {
            refusal.cause = Cause::Session(words());
            self.is_at(upload, there, at);
        } else if is_size && self.host.parts.refused(part.size, upload.least) {
            refusal.cause = Cause::TooMuch(words());
            upload.is_unsure();
        } else if status.is_client_error() && upload.goes_on() {
            // What it kept of a broken upload may be other than it says.
            self.host.parts.begin_anew();
            refusal.cause = Cause::Session(words());
        } else if status == StatusCode::NOT_FOUND && part.begin > 0 {
            refusal.cause = Cause::Session(words());
        }
        refusal
    }
}
