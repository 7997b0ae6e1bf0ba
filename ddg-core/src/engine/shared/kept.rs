//! Local spaces that outlive a run: for the next kickoff of a nested automa, or for the next run.

use std::sync::{Arc, PoisonError};

use super::RunCore;
use crate::automa::Program;
use crate::graph::View;
use crate::local::KeptSpaces;
use crate::machine::End;
use crate::worker::Body;

impl RunCore {
    /// Keeps the local spaces after a run has ended: of a nested run for the next kickoff of its
    /// automa, of an outermost run for the next run.
    pub(in crate::engine) fn keep_locals(&self, end: End) {
        if !self.program.settings.keep_local && !self.locals().has_kept() {
            return;
        }
        match (end, &self.outer) {
            (End::Paused, _) => {}
            (End::Finished | End::Stopped, None) => {
                let kept = self.kept();
                if !kept.is_empty() {
                    commit(kept, &self.program, self.machine().view());
                }
            }
            // A run inside another has no worker, so it is not the next kickoff of one.
            (End::Finished | End::Stopped, Some((_, None))) => {}
            (End::Finished | End::Stopped, Some((outer, Some(worker)))) => {
                let kept = self.kept();
                outer.locals().keep(*worker, kept);
            }
        }
    }

    fn kept(&self) -> KeptSpaces {
        let machine = self.machine();
        self.locals().kept(self.program.settings.keep_local, machine.view())
    }
}

/// The local spaces that `program` has kept from earlier runs.
pub(super) fn kept_from_earlier_runs(program: &Program) -> KeptSpaces {
    if !program.settings.keep_local {
        return KeptSpaces::default();
    }
    let kept = program.kept.lock().unwrap_or_else(PoisonError::into_inner);
    KeptSpaces { own: Some(kept.clone()), ..KeptSpaces::default() }
}

/// Keeps these local spaces for later runs of `program` and of the automata nested in it. `view` is
/// the graph at the end of the run. If runs overlap, the one that ends last wins.
fn commit(kept: KeptSpaces, program: &Arc<Program>, view: &View<Arc<Body>>) {
    // A list instead of recursion, because automata may be nested to any depth.
    let mut rest = vec![(kept, Arc::clone(program), view.clone())];
    while let Some((kept, program, view)) = rest.pop() {
        if let Some(own) = kept.own {
            *program.kept.lock().unwrap_or_else(PoisonError::into_inner) = own;
        }
        for (key, kept) in kept.nested {
            let Some(id) = view.find(key.as_str()) else { continue };
            let worker = &view.node(id).payload.worker;
            let program = worker.0.automa().and_then(|automa| automa.compiled().ok());
            if let (Some(program), Some(view)) = (program, worker.graph()) {
                rest.push((kept, program, view));
            }
        }
    }
}
