//! A graph that is being declared: the face of the engine.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::catalogue::WorkerType;
use super::error::some_keys;
use super::{BuildError, Catalogue, Fault, Spec, Topology};
use crate::args::IntoArgs;
use crate::callback::{Callback, DynCallback};
use crate::checkpoint::CheckpointStore;
use crate::context::{LocalSpaces, fork};
use crate::feedback::{Handlers, PostedEvent, ReplyTo, Request};
use crate::key::Key;
use crate::path::Path;
use crate::run::{Durable, Kickoff, Outcome, Pace, Prepared, Run, RunError};
use crate::snapshot::Snapshot;
use crate::values::Data;
use crate::worker::{AnyWorker, IntoFunc, IntoWorker, Worker, WorkerOptions};

/// A graph of workers: declare it, then [run](Self::run) it as often and as concurrently as you
/// like.
///
/// Running never changes it: each run works on its own view, with fresh state.
///
/// ```
/// use ddg_core::prelude::*;
///
/// async fn double(x: i64) -> i64 { x * 2 }
/// async fn sum(a: i64, b: i64) -> i64 { a + b }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("numbers");
/// automa.add_func_as_worker("first", double, start())?;
/// automa.add_func_as_worker("second", double, after(["first"]))?;
/// automa.add_func_as_worker("sum", sum, after(["first", "second"]).output())?;
/// let y: i64 = automa.run(args!(5)).await?;
/// assert_eq!(y, 30);
/// # Ok(())
/// # }
/// ```
pub struct GraphAutoma {
    name: Arc<str>,
    declarations: IndexMap<Key, Declaration, FxBuildHasher>,
    catalogue: Catalogue,
    extra_inputs: FxHashSet<String>,
    settings: Settings,
    /// Local spaces that outlive a run, where they do.
    kept: Arc<Mutex<LocalSpaces>>,
    compiled: OnceLock<Result<Arc<Topology>, BuildError>>,
}

#[derive(Clone)]
pub(super) struct Declaration {
    pub(super) spec: Arc<Spec>,
    pub(super) dependencies: Vec<Key>,
}

/// What holds for all runs of an automa.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) max_steps: Option<u64>,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) pace: Pace,
    pub(crate) keep_local: bool,
    pub(crate) callbacks: Vec<Arc<dyn DynCallback>>,
    pub(crate) handlers: Handlers,
}

impl GraphAutoma {
    /// An automa without workers, called `name` in messages and traces.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Into::<String>::into(name).into(),
            declarations: IndexMap::default(),
            catalogue: Catalogue::default(),
            extra_inputs: FxHashSet::default(),
            settings: Settings::default(),
            kept: Arc::default(),
            compiled: OnceLock::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a function or closure as a worker. See [`IntoFunc`] for what it may take and return.
    ///
    /// Its dependencies may be added later; that they exist is checked by
    /// [`validate`](Self::validate) and before each run.
    ///
    /// # Errors
    /// The key is empty or taken, or the options name parameters that the function has not.
    pub fn add_func_as_worker<M>(
        &mut self,
        key: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.insert(key.into(), function.into_func(), options)
    }

    /// Adds an own [`Worker`](crate::Worker), a nested automa, or an [`AnyWorker`].
    ///
    /// A nested automa takes what its dependencies give as the arguments of its run, and gives
    /// its result.
    ///
    /// # Errors
    /// The key is empty or taken.
    pub fn add_worker<M>(
        &mut self,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.insert(key.into(), worker.into_worker(), options)
    }

    /// Replaces a worker that was added before, on purpose; it keeps its place in the order.
    ///
    /// # Errors
    /// There is no such worker, or the options name parameters that the function has not.
    pub fn override_func_as_worker<M>(
        &mut self,
        key: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        let key = key.into();
        if !self.declarations.contains_key(&key) {
            let known = some_keys(self.declarations.keys());
            return Err(self.fault(Fault::NothingToOverride { key, known }));
        }
        let declaration = self.declaration(&key, function.into_func(), options)?;
        self.declarations.insert(key, declaration);
        Ok(())
    }

