//! Who may run: counters in flat vectors.

use std::sync::Arc;

use crate::shape::Shape;

/// A shape, seen from those that end.
pub(super) struct Plan {
    successors: Vec<Vec<usize>>,
    n_dependencies: Vec<usize>,
}

impl Plan {
    pub(super) fn new(shape: &Shape) -> Self {
        let mut successors = vec![Vec::new(); shape.n_workers()];
        for (worker, dependencies) in shape.dependencies.iter().enumerate() {
            dependencies.iter().for_each(|dependency| successors[*dependency].push(worker));
        }
        let n_dependencies = shape.dependencies.iter().map(Vec::len).collect();
        Self { successors, n_dependencies }
    }

    pub(super) fn n_workers(&self) -> usize {
        self.successors.len()
    }

    /// Those that wait for nobody.
    pub(super) fn first(&self) -> Vec<usize> {
        (0..self.n_workers()).filter(|worker| self.n_dependencies[*worker] == 0).collect()
    }
}

/// How many each worker still waits for.
pub(super) struct Countdown {
    plan: Arc<Plan>,
    left: Vec<usize>,
}

impl Countdown {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let left = plan.n_dependencies.clone();
        Self { plan, left }
    }

    /// Crosses `worker` off; adds those that wait for nobody more to `ready`.
    pub(super) fn ended(&mut self, worker: usize, ready: &mut Vec<usize>) {
        for successor in &self.plan.successors[worker] {
            self.left[*successor] -= 1;
            if self.left[*successor] == 0 {
                ready.push(*successor);
            }
        }
    }
}
