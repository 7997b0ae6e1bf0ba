//! The clock that measures polls.

use std::sync::Arc;
use std::time::Instant;

/// The time by which polls are measured: that of the system, unless a test passes another.
#[derive(Clone, Default)]
pub(crate) struct PollClock(Option<Arc<dyn Fn() -> Instant + Send + Sync>>);

impl PollClock {
    /// Creates a clock that calls `now`.
    pub(crate) fn new(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    /// The current time.
    #[inline]
    pub(super) fn now(&self) -> Instant {
        // Two reads of the clock are the main cost of a measurement, so the clock of the system is
        // called directly.
        match &self.0 {
            None => Instant::now(),
            Some(now) => now(),
        }
    }
}
