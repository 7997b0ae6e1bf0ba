//! What can be said of one run before it begins.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{self, BoxFuture, Either};

use super::active::{ActiveRun, InnerPlace};
use super::plan::{Origin, Plan};
use super::stored::{Claiming, Place};
use super::{Outcome, RunError, RunHandle, stored};
use crate::args::{Args, IntoArgs};
use crate::automa::{GraphAutoma, Program};
use crate::checkpoint::{CheckpointPolicy, CheckpointStore, Claim};
use crate::engine::{self, Kickoff, drive};
use crate::event::{EarlySubscribers, EventFilter, EventStream};
use crate::feedback::{Posted, ReplyTo, Request};
use crate::graph::BuildError;
use crate::key::Key;
use crate::machine::Pace;
use crate::path::WorkerPath;
use crate::saved::Snapshot;
use crate::values::{Data, RunResult};

/// A run that has not begun: everything that can be said of one run, and the ways to run it.
///
/// Made by `run` and `resume` of a [`GraphAutoma`](crate::GraphAutoma::run), a
/// [`TypedAutoma`](crate::TypedAutoma::run) and, for a single run, an
/// [`Automa`](crate::Automa::run). It borrows nothing.
///
/// | call | gives |
/// | --- | --- |
/// | `.await` | a `T`: the [`Outcome`] of a `GraphAutoma`'s run, the output of a `TypedAutoma`'s |
/// | [`output::<U>()`](Self::output) | the output as a `U` |
/// | [`outcome()`](Self::outcome) | the whole [`Outcome`], also of a run that has paused or was stopped |
/// | [`spawn()`](Self::spawn) | a [`RunHandle`]: a task of its own, to watch, stop or cancel |
/// | [`simulate(choose)`](Self::simulate) | a `T`; a test says which worker gets on next |
///
/// ```
/// use std::time::Duration;
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
/// What the run begins with is what there is when it is made (the graph and its settings) and when
/// it begins (kept local spaces, the callbacks of the process). If it cannot begin, because the
/// graph is invalid or an input reaches nobody, that is the error of the run.
///
/// # Runs in a store
///
/// With [`stored_in`](Self::stored_in) a run survives its process: it is written to a store as it
/// begins, after every step (see [`checkpoints`](Self::checkpoints)), and as it ends. Whoever runs
/// the same id later goes on with it. A step's effects outside the run happen before the step is
/// written; a process that dies in between lets them happen again, so give them a name (the run and
/// [`Context::kickoff_id`](crate::Context::kickoff_id)) by which the other side can tell, or make
/// them such that twice is as good as once.
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
/// The graph is invalid, an input reaches nobody, a step fails, or the output is no `T`. Of a run
/// that has paused or was stopped there is no output yet: [`RunError::Paused`] and
/// [`RunError::Stopped`] have the outcome, and [`outcome`](Self::outcome) gives it without an error.
/// Of a stored run: the store fails, or somebody else has the run.
///
/// # Cancel safety
/// Dropping the future stops the workers of the run. Blocking workers run to their end; their output
/// is dropped. A stored run stops after the last step that was written, as if its process had died,
/// and its lease is released in the background, where there is a runtime to do so (else it runs
/// out).
#[must_use = "a run does not begin by itself: `.await` it, or call `output`, `outcome`, `spawn` or `simulate`"]
pub struct RunBuilder<T = Outcome> {
    plan: Plan,
    subscribers: EarlySubscribers,
    gives: PhantomData<fn() -> T>,
}

