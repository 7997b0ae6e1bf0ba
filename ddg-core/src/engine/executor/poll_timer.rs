//! Tells heavy workers from light ones while they run.

use std::time::{Duration, Instant};

/// Measures polls that should be light.
///
/// It measures groups of polls, because reading the clock at each light poll would slow it down.
/// After a slow group it measures the next few polls one by one, which tells heavy workers from a
/// thread that was preempted. The caller passes the time.
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

    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, n_polls: 0, n_watched: 0 }
    }

    /// Starts a new measurement after a time in which nothing was polled.
    pub(super) fn resume(&mut self, now: Instant) {
        self.since = now;
    }

    /// Counts a poll. Returns whether it turned out to be heavy. Reads the time only when it
    /// measures.
    #[inline]
    pub(super) fn is_heavy(&mut self, now: impl FnOnce() -> Instant) -> bool {
        self.n_polls += 1;
        if self.n_watched == 0 && !self.n_polls.is_multiple_of(Self::LOOK_EVERY) {
            return false;
        }
        let now = now();
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::PollTimer;

    /// The places of the polls that are found to be heavy, of polls that take `micros` each.
    fn heavy(micros: impl IntoIterator<Item = u64>) -> Vec<usize> {
        let mut now = Instant::now();
        let mut timer = PollTimer::new(now);
        let is_heavy = |(place, micros): (usize, u64)| {
            now += Duration::from_micros(micros);
            timer.is_heavy(|| now).then_some(place)
        };
        micros.into_iter().enumerate().filter_map(is_heavy).collect()
    }

    #[test]
    fn light_polls_are_never_taken_for_heavy_ones() {
        assert!(heavy([3; 1000]).is_empty());
    }

    #[test]
    fn heavy_polls_are_found_one_by_one_after_the_next_look() {
        // 16 polls of 11 µs take long together; the four after them are looked at each.
        assert_eq!(heavy([11; 24]), [16, 17, 18, 19]);
    }

    #[test]
    fn a_thread_that_was_kept_waiting_once_is_no_heavy_worker() {
        let waits = (0..100).map(|place| if place == 5 { 5000 } else { 1 });
        assert!(heavy(waits).is_empty());
    }

    #[test]
    fn time_in_which_nothing_was_polled_does_not_count() {
        let start = Instant::now();
        let mut timer = PollTimer::new(start);
        let later = start + Duration::from_secs(1);
        timer.resume(later);
        let found = (0..64).filter(|_| timer.is_heavy(|| later)).count();
        assert_eq!((found, timer.n_suspects()), (0, 20));
    }
}
