//! Results of a step that is held because a question is pending or the run is stopping.
//!
//! Edits that are applied meanwhile must have the same effect as in a step that is not held, where
//! edits come before results. So outputs are kept at once, but the workers that gave them are only
//! recorded. They satisfy their successors when the step is released, in the graph as it is then:
//! including successors that were added meanwhile, and excluding those that were removed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::KickoffId;
use crate::graph::WorkerId;

/// The held results.
#[derive(Default)]
pub(crate) struct Held {
    /// Workers that were added to follow nobody, in order, and are to become ready.
    pub(crate) after_nobody: Vec<WorkerId>,
    /// The workers that have ended, in order, whose successors are to be satisfied.
    pub(crate) workers: Vec<WorkerId>,
    /// The kickoff that gave the current output of each worker. Of several kickoffs the last in
    /// order counts.
    pub(crate) latest: FxHashMap<WorkerId, KickoffId>,
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.workers.is_empty() && self.after_nobody.is_empty()
    }

    /// Removes workers whose ids may be reused.
    pub(super) fn forget(&mut self, gone: &FxHashSet<WorkerId>) {
        self.after_nobody.retain(|held| !gone.contains(held));
        self.workers.retain(|held| !gone.contains(held));
        self.latest.retain(|worker, _| !gone.contains(worker));
    }
}
