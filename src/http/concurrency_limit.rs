//! Limit on the requests in flight: halved each time that the server says "not now", and raised by one
//! each time that as many requests as the limit allows were answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Limit on the requests in flight.
pub(crate) struct ConcurrencyLimit(Arc<LimitState>);

struct LimitState {
    free: Arc<Semaphore>,
    state: Mutex<LimitCounters>,
}

struct LimitCounters {
    most: usize,
    now: usize,
    /// Permits to give up when they are returned.
    owed: usize,
    answered: usize,
}

/// Permission for one request, until it is dropped.
pub(crate) struct RequestPermit {
    shared: Arc<LimitState>,
    permit: Option<OwnedSemaphorePermit>,
}

impl ConcurrencyLimit {
    /// Returns a limit that starts at `most`, its upper bound.
    pub(crate) fn new(most: usize) -> Self {
        let state = LimitCounters {
            most,
            now: most,
            owed: 0,
            answered: 0,
        };
        Self(Arc::new(LimitState {
            free: Arc::new(Semaphore::new(most)),
            state: Mutex::new(state),
        }))
    }

    /// Raises the upper bound. A limit that was halved grows to it as to its old one.
    pub(crate) fn raise_to(&self, most: usize) {
        let mut state = self.0.lock();
        if state.now == state.most && most > state.most {
            self.0.free.add_permits(most - state.now);
            state.now = most;
        }
        state.most = state.most.max(most);
    }

    /// Waits until another request may be sent.
    pub(crate) async fn acquire(&self) -> RequestPermit {
        let permit = self.0.free.clone().acquire_owned().await;
        RequestPermit {
            shared: self.0.clone(),
            permit: Some(permit.expect("the semaphore is never closed")),
        }
    }

    /// Halves the limit: the server is overloaded.
    pub(crate) fn halve(&self) {
        let mut state = self.0.lock();
        let half = (state.now / 2).max(1);
        state.owed += state.now - half;
        state.now = half;
        state.answered = 0;
        let given_up = self.0.free.forget_permits(state.owed);
        state.owed -= given_up;
    }

    /// Counts a response, and raises the limit after enough of them.
    pub(crate) fn record_answer(&self) {
        let mut state = self.0.lock();
        if state.now == state.most {
            return;
        }
        state.answered += 1;
        if state.answered >= state.now {
            state.answered = 0;
            state.now += 1;
            match state.owed {
                0 => self.0.free.add_permits(1),
                _ => state.owed -= 1,
            }
        }
    }
}

impl LimitState {
    fn lock(&self) -> MutexGuard<'_, LimitCounters> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RequestPermit {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.owed > 0
            && let Some(permit) = self.permit.take()
        {
            state.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(limit: &ConcurrencyLimit) -> usize {
        limit.0.free.available_permits()
    }

    #[tokio::test]
    async fn the_limit_is_halved_and_grows_again() {
        let limit = ConcurrencyLimit::new(8);
        let mut taken = Vec::new();
        for _ in 0..6 {
            taken.push(limit.acquire().await);
        }
        limit.halve();
        assert_eq!(free(&limit), 0);
        // Two of the six are given up as they come back; four stay in use.
        taken.drain(..2);
        assert_eq!(free(&limit), 0);
        taken.clear();
        assert_eq!(free(&limit), 4);
        for _ in 0..4 {
            limit.record_answer();
        }
        assert_eq!(free(&limit), 5);
        for _ in 0..100 {
            limit.record_answer();
        }
        assert_eq!(free(&limit), 8);
        for _ in 0..10 {
            limit.halve();
        }
        assert_eq!(free(&limit), 1, "at least one request is allowed");
    }

    #[tokio::test]
    async fn the_limit_is_raised_unless_the_server_was_overloaded() {
        let limit = ConcurrencyLimit::new(4);
        let _taken = limit.acquire().await;
        limit.raise_to(8);
        limit.raise_to(2);
        assert_eq!(free(&limit), 7);
        limit.halve();
        limit.raise_to(16);
        assert_eq!(free(&limit), 3);
        for _ in 0..1000 {
            limit.record_answer();
        }
        assert_eq!(free(&limit), 15);
    }
}
