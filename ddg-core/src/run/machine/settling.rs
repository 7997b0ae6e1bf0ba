//! How a step settles: the parts of [`Machine::settle`], in the order in which they happen.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{Due, Failures, Machine};
use crate::graph::{Node, WorkerId, some_keys};
use crate::key::Key;
use crate::run::asks::Asks;
use crate::run::error::FailureKind;
use crate::run::kickoff::{Cause, Ended, Undone};
use crate::run::{Ferry, Interrupted, Target};
use crate::values::{Dealt, Value};
use crate::worker::Dealing;

impl Machine {
    /// Puts what has ended into kickoff order, and takes it out of what is running.
    pub(super) fn take(&mut self, ended: &mut [Ended]) {
        if ended.len() > 1 && !ended.is_sorted_by_key(|ended| ended.id) {
            ended.sort_unstable_by_key(|ended| ended.id);
        }
        if ended.len() == self.running.len() {
            self.running.clear();
            return;
        }
        let mut gone = ended.iter().map(|ended| ended.id).peekable();
        self.running.retain(|running| gone.next_if_eq(&running.id).is_none());
    }

    /// Changes the graph as asked for, all or nothing.
    pub(super) fn edit(&mut self, ended: &mut [Ended], failures: &mut Failures) {
        let asks = |ended: &Ended| ended.end.as_ref().is_ok_and(|(_, asks)| asks.has_edits());
        if !ended.iter().any(asks) {
            return;
        }
        let mut changes = Vec::new();
        let recording = self.record.is_some();
        let asked = ended.iter_mut().enumerate().flat_map(|(place, ended)| {
            let edits = ended.end.as_mut().map(|(_, asks)| asks.take_edits()).unwrap_or_default();
            if recording {
                changes.extend(edits.iter().map(|edit| (place, edit.change())));
            }
            edits.into_iter().map(move |edit| (place, edit))
        });
        match self.view.apply(asked) {
            Ok(applied) => {
                self.waits.grow(self.view.n_slots());
                self.outputs.grow(self.view.n_slots());
                for (worker, place) in applied.unlinked {
                    self.waits.uncross(worker, place);
                }
                for (worker, key) in applied.removed {
                    self.forget(worker, &key);
                    self.removed.push((worker, key));
                }
                if recording {
                    self.record_changes(ended, changes);
                }
            }
            Err((place, error)) => {
                let key = self.key_of(ended[place].worker);
                failures.push((place, self.failure(&key, FailureKind::Edit(error))));
            }
        }
    }

    /// Takes the results of what has ended.
    pub(super) fn take_results(&mut self, ended: &mut Vec<Ended>, failures: &mut Failures) {
        for (place, Ended { worker, end, .. }) in ended.iter_mut().enumerate() {
            let taken = match end {
                Ok((output, _)) => self.take_result(*worker, std::mem::take(output)),
                Err(_) => {
                    let nothing = Ok((Value::null(), Asks::default()));
                    match std::mem::replace(end, nothing) {
                        Ok(_) => Ok(()),
                        Err(Undone::Failed(error)) => Err(FailureKind::Worker(error)),
                        Err(Undone::Interrupted(interrupted)) => {
                            self.interrupt(*interrupted);
                            Ok(())
                        }
                    }
                }
            };
            if let Err(kind) = taken {
                let key = self.key_of(*worker);
                failures.push((place, self.failure(&key, kind)));
            }
        }
        ended.clear();
    }

    /// Keeps what has been interrupted, unless its worker is gone.
    fn interrupt(&mut self, interrupted: Interrupted<WorkerId>) {
        if self.view.get(interrupted.worker).is_some() {
            self.interrupted.push(interrupted);
            self.interrupted.sort_by_key(|interrupted| interrupted.kickoff);
        }
    }

    /// Keeps the output of a worker and crosses it off its successors; a successor that waits for
    /// nothing more is due, once.
    #[inline]
    pub(super) fn take_result(
        &mut self,
        worker: WorkerId,
        output: Value,
    ) -> Result<(), FailureKind> {
        let Some(node) = self.view.get(worker) else { return Ok(()) };
        if node.spec.dealing == Dealing::InOrder {
            let dealt = deal(node, &output)?;
            for (index, successor) in node.live_successors().enumerate() {
                let element = Value::element(Arc::clone(&dealt), index);
                self.dealt.insert((successor.worker, worker), element);
            }
        }
        for successor in node.live_successors() {
            let crossed = self.waits.cross(successor.worker, successor.place);
            if crossed == self.view.n_dependencies(successor.worker)
                && self.waits.mark_due(successor.worker)
            {
                let (worker, cause) = (successor.worker, Cause::Dependencies);
                self.due.push(Due { worker, cause, args: None });
            }
        }
        if node.spec.output {
            self.result = output.clone();
        }
        self.outputs.set(worker, output);
        Ok(())
    }

    /// Lets go of all that belonged to a worker that was removed.
    fn forget(&mut self, worker: WorkerId, key: &Key) {
        self.waits.forget(worker);
        self.interrupted.retain(|interrupted| interrupted.worker != worker);
        self.outputs.remove(worker);
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
    pub(super) fn ferry(
        &mut self,
        place: usize,
        worker: WorkerId,
        asks: &mut Asks,
        failures: &mut Failures,
    ) {
        asks.take_ferries(|Ferry { to, args }| {
            let by = self.key_of(worker);
            let target = match &to {
                Target::Declared(declared) => self.view.find_declared(*declared),
                Target::Key(key) => self.view.find(key.as_str()),
            };
            match target {
                Some(worker) => {
                    if let Some(record) = &mut self.record {
                        let to = self.view.node(worker).key().clone();
                        record.ferries.push((by.clone(), to));
                    }
                    let cause = Cause::Ferry { by };
                    self.due.push(Due { worker, cause, args: Some(args) });
                }
                None => {
                    let target = match to {
                        Target::Declared(declared) => self.view.declared_key(declared).clone(),
                        Target::Key(key) => key,
                    };
                    let known = some_keys(&target, self.view.keys());
                    let kind = FailureKind::UnknownFerryTarget { target, known };
                    failures.push((place, self.failure(&by, kind)));
                }
            }
        });
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
