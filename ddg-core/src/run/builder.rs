//! The builder of a run: its options, and the ways to run it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{self, BoxFuture, Either};

use super::active::{ActiveRun, InnerPlace};
use super::plan::{Origin, Plan};
use super::stored::{Claiming, Place};
use super::{Outcome, RunError, RunHandle, stored};
use crate::args::{Args, IntoArgs};
use crate::automa::{GraphAutoma, Program};
use crate::checkpoint::{CheckpointPolicy, CheckpointStore, Claim};
use crate::engine::{self, Kickoff, PollClock, drive, stacked};
use crate::event::{EarlySubscribers, EventFilter, EventStream};
use crate::feedback::{Posted, ReplyTo, Request};
use crate::graph::BuildError;
use crate::key::Key;
use crate::machine::Pace;
use crate::path::WorkerPath;
use crate::saved::Snapshot;
use crate::values::{Data, RunResult};
use crate::worker::IntoKeys;

/// A run that has not begun: the builder of its options, and a future of its result.
///
/// `run` and `resume` of a [`GraphAutoma`](crate::GraphAutoma::run), of a
/// [`TypedAutoma`](crate::TypedAutoma::run) and, for a single run, of an
/// [`Automa`](crate::Automa::run) create it. It borrows nothing.
///
/// | call | gives |
/// | --- | --- |
/// | `.await` | a `T`: the [`Outcome`] for a `GraphAutoma`, the output for a `TypedAutoma` |
/// | [`output::<U>()`](Self::output) | the output as a `U` |
/// | [`outcome()`](Self::outcome) | the whole [`Outcome`], also of a run that has paused or was stopped |
/// | [`spawn()`](Self::spawn) | a [`RunHandle`] to a task: subscribe to it, stop or cancel it |
/// | [`simulate(choose)`](Self::simulate) | a `T`; a test chooses which worker continues next |
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use ddg_core::event::EventFilter;
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("write");
/// automa.add_func_as_worker("write", async |n: u32, cx: Context| {
///     for _ in 0..n {
///         cx.emit_chunk("word".to_owned());
///     }
///     n
/// }, start().output())?;
///
/// let n: u32 = automa.run(args!(2)).output().await?;
/// assert_eq!(n, 2);
///
/// let run = automa.run(args!(2)).pace(Pace::Rolling).deadline(Duration::from_secs(60));
/// let mut words = run.events(EventFilter::messages());
/// let handle = run.spawn();
/// while let Some(word) = words.next().await {
///     println!("{}", word?);
/// }
/// assert_eq!(handle.await?.steps(), 1);
/// # Ok(())
/// # }
/// ```
///
/// The graph and its settings are those at the time when the builder is created; kept local spaces
/// and the callbacks of the process are those at the time when the run begins. If the run cannot
/// begin, because the graph is invalid or an input reaches no worker, it ends with that error.
///
/// # Runs in a store
///
/// With [`stored_in`](Self::stored_in) a run survives its process: it is written to a store when it
/// begins, after every step (see [`checkpoints`](Self::checkpoints)), and when it ends. Running the
/// same id again continues it. The effects of a step outside the run happen before the step is
/// written, and happen again if the process dies in between. So give them a name from the run and
/// [`Context::kickoff_id`](crate::Context::kickoff_id) by which the other side recognises them, or
/// make them idempotent.
///
/// ```
/// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("order");
/// automa.add_func_as_worker("ship", async |cx: Context| -> Result<String, WorkerError> {
///     let address: String = cx.interact_with_human("Where to?".to_owned())?;
///     Ok(format!("shipped to {address}"))
/// }, start().output())?;
/// let store = MemoryStore::new();
///
/// let paused = automa.run(()).stored_in(&store, "order-7").await?;
/// assert!(paused.is_paused());
/// drop(paused);                                           // the process ends, say
///
/// let runs = StoredRuns::new(&store);
/// let question = runs.questions("order-7").await?.remove(0);
/// runs.answer("order-7", &question.id, "Tokyo".to_owned()).await?;
///
/// let shipped: String = automa.run(()).stored_in(&store, "order-7").output().await?;
/// assert_eq!(shipped, "shipped to Tokyo");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the graph is invalid, an input reaches no worker, a step fails, or the output is not a `T`. A
/// run that has paused or was stopped has no output yet: [`RunError::Paused`] and
/// [`RunError::Stopped`] contain the outcome, which [`outcome`](Self::outcome) returns without an
/// error. For a stored run, also if the store fails or the lease of the run is held.
///
/// # Cancel safety
/// Dropping the future stops the workers of the run. Blocking workers run to their end, and their
/// output is dropped. A stored run stops after the last step that was written, as if its process
/// had died; its lease is released in the background if there is a runtime, and expires otherwise.
#[must_use = "a run does not begin by itself: `.await` it, or call `output`, `outcome`, `spawn` or `simulate`"]
pub struct RunBuilder<T = Outcome> {
    plan: Plan,
    subscribers: EarlySubscribers,
    gives: PhantomData<fn() -> T>,
}

