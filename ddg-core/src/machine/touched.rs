//! Which workers the state differs in since it was last saved, so that saving a step costs what the
//! step has changed and not what the run has reached.

use rustc_hash::FxHashSet;

use super::{Ended, Hosts, Machine};
use crate::graph::WorkerId;
use crate::key::Key;

/// The workers whose part of the state may have changed: output, satisfied dependencies, elements
/// that were dealt to it, local space.
#[derive(Default)]
pub(crate) struct Touched {
    workers: FxHashSet<WorkerId>,
    /// The keys of workers that were removed. They leave an output behind, until another worker
    /// takes the key.
    removed: FxHashSet<Key>,
}

impl Touched {
    /// The workers. Some may have been removed.
    pub(crate) fn workers(&self) -> impl Iterator<Item = WorkerId> {
        self.workers.iter().copied()
    }

    /// The keys of workers that were removed.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &Key> {
        self.removed.iter()
    }

    fn touch(&mut self, worker: WorkerId) {
        self.workers.insert(worker);
    }
}

impl<P: Hosts> Machine<P> {
    /// The workers that have changed since the state was [saved](Self::state_saved). `None` if that
    /// never was the case.
    ///
    /// Those that are ready or running change without being touched. Look at them, too.
    pub(crate) fn touched(&self) -> Option<&Touched> {
        self.touched.as_deref()
    }

    /// Records that the current state is saved, except for the local spaces of the workers `open`,
    /// which somebody may still write to.
    pub(crate) fn state_saved(&mut self, open: impl IntoIterator<Item = WorkerId>) {
        let touched = self.touched.get_or_insert_default();
        touched.workers.clear();
        touched.removed.clear();
        touched.workers.extend(open);
    }

    /// The workers that are about to settle, if changes are recorded.
    pub(super) fn settling(&self, ended: &[Ended<P>]) -> Vec<WorkerId> {
        match self.touched {
            Some(_) => ended.iter().map(|ended| ended.worker).collect(),
            None => Vec::new(),
        }
    }

    /// Records that workers have settled: they and their successors have changed.
    pub(super) fn touch_settled(&mut self, workers: &[WorkerId]) {
        let Some(touched) = &mut self.touched else { return };
        for worker in workers {
            touched.touch(*worker);
            if let Some(node) = self.state.view.get(*worker) {
                node.live_successors().for_each(|successor| touched.touch(successor.worker));
            }
        }
    }

    /// Records edits: which workers were added and removed, and which have lost a dependency.
    pub(super) fn touch_edited(
        &mut self,
        added: &[WorkerId],
        removed: &[(WorkerId, Key)],
        unlinked: &[(WorkerId, usize)],
    ) {
        let Some(touched) = &mut self.touched else { return };
        added.iter().for_each(|worker| touched.touch(*worker));
        touched.removed.extend(removed.iter().map(|(_, key)| key.clone()));
        unlinked.iter().for_each(|(worker, _)| touched.touch(*worker));
    }
}
