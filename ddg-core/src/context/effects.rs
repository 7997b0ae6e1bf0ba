//! What a worker asks for: ferries, edits of the graph, and the stop of its run.

use std::sync::Arc;

use super::Context;
use crate::args::Args;
use crate::automa::Program;
use crate::graph::Edit;
use crate::key::Key;
use crate::machine::{Ferry, Target};
use crate::worker::{Body, FerryTarget, IntoFunc, IntoWorker, Source, WorkerOptions};

impl Context {
    /// Runs `target` in the next step with `args`, regardless of its dependencies.
    ///
    /// The target gets these arguments instead of its dependencies' outputs. It still gets run
    /// inputs by name and injected values, and waits for all of its dependencies again afterwards.
    /// If it is ferried to n times in a step, it runs n times in the next one. If the target does
    /// not exist when the step settles, the run fails.
    pub fn ferry_to<A>(&self, target: impl FerryTarget<A>, args: A) {
        fn arguments<A, T: FerryTarget<A>>(_: &T, args: A) -> Args {
            T::arguments(args)
        }
        let args = arguments(&target, args);
        let to = match self.0.core.program.topology.index.get(target.text()) {
            Some(declared) => Target::Declared(*declared),
            None => Target::Key(target.into_key()),
        };
        if let Some(late) = self.0.requests.push_ferry(Ferry { to, args }) {
            self.too_late(&late.describe(&self.0.core.program.topology));
        }
    }

    /// Adds an own worker, a nested automa or an [`AnyWorker`](crate::worker::AnyWorker) to the
    /// graph of this run.
    ///
    /// All edits of a step are applied together when it settles, before its results. So a worker
    /// that depends on one that is running now is triggered by it. A dependency on a worker that
    /// ended in an earlier step is satisfied when that worker ends again. If an edit is impossible,
    /// the run fails with an error that names this worker.
    pub fn add_worker<M>(
        &self,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) {
        self.add(key.into(), worker.into_worker().into(), options);
    }

    /// Adds a worker to the graph of this run: a function, a closure, or the key or
    /// [`WorkerRef`](crate::worker::WorkerRef) of a declared worker. See
    /// [`add_worker`](Self::add_worker).
    pub fn add_func_as_worker<M>(
        &self,
        key: impl Into<Key>,
        worker: impl IntoFunc<M>,
        options: WorkerOptions,
    ) {
        self.add(key.into(), worker.into_func().into(), options);
    }

    /// Removes a worker and its edges from the graph of this run. If it is running, it runs to its
    /// end: its output is dropped, and its effects still count. No worker is triggered because it
    /// waits for one dependency less.
    pub fn remove_worker(&self, key: impl Into<Key>) {
        self.edit(Edit::RemoveWorker { key: key.into() });
    }

    /// Makes `worker` depend on `dependency`, as its last dependency.
    pub fn add_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::AddDependency { worker, dependency });
    }

    /// Removes the dependency of `worker` on `dependency`. This triggers no worker.
    pub fn remove_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::RemoveDependency { worker, dependency });
    }

    pub(super) fn edit(&self, edit: Edit<Arc<Body>>) {
        if let Some(late) = self.0.requests.push_edit(edit) {
            self.too_late(&format!("{late:?}"));
        }
    }

    fn add(&self, key: Key, source: Source, options: WorkerOptions) {
        let core = &self.0.core;
        self.edit(added(&core.program, || core.programs_around().collect(), key, source, options));
    }
}

/// The edit that adds a worker to the graph of a run of `program`. Names that are not declared
/// there are looked up in the automata `around`, innermost first.
pub(super) fn added<'a>(
    program: &Program,
    around: impl FnOnce() -> Vec<&'a Arc<Program>>,
    key: Key,
    source: Source,
    mut options: WorkerOptions,
) -> Edit<Arc<Body>> {
    let dependencies = std::mem::take(&mut options.dependencies);
    let payload = program.place(&key, source, options, |name| {
        around().into_iter().find_map(|program| program.declared(name)).cloned()
    });
    Edit::AddWorker { key, payload, dependencies }
}
