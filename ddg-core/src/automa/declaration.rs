//! Declares a graph: its workers, their dependencies, and what runs may add.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use rustc_hash::FxHashSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::registry::WorkerType;
use super::{GraphAutoma, Registry, Settings};
use crate::graph::{BuildError, Fault, Lint, some_keys};
use crate::key::Key;
use crate::worker::{AnyWorker, Body, IntoFunc, IntoWorker, Source, Worker, WorkerOptions};

#[derive(Clone)]
pub(super) struct Declaration {
    pub(super) body: Arc<Body>,
    pub(super) dependencies: Vec<Key>,
}

impl GraphAutoma {
    /// Creates an automa without workers. `name` is its name in messages and traces.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Into::<String>::into(name).into(),
            declarations: IndexMap::default(),
            registry: Registry::default(),
            extra_inputs: FxHashSet::default(),
            settings: Settings::default(),
            kept: Arc::default(),
            compiled: OnceLock::new(),
        }
    }

    /// The name of the automa.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a worker: a function, a closure, or the key of a declared worker. See [`IntoFunc`] for
    /// the parameters and return types of functions.
    ///
    /// Its dependencies may be added later: [`validate`](Self::validate) and every run check that
    /// they exist.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("sum");
    /// automa.add_func_as_worker("a", async |x: i32| x + 1, start())?;
    /// automa.add_func_as_worker("b", |x: i32| x * 2, start().inline())?;
    /// automa.add_func_as_worker("sum", async |a: i32, b: i32| a + b, after(["a", "b"]).output())?;
    /// assert_eq!(automa.run(args!(10)).output::<i32>().await?, 31);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the key is empty or taken, if the options name parameters that the worker does not have,
    /// or if no worker is declared under the key that `worker` is.
    pub fn add_func_as_worker<M>(
        &mut self,
        key: impl Into<Key>,
        worker: impl IntoFunc<M>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.insert(key.into(), worker.into_func().into(), options)
    }

    /// Adds an own [`Worker`](crate::Worker), a nested automa, or an [`AnyWorker`].
    ///
    /// A nested automa takes the outputs of its dependencies as the arguments of its run, and gives
    /// the result of the run.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("double", async |x: i32| 2 * x, start().output())?;
    /// let mut outer = GraphAutoma::new("outer");
    /// outer.add_func_as_worker("load", async || 21, start())?;
    /// outer.add_worker("inner", inner, after(["load"]).output())?;
    /// assert_eq!(outer.run(()).output::<i32>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the key is empty or taken.
    pub fn add_worker<M>(
        &mut self,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.insert(key.into(), worker.into_worker().into(), options)
    }

    /// Replaces the worker `key` by `worker`, which keeps its place in the order.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("pay");
    /// automa.add_func_as_worker("pay", async || "paid".to_owned(), start().output())?;
    /// // In a test:
    /// automa.override_func_as_worker("pay", async || "not paid".to_owned(), start().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "not paid");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If no worker has the key, or the options name parameters that `worker` does not have.
    pub fn override_func_as_worker<M>(
        &mut self,
        key: impl Into<Key>,
        worker: impl IntoFunc<M>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        let key = key.into();
        if !self.declarations.contains_key(&key) {
            let known = some_keys(&key, self.declarations.keys());
            return Err(self.fault(Fault::NothingToOverride { key, known }));
        }
        let declaration = self.declaration(&key, worker.into_func().into(), options)?;
        self.declarations.insert(key, declaration);
        Ok(())
    }

    /// Declares a function without placing it in the graph. A running worker places it with
    /// [`Context::add_func_as_worker`](crate::Context::add_func_as_worker).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # use ddg_core::worker::WorkerRef;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// const SUM: WorkerRef<fn(Vec<i64>) -> i64> = WorkerRef::new("sum");
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
    /// assert_eq!(automa.run(args!(4)).output::<i64>().await?, 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the name is empty or taken, or the options name parameters that the function does not
    /// have.
    pub fn declare_func<M>(
        &mut self,
        name: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.declare(name.into(), function.into_func(), options)
    }

    /// Declares an own worker, a nested automa or an [`AnyWorker`] without placing it in the graph,
    /// as [`declare_func`](Self::declare_func) does for a function.
    ///
    /// A running worker places it under any key, by its name or by adding the same [`AnyWorker`]. A
    /// [`Snapshot`](crate::snapshot::Snapshot) of the run resolves it by its name.
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
    /// assert_eq!(automa.run(args!(4)).output::<i64>().await?, 8);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the name is empty or taken.
    pub fn declare_worker<M>(
        &mut self,
        name: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        self.declare(name.into(), worker.into_worker(), options)
    }

    /// Registers a type of own workers under a name, so that a
    /// [`Snapshot`](crate::snapshot::Snapshot) can restore workers of this type that the run has
    /// added, here or in a nested automa. The snapshot holds the name and the serialised worker.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    /// use ddg_core::snapshot::Snapshot;
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
    /// let json = serde_json::to_string(&automa.run(()).await?.snapshot()?)?;
    /// let snapshot: Snapshot = serde_json::from_str(&json)?;
    /// assert_eq!(automa.resume(snapshot).await?.into_output::<i64>()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A type registered under several names is saved under the first one and restored under any of
    /// them. To rename it, register the new name first and keep the old one for older snapshots.
    ///
    /// # Errors
    /// If the name is empty, or another type is registered under it.
    pub fn register_worker<W: Worker + Serialize + DeserializeOwned>(
        &mut self,
        name: impl Into<Key>,
    ) -> Result<(), BuildError> {
        self.register(name.into(), WorkerType::of::<W>())
    }

    /// Registers a type of own workers as [`register_worker`](Self::register_worker) does, for
    /// workers that cannot be serialised themselves. A worker is saved as the result of `to_config`
    /// and restored by `from_config`, which may add what it knows, such as a connection.
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

    /// Removes a worker and its edges.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("small");
    /// automa.add_func_as_worker("a", async || (), start())?;
    /// automa.add_func_as_worker("b", async || (), after(["a"]))?;
    /// automa.remove_worker("b")?;
    /// assert_eq!(automa.keys().count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the worker does not exist.
    pub fn remove_worker(&mut self, key: impl Into<Key>) -> Result<(), BuildError> {
        self.compiled = OnceLock::new();
        let key = key.into();
        if self.declarations.shift_remove(&key).is_none() {
            let known = some_keys(&key, self.declarations.keys());
            return Err(self.fault(Fault::UnknownWorker { key, known }));
        }
        for declaration in self.declarations.values_mut() {
            declaration.dependencies.retain(|dependency| *dependency != key);
        }
        Ok(())
    }

    /// Makes `worker` depend on `dependency`, as its last dependency.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| a + 1, free().output())?;
    /// automa.add_dependency("b", "a")?;
    /// assert_eq!(automa.run(()).output::<i32>().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If `worker` does not exist.
    pub fn add_dependency(
        &mut self,
        worker: impl Into<Key>,
        dependency: impl Into<Key>,
    ) -> Result<(), BuildError> {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.dependencies_of(worker)?.push(dependency);
        Ok(())
    }

    /// Removes the dependency of `worker` on `dependency`.
    ///
    /// # Errors
    /// If `worker` does not exist, or does not depend on `dependency`.
    pub fn remove_dependency(
        &mut self,
        worker: impl Into<Key>,
        dependency: impl Into<Key>,
    ) -> Result<(), BuildError> {
        let (worker, dependency) = (worker.into(), dependency.into());
        let dependencies = self.dependencies_of(worker.clone())?;
        match dependencies.iter().position(|on| *on == dependency) {
            Some(place) => {
                dependencies.remove(place);
                Ok(())
            }
            None => Err(self.fault(Fault::NoSuchDependency { worker, dependency })),
        }
    }

    /// The dependencies of `worker`, for a change.
    fn dependencies_of(&mut self, worker: Key) -> Result<&mut Vec<Key>, BuildError> {
        self.compiled = OnceLock::new();
        if !self.declarations.contains_key(&worker) {
            let known = some_keys(&worker, self.declarations.keys());
            return Err(self.fault(Fault::UnknownDependent { worker, known }));
        }
        Ok(&mut self.declarations[&worker].dependencies)
    }

    /// Declares a run input that only workers added at run time take by name. An input that no
    /// worker has a parameter for is otherwise refused as a typo.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("greet");
    /// automa.add_func_as_worker("greet", async |cx: Context| -> Result<String, WorkerError> {
    ///     Ok(cx.input("name")?.unwrap_or_default())
    /// }, start().output())?;
    /// automa.declare_input("name");
    /// assert_eq!(automa.run(args!(name = "Ada")).output::<String>().await?, "Ada");
    /// # Ok(())
    /// # }
    /// ```
    pub fn declare_input(&mut self, name: impl Into<String>) {
        self.compiled = OnceLock::new();
        self.extra_inputs.insert(name.into());
    }

    /// The keys of the workers, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.declarations.keys()
    }

    /// The dependencies of a worker in declared order; `None` if the worker does not exist.
    pub fn dependencies(&self, key: impl Into<Key>) -> Option<&[Key]> {
        Some(&self.declarations.get(&key.into())?.dependencies)
    }

    /// Checks the whole graph: all dependencies exist, there are no cycles, and the types along
    /// edges fit if both are known. Every run does this first; the result is cached.
    ///
    /// Returns what is valid and may do something else than it seems to.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("typo");
    /// automa.add_func_as_worker("load", async || (), start())?;
    /// automa.add_func_as_worker("end", async || (), after(["lode"]))?;
    /// assert!(automa.validate().unwrap_err().to_string().contains("which does not exist"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// All faults together.
    pub fn validate(&self) -> Result<Vec<Lint>, BuildError> {
        Ok(self.compiled()?.lints.found.clone())
    }

    fn insert(
        &mut self,
        key: Key,
        source: Source,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        if self.declarations.contains_key(&key) {
            return Err(self.fault(Fault::DuplicateKey { key }));
        }
        let declaration = self.declaration(&key, source, options)?;
        self.declarations.insert(key, declaration);
        Ok(())
    }

    fn declare(
        &mut self,
        name: Key,
        worker: AnyWorker,
        options: WorkerOptions,
    ) -> Result<(), BuildError> {
        let declaration = self.declaration(&name, worker.into(), options)?;
        if self.registry.insert(name.clone(), declaration.body).is_some() {
            return Err(self.fault(Fault::DuplicateName { name }));
        }
        Ok(())
    }

    fn register(&mut self, name: Key, ty: WorkerType) -> Result<(), BuildError> {
        self.compiled = OnceLock::new();
        if name.as_str().is_empty() {
            return Err(self.fault(Fault::EmptyKey));
        }
        if self.registry.insert_type(name.clone(), ty) {
            return Ok(());
        }
        Err(self.fault(Fault::DuplicateName { name }))
    }

    fn declaration(
        &mut self,
        key: &Key,
        source: Source,
        mut options: WorkerOptions,
    ) -> Result<Declaration, BuildError> {
        self.compiled = OnceLock::new();
        let mut faults = Vec::new();
        if key.as_str().is_empty() {
            faults.push(Fault::EmptyKey);
        }
        let dependencies = std::mem::take(&mut options.dependencies);
        let body = match source {
            Source::Here(worker) => Body::new(key, worker, options, &mut faults),
            Source::Declared(name) if options.says_parameters() => {
                return Err(self.fault(Fault::ParametersAreDeclared { name, key: key.clone() }));
            }
            Source::Declared(name) => match self.declared_as(&name) {
                Some(body) => body.placed(name, key.clone(), options),
                None => return Err(self.fault(Fault::NotDeclared { name })),
            },
        };
        if faults.is_empty() {
            Ok(Declaration { body, dependencies })
        } else {
            Err(BuildError { automa: self.name.to_string(), faults })
        }
    }

    /// The worker that is declared as `name`, placed or not.
    fn declared_as(&self, name: &Key) -> Option<&Arc<Body>> {
        let placed = || Some(&self.declarations.get(name)?.body);
        self.registry.get(name).or_else(placed)
    }

    fn fault(&self, fault: Fault) -> BuildError {
        BuildError::one(&self.name, fault)
    }
}