    /// Declares a function without placing it: a running worker places it with
    /// [`Context::add_func_as_worker`](crate::Context::add_func_as_worker).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # use ddg_core::Declared;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// const SUM: Declared<fn(Vec<i64>) -> i64> = Declared::new("sum");
    ///
    /// let mut automa = GraphAutoma::new("grow");
    /// automa.declare_func("sum", async |all: Vec<i64>| all.iter().sum::<i64>(), free())?;
    /// automa.add_func_as_worker("plan", async |n: i64, cx: Context| {
    ///     let keys: Vec<_> = (1..=n).map(|i| format!("part_{i}")).collect();
    ///     for (i, key) in keys.iter().enumerate() {
    ///         cx.add_func_as_worker(key, async |x: i64| x, free());
    ///         cx.ferry_to(key, (i as i64 + 1,));
    ///     }
    ///     cx.add_func_as_worker("total", SUM, after(keys).merge().output());
    /// }, start())?;
    /// assert_eq!(automa.run::<i64>(args!(4)).await?, 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The name is empty or taken, or the options name parameters that the function has not.
    pub fn declare_func<M>(
        &mut self,
        name: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.declare(name.into(), function.into_func(), options)
    }

    /// Declares an own worker, a nested automa or an [`AnyWorker`] without placing it, as
    /// [`declare_func`](Self::declare_func) does for a function. A running worker places it under
    /// any key by its name, or by adding the very same [`AnyWorker`]; a
    /// [`Snapshot`](crate::Snapshot) of the run then finds it again.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # use ddg_core::Key;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("double", async |x: i64| x * 2, start().output())?;
    ///
    /// let mut automa = GraphAutoma::new("outer");
    /// automa.declare_worker("doubler", inner, free())?;
    /// automa.add_func_as_worker("plan", async |x: i64, cx: Context| {
    ///     cx.add_func_as_worker("twice", Key::from("doubler"), free().output());
    ///     cx.ferry_to("twice", (x,));
    /// }, start())?;
    /// assert_eq!(automa.run::<i64>(args!(4)).await?, 8);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The name is empty or taken.
    pub fn declare_worker<M>(
        &mut self,
        name: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.declare(name.into(), worker.into_worker(), options)
    }

    /// Registers a type of own workers under a name, so that a [`Snapshot`](crate::Snapshot) of a
    /// run finds the workers of this type again that the run has added, here or in a nested
    /// automa: by the name and by what the worker is written as with serde.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    /// use ddg_core::Snapshot;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Multiply { by: i64 }
    ///
    /// impl Worker for Multiply {
    ///     type Output = i64;
    ///
    ///     async fn run(&self, args: Args, _: &Context) -> Result<i64, WorkerError> {
    ///         Ok(args.get::<i64>(0)? * self.by)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("grow");
    /// automa.register_worker::<Multiply>("multiply")?;
    /// automa.add_func_as_worker("plan", async |cx: Context| {
    ///     cx.add_worker("by_7", Multiply { by: 7 }, free().output());
    ///     cx.ferry_to("by_7", (6,));
    ///     cx.stop();
    /// }, start())?;
    ///
    /// let json = serde_json::to_string(&automa.outcome(()).await?.snapshot()?)?;
    /// let snapshot: Snapshot = serde_json::from_str(&json)?;
    /// assert_eq!(automa.resume(snapshot).await?.into_output::<i64>()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A type that is registered under several names is saved under the first, and found under
    /// all: give it a new name and keep the old one for older snapshots.
    ///
    /// # Errors
    /// The name is empty, or another type is registered under it.
    pub fn register_worker<W: Worker + Serialize + DeserializeOwned>(
        &mut self,
        name: impl Into<Key>,
    ) -> Result<(), BuildError> {
        self.register(name.into(), WorkerType::of::<W>())
    }

