//! Progress line, and how often it is shown.

use std::time::{Duration, Instant};

use super::phrases::byte_count;
use crate::notices::{ImageProgress, TransferProgress};

/// Limit on how often progress is shown.
#[derive(Debug)]
pub(super) struct ProgressThrottle {
    /// Time between two lines.
    interval: Duration,
    started: Option<Instant>,
    shown: Option<Instant>,
}

/// Time from the start without progress lines.
const QUIET_PERIOD: Duration = Duration::from_secs(2);

impl ProgressThrottle {
    /// Returns the throttle for a line that is replaced: every 200 ms.
    pub(super) fn for_terminal() -> Self {
        Self::every(Duration::from_millis(200))
    }

    /// Returns the throttle for a log, where each line stays: every 10 s.
    pub(super) fn for_log() -> Self {
        Self::every(Duration::from_secs(10))
    }

    fn every(interval: Duration) -> Self {
        Self {
            interval,
            started: None,
            shown: None,
        }
    }

    /// Returns the line for progress reported at `now`; `None` if it is too early.
    pub(super) fn next_line(&mut self, progress: TransferProgress, now: Instant) -> Option<String> {
        if !self.take_due(now) {
            return None;
        }
        let elapsed = now - self.started.unwrap_or(now);
        Some(progress_line(progress, elapsed))
    }

    fn take_due(&mut self, now: Instant) -> bool {
        let started = *self.started.get_or_insert(now);
        let wait = match self.shown {
            Some(shown) => now - shown < self.interval,
            None => now - started < QUIET_PERIOD.max(self.interval),
        };
        if !wait {
            self.shown = Some(now);
        }
        !wait
    }
}

/// Returns a line with the progress after `elapsed`, and the average rate.
fn progress_line(progress: TransferProgress, elapsed: Duration) -> String {
    let TransferProgress {
        moved,
        total,
        images,
    } = progress;
    let percent = match total {
        0 => 100,
        _ => u128::from(moved.min(total)) * 100 / u128::from(total),
    };
    let rate = u128::from(moved) * 1000 / elapsed.as_millis().max(1);
    let rate = byte_count(u64::try_from(rate).unwrap_or(u64::MAX));
    let (moved, total) = (byte_count(moved), byte_count(total));
    match images {
        // No percentage: the total grows, so that it would fall.
        Some(ImageProgress { done, of }) => {
            format!("transferring: {moved} of {total} so far, {rate}/s, {done} of {of} images done")
        }
        None => format!("transferring: {moved} of {total} ({percent} %), {rate}/s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times, of one report every 50 ms for `seconds`, that are shown.
    fn shown(mut pace: ProgressThrottle, seconds: u64) -> Vec<u64> {
        let start = Instant::now();
        (0..seconds * 20)
            .map(|step| step * 50)
            .filter(|at| pace.take_due(start + Duration::from_millis(*at)))
            .collect()
    }

    #[test]
    fn short_runs_show_nothing() {
        assert_eq!(shown(ProgressThrottle::for_terminal(), 2), [0_u64; 0]);
        assert_eq!(shown(ProgressThrottle::for_log(), 9), [0_u64; 0]);
    }

    #[test]
    fn long_runs_show_some() {
        assert_eq!(
            shown(ProgressThrottle::for_log(), 35),
            [10_000, 20_000, 30_000]
        );
        let rewritten = shown(ProgressThrottle::for_terminal(), 3);
        assert_eq!(rewritten, [2000, 2200, 2400, 2600, 2800]);
    }

    #[test]
    fn the_line_says_how_far_it_is() {
        let after = Duration::from_millis(2500);
        let of_images = |moved, total, images| {
            let progress = TransferProgress {
                moved,
                total,
                images,
            };
            progress_line(progress, after)
        };
        let progress = |moved, total| of_images(moved, total, None);
        insta::assert_snapshot!(
            progress(12_900_000, 41_000_000),
            @"transferring: 12.3 MiB of 39.1 MiB (31 %), 4.9 MiB/s"
        );
        insta::assert_snapshot!(progress(0, 0), @"transferring: 0 B of 0 B (100 %), 0 B/s");
        insta::assert_snapshot!(progress(5, 4), @"transferring: 5 B of 4 B (100 %), 2 B/s");
        let images = Some(ImageProgress { done: 3, of: 40 });
        insta::assert_snapshot!(
            of_images(12_900_000, 41_000_000, images),
            @"transferring: 12.3 MiB of 39.1 MiB so far, 4.9 MiB/s, 3 of 40 images done"
        );
    }
}
