//! The retry policy: which failures are retried, how often, and after which delay.

use std::time::Duration;

use reqwest::StatusCode;

use super::retry_timing::RetryTiming;
use crate::notices::Notices;

/// One attempt of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    /// Number of the attempt, from 1.
    pub(crate) number: u32,
    /// Whether no attempt follows, so that a transient response is the result.
    pub(crate) is_last: bool,
}

/// Error of an attempt, and whether another attempt may help.
pub(crate) struct AttemptError<E> {
    error: E,
    is_transient: bool,
    /// Delay that the server requested.
    pause: Option<Duration>,
}

impl<E> AttemptError<E> {
    /// Returns an error that ends the operation.
    pub(crate) fn new_final(error: E) -> Self {
        Self::new(error, false)
    }

    /// Returns an error that is retried if it `is_transient`.
    pub(crate) fn new(error: E, is_transient: bool) -> Self {
        Self {
            error,
            is_transient,
            pause: None,
        }
    }

    /// Returns an error that is retried after `pause`, or after a random delay.
    pub(crate) fn new_transient(error: E, pause: Option<Duration>) -> Self {
        Self {
            error,
            is_transient: true,
            pause,
        }
    }
}

/// Returns whether a status says "not now" instead of "no". The codes from 520 to 524 and 530 are
/// Cloudflare's for an origin that did not answer as it should; 525 and 526 are about its certificate.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 499 | 500 | 502..=504 | 520..=524 | 530)
}

/// Runs `operation` until it succeeds, fails for good, or has been tried `timing.attempts` times, and
/// logs each retry as `describe` tells the failure; `None`: without a word.
///
/// # Errors
/// The error of the last attempt.
pub(crate) async fn retry<T, E, F>(
    timing: RetryTiming,
    notices: &Notices,
    describe: impl Fn(&E) -> Option<String>,
    operation: impl Fn(Attempt) -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, AttemptError<E>>>,
{
    let mut number = 0;
    loop {
        number += 1;
        let is_last = number >= timing.attempts;
        let failed = match operation(Attempt { number, is_last }).await {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        if is_last || !failed.is_transient {
            return Err(failed.error);
        }
        let pause = failed.pause.unwrap_or_else(|| timing.delay(number));
        if let Some(failure) = describe(&failed.error) {
            notices.info(format!(
                "{failure}; trying again in {:.1} s ({number} of {} tries)",
                pause.as_secs_f64(),
                timing.attempts
            ));
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Returns how often an operation ran that always fails so.
    async fn count_attempts(is_transient: bool) -> u32 {
        let timing = RetryTiming {
            retry: Duration::ZERO,
            attempts: 4,
            ..RetryTiming::default()
        };
        let ran = AtomicU32::new(0);
        let outcome: Result<(), &str> = retry(
            timing,
            &Notices::new(|_| {}),
            |error: &&str| Some((*error).to_owned()),
            |attempt| {
                assert_eq!(ran.fetch_add(1, Ordering::Relaxed) + 1, attempt.number);
                assert_eq!(attempt.is_last, attempt.number == 4);
                std::future::ready(Err(AttemptError::new("no", is_transient)))
            },
        )
        .await;
        assert_eq!(outcome, Err("no"));
        ran.into_inner()
    }

    #[test]
    fn statuses_that_pass_are_told_from_those_that_stay() {
        let passes = |status| is_transient(StatusCode::from_u16(status).unwrap());
        for status in [
            408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530,
        ] {
            assert!(passes(status), "{status}");
        }
        for status in [
            200, 301, 400, 401, 403, 404, 405, 407, 410, 412, 413, 501, 505, 507, 525, 526,
        ] {
            assert!(!passes(status), "{status}");
        }
    }

    #[tokio::test]
    async fn only_transient_failures_are_retried_and_only_so_often() {
        assert_eq!(count_attempts(true).await, 4);
        assert_eq!(count_attempts(false).await, 1);
    }
}