    /// Registers a type of own workers as [`register_worker`](Self::register_worker) does, where
    /// the worker itself is no serde data: it is saved as what `to_config` gives, and made again
    /// by `from_config`, which may add what it knows, such as a connection.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use ddg_core::prelude::*;
    /// struct Client;
    /// struct Search { client: Arc<Client>, limit: u32 }
    /// # impl Worker for Search {
    /// #     type Output = ();
    /// #     async fn run(&self, _: Args, _: &Context) -> Result<(), WorkerError> { Ok(()) }
    /// # }
    ///
    /// let client = Arc::new(Client);
    /// let mut automa = GraphAutoma::new("agent");
    /// automa.register_worker_with(
    ///     "search",
    ///     |search: &Search| search.limit,
    ///     move |limit| Search { client: Arc::clone(&client), limit },
    /// )?;
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// # Errors
    /// As [`register_worker`](Self::register_worker).
    pub fn register_worker_with<W: Worker, C: Serialize + DeserializeOwned>(
        &mut self,
        name: impl Into<Key>,
        to_config: impl Fn(&W) -> C + Send + Sync + 'static,
        from_config: impl Fn(C) -> W + Send + Sync + 'static,
    ) -> Result<(), BuildError> {
        self.register(name.into(), WorkerType::new(to_config, from_config))
    }

    /// Removes a worker. What depends on it must be removed or changed, too, before a run.
    ///
    /// Returns whether there was one.
    pub fn remove_worker(&mut self, key: &str) -> bool {
        self.compiled = OnceLock::new();
        self.declarations.shift_remove(key).is_some()
    }

    /// Makes `worker` depend on `dependency`, as its last one.
    ///
    /// # Errors
    /// There is no worker `worker`.
    pub fn add_dependency(
        &mut self,
        worker: &str,
        dependency: impl Into<Key>,
    ) -> Result<(), BuildError> {
        self.compiled = OnceLock::new();
        let dependency = dependency.into();
        match self.declarations.get_mut(worker) {
            Some(declaration) => declaration.dependencies.push(dependency),
            None => {
                let known = some_keys(self.declarations.keys());
                let worker = worker.into();
                return Err(self.fault(Fault::UnknownDependent { worker, known }));
            }
        }
        Ok(())
    }

    /// Announces a run input that only workers added at run time take by name. Without it, a run
    /// input that no declared worker has a parameter for is refused as a typo.
    pub fn declare_input(&mut self, name: impl Into<String>) {
        self.compiled = OnceLock::new();
        self.extra_inputs.insert(name.into());
    }

    /// Fails a run that would take more than `steps` Dynamic Steps. There is no limit unless this
    /// is set.
    pub fn set_max_steps(&mut self, steps: u64) {
        self.compiled = OnceLock::new();
        self.settings.max_steps = Some(steps);
    }

    /// Runs at most `workers` workers of a run at a time (at least one). There is no limit unless
    /// this is set. The workers of a nested automa are counted there.
    pub fn set_max_concurrency(&mut self, workers: usize) {
        self.compiled = OnceLock::new();
        self.settings.max_concurrency = Some(workers.max(1));
    }

