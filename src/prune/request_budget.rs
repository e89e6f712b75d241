//! Limit on the requests of a run.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::registry::RegistryClient;

/// Limit on the requests of a run. What is reserved counts before it is sent, and what is sent counts with its
/// repetitions and logins.
pub(super) struct RequestBudget {
    client: RegistryClient,
    sent_before: u64,
    limit: Option<u64>,
    reserved: AtomicU64,
}

impl RequestBudget {
    /// Returns a budget that begins now; without a limit nothing is refused.
    pub(super) fn new(client: &RegistryClient, limit: Option<u64>) -> Self {
        Self {
            sent_before: client.request_count(),
            client: client.clone(),
            limit,
            reserved: AtomicU64::new(0),
        }
    }

    /// Reserves a request. Returns `false` if the limit is reached.
    pub(super) fn reserve(&self) -> bool {
        let used = self.used();
        if self.limit.is_some_and(|limit| used >= limit) {
            return false;
        }
        self.reserved.store(used + 1, Ordering::Relaxed);
        true
    }

    /// Returns the requests that were sent or reserved.
    pub(super) fn used(&self) -> u64 {
        let sent = self.client.request_count() - self.sent_before;
        sent.max(self.reserved.load(Ordering::Relaxed))
    }

    /// Returns the limit.
    pub(super) fn limit(&self) -> Option<u64> {
        self.limit
    }
}
