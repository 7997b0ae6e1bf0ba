//! The clock of a store, in milliseconds.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The source of time of a store.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Creates a clock that calls `now`.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The current time in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        to_ms((self.0)())
    }

    /// The time `age` ago, in milliseconds since 1970.
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

/// Converts a duration to milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Converts a duration to milliseconds that can be added to a time in a statement, where an
/// overflow would be an error.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn in_sql(duration: Duration) -> i64 {
    millis(duration).min(i64::MAX / 4)
}

/// Later times are cut to this one, some 100,000 years away, because not every system can express
/// them.
const FARTHEST_MS: u64 = 1 << 52;

/// Converts milliseconds since 1970 to a time.
pub fn from_ms(ms: i64) -> SystemTime {
    let ms = u64::try_from(ms).unwrap_or_default().min(FARTHEST_MS);
    UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH)
}

/// Converts a time to milliseconds since 1970.
pub fn to_ms(time: SystemTime) -> i64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
