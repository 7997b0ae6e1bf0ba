//! How long a worker keeps its thread, as seen before.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long the longest poll of a worker has lately been seen to take, by whichever run. It decides
/// where a worker is polled, never what a run does.
#[derive(Debug, Default)]
pub(crate) struct Cost(AtomicU32);

/// What may be polled in place, one after the other: about what it takes to hand it to another
/// thread.
const LIGHT_NS: u32 = 2_000;

impl Cost {
    /// Whether it is known to be light.
    pub(crate) fn is_light(&self) -> bool {
        (1..=LIGHT_NS).contains(&self.0.load(Ordering::Relaxed))
    }

    /// Keeps what was seen. Who was heavy once becomes light again slowly: half of it is forgotten
    /// with each execution that was lighter.
    pub(crate) fn saw(&self, took: Duration) {
        let ns = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX).max(1);
        let old = self.0.load(Ordering::Relaxed);
        // Not written from light to light, so that threads do not fight for it.
        if old == 0 || old > LIGHT_NS || ns > LIGHT_NS {
            self.0.store(ns.max(old / 2), Ordering::Relaxed);
        }
    }

    /// Forgets what was seen: to be looked at again.
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