/// The result of a run. Implemented for [`Outcome`] and for all worker data.
pub trait FromOutcome: Sized + 'static {
    /// Converts the outcome of a run.
    ///
    /// # Errors
    /// If the run has no output, or one of another type.
    fn from_outcome(outcome: Outcome) -> Result<Self, RunError>;
}

impl FromOutcome for Outcome {
    fn from_outcome(outcome: Outcome) -> Result<Self, RunError> {
        Ok(outcome)
    }
}

impl<T: Data> FromOutcome for T {
    fn from_outcome(outcome: Outcome) -> Result<Self, RunError> {
        outcome.into_output()
    }
}

impl<T> RunBuilder<T> {
    fn planned(plan: Plan) -> Self {
        Self { plan, subscribers: EarlySubscribers::new(), gives: PhantomData }
    }

    /// Creates a run of `automa` from its start.
    pub(crate) fn new(automa: &GraphAutoma, args: Args) -> Self {
        Self::planned(Plan::new(automa, Origin::Args(args)))
    }

    /// Creates a run of `automa` that resumes `snapshot`.
    pub(crate) fn resumed(automa: &GraphAutoma, snapshot: Snapshot) -> Self {
        Self::planned(Plan::new(automa, Origin::Snapshot(Box::new(snapshot))))
    }

    /// Creates a run of an automa that cannot be built.
    pub(crate) fn invalid(error: BuildError) -> Self {
        Self::planned(Plan::invalid(error))
    }

