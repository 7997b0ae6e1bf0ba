//! Settles a step: edits, then ferries, then results, in kickoff order.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::effects::{Effects, Ferry, Target};
use super::error::{FailureKind, StepFailure};
use super::{
    Cause, Ended, Failures, Hosts, Interrupted, KickoffId, Machine, MachineError, ReadyList,
    Undone, Waits,
};
use crate::graph::{Dealing, Node, Payload, Successor, View, WorkerId, some_keys};
use crate::key::Key;
use crate::values::{Dealt, Value};

impl<P: Hosts> Machine<P> {
    /// Settles everything that has `ended`, and leaves it empty.
    ///
    /// # Errors
    /// Every failure of the step, in kickoff order.
    pub(super) fn settle(&mut self, ended: &mut Vec<Ended<P>>) -> Result<(), Box<MachineError>> {
        self.begin_record();
        self.take(ended);
        let releases = std::mem::take(&mut self.resuming) && self.gather_answered(ended);
        // Before the results: a stop decides whether they are held.
        if ended.iter().any(|ended| ended.end.as_ref().is_ok_and(|(_, effects)| effects.stops())) {
            self.stopping = true;
        }
        let mut failures = Failures::new();
        let asks = ended
            .iter()
            .any(|ended| ended.end.as_ref().is_ok_and(|(_, effects)| !effects.is_empty()));
        let mut after_nobody = Vec::new();
        if asks {
            after_nobody = self.edit(ended, &mut failures);
        }
        let mut released = Vec::new();
        if releases {
            // Workers that were ready before the question come before the ferries of the answered
            // executions.
            released = self.release();
        }
        if asks {
            for (place, Ended { worker, end, .. }) in ended.iter_mut().enumerate() {
                if let Ok((_, effects)) = end {
                    self.ferry(place, *worker, effects, &mut failures);
                }
            }
        }
        if self.recording {
            self.record_outputs(ended);
        }
        self.take_results(ended, after_nobody, &mut failures);
        self.settled(released, failures)
    }

    /// Settles an execution that ran alone and asked for no edit.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    #[inline]
    pub(super) fn settle_one(&mut self, ended: Ended<P>) -> Result<(), Box<MachineError>> {
        // Anything but a success with at most one ferry goes the general way.
        let is_simple = ended.end.as_ref().is_ok_and(|(_, effects)| effects.is_simple());
        let is_alone = self.running.len() == 1 && !self.stopping && !self.resuming;
        if !is_simple || !is_alone || self.is_paused() {
            return self.settle(&mut vec![ended]);
        }
        let Ended { id, worker, end: Ok((output, effects)) } = ended else { return Ok(()) };
        self.running.clear();
        let mut astray = None;
        if let Some((ferry, memory)) = effects.into_first() {
            astray = self.ferry_one(worker, ferry).err();
            // A worker that ferries is nearly always followed by one that does.
            self.spare = memory;
        }
        let taken = self.take_result(id, worker, output, false);
        let is_fine = taken.is_ok() && astray.is_none();
        if is_fine && self.removed.is_empty() && !self.state.ready.is_empty() {
            return Ok(());
        }
        self.settled_one(worker, astray, taken)
    }

    /// Finishes settling an execution that ran alone, if it was the last or something has failed.
    #[cold]
    fn settled_one(
        &mut self,
        worker: WorkerId,
        astray: Option<Box<StepFailure>>,
        taken: Result<(), FailureKind>,
    ) -> Result<(), Box<MachineError>> {
        let mut failures: Failures = astray.into_iter().map(|failure| (0, *failure)).collect();
        if let Err(kind) = taken {
            let key = self.key_of(worker);
            failures.push((0, self.failure(&key, kind)));
        }
        self.settled(Vec::new(), failures)
    }

    /// Sorts what has ended by kickoff, and removes it from the running executions.
    fn take(&mut self, ended: &mut [Ended<P>]) {
        // Executions end in any order, and settle in kickoff order.
        if ended.len() > 1 && !ended.is_sorted_by_key(|ended| ended.id) {
            ended.sort_unstable_by_key(|ended| ended.id);
        }
        // Fast path for lockstep, where all running executions end together.
        if ended.len() == self.running.len() {
            self.running.clear();
            return;
        }
        ended.iter().for_each(|ended| self.running.remove(ended.id));
    }

