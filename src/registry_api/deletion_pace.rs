//! Pace at which an API takes deletions.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Pace of requests, one after the other. Its clones share it.
#[derive(Debug, Clone)]
pub(super) struct DeletionPace {
    interval: Duration,
    next: Arc<Mutex<Option<Instant>>>,
}

impl DeletionPace {
    /// Returns a pace of `count` requests a minute, from 1.
    pub(super) fn per_minute(count: u32) -> Self {
        Self {
            interval: Duration::from_secs(60) / count.max(1),
            next: Arc::default(),
        }
    }

    /// Waits until the next request may be sent.
    pub(super) async fn wait(&self) {
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        *next = Some(Instant::now() + self.interval);
    }
}
