//! The pure state machine that decides what runs next.
//!
//! It knows the graph, what each worker waits for, and the outputs and effects so far. It has no
//! clock, no tasks, no handle to anything that acts, and no order that depends on a hash map: given
//! the same ends in any order, it decides the same. A driver asks one question, [`Machine::next`],
//! and gets one answer, [`Next`].
//!
//! A step settles in this order:
//! 1. edits of all workers that ended successfully, as one transaction;
//! 2. ferries, in the order of (kickoff of the caller, call);
//! 3. results, in kickoff order: the output is kept, and each successor has one more satisfied
//!    dependency;
//! 4. failures, if there are any, fail the run;
//! 5. pending questions pause it;
//! 6. the next kickoffs: ferries first, then successors with all dependencies satisfied, each once.
//!
//! **Architecture Invariant:** this module and those that it imports (`graph`, `args`, `values`,
//! `key`, `path`, `error`) name nothing that acts or waits. What is needed to run a worker is a
//! payload whose type the machine does not know.

mod bind;
mod effects;
mod elements;
mod error;
mod held;
mod jobs;
mod joins;
mod kickoff;
mod outputs;
mod pace;
mod pages;
mod question;
mod ready;
mod ready_list;
mod record;
mod running;
mod settle;
mod start;
mod state;
mod take_up;
mod touched;
mod wait;
mod waits;

use std::borrow::Cow;
use std::sync::Arc;

pub(crate) use effects::{Effects, Ferry, Target};
pub(crate) use elements::Elements;
pub use error::{BindError, FailureKind, StepError, StepFailure};
pub(crate) use error::{MachineError, did_you_mean};
pub(crate) use held::Held;
pub(crate) use jobs::Jobs;
pub use kickoff::{Cause, KickoffId};
pub(crate) use kickoff::{Ended, ExecutionEnd, Job, Undone};
pub(crate) use outputs::Outputs;
pub use pace::Pace;
pub use question::Question;
pub(crate) use question::{Interrupted, PausedRun, Pending, Replay};
pub(crate) use ready::Unbound;
pub(crate) use ready_list::ReadyList;
pub(crate) use record::Record;
use running::RunningList;
pub(crate) use state::{State, UnderWay};
pub(crate) use touched::Touched;
pub(crate) use wait::{Awaited, Mail, Signal};
pub(crate) use waits::Waits;

use crate::args::{Args, Inputs, find};
use crate::graph::{Node, Payload, View, WorkerId};
use crate::key::Key;
use crate::path::WorkerPath;
use crate::values::Value;

/// A payload whose worker may be a nested automa with a run of its own.
pub(crate) trait Hosts: Payload {
    /// The paused run of the nested automa.
    type Paused: PausedRun;
}

/// The machine of one run: its [state](State), and what is running.
pub(crate) struct Machine<P: Hosts> {
    state: State<P>,
    /// The path of the automa; `None` for the outermost.
    path: Option<Arc<WorkerPath>>,
    pace: Pace,
    max_steps: u64,
    running: RunningList,
    /// Whether the running executions had begun before and belong to an earlier step, or are about
    /// to be taken up again.
    resuming: bool,
    /// Whether the run was asked to stop.
    stopping: bool,
    /// Workers that were removed while they were running.
    removed: Vec<(WorkerId, Key)>,
    /// Ids of removed workers that the engine has not asked for yet. It drops what it keeps by
    /// these ids.
    forgotten: Vec<WorkerId>,
    /// Effects without content, whose memory the next job reuses.
    spare: Effects<P>,
    /// What could not be called in the step that has failed, for error hooks.
    unbound: Vec<Unbound>,
    recording: bool,
    record: Option<Box<Record<P>>>,
    /// What has changed since the state was saved; `None` if it never was.
    touched: Option<Box<Touched>>,
}

/// What a driver must do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Start the jobs, then ask again.
    Run,
    /// Wait for this many more executions to end, then ask again with them.
    Wait(usize),
    /// The ended executions are settled, and the state can be saved or shown. Ask again.
    Settled,
    /// Nothing is running and nothing will run.
    Done(End),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing is left to do.
    Finished,
    /// The run was stopped before its end.
    Stopped,
    /// Questions wait for answers.
    Paused,
}

