//! `Context`: a running worker's view of its run, and its requests.

mod automa;
mod interaction;
mod requests;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

pub use automa::{GraphView, NestedAutoma};
pub use interaction::InteractionError;
use requests::Requests;

pub use crate::local::{LocalMismatch, LocalSpace};

use crate::args::{Args, find};
use crate::automa::Program;
use crate::clock::to_ms;
use crate::engine::{Effects, Interrupted, Kickoff, Pending, Replay, RunCore};
use crate::event::EventKind;
use crate::feedback::{FeedbackError, Handlers, Request};
use crate::graph::{Edit, WorkerId};
use crate::key::Key;
use crate::machine::{Cause, Ferry, KickoffId, Question, Target};
use crate::path::WorkerPath;
use crate::saved::Saved;
use crate::values::{Answer, Data, TypeMismatch, Value};
use crate::worker::{Body, FerryTarget, IntoFunc, IntoWorker, Source, WorkerError, WorkerOptions};

/// A worker's view of its run, which it gets as a parameter.
///
/// The effects that a worker asks for (ferries, edits of the graph) are collected while it runs,
/// and applied when the step settles. Only those of a successful execution count: the effects of a
/// failed, retried, timed-out or cancelled execution are dropped, and so are requests made after
/// the worker has ended.
///
/// ```
/// use ddg_core::prelude::*;
///
/// async fn count(x: i64, cx: Context) {
///     let sum = cx.local().update("sum", |sum: &mut i64| { *sum += x; *sum });
///     if x < 100 {
///         cx.ferry_to("count", (x + 1,));
///     } else {
///         cx.ferry_to("end", (sum,));
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("sum100");
/// automa.add_func_as_worker("count", count, start())?;
/// automa.add_func_as_worker("end", async |x: i64| x, free().output())?;
/// assert_eq!(automa.run(args!(0)).output::<i64>().await?, 5050);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Execution>);

/// An execution of a worker.
struct Execution {
    core: Arc<RunCore>,
    kickoff: Kickoff,
    /// The arguments, which are needed again if the execution is interrupted.
    args: Args,
    replay: Option<Box<Replay>>,
    /// The number of the last attempt that began. Used by the kickoff's own context, which hooks
    /// get.
    attempt: AtomicU32,
    requests: Requests,
    local: OnceLock<LocalSpace>,
}

impl Context {
    pub(crate) fn new(
        core: Arc<RunCore>,
        kickoff: Kickoff,
        args: &Args,
        effects: Effects,
        replay: Option<Box<Replay>>,
    ) -> Self {
        Self(Arc::new(Execution {
            core,
            kickoff,
            args: args.clone(),
            replay,
            attempt: AtomicU32::new(1),
            requests: Requests::new(effects),
            local: OnceLock::new(),
        }))
    }

    /// A context for another attempt of the same kickoff.
    pub(crate) fn attempt_again(&self, attempt: u32) -> Self {
        self.0.attempt.store(attempt, Ordering::Relaxed);
        Self(Arc::new(Execution {
            core: Arc::clone(&self.0.core),
            kickoff: self.0.kickoff.clone(),
            args: Args::new(),
            replay: self.0.replay.clone(),
            attempt: AtomicU32::new(attempt),
            requests: self.0.requests.for_attempt(),
            local: OnceLock::new(),
        }))
    }

    /// What is needed to run the execution again, if it has asked a question without an answer.
    pub(crate) fn interrupted(&self) -> Option<Interrupted> {
        let pending = self.0.requests.take_pending()?;
        let replay = self.0.replay.as_deref();
        let begun = replay.map(|replay| replay.begun.clone()).unwrap_or_default();
        let begun = begun.into_iter().filter(|(key, _)| !pending.waits_for(key)).collect();
        Some(Interrupted {
            worker: self.0.kickoff.worker,
            kickoff: self.0.kickoff.id.0,
            step: self.0.kickoff.step,
            cause: self.0.kickoff.cause.clone(),
            args: self.0.args.clone(),
            answers: replay.map(|replay| replay.answers.clone()).unwrap_or_default(),
            begun,
            pending,
        })
    }