/// What the runs of a kind of automa give; implemented for [`Outcome`] and for all worker data.
pub trait FromOutcome: Sized + 'static {
    /// It, of what a run has left behind.
    ///
    /// # Errors
    /// The run has no output, or another.
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

    /// A run of `automa` from its beginning.
    pub(crate) fn new(automa: &GraphAutoma, args: Args) -> Self {
        Self::planned(Plan::new(automa, Origin::Args(args)))
    }

    /// A run of `automa` that goes on from where it was saved.
    pub(crate) fn resumed(automa: &GraphAutoma, snapshot: Snapshot) -> Self {
        Self::planned(Plan::new(automa, Origin::Snapshot(Box::new(snapshot))))
    }

    /// A run of an automa that cannot be built.
    pub(crate) fn invalid(error: BuildError) -> Self {
        Self::planned(Plan::invalid(error))
    }

    /// Begins with these arguments in place of those, or of the snapshot, that the run was made with:
    /// for who sets up a run before it is known what it begins with.
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

    /// Goes on from `snapshot` in place of what the run was made with.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.plan.origin = Origin::Snapshot(Box::new(snapshot));
        self
    }

    /// Settles steps at another pace than the automa is [set](crate::GraphAutoma::set_pace) to.
    /// Nested automata keep theirs.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.plan.options().pace = Some(pace);
        self
    }

    /// Ends the run with [`RunError::DeadlineExceeded`] if it goes on for longer than `after`; its
    /// workers are cancelled as by [`RunHandle::cancel`].
    ///
    /// The time counts from when the run begins. A stored run can be resumed from its last step;
    /// what is said here holds for this time alone, so its deadline starts anew then.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BuildError> {
    /// let mut automa = GraphAutoma::new("slow");
    /// automa.add_func_as_worker("wait", async || std::future::pending::<()>().await, start())?;
    /// let late = automa.run(()).deadline(Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!(late.to_string(), "automa `slow`: not at its end after 1ms, its deadline");
    /// # Ok(())
    /// # }
    /// ```
    pub fn deadline(mut self, after: Duration) -> Self {
        self.plan.options().deadline = Some(after);
        self
    }

    /// As [`GraphAutoma::on_post`](crate::GraphAutoma::on_post), for this run alone, and before what
    /// the automa has.
    pub fn on_post<E: Data>(
        mut self,
        handle: impl Fn(E, &WorkerPath) + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().handlers.on_post(handle);
        self
    }

    /// As [`GraphAutoma::on_request`](crate::GraphAutoma::on_request), for this run alone, and
    /// before what the automa has.
    pub fn on_request<E: Request>(
        mut self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().handlers.on_request(handle);
        self
    }

    /// As [`GraphAutoma::on_any_post`](crate::GraphAutoma::on_any_post), for this run alone, and
    /// before what the automa has.
    pub fn on_any_post(mut self, handle: impl Fn(Posted) + Send + Sync + 'static) -> Self {
        self.plan.options().handlers.on_any_post(handle);
        self
    }

    /// Subscribes to the events of the run that pass `filter`, from its beginning. Any number of
    /// streams can be made; each ends when the run has ended, or is dropped without having begun.
    pub fn events(&self, filter: EventFilter) -> EventStream {
        self.subscribers.subscribe(filter)
    }

    /// Lets it be a run of its own inside of `run`, under `key`: the automa around it has no worker for it
    /// and does not wait for it, so it can outlive the worker that begins it, and `run` itself.
    ///
    /// What holds inside of `run` holds for it as for a nested automa: the run inputs and callbacks
    /// reach it, what its workers post and ask goes to the handlers of the outermost run (handlers of its
    /// own have no effect), and its events are among those of the outermost run, with its path, as long as
    /// that goes on. If `run` is stored, so is this, as `RUN/key` (with the keys in between, if `run` is
    /// itself inside of the stored one), with the same policy; a place set with
    /// [`stored_in`](Self::stored_in) before is replaced.
    ///
    /// Its end is its own: it is cancelled through its own [handle](RunHandle) and not with `run`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use ddg_core::prelude::*;
    /// use ddg_core::run::ActiveRun;
    ///
    /// /// Where a worker finds its run.
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

    /// As [`GraphAutoma::attach`](crate::GraphAutoma::attach), for this run alone, in place of what the
    /// automa attaches of the same type.
    pub fn attach<A: Send + Sync + 'static>(
        mut self,
        make: impl Fn(&ActiveRun) -> A + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().attachments.add(make);
        self
    }

    /// Keeps the run in `store` under `id`, so that it survives its process: begins it, or goes on
    /// with it from where the store has it. Its arguments, or its snapshot, are looked at only if
    /// the store has no such run.
    ///
    /// A run that has ended is read, not run again: its outcome is given without a lease, and
    /// nothing is written.
    ///
    /// The store is cloned, which is cheap; an `Arc` of a store is a store. Whether `id` can be the
    /// id of a run is checked when the run begins.
    pub fn stored_in(
        mut self,
        store: &(impl CheckpointStore + Clone + 'static),
        id: impl AsRef<str>,
    ) -> Self {
        self.plan.options().place = Some(Place::new(Arc::new(store.clone()), id.as_ref()));
        self
    }

    /// Sets when a [stored](Self::stored_in) run is written.
    pub fn checkpoints(mut self, checkpoints: CheckpointPolicy) -> Self {
        self.plan.options().checkpoints = checkpoints;
        self
    }

    /// Sets who claims a [stored](Self::stored_in) run, and for how long at a time: this process,
    /// for 30 seconds, unless this is set. A claim is renewed as long as the run goes on.
    pub fn claim(mut self, claim: Claim) -> Self {
        self.plan.options().claim = Some(claim);
        self
    }

    /// Runs to the end within the caller's task, and gives the output as a `U`: that of the output
    /// worker that ran last. If none ran, that is `()`, or `None` of an `Option`.
    ///
    /// # Errors
    /// As [above](Self#errors).
    ///
    /// # Cancel safety
    /// As [above](Self#cancel-safety).
    pub fn output<U: RunResult>(
        self,
    ) -> impl Future<Output = Result<U, RunError>> + Send + 'static + use<T, U> {
        let outcome = self.outcome();
        async move { outcome.await?.into_output() }
    }

    /// Runs to the end within the caller's task, and gives everything there is to say about the run,
    /// also if it has paused or was stopped.
    ///
    /// # Errors
    /// As [above](Self#errors), but for what the output is.
    ///
    /// # Cancel safety
    /// As [above](Self#cancel-safety).
    pub fn outcome(
        self,
    ) -> impl Future<Output = Result<Outcome, RunError>> + Send + 'static + use<T> {
        let Self { plan, subscribers, .. } = self;
        if plan.is_stored() {
            // Apart, so that runs that are not stored do not hold room for it.
            return Either::Right(stored::run(plan, Claiming::new(subscribers)).boxed());
        }
        match plan.live() {
            Ok(live) => {
                live.core.feed().adopt(&subscribers);
                Either::Left(Either::Left(drive(live)))
            }
            Err(error) => {
                subscribers.fail(&error);
                Either::Left(Either::Right(future::ready(Err(error))))
            }
        }
    }

    /// Starts the run as a task of its own and gives a handle to it: a future of what `.await` would
    /// give, which cancels the run when it is dropped.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn(self) -> RunHandle<T> {
        let Self { plan, subscribers, .. } = self;
        RunHandle::start(plan, subscribers)
    }

    /// Runs to the end with one worker polled at a time, the next one as `choose` says: for tests
    /// that try how workers interleave.
    ///
    /// `choose` is given the kickoffs that can get on, in kickoff order, and gives the place of one
    /// (past the end means the last). In lockstep the result is that of `.await`, whatever is chosen.
    /// At a [rolling](Pace::Rolling) pace `choose` also says what settles together: once something
    /// has ended, a place past the end settles that before anybody else gets on. Nothing is written: a [stored](Self::stored_in) run is simulated from where the store
    /// has it, without a lease, and stays as it is there.
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

/// A run within the caller's task: what `.await` makes of a [`RunBuilder`].
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
