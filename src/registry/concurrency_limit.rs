//! How many requests to a registry are in flight at the same time: half as many each time that it
//! says "not now", and one more each time that as many as may be have been answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct ConcurrencyLimit(Arc<LimitState>);

struct LimitState {
    free: Arc<Semaphore>,
    state: Mutex<LimitCounters>,
}

struct LimitCounters {
    most: usize,
    now: usize,
    /// Permits that are to be given up when they come back.
    owed: usize,
    answered: usize,
}

/// One request's place among those in flight.
pub(super) struct RequestPermit {
    shared: Arc<LimitState>,
    permit: Option<OwnedSemaphorePermit>,
}

impl ConcurrencyLimit {
    pub(super) fn new(most: usize) -> Self {
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

    pub(super) async fn acquire(&self) -> RequestPermit {
        let permit = self.0.free.clone().acquire_owned().await;
        RequestPermit {
            shared: self.0.clone(),
            permit: Some(permit.expect("the semaphore is never closed")),
        }
    }

    /// The registry has had too much.
    pub(super) fn halve(&self) {
        let mut state = self.0.lock();
        let half = (state.now / 2).max(1);
        state.owed += state.now - half;
        state.now = half;
        state.answered = 0;
        let given_up = self.0.free.forget_permits(state.owed);
        state.owed -= given_up;
    }

    /// The registry has answered.
    pub(super) fn record_answer(&self) {
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

    fn free(pace: &ConcurrencyLimit) -> usize {
        pace.0.free.available_permits()
    }

    #[tokio::test]
    async fn it_halves_and_grows_again() {
        let pace = ConcurrencyLimit::new(8);
        let mut taken = Vec::new();
        for _ in 0..6 {
            taken.push(pace.acquire().await);
        }
        pace.halve();
        assert_eq!(free(&pace), 0);
        // Two of the six are given up as they come back; four stay in use.
        taken.drain(..2);
        assert_eq!(free(&pace), 0);
        taken.clear();
        assert_eq!(free(&pace), 4);
        for _ in 0..4 {
            pace.record_answer();
        }
        assert_eq!(free(&pace), 5);
        for _ in 0..100 {
            pace.record_answer();
        }
        assert_eq!(free(&pace), 8);
        for _ in 0..10 {
            pace.halve();
        }
        assert_eq!(free(&pace), 1, "one is always let through");
    }
}
