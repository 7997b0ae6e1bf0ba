//! The time, in milliseconds as stores keep it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a store has the time from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// From `now`.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        to_ms((self.0)())
    }

    /// What is older than `age` was saved before this moment.
    pub fn before_ms(&self, age: Duration) -> i64 {
        self.now_ms().saturating_sub(millis(age))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&(self.0)()).finish()
    }
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The farthest time that every system can tell is some 100,000 years away; later ones are that.
const FARTHEST_MS: u64 = 1 << 52;

/// The time that many milliseconds after 1970.
pub fn from_ms(ms: i64) -> SystemTime {
    let ms = u64::try_from(ms).unwrap_or_default().min(FARTHEST_MS);
    UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH)
}

/// Milliseconds since 1970.
pub fn to_ms(time: SystemTime) -> i64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