    /// Collects answered executions until all interrupted ones of their step have ended. While one
    /// is interrupted, the others stay unsettled; when none is, or one has failed, `ended` becomes
    /// all of them.
    ///
    /// Returns whether the step has ended with them.
    fn gather_answered(&mut self, ended: &mut Vec<Ended<P>>) -> bool {
        let is_interrupted = |ended: &Ended<P>| matches!(ended.end, Err(Undone::Interrupted(_)));
        let is_failed = |ended: &Ended<P>| matches!(ended.end, Err(Undone::Failed(_)));
        let waits = self.is_paused() || ended.iter().any(is_interrupted);
        if waits && !ended.iter().any(is_failed) {
            let (interrupted, answered): (Vec<_>, Vec<_>) =
                std::mem::take(ended).into_iter().partition(is_interrupted);
            self.state.answered.extend(answered);
            *ended = interrupted;
        } else {
            ended.append(&mut self.state.answered);
            ended.sort_unstable_by_key(|ended| ended.id);
        }
        !waits
    }

    /// Applies all requested edits, or none. Returns the added workers that follow nobody.
    fn edit(&mut self, ended: &mut [Ended<P>], failures: &mut Failures) -> Vec<WorkerId> {
        let edits = |ended: &Ended<P>| ended.end.as_ref().is_ok_and(|(_, asked)| asked.has_edits());
        if !ended.iter().any(edits) {
            return Vec::new();
        }
        let mut applied_edits = Vec::new();
        let recording = self.recording;
        let asked = ended.iter_mut().enumerate().flat_map(|(place, ended)| {
            let edits = ended.end.as_mut().map(|(_, asked)| asked.take_edits()).unwrap_or_default();
            if recording {
                // Cloned only for subscribers, because applying an edit consumes it.
                applied_edits.extend(edits.iter().map(|edit| (place, edit.clone())));
            }
            edits.into_iter().map(move |edit| (place, edit))
        });
        match self.state.view.apply(asked) {
            Ok(applied) => {
                // Added workers need room before anything refers to them.
                let n_slots = self.state.view.n_slots();
                self.state.waits.grow(n_slots);
                self.state.outputs.grow(n_slots);
                for (worker, place) in &applied.unlinked {
                    self.state.waits.uncross(*worker, *place);
                }
                self.touch_edited(&applied.added, &applied.removed, &applied.unlinked);
                self.forget(&applied.removed);
                self.removed.extend(applied.removed);
                if recording {
                    self.record_edits(ended, applied_edits);
                }
                applied.after_nobody
            }
            Err((place, error)) => {
                let key = self.key_of(ended[place].worker);
                failures.push((place, self.failure(&key, FailureKind::Edit(error))));
                Vec::new()
            }
        }
    }

    /// Takes the results of what has ended, after the workers that were added to follow nobody have
    /// become ready.
    fn take_results(
        &mut self,
        ended: &mut Vec<Ended<P>>,
        after_nobody: Vec<WorkerId>,
        failures: &mut Failures,
    ) {
        let is_interrupted = |ended: &Ended<P>| matches!(ended.end, Err(Undone::Interrupted(_)));
        let hold = self.stopping || self.is_paused() || ended.iter().any(is_interrupted);
        if !after_nobody.is_empty() {
            match hold {
                true => self.state.held.push_after_nobody(after_nobody),
                false => self.begin_after_nobody(after_nobody),
            }
        }
        for (place, Ended { id, worker, end }) in ended.drain(..).enumerate() {
            let taken = match end {
                Ok((output, _)) => self.take_result(id, worker, output, hold),
                Err(Undone::Failed(error)) => Err(FailureKind::Worker(error)),
                Err(Undone::Interrupted(interrupted)) => {
                    self.interrupt(*interrupted);
                    Ok(())
                }
            };
            if let Err(kind) = taken {
                let key = self.key_of(worker);
                failures.push((place, self.failure(&key, kind)));
            }
        }
        if !hold {
            self.state.held.forget_latest();
        }
    }

    /// Keeps an interrupted execution, in kickoff order, unless its worker was removed.
    fn interrupt(&mut self, interrupted: Interrupted<WorkerId, P::Paused>) {
        if self.state.view.get(interrupted.worker).is_some() {
            let waiting = &mut self.state.interrupted;
            let place = waiting.partition_point(|other| other.kickoff < interrupted.kickoff);
            waiting.insert(place, interrupted);
        }
    }

