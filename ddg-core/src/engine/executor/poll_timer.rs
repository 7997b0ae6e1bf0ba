//! Tells heavy workers from light ones while they run.

use std::time::{Duration, Instant};

/// Measures polls that should be light.
///
/// It measures groups of polls, because reading the clock at each light poll would slow it down.
/// After a slow group it measures the next few polls one by one, which tells heavy workers from a
/// thread that was preempted.
pub(super) struct PollTimer {
    since: Instant,
    n_polls: usize,
    n_watched: usize,
}

impl PollTimer {
    /// Number of polls in a group. Spreads the cost of reading the clock over them.
    const LOOK_EVERY: usize = 16;

    /// Maximum duration of a light group: about 3 µs per poll, so a single long poll is noticed.
    const HEAVY: Duration = Duration::from_micros(50);

    /// Maximum duration of a light poll when polls are measured one by one.
    const HEAVY_ONE: Duration = Duration::from_micros(10);

    /// Number of polls that are measured one by one after a slow group.
    const WATCHED: usize = 4;

    pub(super) fn new() -> Self {
        Self { since: Instant::now(), n_polls: 0, n_watched: 0 }
    }

    /// Starts a new measurement after a time in which nothing was polled.
    pub(super) fn resume(&mut self) {
        self.since = Instant::now();
    }

    /// Counts a poll. Returns whether it turned out to be heavy.
    pub(super) fn is_heavy(&mut self) -> bool {
        self.n_polls += 1;
        if self.n_watched == 0 && !self.n_polls.is_multiple_of(Self::LOOK_EVERY) {
            return false;
        }
        let now = Instant::now();
        let took = now - std::mem::replace(&mut self.since, now);
        if self.n_watched > 0 {
            self.n_watched -= 1;
            return took > Self::HEAVY_ONE;
        }
        if took > Self::HEAVY {
            self.n_watched = Self::WATCHED;
        }
        false
    }

    /// Number of recent polls that may have been heavy.
    pub(super) fn n_suspects(&self) -> usize {
        Self::LOOK_EVERY + Self::WATCHED - self.n_watched
    }
}