    /// Sets when a run settles what its workers gave and asked for: when all workers of a step have
    /// ended ([`Pace::Lockstep`], unless this is set), or as soon as any has ([`Pace::Rolling`]), so
    /// that branches do not wait for each other. A nested automa has a pace of its own.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # use std::sync::Arc;
    /// # use tokio::sync::Semaphore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let gate = Arc::new(Semaphore::new(0));
    /// let key = Arc::clone(&gate);
    /// let mut automa = GraphAutoma::new("branches");
    /// automa.add_func_as_worker("slow", move || {
    ///     let gate = Arc::clone(&gate);
    ///     async move { gate.acquire().await.unwrap().forget() }
    /// }, start())?;
    /// automa.add_func_as_worker("quick", async || {}, start())?;
    /// // In lockstep this would wait for `slow`, which waits for this.
    /// automa.add_func_as_worker("next", move || key.add_permits(1), after(["quick"]).inline())?;
    /// automa.set_pace(Pace::Rolling);
    /// automa.run::<()>(()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_pace(&mut self, pace: Pace) {
        self.compiled = OnceLock::new();
        self.settings.pace = pace;
    }

    /// Keeps the workers' local spaces across runs: a run begins with those of the last run that
    /// succeeded. A failed or cancelled run leaves them as they were.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("visits");
    /// let count = async |cx: Context| cx.local().update("n", |n: &mut u32| { *n += 1; *n });
    /// automa.add_func_as_worker("count", count, start().output())?;
    /// automa.keep_local_spaces();
    /// assert_eq!(automa.run::<u32>(()).await?, 1);
    /// assert_eq!(automa.run::<u32>(()).await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_local_spaces(&mut self) {
        self.compiled = OnceLock::new();
        self.settings.keep_local = true;
    }

    /// Adds a callback around every worker of this automa, those added at run time and those of
    /// nested automata included; see [`Callback`].
    pub fn add_callback(&mut self, callback: impl Callback) {
        self.compiled = OnceLock::new();
        self.settings.callbacks.push(Arc::new(callback));
    }

    /// Handles the events of type `E` that workers [post](crate::Context::post_event), at any depth
    /// of nesting, in runs of this automa; those of runs in which it is nested go to the automa that
    /// is run. Another handler for `E` replaces this one.
    ///
    /// It is called by the worker that posts, with the event and that worker's path, and should give
    /// what takes time to a task of its own. That it panics is reported as a warning through
    /// `tracing`.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Progress { percent: u32 }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("copy");
    /// automa.add_func_as_worker("copy", async |cx: Context| {
    ///     cx.post_event(Progress { percent: 50 });
    /// }, start())?;
    /// automa.on_event(|progress: Progress, from| println!("{from}: {} %", progress.percent));
    /// automa.run::<()>(()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_event<E: Data>(&mut self, handle: impl Fn(E, &Path) + Send + Sync + 'static) {
        self.compiled = OnceLock::new();
        self.settings.handlers.on_event(handle);
    }

    /// Handles the [requests](Request) of type `E` that workers
    /// [make](crate::Context::request_feedback); otherwise as [`on_event`](Self::on_event).
    pub fn on_request<E: Request>(
        &mut self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) {
        self.compiled = OnceLock::new();
        self.settings.handlers.on_request(handle);
    }

    /// Handles all events and requests that have no handler of their type.
    pub fn on_any_event(&mut self, handle: impl Fn(PostedEvent) + Send + Sync + 'static) {
        self.compiled = OnceLock::new();
        self.settings.handlers.on_any_event(handle);
    }

    /// The keys of its workers, in the order they were added.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.declarations.keys()
    }

    /// What a worker depends on, in the order declared; `None` if there is no such worker.
    pub fn dependencies(&self, key: impl AsRef<str>) -> Option<&[Key]> {
        Some(&self.declarations.get(key.as_ref())?.dependencies)
    }

    /// Checks the whole graph: every dependency exists, none form a cycle, types along edges
    /// agree where both ends are known. Every run does this first; the result is kept.
    ///
    /// # Errors
    /// All faults together.
    pub fn validate(&self) -> Result<(), BuildError> {
        self.compiled().map(|_| ())
    }

    /// Runs it to its end and gives the output of the output worker that ran last.
    ///
    /// Positional arguments reach every start worker; named ones reach every worker, at any depth,
    /// that has a parameter of that name. Without an output, the result is null: `()`, or `None`
    /// of an `Option`.
    ///
    /// # Errors
    /// The graph is invalid, the inputs reach nobody, a step failed, or the output is no `T`.
    ///
    /// # Cancel safety
    /// Dropping the future stops the workers of the run. Blocking workers run to their end; their
    /// output is dropped.
    pub async fn run<T: Data>(&self, args: impl IntoArgs) -> Result<T, RunError> {
        self.outcome(args).await?.into_output()
    }

    /// Like [`run`](Self::run), but gives everything there is to say about the run.
    ///
    /// # Errors
    /// As [`run`](Self::run), but for the output's type.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn outcome(&self, args: impl IntoArgs) -> Result<Outcome, RunError> {
        crate::run::run(self, args.into_args()).await
    }

    /// Runs it with one worker polled at a time, the next one as `choose` says: for tests that
    /// try how workers interleave.
    ///
    /// `choose` is given the kickoffs of the step that can get on, in kickoff order, and gives
    /// the place of one (past the end means the last). The result is that of
    /// [`outcome`](Self::outcome), whatever is chosen.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("pair");
    /// automa.add_func_as_worker("a", async || "a".to_owned(), start())?;
    /// automa.add_func_as_worker("b", async || "b".to_owned(), start())?;
    /// automa.add_func_as_worker("ab", async |v: Vec<String>| v.concat(), after(["a", "b"]).merge().output())?;
    /// for first in [0, 1] {
    ///     let outcome = automa.simulate((), |ready| first.min(ready.len() - 1)).await?;
    ///     assert_eq!(outcome.into_output::<String>()?, "ab");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`outcome`](Self::outcome).
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn simulate(
        &self,
        args: impl IntoArgs,
        choose: impl FnMut(&[Kickoff]) -> usize,
    ) -> Result<Outcome, RunError> {
        crate::run::simulate(self, args.into_args(), choose).await
    }

    /// Continues a run that was stopped and saved.
    ///
    /// # Errors
    /// As [`outcome`](Self::outcome), and if the snapshot is not of a run of this automa.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run). The snapshot is consumed; keep a clone to try again.
    pub async fn resume(&self, snapshot: Snapshot) -> Result<Outcome, RunError> {
        self.prepare_resume(snapshot).outcome().await
    }

    /// Prepares a run without beginning it: to [subscribe](Prepared::events) to its events before
    /// the first comes, or to set what holds for this run alone.
    ///
    /// What it begins with (the graph, kept local spaces, the callbacks of the process) is what
    /// there is now.
    pub fn prepare(&self, args: impl IntoArgs) -> Prepared {
        crate::run::prepare(self, args.into_args())
    }

    /// Prepares a saved run to go on, without letting it yet; see [`prepare`](Self::prepare).
    pub fn prepare_resume(&self, snapshot: Snapshot) -> Prepared {
        crate::run::prepare_resumed(self, snapshot)
    }

    /// Lets its runs be kept in `store`, so that they survive their process; see [`Durable`].
    pub fn durable(&self, store: impl CheckpointStore + 'static) -> Durable<'_> {
        Durable::new(self, Arc::new(store))
    }

    /// The same with a store that is shared.
    pub fn durable_in(&self, store: Arc<dyn CheckpointStore>) -> Durable<'_> {
        Durable::new(self, store)
    }

    /// Starts a run as a task of its own and gives a handle to it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(&self, args: impl IntoArgs) -> Run {
        self.prepare(args).start()
    }

    pub(crate) fn compiled(&self) -> Result<Arc<Topology>, BuildError> {
        self.compiled.get_or_init(|| Topology::compile(self)).clone()
    }

    pub(super) fn declarations(&self) -> &IndexMap<Key, Declaration, FxBuildHasher> {
        &self.declarations
    }

    /// The workers in order, each with the keys of its dependencies, checked or not.
    pub(crate) fn declared(&self) -> impl Iterator<Item = (&Arc<Spec>, &[Key])> {
        self.declarations.values().map(|worker| (&worker.spec, &*worker.dependencies))
    }

    /// The names of what is declared without being placed.
    pub(crate) fn detached(&self) -> impl Iterator<Item = &Key> {
        self.catalogue.iter().map(|(name, _)| name)
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(super) fn extra_inputs(&self) -> &FxHashSet<String> {
        &self.extra_inputs
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn kept(&self) -> &Arc<Mutex<LocalSpaces>> {
        &self.kept
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    fn insert(
        &mut self,
        key: Key,
        worker: AnyWorker,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        if self.declarations.contains_key(&key) {
            return Err(self.fault(Fault::DuplicateKey { key }));
        }
        let declaration = self.declaration(&key, worker, options)?;
        self.declarations.insert(key, declaration);
        Ok(())
    }

    fn declare(
        &mut self,
        name: Key,
        worker: AnyWorker,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        let declaration = self.declaration(&name, worker, options)?;
        if self.catalogue.insert(name.clone(), declaration.spec).is_some() {
            return Err(self.fault(Fault::DuplicateName { name }));
        }
        Ok(())
    }

    fn register(&mut self, name: Key, ty: WorkerType) -> Result<(), BuildError> {
        self.compiled = OnceLock::new();
        if name.as_str().is_empty() {
            return Err(self.fault(Fault::EmptyKey));
        }
        if self.catalogue.insert_type(name.clone(), ty) {
            return Ok(());
        }
        Err(self.fault(Fault::DuplicateName { name }))
    }

    fn declaration(
        &mut self,
        key: &Key,
        worker: AnyWorker,
        mut options: WorkerOptions,
    ) -> Result<Declaration, BuildError> {
        self.compiled = OnceLock::new();
        let mut faults = Vec::new();
        if key.as_str().is_empty() {
            faults.push(Fault::EmptyKey);
        }
        let dependencies = std::mem::take(&mut options.dependencies);
        let spec = Spec::new(key, worker, options, &mut faults);
        if faults.is_empty() {
            Ok(Declaration { spec, dependencies })
        } else {
            Err(BuildError { automa: self.name.to_string(), faults })
        }
    }

    fn fault(&self, fault: Fault) -> BuildError {
        BuildError::one(&self.name, fault)
    }

    /// The graph that a run has grown, as one that can be run and changed.
    pub(crate) fn grown(view: &super::View) -> Self {
        let base = view.base();
        let declarations = view
            .workers()
            .map(|(_, node)| {
                let dependencies =
                    node.live_dependencies().map(|(_, on)| view.node(on).key().clone()).collect();
                let spec = Arc::clone(&node.spec);
                (node.key().clone(), Declaration { spec, dependencies })
            })
            .collect();
        Self {
            name: Arc::clone(&base.automa),
            declarations,
            catalogue: base.catalogue.clone(),
            extra_inputs: base.inputs.names.clone(),
            settings: base.settings.clone(),
            kept: Arc::default(),
            compiled: OnceLock::new(),
        }
    }
}

impl Clone for GraphAutoma {
    /// The same graph, declared on its own: changes of the one do not reach the other, and neither
    /// do [kept](Self::keep_local_spaces) local spaces.
    fn clone(&self) -> Self {
        let (kept, compiled) = if self.settings.keep_local {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            (Arc::new(Mutex::new(fork(&kept))), OnceLock::new())
        } else {
            (Arc::default(), self.compiled.clone())
        };
        Self {
            name: Arc::clone(&self.name),
            declarations: self.declarations.clone(),
            catalogue: self.catalogue.clone(),
            extra_inputs: self.extra_inputs.clone(),
            settings: self.settings.clone(),
            kept,
            compiled,
        }
    }
}

impl fmt::Debug for GraphAutoma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "automa {:?}", &*self.name)?;
        for (key, declaration) in &self.declarations {
            writeln!(f, "  {key:?} after {:?}", declaration.dependencies)?;
        }
        Ok(())
    }
}
