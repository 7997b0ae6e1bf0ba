//! The order in which runs came to a store.

use std::sync::atomic::{AtomicU64, Ordering};

/// The place of a run among those of this process, counted in the order in which they were begun.
/// A store that makes writes wait executes those of the run with the lowest number first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival(u64);

impl Arrival {
    /// Before all runs: what people and other runs ask for, which is little.
    pub(crate) const FIRST: Self = Self(0);

    /// The next place.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
