//! The graph as a running worker sees it.

use std::sync::Arc;

use super::{Context, added};
use crate::automa::Program;
use crate::engine::RunCore;
use crate::graph::{Edit, View};
use crate::key::Key;
use crate::values::Value;
use crate::worker::{AnyWorker, Body, IntoFunc, IntoWorker, Source, WorkerOptions};

/// The automa around a running worker, as of the last settled step. Edits requested in the current
/// step are not included.
///
/// ```
/// # use ddg_core::prelude::*;
/// async fn look(cx: Context) -> Vec<String> {
///     let automa = cx.automa();
///     automa.keys().iter().map(|key| format!("{key}: {:?}", automa.dependencies(key))).collect()
/// }
/// ```
#[derive(Clone, Copy)]
pub struct GraphView<'a> {
    core: &'a RunCore,
}

impl<'a> GraphView<'a> {
    pub(crate) fn new(core: &'a RunCore) -> Self {
        Self { core }
    }

    /// The name of the automa.
    pub fn name(&self) -> &'a str {
        self.core.automa()
    }

    /// The keys of the workers: declared ones in order, then those added at run time.
    pub fn keys(&self) -> Vec<Key> {
        self.core.machine().view().keys().cloned().collect()
    }

    /// Whether the worker `key` exists.
    pub fn contains(&self, key: impl Into<Key>) -> bool {
        self.core.machine().view().find(key.into().as_str()).is_some()
    }

    /// The dependencies of `key` in declared order; `None` if the worker does not exist.
    pub fn dependencies(&self, key: impl Into<Key>) -> Option<Vec<Key>> {
        dependencies(self.core.machine().view(), key.into().as_str())
    }

    /// The last output of `key`; `None` if the worker has not run or does not exist.
    pub fn output(&self, key: impl Into<Key>) -> Option<Value> {
        self.core.machine().output(key.into().as_str())
    }
}

impl std::fmt::Debug for GraphView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GraphView({:?})", self.name())
    }
}

fn dependencies(view: &View<Arc<Body>>, key: &str) -> Option<Vec<Key>> {
    let node = view.node(view.find(key)?);
    Some(node.live_dependencies().map(|(_, on)| view.node(on).key().clone()).collect())
}

/// A nested automa as seen by a worker next to it, which can inspect its graph and change it before
/// its next kickoff. The edits belong to the outer run and are applied when the step settles.
///
/// ```
/// # use ddg_core::prelude::*;
/// async fn prepare(cx: Context) -> Result<(), WorkerError> {
///     let pipeline = cx.nested("pipeline").ok_or_else(|| WorkerError::msg("no pipeline"))?;
///     pipeline.add_func_as_worker("check", async |text: String| text.len(), after(["fetch"]));
///     Ok(())
/// }
/// ```
pub struct NestedAutoma<'a> {
    cx: &'a Context,
    path: Vec<Key>,
    program: Arc<Program>,
    /// The automata between the worker's own and this one, innermost first.
    between: Vec<Arc<Program>>,
    view: View<Arc<Body>>,
}

impl<'a> NestedAutoma<'a> {
    pub(super) fn find(cx: &'a Context, path: Vec<Key>) -> Option<Self> {
        let (program, view) = nested(cx.core().machine().view(), path.last()?)?;
        Some(Self { cx, path, program, between: Vec::new(), view })
    }

    /// The name of the automa.
    pub fn name(&self) -> &str {
        self.program.automa()
    }

    /// The keys of the workers.
    pub fn keys(&self) -> Vec<Key> {
        self.view.keys().cloned().collect()
    }

    /// The dependencies of `key` in declared order; `None` if the worker does not exist.
    pub fn dependencies(&self, key: impl Into<Key>) -> Option<Vec<Key>> {
        dependencies(&self.view, key.into().as_str())
    }

    /// An automa nested in this one.
    pub fn nested(&self, key: impl Into<Key>) -> Option<Self> {
        let key = key.into();
        let (program, view) = nested(&self.view, &key)?;
        let path = self.path.iter().cloned().chain([key]).collect();
        let between = std::iter::once(&self.program).chain(&self.between).cloned().collect();
        Some(Self { cx: self.cx, path, program, between, view })
    }

    /// Adds a worker. See [`Context::add_worker`].
    pub fn add_worker<M>(
        &self,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) {
        self.add(key.into(), worker.into_worker().into(), options);
    }

    /// Adds a function or a declared worker. See [`Context::add_func_as_worker`].
    pub fn add_func_as_worker<M>(
        &self,
        key: impl Into<Key>,
        worker: impl IntoFunc<M>,
        options: WorkerOptions,
    ) {
        self.add(key.into(), worker.into_func().into(), options);
    }

    /// Removes a worker.
    pub fn remove_worker(&self, key: impl Into<Key>) {
        self.edit(Edit::RemoveWorker { key: key.into() });
    }

    /// Makes `worker` depend on `dependency`, as its last dependency.
    pub fn add_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::AddDependency { worker, dependency });
    }

    /// Removes the dependency of `worker` on `dependency`.
    pub fn remove_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::RemoveDependency { worker, dependency });
    }

    fn add(&self, key: Key, source: Source, options: WorkerOptions) {
        let core = self.cx.core();
        let around =
            || self.between.iter().chain([&core.program]).chain(core.programs_around()).collect();
        self.edit(added(&self.program, around, key, source, options));
    }

    fn edit(&self, edit: Edit<Arc<Body>>) {
        let wrap = |edit, key: &Key| Edit::Nested { key: key.clone(), edit: Box::new(edit) };
        self.cx.edit(self.path.iter().rev().fold(edit, wrap));
    }
}

impl std::fmt::Debug for NestedAutoma<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NestedAutoma({:?})", self.name())
    }
}

/// The automa that is the worker `key`, and its graph as the run has changed it.
fn nested(view: &View<Arc<Body>>, key: &Key) -> Option<(Arc<Program>, View<Arc<Body>>)> {
    let worker: &AnyWorker = &view.node(view.find(key.as_str())?).payload.worker;
    let program = worker.0.automa()?.compiled().ok()?;
    Some((program, worker.graph()?))
}
