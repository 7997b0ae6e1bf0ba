//! State that all workers of a run share.

mod inputs;
mod kept;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use inputs::check_arguments;
use kept::kept_from_earlier_runs;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{Attached, Effects, Inbox, Job, PollClock, RunScope, StepBudget, Within};
use crate::args::{Args, Inputs};
use crate::automa::{Declarations, Program};
use crate::callback::{DynCallback, installed};
use crate::durable::{Acting, Journal, States};
use crate::event::{EventKind, Feed};
use crate::feedback::{Handlers, OpenRequests};
use crate::graph::{View, WorkerId};
use crate::key::Key;
use crate::local::{KeptSpaces, LocalValues, Locals};
use crate::machine::{Beginning, KickoffId, Machine, Pace, Touched};
use crate::path::WorkerPath;
use crate::run::RunError;
use crate::saved::{Saved, SavedResult, SnapshotError};
use crate::values::Value;
use crate::worker::Body;

/// The shared state of one run of one automa.
pub(crate) struct RunCore {
    /// The declared automa.
    pub(crate) program: Arc<Program>,
    /// The path of the automa; `None` for the outermost.
    pub(crate) path: Option<Arc<WorkerPath>>,
    /// The depth of nesting.
    pub(crate) depth: u32,
    /// Run inputs by name, including those of the automata around.
    pub(crate) inputs: Inputs,
    /// Callbacks around every worker, outermost first.
    pub(crate) callbacks: Box<[Arc<dyn DynCallback>]>,
    pub(crate) max_concurrency: usize,
    /// The deadline, counted from the start of the run.
    pub(crate) deadline: Option<Duration>,
    /// Limits the steps of this run and of the runs inside it.
    pub(crate) step_budget: Option<Arc<StepBudget>>,
    /// The steps that this run and the runs inside it had taken when its state was written.
    pub(crate) n_steps_before: u64,
    /// Measures polls. Nested runs have the clock of the run around them.
    pub(crate) poll_clock: PollClock,
    /// Handlers of this run, which take precedence over those of the automa. Set in the outermost
    /// run.
    pub(crate) handlers: Handlers,
    /// Open requests of its workers.
    pub(crate) requests: OpenRequests,
    /// The outer run, and the worker that this run is in it. A run inside another has no worker.
    outer: Option<(Arc<RunCore>, Option<WorkerId>)>,
    /// The outermost run; `None` if this is the outermost run.
    outermost: Option<Arc<RunCore>>,
    /// Publishes the events of this run and of nested ones. Used in the outermost run.
    feed: Feed,
    machine: Mutex<Machine<Arc<Body>>>,
    locals: Mutex<Locals>,
    /// Where the states of the run are written, if it is stored or nested in a stored run.
    pub(crate) states: Option<States>,
    /// The attachments of this run. They live as long as the run and are not saved.
    pub(crate) attached: Attached,
    /// The scope in which the run was created.
    pub(crate) scope: Option<RunScope>,
    /// Whether its workers are in a scope.
    scoped: bool,
    /// Whether the run is a part of a worker, which passes on what it waits for.
    pub(crate) is_part: bool,
    /// What reaches the run from outside, if somebody has a handle to it.
    pub(crate) inbox: OnceLock<Box<Inbox>>,
    /// Whether the current step has subscribers.
    watched: AtomicBool,
    /// The kickoff that this run is, if it is that of a nested automa.
    pub(crate) kickoff: Option<KickoffId>,
    /// Whether the calls of the current step are instrumented for all workers.
    attended: AtomicBool,
}

/// A run's machine and local spaces.
type Begun = (Machine<Arc<Body>>, Locals);

impl RunCore {
    /// Creates an outermost run.
    ///
    /// # Errors
    /// If an argument reaches no worker, or a needed input is missing.
    pub(crate) fn top(program: Arc<Program>, args: Args) -> Result<Arc<Self>, RunError> {
        let view = program.view();
        check_arguments(&program, &view, &args, &Vec::new())?;
        let begun = begin(&program, view, None, args, &[]);
        let kept = kept_from_earlier_runs(&program);
        Ok(Self::around(program, begun, Some(kept), None))
    }

    /// Creates a run inside another run, without being one of its workers.
    ///
    /// # Errors
    /// If an argument reaches no worker, or a needed input is missing.
    pub(crate) fn inside(
        program: Arc<Program>,
        args: Args,
        within: &Within,
    ) -> Result<Arc<Self>, RunError> {
        let (view, inputs) = (program.view(), &within.outer.inputs);
        check_arguments(&program, &view, &args, inputs)?;
        let begun = begin(&program, view, Some(within.path()), args, inputs);
        let kept = kept_from_earlier_runs(&program);
        Ok(Self::around(program, begun, Some(kept), Some((&within.outer, None))))
    }

