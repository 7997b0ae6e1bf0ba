//! How a step settles: the parts of [`Machine::settle`], in the order in which they happen.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{Due, Failures, Machine, Running};
use crate::graph::{Node, WorkerId, some_keys};
use crate::key::Key;
use crate::run::error::FailureKind;
use crate::run::kickoff::{Ask, Cause, End};
use crate::values::{Dealt, Value};
use crate::worker::Dealing;

impl Machine {
    /// Takes what has ended out of what is running, in kickoff order.
    pub(super) fn take_ended(&mut self) -> Vec<Running> {
        if self.running.iter().all(|running| running.end.is_some()) {
            return std::mem::replace(&mut self.running, std::mem::take(&mut self.room));
        }
        let running = std::mem::take(&mut self.running);
        let (ended, running) = running.into_iter().partition(|running| running.end.is_some());
        self.running = running;
        ended
    }

    /// Changes the graph as asked for, all or nothing.
    pub(super) fn edit(&mut self, ended: &mut [Running], failures: &mut Failures) {
        let asked = ended.iter_mut().enumerate().flat_map(|(place, running)| {
            let edits: Vec<_> = match &mut running.end {
                Some(End::Done { asks, .. }) => {
                    asks.iter_mut().filter_map(Ask::take_edit).map(|edit| (place, edit)).collect()
                }
                Some(End::Failed(_)) | None => Vec::new(),
            };
            edits
        });
        match self.view.apply(asked) {
            Ok(applied) => {
                self.waits.grow(self.view.n_slots());
                self.outputs.resize(self.view.n_slots(), None);
                for (worker, place) in applied.unlinked {
                    self.waits.uncross(worker, place);
                }
                for (worker, key) in applied.removed {
                    self.forget(worker, &key);
                    self.removed.push((worker, key));
                }
            }
            Err((place, error)) => {
                let key = self.key_of(ended[place].worker);
                failures.push((place, self.failure(&key, FailureKind::Edit(error))));
            }
        }
    }

    /// Keeps the outputs and crosses the workers that gave them off their successors; a successor
    /// that waits for nothing more is due, once.
    pub(super) fn take_results(&mut self, ended: &mut [Running], failures: &mut Failures) {
        for (place, running) in ended.iter_mut().enumerate() {
            let worker = running.worker;
            let output = match &mut running.end {
                Some(End::Done { output, .. }) => std::mem::take(output),
                Some(End::Failed(_)) | None => {
                    if let Some(End::Failed(error)) = running.end.take() {
                        let key = self.key_of(worker);
                        failures.push((place, self.failure(&key, FailureKind::Worker(error))));
                    }
                    continue;
                }
            };
            let Some(node) = self.view.get(worker) else { continue };
            let dealt = match node.spec.dealing {
                Dealing::AsIs => None,
                Dealing::InOrder => match deal(node, &output) {
                    Ok(dealt) => Some(dealt),
                    Err(kind) => {
                        failures.push((place, self.failure(node.key(), kind)));
                        continue;
                    }
                },
            };
            for (index, successor) in node.live_successors().enumerate() {
                if let Some(dealt) = &dealt {
                    let element = Value::element(Arc::clone(dealt), index);
                    self.dealt.insert((successor.worker, worker), element);
                }
                let crossed = self.waits.cross(successor.worker, successor.place);
                if crossed == self.view.node(successor.worker).n_dependencies
                    && self.waits.mark_due(successor.worker)
                {
                    let (worker, cause) = (successor.worker, Cause::Dependencies);
                    self.due.push(Due { worker, cause, args: None });
                }
            }
            if node.spec.output {
                self.result = output.clone();
            }
            self.outputs[worker.index()] = Some(output);
        }
    }

    /// Lets go of all that belonged to a worker that was removed.
    fn forget(&mut self, worker: WorkerId, key: &Key) {
        self.waits.forget(worker);
        self.outputs[worker.index()] = None;
        self.dealt.retain(|(to, by), _| *to != worker && *by != worker);
        self.locals.remove(key);
    }

    /// Lets the ids of removed workers be used again, but for those that are still running.
    pub(super) fn recycle_removed(&mut self) {
        let running: FxHashSet<_> = self.running.iter().map(|running| running.worker).collect();
        let view = &mut self.view;
        self.removed.retain(|(worker, _)| {
            let still_running = running.contains(worker);
            if !still_running {
                view.recycle(*worker);
            }
            still_running
        });
    }

    /// Makes the targets of ferries due, in the order they were asked for.
    pub(super) fn ferry(&mut self, ended: &mut [Running], failures: &mut Failures) {
        for (place, running) in ended.iter_mut().enumerate() {
            let Some(End::Done { asks, .. }) = &mut running.end else { continue };
            for ask in asks.drain(..) {
                let Ask::Ferry { to: target, args } = ask else { continue };
                let by = self.key_of(running.worker);
                match self.view.find(target.as_str()) {
                    Some(worker) => {
                        let cause = Cause::Ferry { by };
                        self.due.push(Due { worker, cause, args: Some(args) });
                    }
                    None => {
                        let known = some_keys(self.view.keys());
                        let kind = FailureKind::UnknownFerryTarget { target, known };
                        failures.push((place, self.failure(&by, kind)));
                    }
                }
            }
        }
    }
}

/// The output of `node` as a list with one element for each of its successors.
fn deal(node: &Node, output: &Value) -> Result<Arc<Dealt>, FailureKind> {
    let successors = node.live_successors().count();
    match output.list_len() {
        Some(len) if len == successors => Ok(Dealt::new(output.clone())),
        Some(len) => Err(FailureKind::InOrder { successors, found: format!("a list of {len}") }),
        None => Err(FailureKind::InOrder { successors, found: output.describe() }),
    }
}
