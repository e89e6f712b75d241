//! When a request is sent again, and how long to wait before.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

/// The longest delay of our own between two tries.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// The longest delay that a registry can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);

/// Whether a status says "not now" rather than "no".
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 499 | 500 | 502..=504 | 522)
}

/// The same of an answer of a service that is no registry. GitHub's API says "later" with 403 as well.
pub(super) fn is_transient_for_service(status: StatusCode, headers: &HeaderMap) -> bool {
    is_transient(status) || status == StatusCode::FORBIDDEN && headers.contains_key(RETRY_AFTER)
}

/// Full jitter: anything up to `base` x 2^`tried`, so that many clients do not come back together.
pub(super) fn backoff_delay(base: Duration, tried: u32) -> Duration {
    let most = base
        .saturating_mul(2u32.saturating_pow(tried))
        .min(LONGEST_DELAY);
    most.mul_f64(fastrand::f64())
}

/// The delay that an answer asks for, in either form of `Retry-After` (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let requested = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // The server's clock and ours may differ, so only its own Date says how long that is.
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
pub(super) fn server_time(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    let time = httpdate::parse_http_date(date).ok()?;
    let since_epoch = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_secs()).ok()
}

/// Holds back all requests to a registry that has asked for a pause.
#[derive(Default)]
pub(super) struct RetryAfterGate(Mutex<Option<Instant>>);

impl RetryAfterGate {
    pub(super) fn close_for(&self, pause: Duration) {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Some(Instant::now() + pause));
    }

    pub(super) async fn wait(&self) {
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

    #[test]
    fn a_delay_is_never_longer_than_the_longest() {
        for tried in 0..40 {
            assert!(backoff_delay(Duration::from_millis(500), tried) <= LONGEST_DELAY);
        }
    }
}