    /// Subscribes to the events of the run that pass `filter`, from its start. Can be called any
    /// number of times. The streams end when the run has ended, or when the builder is dropped.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::event::EventFilter;
    ///
    /// let mut automa = GraphAutoma::new("add");
    /// automa.add_func_as_worker("add", async |a: i32, b: i32| a + b, start().output())?;
    /// let run = automa.run(args!(1, 2));
    /// let mut events = run.events(EventFilter::updates());
    /// run.await?;
    /// while let Some(event) = events.next().await {
    ///     println!("{}", event?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self, filter: EventFilter) -> EventStream {
        self.subscribers.subscribe(filter)
    }

    /// Adds the run to its [store](Self::stored_in) without running it. A
    /// [`RunService`](crate::checkpoint::RunService) or
    /// [`StoredRuns::resume_all`](crate::checkpoint::StoredRuns::resume_all) begins it, in the
    /// order in which runs were added.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let store = MemoryStore::new();
    /// automa.run(args!(21)).stored_in(&store, "job-1").enqueue().await?;
    ///
    /// let ended = StoredRuns::new(&store).resume_all([&automa]).await?;
    /// assert_eq!(ended.len(), 1);
    /// assert_eq!(automa.run(()).stored_in(&store, "job-1").output::<i64>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the run cannot begin, if the store has a run with this id or fails, and if no store was
    /// set.
    ///
    /// # Cancel safety
    /// If the future is dropped, the run was either added or not.
    pub async fn enqueue(self) -> Result<(), RunError> {
        stored::enqueue(self.plan).await
    }

    /// Runs to the end in the caller's task and returns the output as a `U`: that of the output
    /// worker that ran last. If none ran, that is `()`, or `None` for an `Option`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let doubled: i64 = automa.run(args!(21)).output().await?;
    /// assert_eq!(doubled, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors).
    ///
    /// # Cancel safety
    /// As [above](Self#cancel-safety).
    pub fn output<U: RunResult>(
        self,
    ) -> impl Future<Output = Result<U, RunError>> + Send + 'static + use<T, U> {
        // Not an `async` block, which would hold the future of the run twice.
        self.outcome().map(|outcome| outcome?.into_output())
    }

    /// Runs to the end in the caller's task and returns the outcome, also if the run has paused or
    /// was stopped.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// struct Ask;
    ///
    /// #[automa]
    /// impl Ask {
    ///     #[worker(start, output)]
    ///     async fn ask(&self, cx: &Context) -> Result<String, WorkerError> {
    ///         Ok(cx.interact_with_human("Your name?")?)
    ///     }
    /// }
    ///
    /// let paused = Ask.build()?.run(()).outcome().await?;
    /// assert_eq!(paused.questions()[0].content.get::<String>()?, "Your name?");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors), except for those of the output.
    ///
    /// # Cancel safety
    /// As [above](Self#cancel-safety).
    pub fn outcome(
        self,
    ) -> impl Future<Output = Result<Outcome, RunError>> + Send + 'static + use<T> {
        let Self { plan, subscribers, .. } = self;
        if plan.is_stored() {
            let automa = plan.automa();
            // Boxed, so that the futures of runs without a store stay small.
            let run = stored::run(plan, Claiming::new(subscribers)).boxed();
            return Either::Right(stacked(run, &automa));
        }
        match plan.live() {
            Ok(live) => {
                live.core.feed().adopt(&subscribers);
                let automa = Arc::clone(live.core.automa());
                Either::Left(Either::Left(stacked(drive(live), &automa)))
            }
            Err(error) => {
                subscribers.fail(&error);
                Either::Left(Either::Right(future::ready(Err(error))))
            }
        }
    }

    /// Starts the run as a task of its own. The returned handle is a future of the result, and
    /// cancels the run when it is dropped.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let (one, two) = (automa.run(args!(1)).spawn(), automa.run(args!(2)).spawn());
    /// assert_eq!(one.output::<i64>().await? + two.output::<i64>().await?, 6);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If called outside a tokio runtime.
    pub fn spawn(self) -> RunHandle<T> {
        let Self { plan, subscribers, .. } = self;
        RunHandle::start(plan, subscribers)
    }

    /// Runs to the end while polling one worker at a time, chosen by `choose`. For tests of how
    /// workers interleave.
    ///
    /// `choose` gets the kickoffs that can continue, in kickoff order, and returns the index of
    /// one; an index past the end means the last. In lockstep the result is that of `.await`,
    /// whatever is chosen. At a [rolling](Pace::Rolling) pace `choose` also decides what settles
    /// together: once something has ended, an index past the end settles it before anything else
    /// continues.
    ///
    /// Nothing is written: a [stored](Self::stored_in) run is simulated from its last state,
    /// without a lease, and does not change in the store.
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
    ///     let outcome = automa.run(()).simulate(|ready| first.min(ready.len() - 1)).await?;
    ///     assert_eq!(outcome.into_output::<String>()?, "ab");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors).
    ///
    /// # Cancel safety
    /// As [above](Self#cancel-safety).
    pub async fn simulate(self, choose: impl FnMut(&[Kickoff]) -> usize) -> Result<T, RunError>
    where
        T: FromOutcome,
    {
        let Self { plan, subscribers, .. } = self;
        let live = if plan.is_stored() { stored::read(plan).await } else { plan.live() };
        match &live {
            Ok(live) => live.core.feed().adopt(&subscribers),
            Err(error) => subscribers.fail(error),
        }
        T::from_outcome(engine::simulate(live?, choose).await?)
    }
}

