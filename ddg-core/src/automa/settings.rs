//! Settings of an automa that apply to all of its runs: limits, pace, callbacks, handlers.

use std::sync::{Arc, OnceLock};

use super::{Attachments, GraphAutoma};
use crate::callback::{Callback, DynCallback};
use crate::feedback::{Handlers, Posted, ReplyTo, Request};
use crate::machine::Pace;
use crate::path::WorkerPath;
use crate::run::{ActiveRun, RunScope};
use crate::values::Data;

/// Makes the scope of the workers of a run.
type MakeScope = Arc<dyn Fn(&ActiveRun) -> RunScope + Send + Sync>;

/// Settings that apply to all runs of an automa.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) max_steps: Option<u64>,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) pace: Pace,
    pub(crate) keep_local: bool,
    pub(crate) callbacks: Vec<Arc<dyn DynCallback>>,
    pub(crate) handlers: Handlers,
    /// What each run has of its own, by type.
    pub(crate) attachments: Attachments,
    /// Makes the scope of its workers.
    pub(crate) scope: Option<MakeScope>,
}

impl GraphAutoma {
    /// Sets the maximum number of Dynamic Steps of a run. A run that would take more fails. The
    /// default is no limit. A nested automa counts its own steps, which this does not limit;
    /// [`RunBuilder::max_total_steps`](crate::run::RunBuilder::max_total_steps) does; see
    /// [`Lint`](crate::graph::Lint).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut clock = GraphAutoma::new("clock");
    /// clock.add_func_as_worker("tick", async |cx: Context| cx.ferry_to("tick", ()), start())?;
    /// clock.set_max_steps(1000);
    /// assert!(matches!(clock.run(()).await, Err(RunError::StepLimit { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_max_steps(&mut self, steps: u64) {
        self.settings_mut().max_steps = Some(steps);
    }

    /// Sets the maximum number of workers of a run that run at the same time (at least one). The
    /// default is no limit. A nested automa has a limit of its own.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("queries");
    /// for n in 0..100 {
    ///     automa.add_func_as_worker(format!("query {n}"), async || tokio::task::yield_now().await, start())?;
    /// }
    /// automa.set_max_concurrency(10);                               // ten queries at once
    /// automa.run(()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_max_concurrency(&mut self, workers: usize) {
        self.settings_mut().max_concurrency = Some(workers.max(1));
    }

    /// Sets when a run settles the results of its workers: when all workers of a step have ended
    /// ([`Pace::Lockstep`], the default), or as soon as any has ended ([`Pace::Rolling`]), so that
    /// independent branches do not wait for each other. A nested automa has a pace of its own.
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
    /// automa.run(()).output::<()>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_pace(&mut self, pace: Pace) {
        self.settings_mut().pace = pace;
    }

    /// Keeps the workers' local spaces across runs. A run starts with the local spaces of the last
    /// successful run; a failed or cancelled run does not change them.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("visits");
    /// let count = async |cx: Context| cx.local().update("n", |n: &mut u32| { *n += 1; *n });
    /// automa.add_func_as_worker("count", count, start().output())?;
    /// automa.keep_local_spaces();
    /// assert_eq!(automa.run(()).output::<u32>().await?, 1);
    /// assert_eq!(automa.run(()).output::<u32>().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_local_spaces(&mut self) {
        self.settings_mut().keep_local = true;
    }

    /// Adds a callback around every worker of this automa, including workers added at run time and
    /// those of nested automata. See [`Callback`].
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// struct Log;
    ///
    /// impl Callback for Log {
    ///     async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
    ///         println!("{}{args:?}", cx.path());
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i32| 2 * x, start().output())?;
    /// automa.add_callback(Log);
    /// automa.run(args!(21)).await?;                                 // prints double(21)
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_callback(&mut self, callback: impl Callback) {
        self.settings_mut().callbacks.push(Arc::new(callback));
    }

    /// Handles what workers [post](crate::Context::post) as an `E`, at any depth of nesting, in
    /// runs of this automa. When the automa is nested, the handlers of the automa that is run are
    /// used instead. A second handler for `E` replaces the first.
    ///
    /// The worker that posts calls the handler with the message and its path, so slow work belongs
    /// into a task of its own. If the handler panics, a warning is logged with `tracing`.
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
    ///     cx.post(Progress { percent: 50 });
    /// }, start())?;
    /// automa.on_post(|progress: Progress, from| println!("{from}: {} %", progress.percent));
    /// automa.run(()).output::<()>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_post<E: Data>(&mut self, handle: impl Fn(E, &WorkerPath) + Send + Sync + 'static) {
        self.settings_mut().handlers.on_post(handle);
    }

    /// Handles the [requests](Request) of type `E` that workers
    /// [make](crate::Context::request_feedback). Otherwise as [`on_post`](Self::on_post).
    pub fn on_request<E: Request>(
        &mut self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) {
        self.settings_mut().handlers.on_request(handle);
    }

    /// Attaches a value to every run of this automa. `make` is called when a worker of the run, or
    /// of a run inside it, first [asks for](crate::Context::attached) a value of this type. The
    /// value is shared by all callers and dropped when the run ends, however it ends. It is not
    /// saved, and a resumed run makes a new one. State to be saved belongs in a [local
    /// space](ActiveRun::local_space).
    ///
    /// An automa attaches one value of each type; another call with the same type replaces it.
    /// `make` must not ask for the type that it makes.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("count");
    /// automa.add_func_as_worker("count", async |cx: Context| {
    ///     cx.attached::<AtomicU32>().map(|calls| calls.fetch_add(1, Ordering::Relaxed))
    /// }, start().output())?;
    /// automa.attach(|_| AtomicU32::new(7));
    /// assert_eq!(automa.run(()).output::<Option<u32>>().await?, Some(7));
    /// assert_eq!(automa.run(()).output::<Option<u32>>().await?, Some(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn attach<T: Send + Sync + 'static>(
        &mut self,
        make: impl Fn(&ActiveRun) -> T + Send + Sync + 'static,
    ) {
        self.settings_mut().attachments.add(make);
    }

    /// Sets the scope of the workers of this automa, and of automata nested in it: what runs get
    /// that these workers begin by themselves. `make` is called for each execution of a worker.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    /// use ddg_core::run::RunScope;
    ///
    /// struct Who(String);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let who = async |cx: Context| cx.attached::<Who>().map(|who| who.0.clone());
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("who", who, start().output())?;
    ///
    /// let mut outer = GraphAutoma::new("outer");
    /// let ask = move || {
    ///     let run = inner.run(());
    ///     async move { run.output::<Option<String>>().await }
    /// };
    /// outer.add_func_as_worker("ask", ask, start().output())?;
    /// outer.run_scope(|run| {
    ///     let name = run.automa().to_owned();
    ///     RunScope::new().attach(move |_| Who(name.clone()))
    /// });
    /// assert_eq!(outer.run(()).output::<Option<String>>().await?, Some("outer".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_scope(&mut self, make: impl Fn(&ActiveRun) -> RunScope + Send + Sync + 'static) {
        self.settings_mut().scope = Some(Arc::new(make));
    }

    /// Handles everything posted or requested that has no handler for its type.
    pub fn on_any_post(&mut self, handle: impl Fn(Posted) + Send + Sync + 'static) {
        self.settings_mut().handlers.on_any_post(handle);
    }

    fn settings_mut(&mut self) -> &mut Settings {
        self.compiled = OnceLock::new();
        &mut self.settings
    }
}