    /// The run of the nested automa that this worker continues, if it is one: one that was paused
    /// or left. A further attempt does not continue a run that was left.
    pub(crate) fn inner(&self) -> Option<Saved> {
        let run = &**self.0.replay.as_ref()?.inner.as_ref()?;
        (self.attempt() == 1 || !run.interrupted().is_empty()).then(|| run.clone())
    }

    /// The run `key` that this worker had begun and waited for when it was interrupted.
    pub(crate) fn begun(&self, key: &Key) -> Option<Saved> {
        let begun = &self.0.replay.as_ref()?.begun;
        begun.iter().find(|(found, _)| found == key).map(|(_, run)| (**run).clone())
    }

    pub(crate) fn core(&self) -> &Arc<RunCore> {
        &self.0.core
    }

    pub(crate) fn body(&self) -> &Arc<Body> {
        &self.0.kickoff.body
    }

    /// The id of the worker.
    pub(crate) fn worker(&self) -> WorkerId {
        self.0.kickoff.worker
    }

    /// The requests of this execution.
    pub(crate) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    fn too_late(&self, ask: &str) {
        tracing::warn!(
            worker = %self.path(),
            %ask,
            "requested after the worker had ended, and dropped"
        );
    }

    /// The key of this worker.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("keys");
    /// automa.add_func_as_worker("hello", async |cx: Context| cx.key().to_string(), start().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self) -> &Key {
        self.0.kickoff.key()
    }

    /// The path of this worker: its key and those of the automata around it.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("hello", async |cx: Context| cx.path().to_string(), start().output())?;
    /// let mut outer = GraphAutoma::new("outer");
    /// outer.add_worker("part", inner, start().output())?;
    /// assert_eq!(outer.run(()).output::<String>().await?, "part/hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn path(&self) -> WorkerPath {
        WorkerPath::new(self.0.core.path.clone(), self.key().clone())
    }

    /// The reason why this worker runs.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("causes");
    /// automa.add_func_as_worker("a", async |cx: Context| cx.ferry_to("b", ()), start())?;
    /// automa.add_func_as_worker("b", async |cx: Context| cx.cause().to_string(), free().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "ferry by `a`");
    /// # Ok(())
    /// # }
    /// ```
    pub fn cause(&self) -> &Cause {
        self.0.kickoff.cause()
    }

    /// The Dynamic Step of this automa's run, counted from 1.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("steps");
    /// automa.add_func_as_worker("first", async |cx: Context| cx.step(), start())?;
    /// automa.add_func_as_worker("second", async |first: u64, cx: Context| (first, cx.step()), after(["first"]).output())?;
    /// assert_eq!(automa.run(()).output::<(u64, u64)>().await?, (1, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn step(&self) -> u64 {
        self.0.kickoff.step()
    }

    /// The number of this kickoff in its run.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::run::KickoffId;
    ///
    /// let mut automa = GraphAutoma::new("pay");
    /// automa.add_func_as_worker("pay", async |cx: Context| {
    ///     // The same if the step runs again after a crash, and another one in the next round of a loop.
    ///     cx.emit("paid", format!("order-7/{}/{:?}", cx.path(), cx.kickoff_id()));
    ///     cx.kickoff_id()
    /// }, start().output())?;
    /// let first: KickoffId = automa.run(()).output().await?;
    /// assert_eq!(first, automa.run(()).output().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn kickoff_id(&self) -> KickoffId {
        self.0.kickoff.id()
    }

    /// The number of this attempt, counted from 1. In a hook after the worker, that of the last
    /// attempt.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("flaky");
    /// let call = async |cx: Context| match cx.attempt() {
    ///     1 => Err(WorkerError::msg("not up yet")),
    ///     n => Ok(n),
    /// };
    /// automa.add_func_as_worker("call", call, start().retry(Retry::times(1)).output())?;
    /// assert_eq!(automa.run(()).output::<u32>().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn attempt(&self) -> u32 {
        self.0.attempt.load(Ordering::Relaxed)
    }

    /// The run input `name`, from the innermost automa that was given one; `None` if there is none.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("greet");
    /// automa.add_func_as_worker("greet", async |cx: Context| -> Result<String, WorkerError> {
    ///     let name: Option<String> = cx.input("name")?;
    ///     Ok(format!("Hello {}", name.unwrap_or_else(|| "you".to_owned())))
    /// }, start().output())?;
    /// automa.declare_input("name");
    /// assert_eq!(automa.run(args!(name = "Ada")).output::<String>().await?, "Hello Ada");
    /// assert_eq!(automa.run(()).output::<String>().await?, "Hello you");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn input<T: Data>(&self, name: &str) -> Result<Option<T>, TypeMismatch> {
        find(&self.0.core.inputs, name).map(Value::get).transpose()
    }

    /// The value of this type that is [attached](crate::GraphAutoma::attach) to the run of this
    /// automa, or to the nearest run around it that has one. `None` if no run has one, or the run
    /// that has it has ended.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Mutex;
    ///
    /// let mut automa = GraphAutoma::new("log");
    /// automa.add_func_as_worker("write", async |cx: Context| {
    ///     let log = cx.attached::<Mutex<Vec<u64>>>().expect("attached below");
    ///     log.lock().expect("nobody panics").push(cx.step());
    /// }, start())?;
    /// automa.attach(|_| Mutex::new(Vec::<u64>::new()));
    /// automa.run(()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn attached<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.core.attached()
    }

    /// This worker's own state, which lasts for the run, or across runs if the automa [keeps
    /// it](crate::GraphAutoma::keep_local_spaces).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("count");
    /// automa.add_func_as_worker("count", async |cx: Context| {
    ///     let n = cx.local().update("n", |n: &mut u32| { *n += 1; *n });
    ///     if n < 3 {
    ///         cx.ferry_to("count", ());
    ///     }
    ///     n
    /// }, start().output())?;
    /// assert_eq!(automa.run(()).output::<u32>().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn local(&self) -> &LocalSpace {
        self.0.local.get_or_init(|| LocalSpace::new(self.0.core.local(self.worker())))
    }

    /// Returns `output`, or an error if the execution read a local value as a type that it is not.
    #[inline]
    pub(crate) fn checked<T>(&self, output: Result<T, WorkerError>) -> Result<T, WorkerError> {
        match self.0.local.get().and_then(LocalSpace::mismatch) {
            Some(mismatch) if output.is_ok() => Err(mismatch.clone().into()),
            _ => output,
        }
    }

    /// Stops this automa's run after the current step, as
    /// [`RunHandle::stop`](crate::run::RunHandle::stop) does. The run of a nested automa ends with
    /// its current result, and the outer run continues.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("clock");
    /// automa.add_func_as_worker("tick", async |cx: Context| {
    ///     cx.ferry_to("tick", ());
    ///     if cx.step() == 3 {
    ///         cx.stop();
    ///     }
    /// }, start())?;
    /// let outcome = automa.run(()).await?;
    /// assert!(outcome.stopped());
    /// assert_eq!(outcome.steps(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stop(&self) {
        if self.0.requests.set_stop() {
            self.too_late("stop");
        }
    }

    /// The automa that contains this worker, as of the last settled step.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("around");
    /// automa.add_func_as_worker("a", async || 7, start())?;
    /// automa.add_func_as_worker("b", async |cx: Context| -> Result<i32, WorkerError> {
    ///     let around = cx.automa();
    ///     assert!(around.contains("a"));
    ///     Ok(around.output("a").map(|value| value.get()).transpose()?.unwrap_or(0))
    /// }, after(["a"]).suppressed().output())?;
    /// assert_eq!(automa.run(()).output::<i32>().await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn automa(&self) -> GraphView<'_> {
        GraphView::new(&self.0.core)
    }

    /// The nested automa `key` next to this worker, to inspect its graph and to change it before
    /// its next kickoff. `None` if the worker does not exist or is not an automa.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("load", async || 7, start())?;
    /// let mut outer = GraphAutoma::new("outer");
    /// outer.add_func_as_worker("extend", async |cx: Context| {
    ///     let inner = cx.nested("part").expect("it is declared below");
    ///     inner.add_func_as_worker("double", async |x: i32| 2 * x, after(["load"]).output());
    /// }, start())?;
    /// outer.add_worker("part", inner, after(["extend"]).output())?;
    /// assert_eq!(outer.run(()).output::<i32>().await?, 14);
    /// # Ok(())
    /// # }
    /// ```
    pub fn nested(&self, key: impl Into<Key>) -> Option<NestedAutoma<'_>> {
        NestedAutoma::find(self, vec![key.into()])
    }
}