// In this file, so that the compiler calls its methods `RunBuilder::stored_in` in its messages.
/// The options of a run.
impl<T> RunBuilder<T> {
    /// Begins with these arguments, instead of those or the snapshot that the run was created with.
    /// So a run can be configured before its arguments are known.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let run = automa.run(()).pace(Pace::Rolling);
    /// assert_eq!(run.args(args!(21)).output::<i64>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn args(mut self, args: impl IntoArgs) -> Self {
        self.plan.origin = Origin::Args(args.into_args());
        self
    }

    /// Continues from `snapshot`, instead of what the run was created with.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("clock");
    /// automa.add_func_as_worker("tick", async |cx: Context| match cx.step() {
    ///     1 => { cx.ferry_to("tick", ()); cx.stop() }
    ///     _ => cx.ferry_to("end", (cx.step(),)),
    /// }, start())?;
    /// automa.add_func_as_worker("end", async |steps: u64| steps, free().output())?;
    /// let stopped = automa.run(()).await?.snapshot()?;
    /// assert_eq!(automa.run(()).snapshot(stopped).output::<u64>().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.plan.origin = Origin::Snapshot(Box::new(snapshot));
        self
    }

    /// Sets the pace of this run instead of the one that the automa is
    /// [set](crate::GraphAutoma::set_pace) to. Nested automata keep theirs.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// assert_eq!(automa.run(args!(21)).pace(Pace::Rolling).output::<i64>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pace(mut self, pace: Pace) -> Self {
        self.plan.options().pace = Some(pace);
        self
    }

    /// Cancels the run if it takes longer than `after`: its workers are cancelled as by
    /// [`RunHandle::cancel`], and it ends with [`RunError::DeadlineExceeded`].
    ///
    /// The time counts from when the run begins. A stored run can be resumed from its last step;
    /// the deadline is then that of the new builder, and starts anew.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BuildError> {
    /// let mut automa = GraphAutoma::new("slow");
    /// automa.add_func_as_worker("wait", async || std::future::pending::<()>().await, start())?;
    /// let late = automa.run(()).deadline(Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!(late.to_string(), "automa `slow`: exceeded its deadline of 1ms");
    /// # Ok(())
    /// # }
    /// ```
    pub fn deadline(mut self, after: Duration) -> Self {
        self.plan.options().deadline = Some(after);
        self
    }

    /// Limits the steps of this run together with those of all automata nested in it and of runs
    /// [inside](Self::inside) it, at any depth. When `steps` have been taken, the next step of any of
    /// them fails with [`RunError::TotalStepLimit`](crate::run::RunError::TotalStepLimit), and so
    /// does the run.
    ///
    /// [`set_max_steps`](crate::GraphAutoma::set_max_steps) limits each run of one automa, which
    /// counts its own steps only. The count of a stored run is saved with its states.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BuildError> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("again", async |cx: Context| cx.ferry_to("again", ()), start())?;
    /// let mut outer = GraphAutoma::new("outer");
    /// outer.add_worker("inner", inner, start())?;
    /// outer.set_max_steps(10);                             // does not count the steps of `inner`
    /// let error = outer.run(()).max_total_steps(10).await.unwrap_err();
    /// assert!(error.to_string().contains("reached the limit of steps of the whole run, 10"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_total_steps(mut self, steps: u64) -> Self {
        self.plan.options().max_total_steps = Some(steps);
        self
    }

    /// Measures workers by the clock `now` instead of that of the system.
    ///
    /// How long a worker keeps its thread decides on which thread it is polled next: workers that
    /// are known to take at most 2 µs are polled by the task of the run, and all others are shared
    /// out among the threads of the runtime. Results never depend on it. A test that passes a clock
    /// decides how long each worker seems to take. Every thread may call `now`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Instant;
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "multi_thread", worker_threads = 2)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("light");
    /// automa.add_func_as_worker("a", async || tokio::task::id().to_string(), start())?;
    /// automa.add_func_as_worker("b", async || tokio::task::id().to_string(), start())?;
    /// let same = async |a: String, b: String| a == b;
    /// automa.add_func_as_worker("same", same, after(["a", "b"]).output())?;
    ///
    /// // Nothing takes any time by this clock.
    /// let now = Instant::now();
    /// automa.run(()).poll_clock(move || now).spawn().await?;
    /// // So both are known to be light, and the task of the run polls them.
    /// assert!(automa.run(()).poll_clock(move || now).spawn().output::<bool>().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_clock(mut self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.plan.options().poll_clock = Some(PollClock::new(now));
        self
    }

    /// Handles messages as [`GraphAutoma::on_post`](crate::GraphAutoma::on_post), for this run
    /// only. Takes precedence over the handler of the automa.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("copy");
    /// automa.add_func_as_worker("copy", async |cx: Context| { cx.post(50_u32); }, start())?;
    /// automa.run(()).on_post(|percent: u32, from| println!("{from}: {percent} %")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_post<E: Data>(
        mut self,
        handle: impl Fn(E, &WorkerPath) + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().handlers.on_post(handle);
        self
    }

    /// Handles requests as [`GraphAutoma::on_request`](crate::GraphAutoma::on_request), for this
    /// run only. Takes precedence over the handler of the automa.
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
    /// let run = automa.run(()).on_request(|_: Name, reply: ReplyTo<String>| {
    ///     reply.send("Ada".to_owned()).expect("the worker waits");
    /// });
    /// assert_eq!(run.output::<String>().await?, "Hello Ada");
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_request<E: Request>(
        mut self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().handlers.on_request(handle);
        self
    }

    /// Handles everything else as [`GraphAutoma::on_any_post`](crate::GraphAutoma::on_any_post),
    /// for this run only. Takes precedence over the handler of the automa.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("copy");
    /// automa.add_func_as_worker("copy", async |cx: Context| { cx.post(50_u32); }, start())?;
    /// automa.run(()).on_any_post(|posted| println!("{}: {:?}", posted.from, posted.event)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_any_post(mut self, handle: impl Fn(Posted) + Send + Sync + 'static) -> Self {
        self.plan.options().handlers.on_any_post(handle);
        self
    }

    /// Makes this a run inside `run`, under `key`. The automa of `run` has no worker for this run
    /// and does not wait for it, so this run can outlive the worker that begins it, and `run`
    /// itself.
    ///
    /// Otherwise this run behaves like a nested automa. Run inputs and callbacks of `run` reach it.
    /// The handlers of the outermost run receive what its workers post and request; its own
    /// handlers have no effect. The outermost run publishes its events, with its path, while the
    /// outermost run is active.
    ///
    /// If `run` is stored, this run is stored as `RUN/key` with the same policy. If `run` is itself
    /// inside the stored run, the keys in between come before `key`. If the store has this run
    /// paused, answers in the [snapshot](Self::snapshot) of this builder count for its questions.
    /// A place that was set with [`stored_in`](Self::stored_in) before is replaced.
    ///
    /// Cancelling `run` does not cancel this run, which has a [handle](RunHandle) of its own.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use ddg_core::prelude::*;
    /// use ddg_core::run::ActiveRun;
    ///
    /// /// The active run, attached to itself.
    /// struct Here(ActiveRun);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut part = GraphAutoma::new("part");
    /// part.add_func_as_worker("path", async |cx: Context| cx.path().to_string(), start().output())?;
    ///
    /// let mut whole = GraphAutoma::new("whole");
    /// whole.add_func_as_worker("ask", move |cx: Context| {
    ///     let here: Arc<Here> = cx.attached().expect("attached below");
    ///     part.run(()).inside(&here.0, "part-1").output::<String>()
    /// }, start().output())?;
    /// whole.attach(|run| Here(run.clone()));
    /// assert_eq!(whole.run(()).output::<String>().await?, "part-1/path");
    /// # Ok(())
    /// # }
    /// ```
    pub fn inside(mut self, run: &ActiveRun, key: impl Into<Key>) -> Self {
        let key = key.into();
        let options = self.plan.options();
        if let Some(InnerPlace { place, checkpoints, claim }) = run.inner_place(&key) {
            options.place = Some(place);
            options.checkpoints = checkpoints;
            options.claim = Some(claim);
        }
        options.within = Some(run.within(key));
        self
    }

    /// Makes this a run inside `run`, under `key`, which is not stored for that reason.
    pub(crate) fn part_of(mut self, run: &ActiveRun, key: Key) -> Self {
        let options = self.plan.options();
        options.within = Some(run.within(key));
        options.is_part = true;
        self
    }

    /// Attaches a value as [`GraphAutoma::attach`](crate::GraphAutoma::attach), for this run only.
    /// Replaces a value of the same type that the automa attaches.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("user");
    /// automa.add_func_as_worker("user", async |cx: Context| {
    ///     cx.attached::<String>().map(|user| user.to_string())
    /// }, start().output())?;
    /// let run = automa.run(()).attach(|_| "Ada".to_owned());
    /// assert_eq!(run.output::<Option<String>>().await?.as_deref(), Some("Ada"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn attach<A: Send + Sync + 'static>(
        mut self,
        make: impl Fn(&ActiveRun) -> A + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().attachments.add(make);
        self
    }

    /// Keeps the run in `store` under `id`, so that it survives its process. If the store has the
    /// run, it continues from its last state; the arguments or the snapshot of this builder are
    /// used only if the store does not have it.
    ///
    /// A run that has ended is not run again: its outcome is read without a lease, and nothing is
    /// written.
    ///
    /// The store is cloned, which is cheap; an `Arc` of a store is a store. Whether `id` is a valid
    /// run id is checked when the run begins.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::MemoryStore;
    ///
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let store = MemoryStore::new();
    /// assert_eq!(automa.run(args!(21)).stored_in(&store, "job-1").output::<i64>().await?, 42);
    /// // The run has ended, so it is read; these arguments are not used.
    /// assert_eq!(automa.run(args!(0)).stored_in(&store, "job-1").output::<i64>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stored_in(
        mut self,
        store: &(impl CheckpointStore + Clone + 'static),
        id: impl AsRef<str>,
    ) -> Self {
        self.plan.options().place = Some(Place::new(Arc::new(store.clone()), id.as_ref()));
        self
    }

    /// Sets when a [stored](Self::stored_in) run is written.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{CheckpointPolicy, MemoryStore};
    ///
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let run = automa.run(args!(21)).stored_in(&MemoryStore::new(), "job-1");
    /// assert_eq!(run.checkpoints(CheckpointPolicy::EveryWorker).output::<i64>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoints(mut self, checkpoints: CheckpointPolicy) -> Self {
        self.plan.options().checkpoints = checkpoints;
        self
    }

    /// Sets workers after which the state of a [stored](Self::stored_in) run is not written. A step
    /// of these workers alone is written with the next state; if the process dies before, they run
    /// again with the same arguments, also if they had ended.
    ///
    /// Use it for workers that only decide what runs next, or whose effects happen once by
    /// themselves: a write that waits for the disk costs more than they do. Steps of a run at a
    /// [rolling](Pace::Rolling) pace, and with [`CheckpointPolicy::EveryWorker`], are always
    /// written.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("check", async |amount: i64| amount.max(0), start())?;
    /// automa.add_func_as_worker("pay", async |amount: i64| amount, after(["check"]).output())?;
    /// let store = MemoryStore::new();
    /// let run = automa.run(args!(21)).stored_in(&store, "order-7");
    /// assert_eq!(run.without_checkpoint_after(["check"]).output::<i64>().await?, 21);
    ///
    /// let steps: Vec<_> = StoredRuns::new(&store).history("order-7").await?;
    /// assert_eq!(steps.iter().map(|step| step.step).collect::<Vec<_>>(), [0, 2]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn without_checkpoint_after(mut self, workers: impl IntoKeys) -> Self {
        self.plan.options().unwritten.extend(workers.into_keys());
        self
    }

    /// Sets the owner of a [stored](Self::stored_in) run's lease and its time to live. The default
    /// is this process, for 30 seconds. The lease is renewed while the run is active.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use ddg_core::checkpoint::{Claim, MemoryStore};
    ///
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let claim = Claim::this_process(Duration::from_secs(10)).patience(Duration::from_secs(60));
    /// let run = automa.run(args!(21)).stored_in(&MemoryStore::new(), "job-1").claim(claim);
    /// assert_eq!(run.output::<i64>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn claim(mut self, claim: Claim) -> Self {
        self.plan.options().claim = Some(claim);
        self
    }
}

