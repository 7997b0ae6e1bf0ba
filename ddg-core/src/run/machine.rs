//! The heart: a pure state machine that decides what runs next.
//!
//! It knows the graph, what each worker waits for, and what has been given and asked for. It has
//! no clock, no tasks and no order that depends on a hash map: told the same completions in any
//! order, it decides the same. A driver asks for the kickoffs of a step ([`Machine::begin`]) and
//! lets the step settle with how each ended ([`Machine::settle`]).

mod calling;
mod record;
mod saved;
mod settling;

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

pub(crate) use record::Record;
pub(crate) use saved::Saved;

use super::Waiting;
use super::error::{Failure, FailureKind, RunError, StepError};
use super::kickoff::{Cause, Ended, Job, KickoffId};
use super::outputs::Outputs;
use super::waits::Waits;
use super::{Interrupted, Question};
use crate::args::{Args, Named, find};
use crate::context::{LocalSpace, LocalSpaces};
use crate::graph::{Node, View, WorkerId};
use crate::key::Key;
use crate::path::Path;
use crate::values::Value;

/// The state of one run and the rules by which it changes.
pub(crate) struct Machine {
    view: View,
    /// Where the automa is nested; `None` at the top.
    path: Option<Arc<Path>>,
    inputs: Arc<Named>,
    step: u64,
    next_kickoff: u64,
    /// What runs in the next step, in order.
    due: Vec<Due>,
    /// What runs now, in kickoff order.
    running: Vec<Running>,
    waits: Waits,
    outputs: Outputs,
    /// Elements that are dealt out, by successor and dealer.
    dealt: FxHashMap<(WorkerId, WorkerId), Value>,
    /// What waits for answers of people, in kickoff order. While there is any, nothing that is due
    /// begins: the step has not ended.
    interrupted: Vec<Interrupted<WorkerId>>,
    /// Workers that were removed and are still running.
    removed: Vec<(WorkerId, Key)>,
    locals: LocalSpaces,
    /// The output worker of this run, from its kickoff on.
    output_worker: Option<Key>,
    result: Value,
    /// What the step does when it settles, if somebody wants to know.
    record: Option<Box<Record>>,
}

/// A worker that is to run in the next step.
struct Due {
    worker: WorkerId,
    cause: Cause,
    /// What it is called with, where that is not what its dependencies give.
    args: Option<Args>,
}

/// A worker that is running.
struct Running {
    id: KickoffId,
    worker: WorkerId,
}

/// Failures with the place of their worker among all that ended.
type Failures = Vec<(usize, Failure)>;