    /// Creates a run that continues from a saved state and is not a worker of another run.
    ///
    /// # Errors
    /// If the state is of a run of another graph.
    pub(crate) fn resumed(
        program: Arc<Program>,
        saved: Saved,
        within: Option<&Within>,
    ) -> Result<Arc<Self>, RunError> {
        let around = within.map_or_else(Vec::new, |within| around(&within.outer));
        let names = Declarations { program: &program, around: &around };
        let n_steps_before = saved.total_steps();
        let begun = saved.restore(names, program.view(), within.map(Within::path))?;
        let outer = within.map(|within| (&within.outer, None));
        let mut core = Self::around(program, begun, None, outer);
        if let Some(core) = Arc::get_mut(&mut core) {
            core.n_steps_before = n_steps_before;
        }
        Ok(core)
    }

    /// Creates the run of the automa at `path`, a worker of `outer`, that continues from where it
    /// was interrupted.
    ///
    /// # Errors
    /// If the state is of a run of another graph.
    pub(crate) fn nested_again(
        program: Arc<Program>,
        path: WorkerPath,
        saved: Saved,
        outer: (&Arc<Self>, WorkerId),
    ) -> Result<Arc<Self>, RunError> {
        // `saved` includes all changes of the graph, so restoring starts from the declared graph.
        let around = around(outer.0);
        let names = Declarations { program: &program, around: &around };
        let begun = saved.restore(names, program.view(), Some(Arc::new(path)))?;
        Ok(Self::around(program, begun, None, Some((outer.0, Some(outer.1)))))
    }

    /// Creates the run of the automa at `path`, a worker of `outer`, with the graph `view`.
    ///
    /// # Errors
    /// If an argument reaches no worker, or a needed input is missing.
    pub(crate) fn nested(
        program: Arc<Program>,
        view: View<Arc<Body>>,
        path: WorkerPath,
        args: Args,
        outer: (&Arc<Self>, WorkerId),
    ) -> Result<Arc<Self>, RunError> {
        check_arguments(&program, &view, &args, &outer.0.inputs)?;
        let kept =
            outer.0.locals().kept_of(outer.1).unwrap_or_else(|| kept_from_earlier_runs(&program));
        let begun = begin(&program, view, Some(Arc::new(path)), args, &outer.0.inputs);
        Ok(Self::around(program, begun, Some(kept), Some((outer.0, Some(outer.1)))))
    }

    /// Creates a run. `kept` are the local spaces that it starts with, unless `begun` has some
    /// already.
    fn around(
        program: Arc<Program>,
        (machine, mut locals): Begun,
        kept: Option<KeptSpaces>,
        outer: Option<(&Arc<Self>, Option<WorkerId>)>,
    ) -> Arc<Self> {
        if let Some(kept) = kept {
            locals.begin_with(kept, machine.view());
        }
        let mut callbacks = match outer {
            Some((outer, _)) => outer.callbacks.to_vec(),
            None => installed(),
        };
        let settings = &program.settings;
        // The callbacks of an automa that runs inside itself run once per worker.
        let again = |(outer, _): (&Arc<Self>, _)| outer.is_run_of(&program);
        if !outer.is_some_and(again) {
            callbacks.extend(settings.callbacks.iter().cloned());
        }
        let scoped = settings.scope.is_some() || outer.is_some_and(|(outer, _)| outer.scoped);
        Arc::new(Self {
            path: machine.path().cloned(),
            depth: outer.map_or(0, |(outer, _)| outer.depth + 1),
            inputs: machine.inputs().clone(),
            attended: AtomicBool::new(!callbacks.is_empty() || scoped),
            scope: None,
            scoped,
            callbacks: callbacks.into(),
            max_concurrency: settings.max_concurrency.unwrap_or(usize::MAX),
            deadline: None,
            step_budget: outer.and_then(|(outer, _)| outer.step_budget.clone()),
            n_steps_before: 0,
            poll_clock: outer
                .map_or_else(PollClock::default, |(outer, _)| outer.poll_clock.clone()),
            handlers: Handlers::default(),
            requests: OpenRequests::default(),
            outermost: outer
                .map(|(outer, _)| Arc::clone(outer.outermost.as_ref().unwrap_or(outer))),
            outer: outer.map(|(outer, worker)| (Arc::clone(outer), worker)),
            feed: Feed::default(),
            program,
            machine: Mutex::new(machine),
            locals: Mutex::new(locals),
            kickoff: None,
            states: None,
            attached: Attached::default(),
            is_part: false,
            inbox: OnceLock::new(),
            watched: AtomicBool::new(false),
        })
    }