/// The start of a run.
pub(crate) struct Beginning<'a> {
    /// The path of the automa; `None` for the outermost.
    pub(crate) path: Option<Arc<WorkerPath>>,
    /// Positional arguments for the start workers, and named ones for every worker with such a
    /// parameter.
    pub(crate) args: Args,
    /// The run inputs of the automa around it. `args` take precedence.
    pub(crate) outer_inputs: &'a [(Cow<'static, str>, Value)],
    pub(crate) pace: Pace,
    /// Maximum number of steps; `None` for no limit.
    pub(crate) max_steps: Option<u64>,
}

/// A worker that is still waiting for others.
pub(crate) struct Unmet {
    pub(crate) worker: Key,
    pub(crate) missing: Vec<Key>,
    /// Whether it has run before.
    pub(crate) again: bool,
}

/// Failures, each with the index of the worker among all that ended.
type Failures = Vec<(usize, StepFailure)>;

impl<P: Hosts> Machine<P> {
    /// Creates a run of `view` that has not begun.
    pub(crate) fn new(view: View<P>, beginning: Beginning<'_>) -> Self {
        let Beginning { path, args, outer_inputs, pace, max_steps } = beginning;
        let Args { positional, named } = args;
        let mut inputs = named.map(|named| *named).unwrap_or_default();
        let mut ready = ReadyList::default();
        for worker in view.starts() {
            let role = view.node(worker).role();
            match role.wiring.start {
                true => {
                    let args = start::taken(role, &positional, &inputs);
                    ready.push_given(worker, Cause::Start, Some(args));
                }
                false => ready.push(worker),
            }
        }
        for outer in outer_inputs {
            // The nearest input of a name counts.
            if find(&inputs, &outer.0).is_none() {
                inputs.push(outer.clone());
            }
        }
        let state = State { ready, ..State::new(view, inputs.into()) };
        Self::of(state, path, pace, max_steps)
    }

    /// Creates a run that continues from `state`.
    pub(crate) fn of(
        state: State<P>,
        path: Option<Arc<WorkerPath>>,
        pace: Pace,
        max_steps: Option<u64>,
    ) -> Self {
        Self {
            resuming: state.under_way.is_some(),
            state,
            path,
            pace,
            max_steps: max_steps.unwrap_or(u64::MAX),
            running: RunningList::default(),
            stopping: false,
            removed: Vec::new(),
            forgotten: Vec::new(),
            spare: Effects::default(),
            unbound: Vec::new(),
            recording: false,
            record: None,
            touched: None,
        }
    }

    /// Takes the executions that have ended since the last call, and says what to do next.
    ///
    /// Leaves `ended` empty if they are settled, and fills `jobs` if the answer is [`Next::Run`].
    ///
    /// # Errors
    /// Every failure of the step in kickoff order, or that the step limit is reached.
    pub(crate) fn next(
        &mut self,
        ended: &mut Vec<Ended<P>>,
        jobs: &mut Jobs<P>,
    ) -> Result<Next, Box<MachineError>> {
        if ended.is_empty() {
            return match self.resuming {
                true => self.take_up(ended, jobs),
                false => self.begin(jobs),
            };
        }
        match self.n_awaited().checked_sub(ended.len()) {
            None | Some(0) => {
                let settling = self.settling(ended);
                self.settle(ended)?;
                self.touch_settled(&settling);
                Ok(Next::Settled)
            }
            Some(n_missing) => Ok(Next::Wait(n_missing)),
        }
    }

