//! The graph as a running worker sees it.

use std::sync::Arc;

use super::{Context, added};
use crate::automa::Program;
use crate::engine::RunCore;
use crate::graph::{Edit, View};
use crate::key::Key;
use crate::values::Value;
use crate::worker::{AnyWorker, Body, IntoFunc, IntoWorker, Source, WorkerOptions};

/// The automa around a running worker, as the last settled step left it: what is asked for in the
/// running step is not in it yet.
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

    /// The automa's name.
    pub fn name(&self) -> &'a str {
        self.core.automa()
    }

    /// The keys of its workers: the declared ones in order, then those added at run time.
    pub fn keys(&self) -> Vec<Key> {
        self.core.machine().view().keys().cloned().collect()
    }

    /// Whether there is a worker `key`.
    pub fn contains(&self, key: impl Into<Key>) -> bool {
        self.core.machine().view().find(key.into().as_str()).is_some()
    }

    /// What `key` depends on, in the order declared; `None` if there is no such worker.
    pub fn dependencies(&self, key: impl Into<Key>) -> Option<Vec<Key>> {
        dependencies(self.core.machine().view(), key.into().as_str())
    }

    /// The last output of `key`; `None` if it has not run, or there is no such worker.
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

/// A nested automa, seen from a worker beside it: its graph can be looked at and changed before
/// it runs next. Changes belong to the outer run and are applied when the step settles.
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
    view: View<Arc<Body>>,
}

impl<'a> NestedAutoma<'a> {
    pub(super) fn find(cx: &'a Context, path: Vec<Key>) -> Option<Self> {
        let (program, view) = nested(cx.core().machine().view(), path.last()?)?;
        Some(Self { cx, path, program, view })
    }

    /// The automa's name.
    pub fn name(&self) -> &str {
        self.program.automa()
    }

    /// The keys of its workers.
    pub fn keys(&self) -> Vec<Key> {
        self.view.keys().cloned().collect()
    }

    /// What `key` depends on, in the order declared; `None` if there is no such worker.
    pub fn dependencies(&self, key: impl Into<Key>) -> Option<Vec<Key>> {
        dependencies(&self.view, key.into().as_str())
    }

    /// An automa nested in this one.
    pub fn nested(&self, key: impl Into<Key>) -> Option<Self> {
        let key = key.into();
        let (program, view) = nested(&self.view, &key)?;
        let path = self.path.iter().cloned().chain([key]).collect();
        Some(Self { cx: self.cx, path, program, view })
    }

    /// Adds a worker to it; see [`Context::add_worker`].
    pub fn add_worker<M>(
        &self,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) {
        self.add(key.into(), worker.into_worker().into(), options);
    }

    /// Adds a function as a worker to it; see [`Context::add_func_as_worker`].
    pub fn add_func_as_worker<M>(
        &self,
        key: impl Into<Key>,
        function: impl IntoFunc<M>,
        options: WorkerOptions,
    ) {
        self.add(key.into(), function.into_func().into(), options);
    }

    /// Removes one of its workers.
    pub fn remove_worker(&self, key: impl Into<Key>) {
        self.edit(Edit::RemoveWorker { key: key.into() });
    }

    /// Makes its `worker` depend on its `dependency`, as the last one.
    pub fn add_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::AddDependency { worker, dependency });
    }

    /// Lets its `worker` depend on its `dependency` no longer.
    pub fn remove_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::RemoveDependency { worker, dependency });
    }

    fn add(&self, key: Key, source: Source, options: WorkerOptions) {
        self.edit(added(&self.program, key, source, options));
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

/// The automa that is the worker `key`, and its graph as the run has left it.
fn nested(view: &View<Arc<Body>>, key: &Key) -> Option<(Arc<Program>, View<Arc<Body>>)> {
    let worker: &AnyWorker = &view.node(view.find(key.as_str())?).payload.worker;
    let program = worker.0.automa()?.compiled().ok()?;
    Some((program, worker.graph()?))
}