    /// The body of the worker of a job.
    #[inline]
    pub(crate) fn body<'a>(&'a self, job: &'a Job) -> &'a Arc<Body> {
        match &job.payload {
            Some(body) => body,
            None => &self.program.topology.nodes[job.worker.index()].payload,
        }
    }

    /// The name of the automa.
    pub(crate) fn automa(&self) -> &Arc<str> {
        self.program.automa()
    }

    /// Locks the machine. The lock is held for look-ups and while a step settles, never while a
    /// worker runs.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine<Arc<Body>>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the local spaces. If the machine is locked as well, it must be locked first.
    pub(super) fn locals(&self) -> MutexGuard<'_, Locals> {
        self.locals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The local space of a worker.
    pub(crate) fn local(&self, worker: WorkerId) -> LocalValues {
        self.locals().of(worker)
    }

    /// The local space of a worker, if it has one.
    pub(crate) fn find_local(&self, worker: WorkerId) -> Option<LocalValues> {
        self.locals().get(worker).cloned()
    }

    /// The local space of a worker, and the local spaces that it keeps as a nested automa.
    pub(crate) fn spaces(&self, worker: WorkerId) -> (BTreeMap<String, Value>, Option<KeptSpaces>) {
        let locals = self.locals();
        let values = locals.get(worker).map(LocalValues::values);
        (values.unwrap_or_default(), locals.kept_of(worker))
    }

    /// Drops the local spaces of removed workers.
    pub(super) fn forget_locals(&self, gone: &[WorkerId]) {
        self.locals().forget(gone);
    }

    /// The state of the run between two steps. It shares the values; whether they all serialise is
    /// not checked.
    ///
    /// # Errors
    /// If an added worker cannot be resolved again.
    pub(crate) fn state(&self) -> Result<Saved, SnapshotError> {
        self.state_since(|_| None)
    }

    /// The same, but only about the workers that have changed since the state was
    /// [saved](Self::state_saved).
    ///
    /// # Errors
    /// As [`state`](Self::state).
    pub(crate) fn changed_state(&self) -> Result<Saved, SnapshotError> {
        self.state_since(Machine::touched)
    }

    /// Records that the current state is saved.
    pub(crate) fn state_saved(&self) {
        let mut machine = self.machine();
        let locals = self.locals();
        let touched: Vec<_> = match machine.touched() {
            Some(touched) => touched.workers().collect(),
            None => locals.workers().collect(),
        };
        // Who has kept its context can still change the local space.
        machine.state_saved(touched.into_iter().filter(|worker| locals.is_open(*worker)));
    }

    fn state_since(
        &self,
        touched: impl FnOnce(&Machine<Arc<Body>>) -> Option<&Touched>,
    ) -> Result<Saved, SnapshotError> {
        let around: Vec<_> = self.programs_around().cloned().collect();
        let names = Declarations { program: &self.program, around: &around };
        let machine = self.machine();
        let mut saved = Saved::of(names, &machine, &self.locals(), touched(&machine))?;
        if let Some(budget) = &self.step_budget {
            saved.set_total_steps(budget.taken());
        }
        Ok(saved)
    }

    /// The saved form of the result of an execution of `worker`.
    ///
    /// # Errors
    /// If a value has no JSON form, or an added worker cannot be resolved again.
    pub(crate) fn save_result(
        &self,
        worker: &Key,
        output: &Value,
        effects: &Effects,
    ) -> Result<SavedResult, SnapshotError> {
        let around: Vec<_> = self.programs_around().cloned().collect();
        let names = Declarations { program: &self.program, around: &around };
        SavedResult::of(names, self.machine().view(), worker, output, effects)
    }

    /// The state of the run between two steps, after checking that every value serialises.
    ///
    /// # Errors
    /// If an added worker cannot be resolved again, or a value has no JSON form.
    pub(crate) fn save(&self) -> Result<Saved, SnapshotError> {
        let saved = self.state()?;
        saved.check_json()?;
        Ok(saved)
    }

    /// The journal of a stored run.
    pub(crate) fn journal(&self) -> Option<&Arc<Journal>> {
        self.states.as_ref().and_then(States::journal)
    }

    /// Whether the results of single workers are written.
    pub(crate) fn writes_results(&self) -> bool {
        self.states.as_ref().is_some_and(States::wants_results)
    }

    /// The tracker of tasks and threads of this run, or of the nearest stored run around it.
    /// Everything that dropping the run's future does not stop must be registered with it, because
    /// the lease is kept until it has ended.
    pub(super) fn acting(&self) -> Option<&Acting> {
        let mut core = self;
        loop {
            if let Some(journal) = core.journal() {
                return Some(journal.acting());
            }
            core = core.around_it()?;
        }
    }

