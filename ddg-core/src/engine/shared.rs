//! What all workers of one run share.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{Attached, Within};
use crate::args::{Args, Named};
use crate::automa::Program;
use crate::callback::{DynCallback, installed};
use crate::durable::{Acting, Journal};
use crate::event::{EventKind, Feed};
use crate::feedback::{Handlers, OpenRequests};
use crate::graph::{View, WorkerId};
use crate::local::{KeptSpaces, LocalValues, Locals};
use crate::machine::{Beginning, End, Machine, Pace};
use crate::path::WorkerPath;
use crate::run::RunError;
use crate::saved::{Saved, SnapshotError};
use crate::values::Value;
use crate::worker::Body;

/// One run of one automa.
pub(crate) struct RunCore {
    /// The declared automa.
    pub(crate) program: Arc<Program>,
    /// Where the automa is nested; `None` at the top.
    pub(crate) path: Option<Arc<WorkerPath>>,
    /// How deep it is nested.
    pub(crate) depth: u32,
    /// Run inputs by name, those of the automata around it included.
    pub(crate) inputs: Arc<Named>,
    /// Callbacks around every worker, outermost first.
    pub(crate) callbacks: Box<[Arc<dyn DynCallback>]>,
    pub(crate) max_concurrency: usize,
    /// How long it may take.
    pub(crate) deadline: Option<Duration>,
    /// Handlers of events for this run, before those of the automa; of the outermost run.
    pub(crate) handlers: Handlers,
    /// Requests of its workers that wait for a reply.
    pub(crate) requests: OpenRequests,
    /// The run around this one, and which of its workers this run is, if it is one.
    outer: Option<(Arc<RunCore>, Option<WorkerId>)>,
    /// The outermost run around this one; `None` of that one itself.
    outermost: Option<Arc<RunCore>>,
    /// Where its events go, and those of nested runs; of the outermost run.
    feed: Feed,
    machine: Mutex<Machine<Arc<Body>>>,
    locals: Mutex<Locals>,
    /// Where the run is written to.
    pub(crate) journal: Option<Arc<Journal>>,
    /// What lives as long as the run does, and is not saved.
    pub(crate) attached: Attached,
    /// Whether the step is watched by a subscriber.
    watched: AtomicBool,
    /// Whether there is more to running any worker of the step than calling it.
    attended: AtomicBool,
}

/// A run's machine and local spaces.
type Begun = (Machine<Arc<Body>>, Locals);

impl RunCore {
    /// A run that nothing is around.
    ///
    /// # Errors
    /// An argument reaches nobody.
    pub(crate) fn top(program: Arc<Program>, args: Args) -> Result<Arc<Self>, RunError> {
        let view = program.view();
        check_arguments(&program, &view, &args, &Vec::new())?;
        let begun = begin(&program, view, None, args, &[]);
        let kept = kept_from_earlier_runs(&program);
        Ok(Self::around(program, begun, Some(kept), None))
    }

    /// A run of its own inside another, of which it is no worker.
    ///
    /// # Errors
    /// An argument reaches nobody, or somebody lacks an input.
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

    /// A run that continues from where it was saved.
    ///
    /// # Errors
    /// It was a run of another graph.
    pub(crate) fn resumed(
        program: Arc<Program>,
        saved: Saved,
        within: Option<&Within>,
    ) -> Result<Arc<Self>, RunError> {
        let begun = saved.restore(&program, program.view(), within.map(Within::path))?;
        let outer = within.map(|within| (&within.outer, None));
        Ok(Self::around(program, begun, None, outer))
    }

    /// A run of an automa that is the worker at `path` of `outer`, that continues from where it was
    /// interrupted.
    ///
    /// # Errors
    /// It was a run of another graph.
    pub(crate) fn nested_again(
        program: Arc<Program>,
        path: WorkerPath,
        saved: Saved,
        outer: (&Arc<Self>, WorkerId),
    ) -> Result<Arc<Self>, RunError> {
        // What the run has changed is in `saved`, what was changed before it included.
        let begun = saved.restore(&program, program.view(), Some(Arc::new(path)))?;
        Ok(Self::around(program, begun, None, Some((outer.0, Some(outer.1)))))
    }

