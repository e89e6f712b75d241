//! Reading the bodies of small answers: no longer than a limit, in a limited time, and few large ones
//! at once.

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::RetryTiming;
use super::error::{RequestErrorKind, cause};

/// The most of an error's body that is read.
pub(super) const ERROR_LIMIT: usize = 64 << 10;
/// From this size on an answer waits for its turn: real manifests and pages are smaller, and a hundred
/// answers of the largest size must not be in memory at the same time.
const LARGE: usize = 64 << 10;
/// Large answers that are read at the same time.
pub(super) const LARGE_AT_ONCE: usize = 4;

/// A success and its body.
pub(super) struct Whole<'a> {
    pub(super) headers: HeaderMap,
    /// Where it came from, after redirects.
    pub(super) url: Url,
    pub(super) body: Bytes,
    /// Held, where the body is large, until it is parsed.
    pub(super) turn: Option<SemaphorePermit<'a>>,
}

/// Reads a body that is no longer than `limit`.
///
/// # Errors
/// A longer body, one that breaks off, one that stands still, and one that is not complete in time.
pub(super) async fn read_limited(
    response: Response,
    limit: usize,
    timing: RetryTiming,
) -> Result<Bytes, RequestErrorKind> {
    let turns = Semaphore::new(1);
    Ok(read_whole(response, limit, timing, &turns).await?.body)
}

/// Reads a body as [`read_limited`] does. A large one waits for one of `turns`.
pub(super) async fn read_whole(
    response: Response,
    limit: usize,
    timing: RetryTiming,
    turns: &Semaphore,
) -> Result<Whole<'_>, RequestErrorKind> {
    let length = response.content_length();
    if length.is_some_and(|length| length > limit as u64) {
        return Err(RequestErrorKind::TooLong(limit));
    }
    let length = usize::try_from(length.unwrap_or_default()).unwrap_or(limit);
    let (headers, url) = (response.headers().clone(), response.url().clone());
    let mut turn = None;
    let mut body = Vec::with_capacity(length.min(LARGE));
    let mut chunks = response.bytes_stream();
    let mut end = Instant::now() + timing.whole;
    let late = |_| RequestErrorKind::Slow(timing.whole);
    let next = async |chunks: &mut _, end| {
        let next = timeout(timing.stall, StreamExt::next(chunks));
        timeout_at(end, next)
            .await
            .map_err(late)?
            .map_err(|_| RequestErrorKind::Stalled)
    };
    while let Some(chunk) = next(&mut chunks, end).await? {
        let chunk = chunk.map_err(|error| cause(&error))?;
        if body.len() + chunk.len() > limit {
            return Err(RequestErrorKind::TooLong(limit));
        }
        if turn.is_none() && length.max(body.len() + chunk.len()) > LARGE {
            // What others take is not this answer's time.
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
    Ok(Whole {
        headers,
        url,
        body: body.into_boxed_slice().into(),
        turn,
    })
}
