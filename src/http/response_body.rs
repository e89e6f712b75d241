//! Bounded reading of small responses: up to a size limit, within a time limit, few large ones at once.

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::http_error::HttpError;
use super::retry_timing::RetryTiming;

/// Most bytes of an error's body that are read.
pub(crate) const ERROR_LIMIT: usize = 64 << 10;
/// Size from which a response waits for its turn: real manifests and pages are smaller, and a hundred
/// responses of the largest size must not be in memory at the same time.
const LARGE: usize = 64 << 10;
/// Large responses that are read at the same time.
pub(crate) const LARGE_AT_ONCE: usize = 4;

/// Response with its whole body.
pub(crate) struct BufferedResponse<'a> {
    pub(crate) headers: HeaderMap,
    /// URL after redirects.
    pub(crate) url: Url,
    pub(crate) body: Bytes,
    /// Turn of a large body, held until the body is parsed.
    pub(crate) turn: Option<SemaphorePermit<'a>>,
}

/// Returns whether a response says that its body is a page for people.
pub(crate) fn is_web_page(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().trim_start().to_ascii_lowercase();
    kind.starts_with("text/html") || kind.starts_with("application/xhtml")
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// A longer body, a broken connection, a stall, or a body that is not complete in time.
pub(crate) async fn read_limited(
    response: Response,
    limit: usize,
    timing: RetryTiming,
) -> Result<Bytes, HttpError> {
    let turns = Semaphore::new(1);
    Ok(read_buffered(response, limit, timing, &turns).await?.body)
}

/// Reads a body as [`read_limited`] does; a large one waits for one of `turns`.
pub(crate) async fn read_buffered(
    response: Response,
    limit: usize,
    timing: RetryTiming,
    turns: &Semaphore,
) -> Result<BufferedResponse<'_>, HttpError> {
    let length = response.content_length();
    if length.is_some_and(|length| length > limit as u64) {
        return Err(HttpError::TooLong(limit));
    }
    let length = usize::try_from(length.unwrap_or_default()).unwrap_or(limit);
    let (headers, url) = (response.headers().clone(), response.url().clone());
    let mut turn = None;
    let mut body = Vec::with_capacity(length.min(LARGE));
    let mut chunks = response.bytes_stream();
    let mut end = Instant::now() + timing.whole;
    let late = |_| HttpError::Slow(timing.whole);
    let next = async |chunks: &mut _, end| {
        let next = timeout(timing.stall, StreamExt::next(chunks));
        timeout_at(end, next)
            .await
            .map_err(late)?
            .map_err(|_| HttpError::Stalled(timing.stall))
    };
    while let Some(chunk) = next(&mut chunks, end).await? {
        let chunk = chunk.map_err(|error| HttpError::from_reqwest(&error, timing))?;
        if body.len() + chunk.len() > limit {
            return Err(HttpError::TooLong(limit));
        }
        if turn.is_none() && length.max(body.len() + chunk.len()) > LARGE {
            // Waiting for other responses does not count as time of this one.
            let waited = Instant::now();
            turn = Some(
                turns
                    .acquire()
                    .await
                    .expect("the semaphore is never closed"),
            );
            end += waited.elapsed();
            body.reserve_exact(length.saturating_sub(body.len()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(BufferedResponse {
        headers,
        url,
        body: body.into_boxed_slice().into(),
        turn,
    })
}
