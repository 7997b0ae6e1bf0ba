//! Results of a step that has not ended, because a question is pending or the run is to stop.
//!
//! Edits that are applied meanwhile must have the effect that they would have had in time: before
//! the results. So outputs are kept at once, but the workers that gave them are only noted, and
//! satisfy their successors when the step is released, in the graph as it is then: also those that
//! were added meanwhile, and not those that were removed.

use rustc_hash::FxHashMap;

use super::KickoffId;
use crate::graph::WorkerId;

/// What is held back.
#[derive(Default)]
pub(crate) struct Held {
    /// The workers that have ended, in order, and whose successors are to be satisfied.
    pub(crate) workers: Vec<WorkerId>,
    /// The kickoff whose output each worker has, since of several the last in order counts.
    pub(crate) latest: FxHashMap<WorkerId, KickoffId>,
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// Forgets a worker that was removed: its id may be used again.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        self.workers.retain(|held| *held != worker);
        self.latest.remove(&worker);
    }
}
