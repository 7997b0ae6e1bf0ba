//! Results of a step that is held because a question is pending or the run is stopping.
//!
//! Edits that are applied meanwhile must have the same effect as in a step that is not held, where
//! edits come before results. So outputs are kept at once, but the workers that gave them are only
//! recorded. They satisfy their successors when the step is released, in the graph as it is then:
//! including successors that were added meanwhile, and excluding those that were removed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::KickoffId;
use crate::graph::WorkerId;

/// The held results. Allocated when there are any.
#[derive(Default)]
pub(crate) struct Held(Option<Box<Results>>);

#[derive(Default)]
struct Results {
    /// Workers that were added to follow nobody, in order, and are to become ready.
    after_nobody: Vec<WorkerId>,
    /// The workers that have ended, in order, whose successors are to be satisfied.
    workers: Vec<WorkerId>,
    /// The kickoff that gave the current output of each worker. Of several kickoffs the last in
    /// order counts.
    latest: FxHashMap<WorkerId, KickoffId>,
}

impl Held {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = |held: &Results| held.workers.is_empty() && held.after_nobody.is_empty();
        self.0.as_deref().is_none_or(is_empty)
    }

    /// Adds a worker that has ended, after those that ended before.
    pub(crate) fn push(&mut self, worker: WorkerId) {
        self.0.get_or_insert_default().workers.push(worker);
    }

    /// Adds workers that were added to follow nobody.
    pub(crate) fn push_after_nobody(&mut self, workers: impl IntoIterator<Item = WorkerId>) {
        self.0.get_or_insert_default().after_nobody.extend(workers);
    }

    /// The workers that have ended, in order.
    pub(crate) fn workers(&self) -> &[WorkerId] {
        self.0.as_deref().map_or(&[], |held| &held.workers)
    }

    /// The workers that were added to follow nobody, in order.
    pub(crate) fn after_nobody(&self) -> &[WorkerId] {
        self.0.as_deref().map_or(&[], |held| &held.after_nobody)
    }

    /// Removes the workers, which are those that were added to follow nobody and those that have
    /// ended.
    pub(super) fn take_workers(&mut self) -> (Vec<WorkerId>, Vec<WorkerId>) {
        let Some(held) = &mut self.0 else { return Default::default() };
        (std::mem::take(&mut held.after_nobody), std::mem::take(&mut held.workers))
    }

    /// The kickoffs that gave the current outputs, by worker.
    pub(crate) fn latest(&self) -> impl Iterator<Item = (WorkerId, KickoffId)> {
        let latest = self.0.iter().flat_map(|held| &held.latest);
        latest.map(|(worker, kickoff)| (*worker, *kickoff))
    }

    /// Whether no kickoff of a held step has given an output.
    #[inline]
    pub(super) fn has_no_latest(&self) -> bool {
        self.0.as_deref().is_none_or(|held| held.latest.is_empty())
    }

    /// Records that a kickoff of `worker` has ended. Returns whether it is the last in order that
    /// has.
    pub(crate) fn is_latest(&mut self, worker: WorkerId, kickoff: KickoffId) -> bool {
        let held = self.0.get_or_insert_default();
        let latest = held.latest.entry(worker).or_insert(kickoff);
        *latest = kickoff.max(*latest);
        *latest == kickoff
    }

    /// Forgets which kickoffs gave the current outputs, at the end of the step.
    #[inline]
    pub(super) fn forget_latest(&mut self) {
        if let Some(held) = &mut self.0 {
            held.latest.clear();
        }
    }

    /// Removes workers whose ids may be reused.
    pub(super) fn forget(&mut self, gone: &FxHashSet<WorkerId>) {
        let Some(held) = &mut self.0 else { return };
        held.after_nobody.retain(|held| !gone.contains(held));
        held.workers.retain(|held| !gone.contains(held));
        held.latest.retain(|worker, _| !gone.contains(worker));
    }
}