    /// Keeps the output of a worker, and satisfies the dependency of its successors. A successor
    /// with all dependencies satisfied becomes ready, once. If the step is held, this happens when
    /// it is released.
    #[inline(always)]
    fn take_result(
        &mut self,
        id: KickoffId,
        worker: WorkerId,
        output: Value,
        hold: bool,
    ) -> Result<(), FailureKind> {
        let state = &mut self.state;
        let Some(node) = state.view.get(worker) else { return Ok(()) };
        // Of several kickoffs in one step the last in order counts, even if an earlier one was
        // answered and ended after it.
        let counts = (!hold && state.held.has_no_latest()) || state.held.is_latest(worker, id);
        if node.role().wiring.dealing == Dealing::InOrder {
            // Also if the step is held: a list of the wrong length is a failure of this step.
            let dealt = deal(node, &output)?;
            for (index, successor) in node.live_successors().enumerate().filter(|_| counts) {
                let element = Value::element(Arc::clone(&dealt), index);
                state.dealt.set(successor.worker, worker, element);
            }
        }
        if counts && node.role().wiring.output {
            state.result = output.clone();
        }
        match hold {
            true => state.held.push(worker),
            false => satisfy_successors(&state.view, node, &mut state.waits, &mut state.ready),
        }
        if counts {
            state.outputs.set(worker, output);
        }
        Ok(())
    }

    /// Releases a held step: its workers satisfy their successors, in order. Edits that were
    /// applied meanwhile count as if they had come first.
    ///
    /// Returns the failures of workers whose list does not fit the number of their successors any
    /// more.
    pub(super) fn release(&mut self) -> Vec<StepFailure> {
        let mut failures = Vec::new();
        let (after_nobody, held) = self.state.held.take_workers();
        self.begin_after_nobody(after_nobody);
        self.touch_settled(&held);
        for worker in held {
            let state = &mut self.state;
            let Some(node) = state.view.get(worker) else { continue };
            if node.role().wiring.dealing == Dealing::InOrder
                && let Some(output) = state.outputs.get(worker)
            {
                // Successors may have been added or removed since the list was scattered.
                match deal(node, output) {
                    Ok(dealt) => {
                        for (index, successor) in node.live_successors().enumerate() {
                            let element = Value::element(Arc::clone(&dealt), index);
                            state.dealt.set(successor.worker, worker, element);
                        }
                    }
                    Err(kind) => {
                        let key = node.key().clone();
                        failures.push(self.failure(&key, kind));
                        continue;
                    }
                }
            }
            satisfy_successors(&state.view, node, &mut state.waits, &mut state.ready);
        }
        failures
    }

    /// Finishes settling. The failures of the release come first.
    fn settled(
        &mut self,
        released: Vec<StepFailure>,
        mut failures: Failures,
    ) -> Result<(), Box<MachineError>> {
        if !self.removed.is_empty() {
            self.recycle_removed();
        }
        if failures.is_empty() && released.is_empty() {
            if !self.state.held.is_empty() && !self.stopping && !self.is_paused() {
                // The interrupted workers were removed, so nothing holds the step any more. It is
                // released here, so that the state has the workers of the next step.
                self.end_hold()?;
            }
            if self.state.ready.is_empty() && self.state.view.has_after_loops() {
                self.end_loops();
            }
            return Ok(());
        }
        // Edits, ferries and results were checked one after another; the error lists them by
        // worker.
        failures.sort_by_key(|(place, _)| *place);
        let failures = failures.into_iter().map(|(_, failure)| failure);
        Err(self.step_error(released.into_iter().chain(failures).collect()))
    }

    /// Drops the state of removed workers, except their last outputs. One that is ready but held
    /// back counts as waiting, so it is dropped with its worker.
    fn forget(&mut self, removed: &[(WorkerId, Key)]) {
        if removed.is_empty() {
            return;
        }
        let state = &mut self.state;
        // One pass over each list for all of them: a step may remove many.
        let gone: FxHashSet<_> = removed.iter().map(|(worker, _)| *worker).collect();
        state.ready.forget(&gone);
        state.held.forget(&gone);
        state.interrupted.retain(|interrupted| !gone.contains(&interrupted.worker));
        for (worker, key) in removed {
            state.waits.forget(*worker);
            match state.outputs.take(*worker) {
                Some(output) => _ = state.departed.insert(key.clone(), output),
                // Who took over a key has not given anything.
                None => _ = state.departed.remove(key),
            }
            state.dealt.forget(*worker);
            self.forgotten.push(*worker);
        }
    }