/// A run that a store has, continued by `automa`.
pub(super) fn continued(
    automa: &GraphAutoma,
    store: Arc<dyn CheckpointStore>,
    id: &str,
) -> RunBuilder {
    let mut plan = Plan::new(automa, Origin::Store);
    plan.options().place = Some(Place::new(store, id));
    RunBuilder::planned(plan)
}

/// A further run of a compiled automa.
pub(super) fn inner_builder(program: &Arc<Program>, args: Args) -> RunBuilder {
    RunBuilder::planned(Plan::again(program, args))
}

impl<T: FromOutcome> IntoFuture for RunBuilder<T> {
    type Output = Result<T, RunError>;
    type IntoFuture = RunFuture<T>;

    fn into_future(self) -> RunFuture<T> {
        RunFuture { outcome: self.outcome().boxed(), gives: PhantomData }
    }
}

/// The future of a [`RunBuilder`], which runs in the caller's task.
#[must_use = "a future does nothing unless it is awaited"]
pub struct RunFuture<T> {
    outcome: BoxFuture<'static, Result<Outcome, RunError>>,
    gives: PhantomData<fn() -> T>,
}

impl<T: FromOutcome> Future for RunFuture<T> {
    type Output = Result<T, RunError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.outcome.poll_unpin(cx).map(|outcome| T::from_outcome(outcome?))
    }
}

impl<T> fmt::Debug for RunBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunBuilder({:?})", &*self.plan.automa())
    }
}

impl<T> fmt::Debug for RunFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunFuture")
    }
}