// What a worker asks for, waits for and tells stands in this file: in one of its own the compiler
// would call a method `context::effects::<impl Context>::ferry_to` in its messages.

/// What a worker asks for: ferries, edits of the graph.
impl Context {
    /// Runs `target` in the next step with `args`, regardless of its dependencies.
    ///
    /// The target gets these arguments instead of its dependencies' outputs. It still gets run
    /// inputs by name and injected values, and waits for all of its dependencies again afterwards.
    /// If it is ferried to n times in a step, it runs n times in the next one. If the target does
    /// not exist when the step settles, the run fails.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("halve");
    /// automa.add_func_as_worker("halve", async |n: u32, cx: Context| match n {
    ///     1 => cx.ferry_to("end", ()),
    ///     n if n % 2 == 0 => cx.ferry_to("halve", (n / 2,)),         // a loop
    ///     n => cx.ferry_to("odd", (n,)),                             // a branch
    /// }, start())?;
    /// automa.add_func_as_worker("end", async || "a power of two".to_owned(), free().output())?;
    /// automa.add_func_as_worker("odd", async |n: u32| format!("stopped at {n}"), free().output())?;
    /// assert_eq!(automa.run(args!(64)).output::<String>().await?, "a power of two");
    /// assert_eq!(automa.run(args!(48)).output::<String>().await?, "stopped at 3");
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut tools = GraphAutoma::new("tools");
    /// tools.add_func_as_worker("weather", async |city: String| format!("sunny in {city}"), start().output())?;
    /// let mut automa = GraphAutoma::new("agent");
    /// automa.add_func_as_worker("plan", with(tools, async |tools: &GraphAutoma, cx: Context| {
    ///     cx.add_worker("weather", tools.clone(), free().output());
    ///     cx.ferry_to("weather", ("Oslo",));
    /// }), start())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "sunny in Oslo");
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("grow");
    /// automa.add_func_as_worker("plan", async |n: u32, cx: Context| {
    ///     let keys: Vec<String> = (0..n).map(|nth| format!("part {nth}")).collect();
    ///     for (nth, key) in keys.iter().enumerate() {
    ///         cx.add_func_as_worker(key, async |nth: usize| 10 * nth, free());
    ///         cx.ferry_to(key, (nth,));
    ///     }
    ///     let sum = async |parts: Vec<usize>| parts.iter().sum::<usize>();
    ///     cx.add_func_as_worker("sum", sum, after(keys).merge().output());
    /// }, start())?;
    /// assert_eq!(automa.run(args!(4)).output::<usize>().await?, 60);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("tidy");
    /// automa.add_func_as_worker("begin", async |cx: Context| cx.remove_worker("old"), start())?;
    /// automa.add_func_as_worker("old", async || (), after(["begin"]))?;
    /// let outcome = automa.run(()).await?;
    /// assert_eq!(outcome.graph().keys().count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_worker(&self, key: impl Into<Key>) {
        self.edit(Edit::RemoveWorker { key: key.into() });
    }

    /// Makes `worker` depend on `dependency`, as its last dependency.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("a", async |cx: Context| {
    ///     cx.add_func_as_worker("b", async || 2, after([] as [&str; 0]));
    ///     cx.add_dependency("sum", "b");                              // `sum` waits for `b`, too
    ///     1
    /// }, start())?;
    /// automa.add_func_as_worker("sum", async |all: Vec<i32>| all.iter().sum::<i32>(), after(["a"]).merge().output())?;
    /// assert_eq!(automa.run(()).output::<i32>().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::AddDependency { worker, dependency });
    }

    /// Removes the dependency of `worker` on `dependency`. This triggers no worker.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("a", async |cx: Context| cx.remove_dependency("end", "slow"), start())?;
    /// automa.add_func_as_worker("slow", async || (), free())?;
    /// let end = async || "without the slow one".to_owned();
    /// automa.add_func_as_worker("end", end, after(["a", "slow"]).output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "without the slow one");
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_dependency(&self, worker: impl Into<Key>, dependency: impl Into<Key>) {
        let (worker, dependency) = (worker.into(), dependency.into());
        self.edit(Edit::RemoveDependency { worker, dependency });
    }

    fn edit(&self, edit: Edit<Arc<Body>>) {
        if let Some(late) = self.0.requests.push_edit(edit) {
            self.too_late(&format!("{late:?}"));
        }
    }

    fn add(&self, key: Key, source: Source, options: WorkerOptions) {
        let core = &self.0.core;
        self.edit(added(&core.program, || core.programs_around().collect(), key, source, options));
    }
}

