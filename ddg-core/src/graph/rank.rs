//! Keeps a topological order of the workers while edges are added one by one.
//!
//! The algorithm is that of Pearce and Kelly, "A dynamic topological sort algorithm for directed
//! acyclic graphs" (ACM JEA 11, 2007). An edge that agrees with the order costs nothing; another
//! edge re-ranks only the workers between its two ends. The searches use explicit stacks, so that a
//! chain of any length does not overflow the call stack.

use rustc_hash::FxHashSet;

use super::{Payload, View, WorkerId};

/// The effect of a new edge on the ranks.
pub(super) enum Ranked {
    /// The order already agrees with the edge.
    Agrees,
    /// New ranks for some workers.
    Moved(Vec<(WorkerId, u32)>),
    /// The edge closes a cycle. The path leads from the waiting worker to the one that it would
    /// wait for.
    Cycle(Vec<WorkerId>),
}

/// Ranks `view` with an additional edge from `first` to `then`, which waits for it.
pub(super) fn rank_edge<P: Payload>(view: &View<P>, first: WorkerId, then: WorkerId) -> Ranked {
    let (low, high) = (view.rank(then), view.rank(first));
    if high < low {
        return Ranked::Agrees;
    }
    // The workers reachable from `then` whose rank is at most that of `first`. They must move
    // behind everything that leads to `first`.
    let mut after = Vec::new();
    let mut seen = FxHashSet::default();
    let mut trail: Vec<(WorkerId, usize)> = vec![(then, 0)];
    seen.insert(then);
    while let Some((worker, next)) = trail.last_mut() {
        let worker = *worker;
        // The trail is the path from `then`, so it is the cycle to report.
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
                    // A successor with a higher rank already comes after `first`.
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
    // The affected workers share out the ranks that they have, so no other worker moves.
    let mut ranks: Vec<_> = workers.iter().map(|worker| view.rank(*worker)).collect();
    ranks.sort_unstable();
    Ranked::Moved(workers.into_iter().zip(ranks).collect())
}