    /// Settles the only running execution and begins the next step. This is the fast path for
    /// chains and loops, for steps that are neither recorded nor saved.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub(crate) fn advance(
        &mut self,
        ended: Ended<P>,
        jobs: &mut Jobs<P>,
    ) -> Result<Next, Box<MachineError>> {
        self.settle_one(ended)?;
        self.begin(jobs)
    }

    /// Number of executions that must have ended before they settle.
    fn n_awaited(&self) -> usize {
        match self.pace {
            // Resumed executions belong to one step, whose effects must not depend on the order of
            // the answers.
            Pace::Rolling if !self.resuming => 1,
            Pace::Rolling | Pace::Lockstep => self.running.len(),
        }
    }

    /// Stops the run after the current step.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether the run was asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// The running executions, in kickoff order, each with its worker; the worker may have been
    /// removed.
    pub(crate) fn running(&self) -> impl Iterator<Item = (KickoffId, WorkerId)> {
        self.running.iter()
    }

    /// When a step settles.
    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// Sets when a step settles.
    pub(crate) fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Everything that is needed to continue the run, between two steps.
    pub(crate) fn state(&self) -> &State<P> {
        &self.state
    }

    pub(crate) fn path(&self) -> Option<&Arc<WorkerPath>> {
        self.path.as_ref()
    }

    pub(crate) fn inputs(&self) -> &Inputs {
        &self.state.inputs
    }

    pub(crate) fn view(&self) -> &View<P> {
        &self.state.view
    }

    pub(crate) fn steps(&self) -> u64 {
        self.state.step
    }

    pub(crate) fn result(&self) -> &Value {
        &self.state.result
    }

    /// Drops all outputs, when nobody will ask for them any more.
    pub(crate) fn forget_outputs(&mut self) {
        self.state.result = Value::null();
        self.state.outputs.clear();
        self.state.departed.clear();
    }

    /// The ids of workers removed since the last call; `None` if there are none.
    #[inline]
    pub(crate) fn take_forgotten(&mut self) -> Option<Vec<WorkerId>> {
        (!self.forgotten.is_empty()).then(|| std::mem::take(&mut self.forgotten))
    }

    /// The kickoffs of the step that could not be called, once.
    pub(crate) fn take_unbound(&mut self) -> Vec<Unbound> {
        std::mem::take(&mut self.unbound)
    }

    /// The last output of the worker `key`.
    pub(crate) fn output(&self, key: &str) -> Option<Value> {
        self.state.outputs.get(self.state.view.find(key)?).cloned()
    }

    /// Whether nothing is ready and no question is pending.
    pub(crate) fn is_idle(&self) -> bool {
        self.state.ready.is_empty()
            && self.state.held.is_empty()
            && self.state.interrupted.is_empty()
            && self.state.under_way.is_none()
    }

    /// Whether questions are pending.
    pub(crate) fn is_paused(&self) -> bool {
        !self.state.interrupted.is_empty()
    }

    /// The unanswered questions, in kickoff order.
    pub(crate) fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        self.state.interrupted.iter().for_each(|waiting| waiting.questions(&mut questions));
        questions
    }

    /// The workers that are still waiting for others. In a finished run these are the dependencies
    /// that never ran.
    pub(crate) fn unmet(&self) -> Vec<Unmet> {
        let State { view, waits, outputs, .. } = &self.state;
        let unmet = |(id, node): (WorkerId, &Node<P>)| {
            let missing: Vec<_> = node
                .live_dependencies()
                .filter(|(place, _)| !waits.is_crossed(id, *place))
                .map(|(_, on)| view.node(on).key().clone())
                .collect();
            let ran = outputs.get(id).is_some();
            let partly = missing.len() < node.n_dependencies as usize;
            let waits = node.n_dependencies > 0 && !missing.is_empty() && (partly || !ran);
            waits.then(|| Unmet { worker: node.key().clone(), missing, again: ran })
        };
        view.workers().filter_map(unmet).collect()
    }

    /// The key of a running worker, even if it has been removed.
    fn key_of(&self, worker: WorkerId) -> Key {
        let removed = || self.removed.iter().find(|(removed, _)| *removed == worker);
        match self.state.view.get(worker) {
            Some(node) => node.key().clone(),
            // Cannot happen: a running worker is in the view or among the removed ones.
            None => removed().map_or(Key::from_static(""), |(_, key)| key.clone()),
        }
    }

    fn failure(&self, key: &Key, kind: FailureKind) -> StepFailure {
        StepFailure { worker: WorkerPath::new(self.path.clone(), key.clone()), kind }
    }

    fn step_error(&self, failures: Vec<StepFailure>) -> Box<MachineError> {
        let (automa, step) = (self.automa(), self.state.step);
        let questions = self.questions();
        Box::new(StepError { automa, step, failures, questions }.into())
    }

    fn automa(&self) -> String {
        self.state.view.base().automa.to_string()
    }
}