/// What a worker waits for: a person's answer, a time, a signal.
impl Context {
    /// Asks a person, and returns the answer as an `R`.
    ///
    /// If there is no answer yet, the run pauses: the other workers of the step run to their end,
    /// and the run ends with an [`Outcome`](crate::Outcome) that has the
    /// [questions](crate::Outcome::questions) and a [snapshot](crate::Outcome::snapshot). Pass the
    /// error on with `?`.
    ///
    /// When the question is [answered](crate::snapshot::Snapshot::answer) and the run is
    /// [resumed](crate::GraphAutoma::resume), in this process or another, the worker runs again
    /// from the top with the same arguments, and its n-th question gets the n-th answer. So it
    /// repeats what it does before a question, and should ask the same questions again. The effects
    /// of an interrupted execution (ferries, edits of the graph) do not count.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// async fn pay(amount: u32, cx: Context) -> Result<String, WorkerError> {
    ///     let allowed: bool = cx.interact_with_human(format!("Pay {amount} euros?"))?;
    ///     Ok(if allowed { "paid" } else { "kept" }.to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("shop");
    /// automa.add_func_as_worker("pay", pay, start().output())?;
    ///
    /// let paused = automa.run(args!(30)).await?;
    /// let questions = paused.questions();
    /// assert_eq!(questions[0].content.get::<String>()?, "Pay 30 euros?");
    ///
    /// let mut snapshot = paused.snapshot()?;
    /// snapshot.answer(&questions[0].id, true)?;
    /// assert_eq!(automa.resume(snapshot).await?.into_output::<String>()?, "paid");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no answer yet, or the answer is not an `R`.
    pub fn interact_with_human<R: Answer>(
        &self,
        question: impl Data,
    ) -> Result<R, InteractionError> {
        let (n, answer) = self.next_answer();
        let id = Question::id_of(&self.path(), self.0.kickoff.id.0, n);
        if let Some(answer) = answer {
            return answer.get().map_err(|source| InteractionError::Mismatch { id, source });
        }
        let question = Question {
            id: id.clone(),
            worker: self.path().to_string(),
            content: Value::new(question),
        };
        self.0.requests.wait_for(Pending::Question { question, answer: None });
        Err(InteractionError::Waiting { id })
    }

