//! Joins: workers that wait for the end of loops, and workers that follow nobody.

use rustc_hash::FxHashSet;

use super::{Hosts, Machine};
use crate::graph::{View, WorkerId};

impl<P: Hosts> Machine<P> {
    /// Makes workers ready that wait for the end of loops, if nothing is running and nothing holds
    /// the run.
    ///
    /// Loops are made by ferries, which may lead anywhere. So they have certainly ended only when
    /// nothing else is left that could ferry.
    #[cold]
    pub(super) fn end_loops(&mut self) {
        let is_over = self.running.is_empty() && !self.stopping && !self.is_paused();
        if is_over && self.state.held.is_empty() {
            self.begin_after_loops();
        }
    }

    /// Makes workers ready that wait for the end of loops and whose dependencies are all satisfied,
    /// except those behind another one, which is a part of what they wait for.
    pub(super) fn begin_after_loops(&mut self) {
        let (view, waits) = (&self.state.view, &self.state.waits);
        let is_satisfied = |worker: &WorkerId| {
            let node = view.node(*worker);
            let mut dependencies = node.live_dependencies();
            node.n_dependencies > 0
                && dependencies.all(|(place, _)| waits.is_crossed(*worker, place))
        };
        let mut workers = view.after_loops();
        workers.retain(is_satisfied);
        if workers.len() > 1 {
            let behind = behind(view, &workers);
            workers.retain(|worker| !behind.contains(worker));
        }
        self.state.ready.extend(workers);
    }

    /// Makes the added workers ready that still follow nobody.
    pub(super) fn begin_after_nobody(&mut self, added: Vec<WorkerId>) {
        for worker in added {
            if self.state.view.node(worker).follows_nobody() {
                self.state.ready.push(worker);
            }
        }
    }
}

/// All workers that depend on one of `workers`, directly or not.
fn behind<P: Hosts>(view: &View<P>, workers: &[WorkerId]) -> FxHashSet<WorkerId> {
    let mut behind = FxHashSet::default();
    let mut next = workers.to_vec();
    while let Some(worker) = next.pop() {
        let successors = view.node(worker).live_successors().map(|successor| successor.worker);
        next.extend(successors.filter(|successor| behind.insert(*successor)));
    }
    behind
}
