//! The time that a worker keeps its thread, as measured in earlier executions.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The duration of a worker's longest recent poll, over all runs. It decides on which thread the
/// worker is polled, and never affects the results of a run.
#[derive(Debug, Default)]
pub(crate) struct Cost(AtomicU32);

/// Maximum duration of a poll that is light. About the time that it takes to hand a worker to
/// another thread, so spreading lighter ones over threads would gain nothing.
const LIGHT_NS: u32 = 2_000;

impl Cost {
    /// Whether the worker is known to be light. A cost of 0 means that it has not been measured.
    pub(crate) fn is_light(&self) -> bool {
        (1..=LIGHT_NS).contains(&self.0.load(Ordering::Relaxed))
    }

    /// Records a duration. A worker that was heavy becomes light only slowly: each lighter
    /// execution halves the cost.
    pub(crate) fn saw(&self, took: Duration) {
        let ns = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX).max(1);
        let old = self.0.load(Ordering::Relaxed);
        // The cost of a light worker stays as it is: many threads read it, and writing it would
        // move its cache line between them.
        if old == 0 || old > LIGHT_NS || ns > LIGHT_NS {
            self.0.store(ns.max(old / 2), Ordering::Relaxed);
        }
    }

    /// Forgets the cost, so that the worker is measured again.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Clone for Cost {
    fn clone(&self) -> Self {
        Self(AtomicU32::new(self.0.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Cost;

    #[test]
    fn a_worker_is_light_once_it_was_seen_to_be_and_heavy_at_once() {
        let cost = Cost::default();
        assert!(!cost.is_light(), "nothing is known of it");
        cost.saw(Duration::from_nanos(900));
        assert!(cost.is_light());
        cost.saw(Duration::from_micros(16));
        assert!(!cost.is_light());
        let n_until_light = (1..).find(|_| {
            cost.saw(Duration::from_nanos(900));
            cost.is_light()
        });
        assert_eq!(n_until_light, Some(3), "half is forgotten with each lighter execution");
        cost.forget();
        assert!(!cost.is_light());
    }
}
