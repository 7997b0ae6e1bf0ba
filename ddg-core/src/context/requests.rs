//! Requests of a running execution, collected until it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Context;
use crate::args::Args;
use crate::engine::{Effects, Pending, Replay};
use crate::graph::Edit;
use crate::machine::{Cause, Ferry, KickoffId};
use crate::worker::Body;

/// The requests of one execution. Requests after its end are refused.
#[derive(Default)]
pub(crate) struct Requests(Mutex<Open>);

#[derive(Default)]
struct Open {
    effects: Effects,
    /// Number of questions asked so far.
    n_questions: usize,
    /// Number of runs begun with `Context::call` so far.
    n_calls: usize,
    /// What waits for an answer: questions, and runs with questions.
    pending: Option<Box<Pending>>,
    /// Whether the execution has ended.
    closed: bool,
}

impl Requests {
    /// Creates requests that are collected in `effects`.
    pub(super) fn new(effects: Effects) -> Self {
        Self(Mutex::new(Open { effects, ..Open::default() }))
    }

    /// Adds a ferry; returns it if the execution has ended.
    pub(super) fn push_ferry(&self, ferry: Ferry) -> Option<Ferry> {
        let mut open = self.lock();
        if open.closed {
            return Some(ferry);
        }
        open.effects.push_ferry(ferry);
        None
    }

    /// Adds an edit; returns it if the execution has ended.
    #[inline]
    pub(super) fn push_edit(&self, edit: Edit<Arc<Body>>) -> Option<Edit<Arc<Body>>> {
        let mut open = self.lock();
        if open.closed {
            return Some(edit);
        }
        open.effects.push_edit(edit);
        None
    }

    /// Adds a stop; returns whether the execution has ended.
    pub(super) fn set_stop(&self) -> bool {
        let mut open = self.lock();
        if !open.closed {
            open.effects.set_stop();
        }
        open.closed
    }

    /// Counts a question; returns the number of questions before.
    pub(super) fn next_question(&self) -> usize {
        let mut open = self.lock();
        open.n_questions += 1;
        open.n_questions - 1
    }

    /// Counts a call of an automa; returns the number of calls before.
    pub(crate) fn next_call(&self) -> usize {
        let mut open = self.lock();
        open.n_calls += 1;
        open.n_calls - 1
    }

    /// Adds something that waits for an answer.
    pub(crate) fn wait_for(&self, pending: Pending) {
        let mut open = self.lock();
        let all = match open.pending.take() {
            Some(others) => others.and(pending),
            None => pending,
        };
        open.pending = Some(Box::new(all));
    }

    /// Whether something waits for an answer.
    pub(crate) fn is_waiting(&self) -> bool {
        self.lock().pending.is_some()
    }

    pub(crate) fn take_pending(&self) -> Option<Pending> {
        self.lock().pending.take().map(|pending| *pending)
    }

    /// The requests of another attempt of the same kickoff, which continue the count of its
    /// questions.
    pub(super) fn for_attempt(&self) -> Self {
        let n_questions = self.lock().n_questions;
        Self(Mutex::new(Open { n_questions, ..Open::default() }))
    }

    /// Refuses further requests.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Takes over the requests of a successful attempt.
    pub(crate) fn adopt(&self, attempt: &Self) {
        let mut attempt = attempt.lock();
        let mut open = self.lock();
        open.effects.append(std::mem::take(&mut attempt.effects));
        open.n_questions = attempt.n_questions;
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// Returns the effects of an execution that has ended successfully, and the context, if nobody
    /// else has it: it can be used [again](Self::again).
    #[inline]
    pub(crate) fn into_effects(mut self) -> (Effects, Option<Self>) {
        // The usual case: nobody has kept a clone of the context, so no lock is needed.
        if let Some(execution) = Arc::get_mut(&mut self.0) {
            let open = execution.requests.0.get_mut().unwrap_or_else(PoisonError::into_inner);
            let effects = std::mem::take(&mut open.effects);
            execution.args.clear();
            execution.replay = None;
            return (effects, Some(self));
        }
        let mut open = self.0.requests.lock();
        open.closed = true;
        let effects = std::mem::take(&mut open.effects);
        drop(open);
        (effects, None)
    }

    /// This context, as that of another kickoff of the same worker.
    ///
    /// # Panics
    /// If somebody else has the context.
    #[inline]
    pub(crate) fn again(
        mut self,
        id: KickoffId,
        cause: Cause,
        step: u64,
        args: &Args,
        effects: Effects,
        replay: Option<Box<Replay>>,
    ) -> Self {
        let execution = Arc::get_mut(&mut self.0).expect("a spare context has one owner");
        let kickoff = &mut execution.kickoff;
        (kickoff.id, kickoff.cause, kickoff.step) = (id, cause, step);
        execution.args.clone_from(args);
        execution.replay = replay;
        *execution.attempt.get_mut() = 1;
        *execution.requests.0.get_mut().unwrap_or_else(PoisonError::into_inner) =
            Open { effects, ..Open::default() };
        self
    }
}