    /// A token for a thread of the blocking pool, which holds it while it acts for a stored run.
    pub(super) fn thread_token(&self) -> Option<TaskTrackerToken> {
        self.acting().map(|acting| acting.threads.token())
    }

    /// Whether this is the outermost run.
    pub(super) fn is_outermost(&self) -> bool {
        self.outermost.is_none()
    }

    /// The key of the worker that this run is in the run around it.
    pub(crate) fn worker_key(&self) -> Option<Key> {
        self.path.as_ref().map(|path| path.key().clone())
    }

    /// Whether this is the run of a nested automa, which is a worker of another run.
    pub(super) fn is_worker(&self) -> bool {
        matches!(self.outer, Some((_, Some(_))))
    }

    /// The run around this one.
    pub(crate) fn around_it(&self) -> Option<&Arc<Self>> {
        self.outer.as_ref().map(|(outer, _)| outer)
    }

    /// The programs of the runs around this one, innermost first.
    pub(crate) fn programs_around(&self) -> impl Iterator<Item = &Arc<Program>> {
        std::iter::successors(self.around_it(), |core| core.around_it()).map(|core| &core.program)
    }

    /// Whether this, or a run around it, is one of `program`.
    fn is_run_of(&self, program: &Arc<Program>) -> bool {
        let mut core = Some(self);
        while let Some(run) = core {
            if Arc::ptr_eq(&run.program, program) {
                return true;
            }
            core = run.around_it().map(|outer| &**outer);
        }
        false
    }

    /// The outermost run.
    fn outermost(&self) -> &Self {
        self.outermost.as_deref().unwrap_or(self)
    }

    /// The publisher of events.
    pub(crate) fn feed(&self) -> &Feed {
        &self.outermost().feed
    }

    /// Ends the run, with `last` as its last event. After the end of the outermost run there are no
    /// events.
    pub(super) fn end(&self, last: Option<EventKind>) {
        self.requests.end();
        let last = last.map(|kind| (self.machine().steps(), kind));
        if self.outermost.is_none() {
            self.feed.end(last);
        } else if let Some((step, kind)) = last {
            self.emit(step, kind);
        }
    }

    /// Checks whether there are subscribers. The answer holds for the whole step that begins or
    /// settles.
    #[inline]
    pub(super) fn look_for_watchers(&self) -> bool {
        let watched = self.feed().is_watched();
        if watched != self.is_watched() {
            self.watched.store(watched, Ordering::Relaxed);
            let attended = watched || self.scoped || !self.callbacks.is_empty();
            self.attended.store(attended, Ordering::Relaxed);
            self.machine().set_recording(watched);
        }
        watched
    }

    /// Whether the current step has subscribers.
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// Sets the scope in which the run was created.
    pub(crate) fn set_scope(&mut self, scope: RunScope) {
        self.scope = Some(scope);
        self.scoped = true;
        self.attended = AtomicBool::new(true);
    }

    /// Whether its workers are in a scope.
    pub(crate) fn is_scoped(&self) -> bool {
        self.scoped
    }

    /// Whether there are callbacks around the workers, or subscribers, or a scope.
    pub(super) fn is_attended(&self) -> bool {
        self.attended.load(Ordering::Relaxed)
    }

    /// Publishes an event of `step`.
    pub(crate) fn emit(&self, step: u64, kind: EventKind) {
        self.feed().emit(self.path.clone(), step, kind);
    }

    /// The handlers for messages, the most specific first.
    pub(crate) fn handlers(&self) -> [&Handlers; 2] {
        let top = self.outermost();
        [&top.handlers, &top.program.settings.handlers]
    }
}

/// The programs of `outer` and of the runs around it, innermost first.
fn around(outer: &RunCore) -> Vec<Arc<Program>> {
    std::iter::once(&outer.program).chain(outer.programs_around()).cloned().collect()
}

fn begin(
    program: &Program,
    view: View<Arc<Body>>,
    path: Option<Arc<WorkerPath>>,
    args: Args,
    outer_inputs: &[(Cow<'static, str>, Value)],
) -> Begun {
    let (pace, max_steps) = (program.settings.pace, program.settings.max_steps);
    let machine = Machine::new(view, Beginning { path, args, outer_inputs, pace, max_steps });
    (machine, Locals::default())
}

impl RunCore {
    /// Sets the pace of a run that has not begun.
    pub(crate) fn set_pace(&self, pace: Pace) {
        self.machine().set_pace(pace);
    }
}

impl Within {
    /// Where the inner run is.
    fn path(&self) -> Arc<WorkerPath> {
        Arc::new(WorkerPath::new(self.outer.path.clone(), self.key.clone()))
    }
}
