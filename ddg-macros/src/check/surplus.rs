//! Checks that a worker gets no more outputs than it has parameters.

use crate::fault::Faults;
use crate::model::{Block, Mapping, Output, Placement, Reference, Worker};

pub(super) fn check(block: &Block, faults: &mut Faults) {
    for worker in &block.workers {
        if worker.mapping == Mapping::AsIs {
            check_worker(block, worker, faults);
        }
    }
}

fn check_worker(block: &Block, worker: &Worker, faults: &mut Faults) {
    let Some(arriving) = arriving(block, worker) else {
        return;
    };
    let n_params = worker.positional_params().count();
    if let Some(surplus) = arriving.get(n_params) {
        let (method, n_arriving) = (worker.method(), arriving.len());
        faults.push_with_help(
            surplus,
            format_args!(
                "{} for {} of `{method}`",
                count(n_arriving, "output"),
                count(n_params, "parameter"),
            ),
            "add a parameter, or map the outputs: `merge`, `unpack`, `suppressed`",
        );
    }
}

/// The dependencies that fill a parameter, if all of them are known and none has a fault of its
/// own.
fn arriving<'a>(block: &Block, worker: &'a Worker) -> Option<Vec<&'a Reference>> {
    let mut seen = Vec::new();
    let mut arriving = Vec::new();
    for reference in worker.dependencies() {
        let dependency = &block.workers[block.resolve(reference)?];
        let is_faulty = dependency.ident == worker.ident
            || seen.contains(&&dependency.key.text)
            || matches!(dependency.placement, Placement::Detached)
            || matches!(dependency.output, Output::Refused);
        if is_faulty {
            return None;
        }
        seen.push(&dependency.key.text);
        if !dependency.output.is_unit() {
            arriving.push(reference);
        }
    }
    Some(arriving)
}

fn count(n: usize, noun: &str) -> String {
    let number = if n == 0 { "no".to_owned() } else { n.to_string() };
    let plural = if n == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