    /// A run of an automa that is the worker at `path` of `outer`, with the graph `view`.
    ///
    /// # Errors
    /// An argument reaches nobody.
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

    /// `kept` are the spaces that it begins with, unless `begun` has some already.
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
        // Those of an automa that runs inside itself are around its workers once.
        let again = |(outer, _): (&Arc<Self>, _)| outer.is_run_of(&program);
        if !outer.is_some_and(again) {
            callbacks.extend(settings.callbacks.iter().cloned());
        }
        Arc::new(Self {
            path: machine.path().cloned(),
            depth: outer.map_or(0, |(outer, _)| outer.depth + 1),
            inputs: Arc::clone(machine.inputs()),
            attended: AtomicBool::new(!callbacks.is_empty()),
            callbacks: callbacks.into(),
            max_concurrency: settings.max_concurrency.unwrap_or(usize::MAX),
            deadline: None,
            handlers: Handlers::default(),
            requests: OpenRequests::default(),
            outermost: outer
                .map(|(outer, _)| Arc::clone(outer.outermost.as_ref().unwrap_or(outer))),
            outer: outer.map(|(outer, worker)| (Arc::clone(outer), worker)),
            feed: Feed::default(),
            program,
            machine: Mutex::new(machine),
            locals: Mutex::new(locals),
            journal: None,
            attached: Attached::default(),
            watched: AtomicBool::new(false),
        })
    }

    /// The automa's name.
    pub(crate) fn automa(&self) -> &Arc<str> {
        self.program.automa()
    }

    /// The machine. The lock is held for as long as it takes to look something up or to settle a
    /// step, never while a worker runs.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine<Arc<Body>>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The local spaces. Where the machine is locked, too, it is locked first.
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

    /// Drops the local spaces of workers that are gone.
    pub(super) fn forget_locals(&self, gone: &[WorkerId]) {
        self.locals().forget(gone);
    }

    /// The state of the run between two steps, sharing its values; whether they all serialise is
    /// not checked.
    ///
    /// # Errors
    /// A worker that was added cannot be found again.
    pub(crate) fn state(&self) -> Result<Saved, SnapshotError> {
        let machine = self.machine();
        Saved::of(&self.program, &machine, &self.locals())
    }

    /// The state of the run between two steps, with every value known to serialise.
    ///
    /// # Errors
    /// A worker that was added cannot be found again, or a value has no JSON form.
    pub(crate) fn save(&self) -> Result<Saved, SnapshotError> {
        let saved = self.state()?;
        saved.check_json()?;
        Ok(saved)
    }

    /// Whether the results of single workers are written.
    pub(crate) fn writes_results(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.wants_results())
    }

    /// What acts for the run, if it, or the nearest around it, is held by a lease; to be told of all
    /// that is not stopped by dropping the run's future.
    pub(super) fn acting(&self) -> Option<&Acting> {
        let mut core = self;
        loop {
            if let Some(journal) = &core.journal {
                return Some(journal.acting());
            }
            core = core.around_it()?;
        }
    }

    /// What a thread of the blocking pool has as long as it acts for the run, if that is held by a
    /// lease.
    pub(super) fn thread_token(&self) -> Option<TaskTrackerToken> {
        self.acting().map(|acting| acting.threads.token())
    }

    /// Whether nothing is around it.
    pub(super) fn is_outermost(&self) -> bool {
        self.outermost.is_none()
    }

    /// The run around this one.
    pub(crate) fn around_it(&self) -> Option<&Arc<Self>> {
        self.outer.as_ref().map(|(outer, _)| outer)
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

    /// Where events go.
    pub(crate) fn feed(&self) -> &Feed {
        &self.outermost().feed
    }

    /// The run has ended, which subscribers see as `last`: after the end of the outermost run
    /// there are no events.
    pub(super) fn end(&self, last: Option<EventKind>) {
        self.requests.end();
        let last = last.map(|kind| (self.machine().steps(), kind));
        if self.outermost.is_none() {
            self.feed.end(last);
        } else if let Some((step, kind)) = last {
            self.emit(step, kind);
        }
    }

    /// Looks whether the step that begins or settles is watched, which holds for it as a whole.
    #[inline]
    pub(super) fn look_for_watchers(&self) -> bool {
        let watched = self.feed().is_watched();
        if watched != self.is_watched() {
            self.watched.store(watched, Ordering::Relaxed);
            self.attended.store(watched || !self.callbacks.is_empty(), Ordering::Relaxed);
            self.machine().set_recording(watched);
        }
        watched
    }

    /// Whether the step is watched by a subscriber.
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// Whether there are callbacks around its workers, or subscribers.
    pub(super) fn is_attended(&self) -> bool {
        self.attended.load(Ordering::Relaxed)
    }

    /// Publishes what happened in `step`.
    pub(crate) fn emit(&self, step: u64, kind: EventKind) {
        self.feed().emit(self.path.clone(), step, kind);
    }

    /// The handlers for what workers post, the most particular first.
    pub(crate) fn handlers(&self) -> [&Handlers; 2] {
        let top = self.outermost();
        [&top.handlers, &top.program.settings.handlers]
    }

    /// Keeps the local spaces that outlive a run which has ended like this: for the next kickoff
    /// of the nested automa that it is, or, of an outermost run, for the next run.
    pub(super) fn keep_locals(&self, end: End) {
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
            // A run of its own inside another is nobody's next kickoff.
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

/// The spaces that `program` has kept from earlier runs.
fn kept_from_earlier_runs(program: &Program) -> KeptSpaces {
    if !program.settings.keep_local {
        return KeptSpaces::default();
    }
    let kept = program.kept.lock().unwrap_or_else(PoisonError::into_inner);
    KeptSpaces { own: Some(kept.clone()), ..KeptSpaces::default() }
}

/// Keeps these spaces for later runs of `program` and of the automata nested in it; `view` is the
/// graph that the run has left. Of runs that overlap, the one that ends last wins.
fn commit(kept: KeptSpaces, program: &Arc<Program>, view: &View<Arc<Body>>) {
    // Automata may be nested to any depth, so no recursion.
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

/// Whether each argument of a run reaches somebody, and everybody has the inputs that it needs.
fn check_arguments(
    program: &Program,
    view: &View<Arc<Body>>,
    args: &Args,
    outer_inputs: &Named,
) -> Result<(), RunError> {
    check_inputs(program, args.named_slice())?;
    let none = Vec::new();
    let named = args.named.as_deref().unwrap_or(&none);
    let faults = program.input_faults(&[named, outer_inputs]);
    if !faults.is_empty() {
        return Err(RunError::Inputs { automa: program.automa().to_string(), faults });
    }
    let given = args.positional.len();
    if given == 0 {
        return Ok(());
    }
    let taken = Machine::most_taken(view, named);
    match given <= taken {
        true => Ok(()),
        false => {
            Err(RunError::UnusedArguments { automa: program.automa().to_string(), given, taken })
        }
    }
}

/// A name that reaches nobody is a typo.
fn check_inputs(program: &Program, named: &[(Cow<'static, str>, Value)]) -> Result<(), RunError> {
    let inputs = &program.inputs;
    if inputs.open {
        return Ok(());
    }
    match named.iter().find(|(name, _)| !inputs.names.contains(name.as_ref())) {
        None => Ok(()),
        Some((name, _)) => {
            let mut known: Vec<_> = inputs.names.iter().cloned().collect();
            known.sort_unstable();
            Err(RunError::UnknownInput {
                automa: program.automa().to_string(),
                name: name.to_string(),
                known,
            })
        }
    }
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
