//! Results of a step that has not ended, because a question is pending or the run is to stop.
//!
//! Edits that are applied meanwhile must have the effect that they would have had in time: before
//! the results. So results are kept at once, but the dependencies that they satisfy are only noted,
//! and satisfied when the step is released, in the graph as it is then.

use rustc_hash::FxHashMap;

use super::KickoffId;
use crate::graph::WorkerId;

/// What is held back.
#[derive(Default)]
pub(crate) struct Held {
    /// Dependencies to be satisfied, in order: the worker that waits, and the edge's place there.
    pub(crate) satisfied: Vec<(WorkerId, u32)>,
    /// The kickoff whose output each worker has, since of several the last in order counts.
    pub(crate) latest: FxHashMap<WorkerId, KickoffId>,
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.satisfied.is_empty()
    }

    /// Forgets a worker that was removed: its id may be used again.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        self.satisfied.retain(|(waiting, _)| *waiting != worker);
        self.latest.remove(&worker);
    }
}
