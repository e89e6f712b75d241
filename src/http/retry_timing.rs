//! Timeouts of a request, and the delays between its attempts.

use std::time::Duration;

/// The longest delay of our own between two attempts.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Timeouts of a request, and how often it is sent.
#[derive(Debug, Clone, Copy)]
pub struct RetryTiming {
    /// Longest time to open a connection.
    pub connect: Duration,
    /// Longest time without data in either direction.
    pub stall: Duration,
    /// Longest time until a small response (a manifest, a page of a list, a token) is complete, even if
    /// data keeps arriving.
    pub whole: Duration,
    /// Delay before the second attempt; later delays double.
    pub retry: Duration,
    /// Most attempts of a request.
    pub attempts: u32,
}

impl Default for RetryTiming {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            whole: Duration::from_secs(60),
            retry: Duration::from_millis(500),
            attempts: 6,
        }
    }
}

impl RetryTiming {
    /// Returns a random delay before the next attempt, after `tried` attempts.
    ///
    /// The delay is between zero and [`RetryTiming::retry`] x 2^`tried` (full jitter), so that many
    /// clients do not return at the same time.
    pub fn delay(&self, tried: u32) -> Duration {
        let most = self
            .retry
            .saturating_mul(2u32.saturating_pow(tried))
            .min(LONGEST_DELAY);
        most.mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_never_longer_than_the_longest() {
        for tried in 0..40 {
            assert!(RetryTiming::default().delay(tried) <= LONGEST_DELAY);
        }
    }
}
