//! What time it is at a service.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that may go before this machine's, or after it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// By so many seconds.
    pub ahead: i64,
}

impl Clock {
    pub fn now(self) -> SystemTime {
        let by = Duration::from_secs(self.ahead.unsigned_abs());
        match self.ahead < 0 {
            true => SystemTime::now() - by,
            false => SystemTime::now() + by,
        }
    }

    pub fn since_1970(self) -> Duration {
        self.now().duration_since(UNIX_EPOCH).unwrap()
    }
}
