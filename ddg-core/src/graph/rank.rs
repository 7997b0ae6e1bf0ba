//! Keeps workers ranked so that each comes after what it depends on, edge by edge.
//!
//! The algorithm is that of Pearce and Kelly, "A dynamic topological sort algorithm for directed
//! acyclic graphs" (ACM JEA 11, 2007): an edge that agrees with the ranks costs nothing; one that
//! does not re-ranks only the workers between its two ends. The searches are loops over a stack of
//! their own, so that a chain of any length is safe.

use rustc_hash::FxHashSet;

use super::{Payload, View, WorkerId};

/// What adding an edge does to the ranks.
pub(super) enum Ranked {
    /// The ranks agree already.
    Agrees,
    /// These workers get these ranks.
    Moved(Vec<(WorkerId, u32)>),
    /// The edge closes a cycle; the path leads from the waiting worker to the one waited for.
    Cycle(Vec<WorkerId>),
}

/// Ranks for `view` with one more edge, from `first` to the worker that waits for it.
pub(super) fn rank_edge<P: Payload>(view: &View<P>, first: WorkerId, then: WorkerId) -> Ranked {
    let (low, high) = (view.rank(then), view.rank(first));
    if high < low {
        return Ranked::Agrees;
    }
    // What comes after `then`, up to `first`: must move behind what leads to `first`.
    let mut after = Vec::new();
    let mut seen = FxHashSet::default();
    let mut trail: Vec<(WorkerId, usize)> = vec![(then, 0)];
    seen.insert(then);
    while let Some((worker, next)) = trail.last_mut() {
        let worker = *worker;
        if worker == first {
            return Ranked::Cycle(trail.into_iter().map(|(worker, _)| worker).collect());
        }
        match view.node(worker).successors.get(*next) {
            None => {
                after.push(worker);
                trail.pop();
            }
            Some(successor) => {
                *next += 1;
                let successor = successor.worker;
                if successor != WorkerId::VACANT
                    && view.rank(successor) <= high
                    && seen.insert(successor)
                {
                    trail.push((successor, 0));
                }
            }
        }
    }
    let mut before = Vec::new();
    let mut stack = vec![first];
    seen.insert(first);
    while let Some(worker) = stack.pop() {
        before.push(worker);
        for (_, dependency) in view.node(worker).live_dependencies() {
            if view.rank(dependency) >= low && seen.insert(dependency) {
                stack.push(dependency);
            }
        }
    }
    before.sort_unstable_by_key(|worker| view.rank(*worker));
    after.sort_unstable_by_key(|worker| view.rank(*worker));
    let workers = before.into_iter().chain(after);
    let workers: Vec<_> = workers.collect();
    let mut ranks: Vec<_> = workers.iter().map(|worker| view.rank(*worker)).collect();
    ranks.sort_unstable();
    Ranked::Moved(workers.into_iter().zip(ranks).collect())
}
