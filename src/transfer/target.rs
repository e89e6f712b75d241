use std::sync::{Mutex, MutexGuard, PoisonError};

use super::content::{Content, Placed};
use super::{Error, Store};

/// A destination of a copy, and how far the copy has come there. What fails there concerns no other.
pub(super) struct Target<'a> {
    pub(super) store: &'a Store,
    outcome: Mutex<Result<Content, Error>>,
}

impl<'a> Target<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            outcome: Mutex::new(Ok(Content::default())),
        }
    }

    /// Whether something has failed for good, so that the rest is not worth the while.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome().is_err()
    }

    pub(super) fn failed(&self, error: Error) {
        let mut outcome = self.outcome();
        // The first reason says most.
        if outcome.is_ok() {
            *outcome = Err(error);
        }
    }

    pub(super) fn placed(&self, placed: Placed, bytes: u64) {
        self.count(|content| content.add(placed, bytes));
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Content)) {
        if let Ok(content) = &mut *self.outcome() {
            change(content);
        }
    }

    /// The value of a step, unless it failed.
    pub(super) fn take<T>(&self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.failed(error)).ok()
    }

    /// Forgets what was done, since all is done again.
    pub(super) fn begin_anew(&self) {
        *self.outcome() = Ok(Content::default());
    }

    pub(super) fn error(&self) -> Option<Error> {
        self.outcome().as_ref().err().cloned()
    }

    /// What was done, as far as nothing failed.
    pub(super) fn content(&self) -> Content {
        self.outcome().as_ref().copied().unwrap_or_default()
    }

    fn outcome(&self) -> MutexGuard<'_, Result<Content, Error>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
