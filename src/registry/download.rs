//! Downloads of blobs. A download that breaks resumes where it was, so that its reader need not
//! begin again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::time::Instant;

use super::error::{RegistryError, RequestErrorKind};
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use crate::http::{ConnectionPool, HttpError};
use crate::image::Descriptor;

/// A blob that is being read.
pub struct BlobDownload {
    remote: RepositoryClient,
    blob: Descriptor,
    /// How many bytes have come.
    offset: u64,
    chunks: Option<BoxStream<'static, reqwest::Result<Bytes>>>,
    /// How often it broke off without having come far, and where it did last.
    breaks: u32,
    broken_at: u64,
    resumed: ResumedBytes,
    window: Window,
}

/// A stretch of a download: so much has to come in the time of a stall, or it counts as broken. Else a
/// server that sends a byte a second would be waited for without an end.
#[derive(Default)]
struct Window {
    bytes: u64,
    /// How long the download was waited for; what its reader takes does not count.
    waited: Duration,
}

impl Window {
    /// Notes a chunk. Returns whether it comes fast enough.
    fn note(&mut self, bytes: u64, waited: Duration, stall: Duration) -> bool {
        self.bytes += bytes;
        self.waited += waited;
        if self.bytes >= PACE {
            *self = Self::default();
        }
        self.waited <= stall
    }
}

/// Number of bytes that a resumed download did not read again. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ResumedBytes(Arc<AtomicU64>);

/// So many bytes between two breaks show that it gets on.
const PROGRESS_THRESHOLD: u64 = 1 << 20;
/// The bytes that have to come in the time of a stall.
const PACE: u64 = 256 << 10;

impl ResumedBytes {
    /// Returns the current number of bytes.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl RepositoryClient {
    /// Opens a blob from its byte `at` on. Whoever reads it checks its size and digest.
    ///
    /// # Errors
    /// A refusal, or a blob of another size.
    pub async fn open_blob(
        &self,
        blob: &Descriptor,
        at: u64,
    ) -> Result<BlobDownload, RegistryError> {
        let mut download = BlobDownload {
            remote: self.clone(),
            blob: blob.clone(),
            offset: at,
            chunks: None,
            breaks: 0,
            broken_at: at,
            resumed: ResumedBytes::default(),
            window: Window::default(),
        };
        download.open_rest().await?;
        Ok(download)
    }
}

impl BlobDownload {
    /// Returns the counter of the bytes that were not read again.
    pub fn resumed(&self) -> ResumedBytes {
        self.resumed.clone()
    }