    /// Waits until `time`, without a thread, a task or memory if the run is
    /// [stored](crate::run::RunBuilder::stored_in).
    ///
    /// It pauses the run as a [question](Self::interact_with_human) does: pass the error on with
    /// `?`. When the time has come, the worker runs again from the top, and this call returns. The
    /// first `time` counts, so it may be computed from the current time. A stored run ends with an
    /// [`Outcome`](crate::Outcome) that [says when it wakes](crate::Outcome::wake_at); a
    /// [`RunService`](crate::checkpoint::RunService) continues it then, in this process or another.
    /// Any other run waits in its process.
    ///
    /// While a worker waits, the run is held back as by a question: the others of its step run to
    /// their end, and no further worker starts. For a short wait that holds back nothing else,
    /// sleep within the worker.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use ddg_core::prelude::*;
    ///
    /// async fn remind(cx: Context) -> Result<String, WorkerError> {
    ///     cx.sleep_until(SystemTime::now() + Duration::from_millis(5))?;
    ///     Ok("It is time.".to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("reminder");
    /// automa.add_func_as_worker("remind", remind, start().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "It is time.");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the time has not come yet.
    pub fn sleep_until(&self, time: SystemTime) -> Result<(), InteractionError> {
        if self.next_answer().1.is_some() {
            return Ok(());
        }
        let until_ms = to_ms(time);
        self.0.requests.wait_for(Pending::Time { until_ms, has_come: false });
        Err(InteractionError::Asleep { until: time })
    }

