//! Pauses that a server requests: the header `Retry-After`, and the gate that holds requests back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

/// The longest delay that a server can request.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);

/// Returns the delay that a response requests, in either form of `Retry-After` (RFC 9110, 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let requested = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // The server's clock may differ from ours, so that the delay is counted from its own Date.
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?;
            let date = headers.get(reqwest::header::DATE)?.to_str().ok()?;
            let now = httpdate::parse_http_date(date).ok()?;
            until.duration_since(now).unwrap_or_default()
        }
    };
    Some(requested.min(LONGEST_RETRY_AFTER))
}

/// Returns the time at which the server answered, in seconds of the Unix epoch (RFC 9110, 6.6.1).
pub(crate) fn server_time(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    let time = httpdate::parse_http_date(date).ok()?;
    let since_epoch = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_secs()).ok()
}

/// Gate that delays all requests to a server that has requested a pause.
#[derive(Default)]
pub(crate) struct RetryAfterGate(Mutex<Option<Instant>>);

impl RetryAfterGate {
    /// Closes the gate for `pause`, or leaves it closed for longer.
    pub(crate) fn close_for(&self, pause: Duration) {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Some(Instant::now() + pause));
    }

    /// Waits until the gate is open.
    pub(crate) async fn wait(&self) {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        for (pairs, seconds) in [
            (&[("retry-after", "7")][..], Some(7)),
            (&[("retry-after", "86400")], Some(120)),
            (
                &[
                    ("retry-after", "Fri, 20 Nov 2026 19:15:36 GMT"),
                    ("date", "Fri, 20 Nov 2026 19:15:06 GMT"),
                ],
                Some(30),
            ),
            (
                &[
                    ("retry-after", "Fri, 20 Nov 2015 19:15:36 GMT"),
                    ("date", "Fri, 20 Nov 2026 19:15:06 GMT"),
                ],
                Some(0),
            ),
            (&[("retry-after", "Fri, 20 Nov 2026 19:15:36 GMT")], None),
            (&[("retry-after", "soon")], None),
            (&[], None),
        ] {
            assert_eq!(
                retry_after(&headers(pairs)),
                seconds.map(Duration::from_secs),
                "{pairs:?}"
            );
        }
    }
}
