//! What all workers of one run share.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::journal::Journal;
use super::{Machine, Pace, RunError, Saved};
use crate::args::{Args, Named};
use crate::callback::{DynCallback, installed};
use crate::context::{LocalSpaces, fork};
use crate::event::{EventKind, Feed};
use crate::feedback::{Handlers, OpenRequests};
use crate::graph::{Topology, View};
use crate::path::Path;
use crate::values::Value;

/// One run of one automa.
pub(crate) struct RunCore {
    /// The declared graph.
    pub(crate) topology: Arc<Topology>,
    /// Where the automa is nested; `None` at the top.
    pub(crate) path: Option<Arc<Path>>,
    /// How deep it is nested.
    pub(crate) depth: u32,
    /// Run inputs by name, those of the automata around it included.
    pub(crate) inputs: Arc<Named>,
    /// Callbacks around every worker, outermost first.
    pub(crate) callbacks: Box<[Arc<dyn DynCallback>]>,
    pub(crate) max_concurrency: usize,
    pub(crate) pace: Pace,
    /// How long it may go on.
    pub(super) deadline: Option<Duration>,
    /// Handlers of events for this run, before those of the automa; of the outermost run.
    pub(crate) handlers: Handlers,
    /// Requests of its workers that wait for a reply.
    pub(crate) requests: OpenRequests,
    /// The outermost run around this one; `None` of that one itself.
    outermost: Option<Arc<RunCore>>,
    /// Where its events go, and those of nested runs; of the outermost run.
    feed: Feed,
    machine: Mutex<Machine>,
    stop: AtomicBool,
    /// Where the run is written to.
    pub(crate) journal: Option<Box<Journal>>,
    /// Whether the step is watched by a subscriber.
    watched: AtomicBool,
    /// Whether there is more to running any worker of the step than calling it.
    attended: AtomicBool,
}

impl RunCore {
    /// A run that nothing is around.
    ///
    /// # Errors
    /// A named input reaches nobody.
    pub(crate) fn top(topology: Arc<Topology>, args: Args) -> Result<Arc<Self>, RunError> {
        check_inputs(&topology, args.named_slice())?;
        let locals = kept_locals(&topology);
        let machine = Machine::new(View::of(topology), None, args, &[], locals);
        Ok(Self::around(machine, None, installed()))
    }

    /// A run that goes on from where it was saved.
    ///
    /// # Errors
    /// It was a run of another graph.
    pub(crate) fn resumed(topology: Arc<Topology>, saved: Saved) -> Result<Arc<Self>, RunError> {
        let machine = Machine::restore(View::of(topology), None, saved)?;
        Ok(Self::around(machine, None, installed()))
    }

    /// A run of an automa that is a worker at `path` of `outer`, that goes on from where it was
    /// interrupted.
    ///
    /// # Errors
    /// It was a run of another graph.
    pub(crate) fn nested_again(
        view: &View,
        path: Path,
        saved: Saved,
        outer: &Arc<Self>,
    ) -> Result<Arc<Self>, RunError> {
        // What the run has changed is in `saved`, what was changed before it included.
        let view = View::of(Arc::clone(view.base()));
        let machine = Machine::restore(view, Some(Arc::new(path)), saved)?;
        Ok(Self::around(machine, Some(outer), outer.callbacks.to_vec()))
    }

    /// A run of an automa that is a worker at `path` of `outer`.
    ///
    /// # Errors
    /// A named argument reaches nobody.
    pub(crate) fn nested(
        view: View,
        path: Path,
        args: Args,
        outer: &Arc<Self>,
    ) -> Result<Arc<Self>, RunError> {
        check_inputs(view.base(), args.named_slice())?;
        let locals = kept_locals(view.base());
        let machine = Machine::new(view, Some(Arc::new(path)), args, &outer.inputs, locals);
        Ok(Self::around(machine, Some(outer), outer.callbacks.to_vec()))
    }

    fn around(
        machine: Machine,
        outer: Option<&Arc<Self>>,
        mut callbacks: Vec<Arc<dyn DynCallback>>,
    ) -> Arc<Self> {
        let topology = Arc::clone(machine.view().base());
        let settings = &topology.settings;
        callbacks.extend(settings.callbacks.iter().cloned());
        Arc::new(Self {
            path: machine.path().cloned(),
            depth: outer.map_or(0, |outer| outer.depth + 1),
            inputs: Arc::clone(machine.inputs()),
            attended: AtomicBool::new(!callbacks.is_empty()),
            callbacks: callbacks.into(),
            max_concurrency: settings.max_concurrency.unwrap_or(usize::MAX),
            pace: settings.pace,
            deadline: None,
            handlers: Handlers::default(),
            requests: OpenRequests::default(),
            outermost: outer.map(|outer| Arc::clone(outer.outermost.as_ref().unwrap_or(outer))),
            feed: Feed::default(),
            topology,
            machine: Mutex::new(machine),
            stop: AtomicBool::new(false),
            journal: None,
            watched: AtomicBool::new(false),
        })
    }

    /// The automa's name.
    pub(crate) fn automa(&self) -> &Arc<str> {
        &self.topology.automa
    }

    /// The machine. The lock is held for as long as it takes to look something up or to settle a
    /// step, never while a worker runs.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the run to stop after the current step.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether the results of single workers are written.
    pub(super) fn writes_results(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.wants_results())
    }

    /// The outermost run.
    fn outermost(&self) -> &Self {
        self.outermost.as_deref().unwrap_or(self)
    }

    /// Where events go.
    pub(crate) fn feed(&self) -> &Feed {
        &self.outermost().feed
    }

    /// The run has ended, which is `told` if somebody watches: after the end of the outermost run
    /// nobody is told anything any more.
    pub(super) fn end(&self, told: Option<EventKind>) {
        self.requests.end();
        let told = told.map(|kind| (self.machine().steps(), kind));
        if self.outermost.is_none() {
            self.feed.end(told);
        } else if let Some((step, kind)) = told {
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

    /// Tells the subscribers what happened in `step`.
    pub(crate) fn emit(&self, step: u64, kind: EventKind) {
        self.feed().emit(self.path.clone(), step, kind);
    }

    /// Who handles the events that workers post, the most particular first.
    pub(crate) fn handlers(&self) -> [&Handlers; 2] {
        let top = self.outermost();
        [&top.handlers, &top.topology.settings.handlers]
    }

    /// Keeps the local spaces for the next run, where the automa does so.
    pub(crate) fn keep_locals(&self) {
        if self.topology.settings.keep_local {
            let locals = fork(self.machine().locals());
            *self.topology.kept.lock().unwrap_or_else(PoisonError::into_inner) = locals;
        }
    }
}

/// The local spaces with which a run begins.
fn kept_locals(topology: &Topology) -> LocalSpaces {
    if !topology.settings.keep_local {
        return LocalSpaces::default();
    }
    let kept = topology.kept.lock().unwrap_or_else(PoisonError::into_inner);
    fork(&kept)
}

/// A name that reaches nobody is a typo.
fn check_inputs(topology: &Topology, named: &[(Cow<'static, str>, Value)]) -> Result<(), RunError> {
    let inputs = &topology.inputs;
    if inputs.open {
        return Ok(());
    }
    match named.iter().find(|(name, _)| !inputs.names.contains(name.as_ref())) {
        None => Ok(()),
        Some((name, _)) => {
            let mut known: Vec<_> = inputs.names.iter().cloned().collect();
            known.sort_unstable();
            Err(RunError::UnknownInput {
                automa: topology.automa.to_string(),
                name: name.to_string(),
                known,
            })
        }
    }
}