    /// Waits for the next signal called `name`, and returns its content as a `T`.
    ///
    /// It pauses the run as [`sleep_until`](Self::sleep_until) does. Signals are sent with
    /// [`StoredRuns::signal`](crate::checkpoint::StoredRuns::signal) to a stored run, from any
    /// process, and with [`RunHandle::signal`](crate::run::RunHandle::signal). They are kept from
    /// the start of the run, in order, and each is received once: by the first kickoff in kickoff
    /// order that waits for its name. A run without a store and without a handle pauses, because
    /// nobody can send it a signal.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// async fn ship(cx: Context) -> Result<String, WorkerError> {
    ///     let euros: u32 = cx.signal("paid")?;
    ///     Ok(format!("shipped for {euros} euros"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", ship, start().output())?;
    /// let run = automa.run(()).spawn();
    /// run.signal("paid", 30_u32).await?;
    /// assert_eq!(run.output::<String>().await?, "shipped for 30 euros");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no such signal yet, or it is not a `T`.
    pub fn signal<T: Data>(&self, name: impl Into<String>) -> Result<T, InteractionError> {
        let name = name.into();
        if let Some(received) = self.next_answer().1 {
            return received
                .get()
                .map_err(|source| InteractionError::SignalMismatch { name, source });
        }
        let pending = Pending::Signal { name: name.clone(), received: None };
        self.0.requests.wait_for(pending);
        Err(InteractionError::NoSignal { name })
    }

    /// Counts a question, a time or a signal that is waited for. Returns its index, and the answer
    /// if it has come.
    fn next_answer(&self) -> (usize, Option<&Value>) {
        let n = self.0.requests.next_question();
        (n, self.0.replay.as_ref().and_then(|replay| replay.answers.get(n)))
    }

    /// Whether a [question](Self::interact_with_human) of this execution waits for an answer. If
    /// so, an error that the worker ends with interrupts it, and must not be treated as a failure.
    ///
    /// Use it if a worker calls other people's code and handles its errors.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// async fn pay(cx: &Context) -> Result<String, String> {
    ///     cx.interact_with_human("Pay?".to_owned()).map_err(|error| error.to_string())
    /// }
    ///
    /// async fn try_to_pay(cx: Context) -> Result<String, WorkerError> {
    ///     match pay(&cx).await {
    ///         Err(error) if cx.is_waiting() => Err(WorkerError::msg(error)),
    ///         Err(error) => Ok(format!("not paid: {error}")),
    ///         Ok(receipt) => Ok(receipt),
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("shop");
    /// automa.add_func_as_worker("pay", try_to_pay, start().output())?;
    /// assert!(automa.run(()).await?.is_paused());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_waiting(&self) -> bool {
        self.0.requests.is_waiting()
    }
}

/// What a worker tells others while it runs: events, posts, requests.
impl Context {
    /// Publishes an event to the [subscribers](crate::run::RunHandle::events) of the run, at once,
    /// even if the worker fails later. Without subscribers it costs almost nothing.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// async fn download(url: String, cx: Context) {
    ///     cx.emit("downloaded", (url, 4096));
    /// }
    /// ```
    pub fn emit(&self, name: impl Into<Cow<'static, str>>, data: impl Data) {
        self.tell(|worker, kickoff| {
            let (name, data) = (name.into(), Value::new(data));
            EventKind::Custom { worker, kickoff, name, data }
        });
    }

    /// Publishes a part of this worker's output to the [subscribers](crate::run::RunHandle::events)
    /// of the run before the whole is complete, such as the tokens of a model. It has no effect on
    /// the output itself.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::event::{EventFilter, EventKind};
    ///
    /// let mut automa = GraphAutoma::new("write");
    /// automa.add_func_as_worker("write", async |cx: Context| {
    ///     for word in ["All ", "is ", "well"] {
    ///         cx.emit_chunk(word);
    ///     }
    /// }, start())?;
    /// let run = automa.run(());
    /// let mut words = run.events(EventFilter::messages());
    /// run.await?;
    /// let mut text = String::new();
    /// while let Some(event) = words.next().await {
    ///     if let EventKind::Chunk { chunk, .. } = &event?.kind {
    ///         text += &chunk.get::<String>()?;
    ///     }
    /// }
    /// assert_eq!(text, "All is well");
    /// # Ok(())
    /// # }
    /// ```
    pub fn emit_chunk(&self, chunk: impl Data) {
        self.tell(|worker, kickoff| EventKind::Chunk { worker, kickoff, chunk: Value::new(chunk) });
    }

