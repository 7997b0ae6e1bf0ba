//! How a step settles: the parts of [`Machine::settle`], in the order in which they happen.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{Done, Due, Failures, Machine};
use crate::graph::{Edit, Node, some_keys};
use crate::path::Path;
use crate::run::error::{Failure, FailureKind};
use crate::run::kickoff::{Ask, Cause, End};
use crate::values::{Dealt, Value};
use crate::worker::Dealing;

impl Machine {
    /// Takes what has ended out of what is running, in kickoff order.
    pub(super) fn take_ended(
        &mut self,
        done: &mut Vec<Done>,
        failures: &mut Failures,
    ) -> Vec<(usize, Edit)> {
        let mut edits = Vec::new();
        let mut place = 0;
        let mut failed = Vec::new();
        self.running.retain_mut(|running| {
            let Some(end) = running.end.take() else {
                return true;
            };
            match end {
                End::Done { output, asks } => {
                    let mut ferries = Vec::new();
                    for ask in asks {
                        match ask {
                            Ask::Ferry { to, args } => ferries.push((to, args)),
                            Ask::Edit(edit) => edits.push((done.len(), edit)),
                        }
                    }
                    done.push(Done { worker: running.worker, output, ferries, place });
                }
                End::Failed(error) => {
                    failed.push((place, running.worker, error));
                }
            }
            place += 1;
            false
        });
        for (place, worker, error) in failed {
            let key = self.key_of(worker);
            failures.push((place, self.failure(&key, FailureKind::Worker(error))));
        }
        edits
    }

    /// Changes the graph as asked for, all or nothing.
    pub(super) fn edit(
        &mut self,
        done: &[Done],
        edits: Vec<(usize, Edit)>,
        failures: &mut Failures,
    ) {
        match self.view.apply(edits) {
            Ok(applied) => {
                self.waits.grow(self.view.n_slots());
                self.outputs.resize(self.view.n_slots(), None);
                for (worker, place) in applied.unlinked {
                    self.waits.uncross(worker, place);
                }
                self.removed.extend(applied.removed);
            }
            Err((asker, error)) => {
                let asker = &done[asker];
                let key = self.key_of(asker.worker);
                failures.push((asker.place, self.failure(&key, FailureKind::Edit(error))));
            }
        }
    }

    /// Keeps the outputs and crosses the workers that gave them off their successors.
    pub(super) fn take_results(&mut self, done: &mut [Done], failures: &mut Failures) {
        for done in done {
            let Some(node) = self.view.get(done.worker) else {
                continue;
            };
            let output = std::mem::take(&mut done.output);
            let dealt = match node.spec.dealing {
                Dealing::AsIs => None,
                Dealing::InOrder => match deal(node, &output) {
                    Ok(dealt) => Some(dealt),
                    Err(kind) => {
                        failures.push((done.place, self.failure(node.key(), kind)));
                        continue;
                    }
                },
            };
            for (index, successor) in node.live_successors().enumerate() {
                if let Some(dealt) = &dealt {
                    let element = Value::element(Arc::clone(dealt), index);
                    self.dealt.insert((successor.worker, done.worker), element);
                }
                let crossed = self.waits.cross(successor.worker, successor.place);
                if crossed == self.view.node(successor.worker).n_dependencies
                    && self.waits.mark_due(successor.worker)
                {
                    self.ready.push(successor.worker);
                }
            }
            if node.spec.output {
                self.result = output.clone();
            }
            self.outputs[done.worker.index()] = Some(output);
        }
    }

    /// Lets go of removed workers, but for those that are still running.
    pub(super) fn forget_removed(&mut self) {
        let running: FxHashSet<_> = self.running.iter().map(|running| running.worker).collect();
        let (waits, outputs, view) = (&mut self.waits, &mut self.outputs, &mut self.view);
        self.removed.retain(|(worker, _)| {
            waits.forget(*worker);
            outputs[worker.index()] = None;
            let still_running = running.contains(worker);
            if !still_running {
                view.recycle(*worker);
            }
            still_running
        });
    }

    /// Makes the targets of ferries due, in the order they were asked for.
    pub(super) fn ferry(&mut self, done: &mut [Done], failures: &mut Failures) {
        for done in done.iter_mut().filter(|done| !done.ferries.is_empty()) {
            let by = self.key_of(done.worker);
            for (target, args) in done.ferries.drain(..) {
                match self.view.find(target.as_str()) {
                    Some(worker) => {
                        let cause = Cause::Ferry { by: by.clone() };
                        self.due.push(Due { worker, cause, args: Some(args) });
                    }
                    None => {
                        let known = some_keys(self.view.keys());
                        let kind = FailureKind::UnknownFerryTarget { target, known };
                        let worker = Path::new(self.path.clone(), by.clone());
                        failures.push((done.place, Failure { worker, kind }));
                    }
                }
            }
        }
    }

    /// Makes those due that wait for nothing more, after the ferries; all of them wait for all
    /// their dependencies again.
    pub(super) fn make_due(&mut self) {
        let by_dependencies = |worker| Due { worker, cause: Cause::Dependencies, args: None };
        self.due.extend(self.ready.drain(..).map(by_dependencies));
        for due in &self.due {
            self.waits.reset(due.worker);
        }
    }
}

/// The output of `node` as a list with one element for each of its successors.
fn deal(node: &Node, output: &Value) -> Result<Arc<Dealt>, FailureKind> {
    let successors = node.live_successors().count();
    match output.list_len() {
        Some(len) if len == successors => Ok(Dealt::new(output.clone())),
        Some(len) => Err(FailureKind::InOrder { successors, found: format!("a list of {len}") }),
        None => Err(FailureKind::InOrder { successors, found: output.type_name() }),
    }
}
