//! Pauses that a server requests: the header `Retry-After`, and the gate that holds requests back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

/// The longest delay that a server can request.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);

/// Smallest number that is a Unix time in seconds, and in milliseconds: no server means a pause of
/// thirty years.
const UNIX_SECONDS: f64 = 1e9;
const UNIX_MILLISECONDS: f64 = 1e12;

/// Returns the delay that a response requests, in either form of `Retry-After` (RFC 9110, 10.2.3), or as
/// a Unix time, which some servers write.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse::<f64>().ok().filter(|_| is_number);
    let until = |time: SystemTime| {
        Some(
            time.duration_since(server_time(headers)?)
                .unwrap_or_default(),
        )
    };
    let requested = match number {
        Some(seconds) if seconds < UNIX_SECONDS => Duration::try_from_secs_f64(seconds).ok()?,
        Some(time) => {
            let seconds = if time < UNIX_MILLISECONDS {
                time
            } else {
                time / 1e3
            };
            until(SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?)?
        }
        None => until(httpdate::parse_http_date(text).ok()?)?,
    };
    Some(requested.min(LONGEST_RETRY_AFTER))
}

/// Returns the time of a response by the server's own `Date` (RFC 9110, 6.6.1): its clock may differ from
/// ours.
pub(crate) fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    let date = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok()
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
            (&[("retry-after", "1.5e3")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "99999999999999999999999")], None),
            (
                &[
                    ("retry-after", "1795202136"),
                    ("date", "Fri, 20 Nov 2026 19:15:06 GMT"),
                ],
                Some(30),
            ),
            (
                &[
                    ("retry-after", "1795202136000"),
                    ("date", "Fri, 20 Nov 2026 19:15:06 GMT"),
                ],
                Some(30),
            ),
            (&[("retry-after", "1795202136")], None),
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
