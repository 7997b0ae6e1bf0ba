//! Checks that no output worker follows another one on a static path, because a run ends in one.

use proc_macro2::Ident;

use super::topology::Topology;
use crate::fault::Faults;
use crate::model::{Block, Worker};

pub(super) fn check(block: &Block, topology: &Topology, faults: &mut Faults) {
    let outputs: Vec<Output<'_>> = block
        .workers
        .iter()
        .enumerate()
        .filter_map(|(worker_idx, worker)| {
            let option = worker.output_option()?;
            Some(Output { worker_idx, worker, option, ancestors: topology.ancestors(worker_idx) })
        })
        .collect();
    for earlier in &outputs {
        let later = outputs.iter().find(|later| later.ancestors.contains(&earlier.worker_idx));
        if let Some(later) = later {
            let (key, later) = (&earlier.worker.key.text, &later.worker.key.text);
            faults.push_with_help(
                earlier.option,
                format_args!("`{key}` is an output, and so is `{later}`, which runs after it"),
                "a run has one output: leave `output` to the last worker of the path",
            );
        }
    }
}

/// A worker marked `output`.
struct Output<'a> {
    worker_idx: usize,
    worker: &'a Worker,
    /// The option `output`, for messages.
    option: &'a Ident,
    /// Its direct and indirect dependencies.
    ancestors: Vec<usize>,
}
