//! What all workers of one run share.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::journal::Journal;
use super::{Machine, RunError, Saved};
use crate::args::{Args, Named};
use crate::callback::{DynCallback, installed};
use crate::context::{LocalSpaces, fork};
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
    machine: Mutex<Machine>,
    stop: AtomicBool,
    /// Where the run is written to.
    pub(crate) journal: Option<Journal>,
}

impl RunCore {
    /// A run that nothing is around.
    ///
    /// # Errors
    /// A named input reaches nobody.
    pub(crate) fn top(
        topology: Arc<Topology>,
        args: Args,
        journal: Option<Journal>,
    ) -> Result<Arc<Self>, RunError> {
        check_inputs(&topology, args.named_slice())?;
        let locals = kept_locals(&topology);
        let machine = Machine::new(View::of(topology), None, args, &[], locals);
        Ok(Self::around(machine, 0, installed(), journal))
    }

    /// A run that goes on from where it was saved.
    ///
    /// # Errors
    /// It was a run of another graph.
    pub(crate) fn resumed(
        topology: Arc<Topology>,
        saved: Saved,
        journal: Option<Journal>,
    ) -> Result<Arc<Self>, RunError> {
        let machine = Machine::restore(View::of(topology), None, saved)?;
        Ok(Self::around(machine, 0, installed(), journal))
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
        outer: &Self,
    ) -> Result<Arc<Self>, RunError> {
        // What the run has changed is in `saved`, what was changed before it included.
        let view = View::of(Arc::clone(view.base()));
        let machine = Machine::restore(view, Some(Arc::new(path)), saved)?;
        Ok(Self::around(machine, outer.depth + 1, outer.callbacks.to_vec(), None))
    }

    /// A run of an automa that is a worker at `path` of `outer`.
    ///
    /// # Errors
    /// A named argument reaches nobody.
    pub(crate) fn nested(
        view: View,
        path: Path,
        args: Args,
        outer: &Self,
    ) -> Result<Arc<Self>, RunError> {
        check_inputs(view.base(), args.named_slice())?;
        let locals = kept_locals(view.base());
        let machine = Machine::new(view, Some(Arc::new(path)), args, &outer.inputs, locals);
        Ok(Self::around(machine, outer.depth + 1, outer.callbacks.to_vec(), None))
    }

    fn around(
        machine: Machine,
        depth: u32,
        mut callbacks: Vec<Arc<dyn DynCallback>>,
        journal: Option<Journal>,
    ) -> Arc<Self> {
        let topology = Arc::clone(machine.view().base());
        let settings = &topology.settings;
        callbacks.extend(settings.callbacks.iter().cloned());
        Arc::new(Self {
            path: machine.path().cloned(),
            depth,
            inputs: Arc::clone(machine.inputs()),
            callbacks: callbacks.into(),
            max_concurrency: settings.max_concurrency.unwrap_or(usize::MAX),
            topology,
            machine: Mutex::new(machine),
            stop: AtomicBool::new(false),
            journal,
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
