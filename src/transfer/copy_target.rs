//! Destination of a copy, with its progress and its failure.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::copy_stats::{CopyStats, Placement};
use super::{CopyError, ImageStore};

/// A destination of a copy, and how far the copy has come there. What fails there concerns no other.
pub(super) struct CopyTarget<'a> {
    pub(super) store: &'a ImageStore,
    outcome: Mutex<Result<CopyStats, CopyError>>,
}

impl<'a> CopyTarget<'a> {
    pub(super) fn new(store: &'a ImageStore) -> Self {
        Self {
            store,
            outcome: Mutex::new(Ok(CopyStats::default())),
        }
    }

    /// Returns whether the destination has failed for good, so that the rest of the copy is
    /// skipped.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome().is_err()
    }

    pub(super) fn record_failure(&self, error: CopyError) {
        let mut outcome = self.outcome();
        // The first reason says most.
        if outcome.is_ok() {
            *outcome = Err(error);
        }
    }

    pub(super) fn record_placement(&self, placed: Placement, bytes: u64) {
        self.update_stats(|content| content.add(placed, bytes));
    }

    pub(super) fn update_stats(&self, change: impl FnOnce(&mut CopyStats)) {
        if let Ok(content) = &mut *self.outcome() {
            change(content);
        }
    }

    /// Returns the value of a step, or records its failure and returns `None`.
    pub(super) fn record_result<T>(&self, result: Result<T, CopyError>) -> Option<T> {
        result.map_err(|error| self.record_failure(error)).ok()
    }

    /// Forgets what was done, since all is done again.
    pub(super) fn reset(&self) {
        *self.outcome() = Ok(CopyStats::default());
    }

    pub(super) fn error(&self) -> Option<CopyError> {
        self.outcome().as_ref().err().cloned()
    }

    /// Returns the counts, or zeros if the destination failed.
    pub(super) fn stats(&self) -> CopyStats {
        self.outcome().as_ref().copied().unwrap_or_default()
    }

    fn outcome(&self) -> MutexGuard<'_, Result<CopyStats, CopyError>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