    /// Returns the bytes as they arrive. An error is the last item.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, RegistryError>> + Send + use<> {
        stream::unfold(Some(self), |download| async move {
            let mut download = download?;
            match download.next_chunk().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(download))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    async fn next_chunk(&mut self) -> Result<Option<Bytes>, RegistryError> {
        loop {
            let Some(chunks) = &mut self.chunks else {
                self.open_rest().await?;
                continue;
            };
            let timing = self.remote.timing();
            let stall = timing.stall;
            let requested = Instant::now();
            let broken = match tokio::time::timeout(stall, chunks.next()).await {
                Ok(Some(Ok(chunk))) => {
                    let bytes = chunk.len() as u64;
                    self.offset += bytes;
                    let is_slow = !self.window.note(bytes, requested.elapsed(), stall);
                    if is_slow && self.offset < self.blob.size {
                        self.window = Window::default();
                        self.chunks = None;
                        self.pause_or_fail(HttpError::Slow(stall).into()).await?;
                    }
                    return Ok(Some(chunk));
                }
                Ok(None) if self.offset >= self.blob.size => return Ok(None),
                Ok(None) => HttpError::Connection(format!(
                    "the body ended after {} of {} bytes",
                    self.offset, self.blob.size
                )),
                Ok(Some(Err(error))) => HttpError::from_reqwest(&error, timing),
                Err(_) => HttpError::Stalled(stall),
            };
            self.chunks = None;
            self.pause_or_fail(broken.into()).await?;
        }
    }

    /// Waits before it goes on, or gives up.
    async fn pause_or_fail(&mut self, broken: RequestErrorKind) -> Result<(), RegistryError> {
        if self.offset >= self.broken_at + PROGRESS_THRESHOLD {
            self.breaks = 0;
        }
        self.breaks += 1;
        self.broken_at = self.offset;
        let timing = self.remote.timing();
        // A slow download goes on where it is; a slow answer as a whole would be as slow again.
        let may_pass = matches!(broken, RequestErrorKind::Http(HttpError::Slow(_)));
        let error = self.remote.error(&self.range_request(), broken);
        if !(may_pass || error.is_transient()) || self.breaks >= timing.attempts {
            return Err(error);
        }
        self.remote.client.notices().info(format!(
            "{error}; going on at byte {} of {} ({} of {} tries)",
            self.offset, self.blob.size, self.breaks, timing.attempts
        ));
        tokio::time::sleep(timing.delay(self.breaks)).await;
        Ok(())
    }

    fn range_request(&self) -> RegistryRequest {
        let mut call = RegistryRequest::new(
            Method::GET,
            format!("blob {}", self.blob.digest),
            self.remote.blob_url(self.blob.digest),
        );
        call.pool = ConnectionPool::for_size(self.blob.size);
        if self.offset > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.offset))
        {
            call.headers.insert(RANGE, range);
        }
        call
    }

    /// Opens what is still to come.
    async fn open_rest(&mut self) -> Result<(), RegistryError> {
        let call = self.range_request();
        let response = self.remote.send_expecting_success(&call).await?;
        let left = match range_start(&response) {
            Some(begin) if begin == self.offset => {
                if self.breaks > 0 {
                    self.resumed.0.fetch_add(self.offset, Ordering::Relaxed);
                }
                self.blob.size - self.offset
            }
            Some(_) => {
                let wrong = "the range of the response does not begin at the requested byte";
                return Err(self
                    .remote
                    .error(&call, RequestErrorKind::Protocol(wrong.to_owned())));
            }
            None => self.blob.size,
        };
        self.remote.check_length(&call, &response, left)?;
        let skipped = left - (self.blob.size - self.offset);
        self.chunks = Some(skip_bytes(response.bytes_stream(), skipped).boxed());
        Ok(())
    }
}

/// Where a part of a blob begins; nothing where it comes as a whole.
fn range_start(response: &Response) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return None;
    }
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (begin, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    begin.parse().ok()
}

/// Leaves out so many bytes that came before.
pub(crate) fn skip_bytes<E: Send + 'static>(
    chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    bytes: u64,
) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
    chunks
        .scan(bytes, |left, chunk| {
            let chunk = chunk.map(|mut chunk| {
                let skipped = chunk
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= skipped as u64;
                chunk.split_off(skipped)
            });
            std::future::ready(Some(chunk))
        })
        .filter(|chunk| {
            let is_empty = matches!(chunk, Ok(chunk) if chunk.is_empty());
            std::future::ready(!is_empty)
        })
}

impl RepositoryClient {
    /// Checks that a response has the expected length, if it states one.
    pub(super) fn check_length(
        &self,
        call: &RegistryRequest,
        response: &Response,
        should: u64,
    ) -> Result<(), RegistryError> {
        self.check_size(call, content_length(response.headers()), should)
    }

    /// That a blob has the size that it should have, where an answer tells it.
    pub(super) fn check_size(
        &self,
        call: &RegistryRequest,
        size: Option<u64>,
        should: u64,
    ) -> Result<(), RegistryError> {
        match size.filter(|is| *is != should) {
            None => Ok(()),
            Some(is) => Err(self.error(
                call,
                RequestErrorKind::WrongSize {
                    is,
                    expected: should,
                },
            )),
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
