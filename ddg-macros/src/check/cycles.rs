//! Checks that no worker waits for itself, directly or through others.

use super::topology::{Edge, Topology};
use crate::fault::Faults;
use crate::model::Block;

/// Reports one dependency of each cycle. Returns whether there are none.
pub(super) fn check(block: &Block, topology: &Topology, faults: &mut Faults) -> bool {
    let n_workers = block.workers.len();
    let mut search =
        Search { topology, path: Vec::new(), is_done: vec![false; n_workers], cycles: Vec::new() };
    for worker_idx in 0..n_workers {
        search.visit(worker_idx);
    }
    for cycle in &search.cycles {
        report(block, cycle, faults);
    }
    search.cycles.is_empty()
}

/// A worker, and the dependency that the search follows from it.
#[derive(Clone, Copy)]
struct Step {
    worker_idx: usize,
    edge: Edge,
}

/// A depth-first search from each worker to its dependencies.
struct Search<'a> {
    topology: &'a Topology,
    /// The path to here; each worker waits for the next one.
    path: Vec<Step>,
    is_done: Vec<bool>,
    cycles: Vec<Vec<Step>>,
}

impl Search<'_> {
    fn visit(&mut self, worker_idx: usize) {
        if self.is_done[worker_idx] {
            return;
        }
        for edge in self.topology.edges_to(worker_idx) {
            self.path.push(Step { worker_idx, edge: *edge });
            match self.path.iter().position(|step| step.worker_idx == edge.dependency) {
                Some(position) => self.cycles.push(self.path[position..].to_vec()),
                None => self.visit(edge.dependency),
            }
            self.path.pop();
        }
        self.is_done[worker_idx] = true;
    }
}

/// Reports a cycle at the dependency that leads furthest down the block. If the workers are written
/// in the order in which they run, that is the dependency that closes the cycle.
fn report(block: &Block, cycle: &[Step], faults: &mut Faults) {
    let leads_down = |step: &Step| step.edge.dependency as isize - step.worker_idx as isize;
    let Some(back) = (0..cycle.len()).max_by_key(|place| leads_down(&cycle[*place])) else {
        return;
    };
    // Each worker waits for the next one, so data flows in the opposite direction.
    let flow: Vec<&str> = (0..=cycle.len())
        .map(|n_back| cycle[(back + cycle.len() - n_back) % cycle.len()].worker_idx)
        .map(|worker_idx| block.workers[worker_idx].key.text.as_str())
        .collect();
    let Step { worker_idx, edge } = cycle[back];
    faults.push_with_help(
        &block.workers[worker_idx].dependencies()[edge.entry],
        format_args!("these workers wait for each other: {}", flow.join(" -> ")),
        "drop one of the dependencies; a loop is closed at run time with `cx.ferry_to`",
    );
}