    /// Publishes an event about this kickoff.
    pub(crate) fn tell(&self, kind: impl FnOnce(Key, KickoffId) -> EventKind) {
        if self.0.core.feed().is_watched() {
            self.0.core.emit(self.step(), kind(self.key().clone(), self.kickoff_id()));
        }
    }

    /// Passes a message to the program around the run: to the handler for its type of the automa
    /// that was run ([`on_post`](crate::GraphAutoma::on_post)), however deep this worker is nested
    /// in it, else to the default handler. Returns whether there was one.
    ///
    /// The handler is called before this returns.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("copy");
    /// automa.add_func_as_worker("copy", async |cx: Context| cx.post(50_u32), start().output())?;
    /// automa.on_post(|percent: u32, from| println!("{from}: {percent} %"));
    /// assert!(automa.run(()).output::<bool>().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn post(&self, event: impl Data) -> bool {
        Handlers::post(self.0.core.handlers(), self, event)
    }

    /// Passes a request to the program around the run, as [`post`](Self::post) does, and waits for
    /// the reply. See [`Request`] for an example. Without a `timeout` it waits until the run ends.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::feedback::{ReplyTo, Request};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Name;
    ///
    /// impl Request for Name {
    ///     type Reply = String;
    /// }
    ///
    /// let mut automa = GraphAutoma::new("greet");
    /// automa.add_func_as_worker("greet", async |cx: Context| -> Result<String, WorkerError> {
    ///     Ok(format!("Hello {}", cx.request_feedback(Name, None).await?))
    /// }, start().output())?;
    /// automa.on_request(|_: Name, reply: ReplyTo<String>| {
    ///     reply.send("Ada".to_owned()).expect("the worker waits");
    /// });
    /// assert_eq!(automa.run(()).output::<String>().await?, "Hello Ada");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// At once if there is no handler for such requests, or if the handler drops the request
    /// without a reply; when the timeout has passed; and when the run ends.
    ///
    /// # Cancel safety
    /// If the future is dropped, a later reply is refused.
    pub async fn request_feedback<E: Request>(
        &self,
        event: E,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<E::Reply, FeedbackError> {
        let timeout = timeout.into();
        Handlers::request_from(self.0.core.handlers(), self, event)?.reply(timeout).await
    }

    /// Like [`request_feedback`](Self::request_feedback), for a synchronous worker: blocks its
    /// thread until there is a reply. Not for async or [`inline`](crate::WorkerOptions::inline)
    /// workers, whose thread runs other workers, too.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::feedback::{ReplyTo, Request};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Name;
    ///
    /// impl Request for Name {
    ///     type Reply = String;
    /// }
    ///
    /// let mut automa = GraphAutoma::new("greet");
    /// automa.add_func_as_worker("greet", |cx: Context| -> Result<String, WorkerError> {
    ///     Ok(format!("Hello {}", cx.request_feedback_blocking(Name, None)?))
    /// }, start().output())?;
    /// automa.on_request(|_: Name, reply: ReplyTo<String>| {
    ///     reply.send("Ada".to_owned()).expect("the worker waits");
    /// });
    /// assert_eq!(automa.run(()).output::<String>().await?, "Hello Ada");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`request_feedback`](Self::request_feedback).
    pub fn request_feedback_blocking<E: Request>(
        &self,
        event: E,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<E::Reply, FeedbackError> {
        let timeout = timeout.into();
        Handlers::request_from(self.0.core.handlers(), self, event)?.reply_blocking(timeout)
    }
}

/// The edit that adds a worker to the graph of a run of `program`. Names that are not declared
/// there are looked up in the automata `around`, innermost first.
fn added<'a>(
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

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}, step {}, {})", self.path(), self.step(), self.cause())
    }
}
