//! The dependencies among the workers of a block, as far as they are known.

use crate::model::Block;

/// A dependency as an edge of the graph.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    /// Index of the dependency.
    pub(super) dependency: usize,
    /// Index of the entry in the `dependencies` of the worker that waits.
    pub(super) entry: usize,
}

/// For each worker the edges to its dependencies, without edges to itself.
pub(super) struct Topology(Vec<Vec<Edge>>);

impl Topology {
    pub(super) fn new(block: &Block) -> Self {
        let edges_to = |worker_idx: usize| {
            let dependencies = block.workers[worker_idx].dependencies().iter().enumerate();
            dependencies
                .filter_map(|(entry, reference)| {
                    Some(Edge { dependency: block.resolve(reference)?, entry })
                })
                .filter(|edge| edge.dependency != worker_idx)
                .collect()
        };
        Self((0..block.workers.len()).map(edges_to).collect())
    }

    pub(super) fn edges_to(&self, worker_idx: usize) -> &[Edge] {
        &self.0[worker_idx]
    }

    /// The direct and indirect dependencies of the worker, nearest first.
    ///
    /// The worker itself is among them only if it is on a cycle.
    pub(super) fn ancestors(&self, worker_idx: usize) -> Vec<usize> {
        let mut ancestors: Vec<usize> = Vec::new();
        let mut n_followed = 0;
        let mut next = Some(worker_idx);
        while let Some(current) = next {
            for edge in self.edges_to(current) {
                if !ancestors.contains(&edge.dependency) {
                    ancestors.push(edge.dependency);
                }
            }
            next = ancestors.get(n_followed).copied();
            n_followed += 1;
        }
        ancestors
    }
}