impl Machine {
    /// A run of `view` that is about to begin: `args` by position go to the start workers, by name
    /// to whoever has a parameter of that name; they are stronger than those of the automa around.
    pub(crate) fn new(
        view: View,
        path: Option<Arc<Path>>,
        args: Args,
        outer_inputs: &[(Cow<'static, str>, Value)],
        locals: LocalSpaces,
    ) -> Self {
        let Args { positional, named } = args;
        let mut inputs = named.map(|named| *named).unwrap_or_default();
        for outer in outer_inputs {
            if find(&inputs, &outer.0).is_none() {
                inputs.push(outer.clone());
            }
        }
        let n_workers = view.n_slots();
        let by_position = Args { positional, named: None };
        let start = |worker| Due { worker, cause: Cause::Start, args: Some(by_position.clone()) };
        let due = view.starts().map(start).collect();
        Self {
            path,
            inputs: Arc::new(inputs),
            step: 0,
            next_kickoff: 0,
            due,
            running: Vec::new(),
            waits: Waits::new(n_workers),
            outputs: Outputs::new(n_workers),
            dealt: FxHashMap::default(),
            interrupted: Vec::new(),
            removed: Vec::new(),
            locals,
            output_worker: None,
            result: Value::null(),
            record: None,
            view,
        }
    }

    pub(crate) fn path(&self) -> Option<&Arc<Path>> {
        self.path.as_ref()
    }

    pub(crate) fn inputs(&self) -> &Arc<Named> {
        &self.inputs
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn steps(&self) -> u64 {
        self.step
    }

    pub(crate) fn result(&self) -> &Value {
        &self.result
    }

    /// Lets go of all outputs, when nobody will ask for them any more.
    pub(crate) fn forget_outputs(&mut self) {
        self.result = Value::null();
        self.outputs.clear();
    }

    pub(crate) fn locals(&self) -> &LocalSpaces {
        &self.locals
    }

    /// The last output of the worker `key`.
    pub(crate) fn output(&self, key: &str) -> Option<Value> {
        self.outputs.get(self.view.find(key)?).cloned()
    }

    /// The local space of the worker `key`.
    pub(crate) fn local(&mut self, key: &Key) -> LocalSpace {
        self.locals.entry(key.clone()).or_default().clone()
    }

    /// Begins the next step: binds all that is due and hands it out through `jobs`. None means
    /// that the run has ended, once nothing is running any more.
    ///
    /// # Errors
    /// The step limit is reached, or something cannot be bound or must not run; then nothing is
    /// handed out.
    pub(crate) fn begin(&mut self, jobs: &mut Vec<Job>) -> Result<(), RunError> {
        jobs.clear();
        if !self.interrupted.is_empty() {
            self.begin_again(jobs);
            return Ok(());
        }
        if self.due.is_empty() {
            return Ok(());
        }
        if let Some(limit) = self.view.base().settings.max_steps
            && self.step >= limit
        {
            return Err(RunError::StepLimit {
                automa: self.automa(),
                limit,
                due: self.due.iter().map(|due| self.view.node(due.worker).key().clone()).collect(),
            });
        }
        self.step += 1;
        jobs.reserve_exact(self.due.len());
        if self.due.len() == 1
            && let Some(due) = self.due.pop()
        {
            return self.bind(due, jobs).map_err(|failure| self.step_error(vec![*failure]));
        }
        let mut failures = Vec::new();
        let mut due = std::mem::take(&mut self.due);
        for due in due.drain(..) {
            if let Err(failure) = self.bind(due, jobs) {
                failures.push(*failure);
            }
        }
        self.due = due;
        if failures.is_empty() {
            return Ok(());
        }
        jobs.clear();
        Err(self.step_error(failures))
    }

    /// Settles the step for all that has `ended` since: changes the graph, makes the targets of
    /// ferries due, then takes the results and makes due who waits for nothing more. Whoever is due
    /// waits for all its dependencies again. Leaves `ended` empty.
    ///
    /// # Errors
    /// Everything that went wrong in the step, in kickoff order.
    pub(crate) fn settle(&mut self, ended: &mut Vec<Ended>) -> Result<(), RunError> {
        let mut failures = Failures::new();
        self.take(ended);
        if ended.iter().any(|ended| ended.end.as_ref().is_ok_and(|(_, asks)| !asks.is_empty())) {
            self.edit(ended, &mut failures);
            for (place, Ended { worker, end, .. }) in ended.iter_mut().enumerate() {
                if let Ok((_, asks)) = end {
                    self.ferry(place, *worker, asks, &mut failures);
                }
            }
        }
        if self.record.is_some() {
            self.record_outputs(ended);
        }
        self.take_results(ended, &mut failures);
        self.settled(failures)
    }

    /// The same for a worker that has ended and ran alone: nearly every step of a chain or a loop.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub(crate) fn settle_one(&mut self, ended: Ended) -> Result<(), RunError> {
        let Ok((output, mut asks)) = ended.end else { return self.settle(&mut vec![ended]) };
        if asks.has_edits() || self.running.len() > 1 || !self.interrupted.is_empty() {
            return self.settle(&mut vec![Ended { end: Ok((output, asks)), ..ended }]);
        }
        let mut failures = Failures::new();
        self.running.clear();
        if !asks.is_empty() {
            self.ferry(0, ended.worker, &mut asks, &mut failures);
        }
        if let Err(kind) = self.take_result(ended.worker, output) {
            let key = self.key_of(ended.worker);
            failures.push((0, self.failure(&key, kind)));
        }
        self.settled(failures)
    }

    /// What is left to do when results are taken.
    #[inline]
    fn settled(&mut self, mut failures: Failures) -> Result<(), RunError> {
        if !self.removed.is_empty() {
            self.recycle_removed();
        }
        if failures.is_empty() {
            for due in &self.due {
                self.waits.reset(due.worker);
            }
            return Ok(());
        }
        failures.sort_by_key(|(place, _)| *place);
        Err(self.step_error(failures.into_iter().map(|(_, failure)| failure).collect()))
    }

    /// Whether nothing is due, and nothing waits for an answer.
    pub(crate) fn is_idle(&self) -> bool {
        self.due.is_empty() && self.interrupted.is_empty()
    }

    /// Whether it waits for answers.
    pub(crate) fn is_paused(&self) -> bool {
        !self.interrupted.is_empty()
    }

    /// The questions that wait for an answer, in kickoff order.
    pub(crate) fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        self.interrupted.iter().for_each(|interrupted| interrupted.questions(&mut questions));
        questions
    }

    /// The workers that wait for others, and for which: in a finished run, what never came.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let waits = |(id, node): (WorkerId, &Node)| {
            let missing: Vec<_> = node
                .live_dependencies()
                .filter(|(place, _)| !self.waits.is_crossed(id, *place))
                .map(|(_, on)| self.view.node(on).key().clone())
                .collect();
            let ran = self.outputs.get(id).is_some();
            let partly = missing.len() < node.n_dependencies as usize;
            let waits = node.n_dependencies > 0 && !missing.is_empty() && (partly || !ran);
            waits.then(|| Waiting { worker: node.key().clone(), missing })
        };
        self.view.workers().filter_map(waits).collect()
    }

    /// The key of a worker that is running, also if it has been removed since.
    fn key_of(&self, worker: WorkerId) -> Key {
        let removed = || self.removed.iter().find(|(removed, _)| *removed == worker);
        match self.view.get(worker) {
            Some(node) => node.key().clone(),
            None => removed().map_or(Key::from_static(""), |(_, key)| key.clone()),
        }
    }

    fn failure(&self, key: &Key, kind: FailureKind) -> Failure {
        Failure { worker: Path::new(self.path.clone(), key.clone()), kind }
    }

    fn step_error(&self, failures: Vec<Failure>) -> RunError {
        let questions = self.questions();
        StepError { automa: self.automa(), step: self.step, failures, questions }.into()
    }

    fn automa(&self) -> String {
        self.view.base().automa.to_string()
    }
}