    /// Makes the ids of removed workers reusable, except of those that are still running.
    fn recycle_removed(&mut self) {
        let running: FxHashSet<_> = self.running.iter().map(|(_, worker)| worker).collect();
        let (view, forgotten) = (&mut self.state.view, &mut self.forgotten);
        self.removed.retain(|(worker, _)| {
            let still_running = running.contains(worker);
            if !still_running {
                view.recycle(*worker);
                // Forgotten a second time: while it was running, it may have created its local
                // space anew.
                forgotten.push(*worker);
            }
            still_running
        });
    }

    /// Makes the targets of ferries ready, in the order of the calls.
    fn ferry(
        &mut self,
        place: usize,
        worker: WorkerId,
        effects: &mut Effects<P>,
        failures: &mut Failures,
    ) {
        effects.take_ferries(|ferry| {
            if let Err(failure) = self.ferry_one(worker, ferry) {
                failures.push((place, *failure));
            }
        });
    }

    /// Makes the target of a ferry ready.
    #[inline]
    fn ferry_one(&mut self, by: WorkerId, ferry: Ferry) -> Result<(), Box<StepFailure>> {
        let Ferry { to, args } = ferry;
        let by = self.key_of(by);
        let view = &self.state.view;
        let target = match &to {
            Target::Declared(declared) => view.find_declared(*declared),
            Target::Key(key) => view.find(key.as_str()),
        };
        let Some(worker) = target else { return Err(self.astray(&by, to)) };
        if let Some(record) = &mut self.record {
            record.ferries.push((by.clone(), view.node(worker).key().clone()));
        }
        self.state.ready.push_given(worker, Cause::Ferry { by }, Some(args));
        Ok(())
    }

    /// The failure of a ferry to a worker that does not exist.
    #[cold]
    fn astray(&self, by: &Key, to: Target) -> Box<StepFailure> {
        let view = &self.state.view;
        let target: Key = match to {
            Target::Declared(declared) => view.declared_key(declared).clone(),
            Target::Key(key) => key,
        };
        let known = some_keys(&target, view.keys());
        Box::new(self.failure(by, FailureKind::UnknownFerryTarget { target, known }))
    }
}

/// Satisfies the dependency of `node`'s successors. One with all dependencies satisfied becomes
/// ready, once.
#[inline(always)]
fn satisfy_successors<P: Payload>(
    view: &View<P>,
    node: &Node<P>,
    waits: &mut Waits,
    ready: &mut ReadyList,
) {
    // The workers of a group have the same dependencies, so an only successor is in none.
    let in_groups = node.successors.len() > 1 && view.is_untouched();
    let mut at = 0;
    while let Some(Successor { worker, place }) = node.successors.get(at).copied() {
        at += 1;
        if worker == WorkerId::VACANT {
            continue;
        }
        // Workers with the same dependencies wait as one. The others of the group come next.
        let size = if in_groups { waits.size_of_group(worker) } else { 0 };
        let mask = view.mask(worker);
        let is_ready = waits.satisfy(worker, place, mask, |n| view.is_ready_with(worker, n));
        if size == 0 {
            if is_ready {
                ready.push(worker);
            }
            continue;
        }
        at += size - 1;
        if is_ready {
            let first = worker.index();
            ready.extend((first..first + size).map(WorkerId::new));
        }
    }
}

/// Scatters the output of `node`: a list with one element for each of its successors.
fn deal<P: Payload>(node: &Node<P>, output: &Value) -> Result<Arc<Dealt>, FailureKind> {
    let successors = node.live_successors().count();
    match output.list_len() {
        Some(len) if len == successors => Ok(Dealt::new(output.clone())),
        Some(len) => Err(FailureKind::InOrder { successors, found: format!("a list of {len}") }),
        None => Err(FailureKind::InOrder { successors, found: output.describe() }),
    }
}
