//! Tells heavy workers from light ones while they run.

use std::time::{Duration, Instant};

/// Watches polls that should be light. It looks at the time now and then; if some took long, at
/// each of the next few, to tell heavy workers from a thread that was kept waiting.
pub(super) struct PollTimer {
    since: Instant,
    n_polls: usize,
    n_watched: usize,
}

impl PollTimer {
    /// How many polls are made between two looks.
    const LOOK_EVERY: usize = 16;

    /// How long those may take.
    const HEAVY: Duration = Duration::from_micros(50);

    /// How long one may take.
    const HEAVY_ONE: Duration = Duration::from_micros(10);

    /// How many polls are looked at one by one.
    const WATCHED: usize = 4;

    pub(super) fn new() -> Self {
        Self { since: Instant::now(), n_polls: 0, n_watched: 0 }
    }

    /// Begins to watch anew: time has passed in which nothing was polled.
    pub(super) fn resume(&mut self) {
        self.since = Instant::now();
    }

    /// Counts a poll; tells whether it has proved to be heavy.
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

    /// How many polls may have been heavy.
    pub(super) fn n_suspects(&self) -> usize {
        Self::LOOK_EVERY + Self::WATCHED - self.n_watched
    }
}
