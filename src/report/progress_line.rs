//! Lines about the progress of transfers for a log, where each line stays.

use std::time::{Duration, Instant};

use super::phrases::byte_count;
use crate::notices::{ImageCount, TransferProgress};

/// Limit on how often progress is shown. Nothing is shown twice.
#[derive(Debug, Default)]
pub(super) struct ProgressThrottle {
    started: Option<Instant>,
    shown: Option<Instant>,
    /// Bytes moved, bytes to move and images, as shown last.
    last: Option<(u64, u64, Option<ImageCount>)>,
}

/// Time between two lines.
const INTERVAL: Duration = Duration::from_secs(10);

impl ProgressThrottle {
    /// Returns the line for progress reported at `now`; `None` if it is too early, or if nothing has
    /// changed since the last line.
    pub(super) fn next_line(
        &mut self,
        progress: &TransferProgress,
        now: Instant,
    ) -> Option<String> {
        let started = *self.started.get_or_insert(now);
        let facts = (progress.moved, progress.total, progress.images);
        if now - self.shown.unwrap_or(started) < INTERVAL || self.last == Some(facts) {
            return None;
        }
        self.shown = Some(now);
        self.last = Some(facts);
        Some(progress_line(progress, now - started))
    }
}

/// Returns a line with the progress after `elapsed`, the average rate, and the time left.
fn progress_line(progress: &TransferProgress, elapsed: Duration) -> String {
    let (moved, total) = (progress.moved, progress.total);
    let percent = match total {
        0 => 100,
        _ => u128::from(moved.min(total)) * 100 / u128::from(total),
    };
    let rate = u128::from(moved) * 1000 / elapsed.as_millis().max(1);
    let rate = u64::try_from(rate).unwrap_or(u64::MAX);
    let left = match total.saturating_sub(moved).checked_div(rate) {
        None | Some(0) => String::new(),
        Some(seconds) => format!(", about {} left", duration_phrase(seconds)),
    };
    let rate = byte_count(rate);
    let (moved, total) = (byte_count(moved), byte_count(total));
    match progress.images {
        // No percentage and no time left: the total grows.
        Some(ImageCount { done, of }) => {
            format!("transferring: {moved} of {total} so far, {rate}/s, {done} of {of} images done")
        }
        None => format!("transferring: {moved} of {total} ({percent} %), {rate}/s{left}"),
    }
}

/// Returns a time in its largest unit, rounded up.
fn duration_phrase(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::ImageProgress;

    fn progress(moved: u64, total: u64, images: Option<ImageCount>) -> TransferProgress {
        TransferProgress {
            image: ImageProgress {
                name: "web".into(),
                moved,
                total,
                is_done: false,
            },
            moved,
            total,
            images,
        }
    }

    /// The times, of one report every 50 ms for `seconds`, that are shown.
    fn shown(seconds: u64, moved: impl Fn(u64) -> u64) -> Vec<u64> {
        let (mut throttle, start) = (ProgressThrottle::default(), Instant::now());
        let mut is_shown = |at| {
            let progress = progress(moved(at), 1 << 30, None);
            let line = throttle.next_line(&progress, start + Duration::from_millis(at));
            line.is_some()
        };
        (0..seconds * 20)
            .map(|step| step * 50)
            .filter(|at| is_shown(*at))
            .collect()
    }

    #[test]
    fn a_long_run_shows_a_line_every_ten_seconds() {
        assert_eq!(shown(9, |at| at), [0_u64; 0]);
        assert_eq!(shown(35, |at| at), [10_000, 20_000, 30_000]);
    }

    #[test]
    fn nothing_is_shown_twice() {
        assert_eq!(shown(60, |at| at.min(15_000)), [10_000, 20_000]);
    }

    #[test]
    fn the_line_says_how_far_it_is() {
        let line = |moved, total, images| {
            progress_line(&progress(moved, total, images), Duration::from_millis(2500))
        };
        insta::assert_snapshot!(
            line(12_900_000, 41_000_000, None),
            @"transferring: 12.3 MiB of 39.1 MiB (31 %), 4.9 MiB/s, about 5 s left"
        );
        insta::assert_snapshot!(
            line(12_900_000, 4_100_000_000, None),
            @"transferring: 12.3 MiB of 3.8 GiB (0 %), 4.9 MiB/s, about 14 min left"
        );
        insta::assert_snapshot!(line(0, 0, None), @"transferring: 0 B of 0 B (100 %), 0 B/s");
        insta::assert_snapshot!(line(5, 4, None), @"transferring: 5 B of 4 B (100 %), 2 B/s");
        let images = Some(ImageCount { done: 3, of: 40 });
        insta::assert_snapshot!(
            line(12_900_000, 41_000_000, images),
            @"transferring: 12.3 MiB of 39.1 MiB so far, 4.9 MiB/s, 3 of 40 images done"
        );
    }
}
