//! The handle to a run that runs in a task of its own.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::FromOutcome;
use super::plan::Plan;
use super::stored::{self, Claiming, Place};
use super::stored_runs::send;
use super::{Outcome, RunError};
use crate::engine::{RunCore, drive};
use crate::event::{EarlySubscribers, EventFilter, EventStream};
use crate::values::{Data, RunResult, Value};

/// A handle to a run in a task of its own, and a future of its result. Created by
/// [`RunBuilder::spawn`](crate::run::RunBuilder::spawn).
///
/// Dropping the handle cancels the run.
///
/// ```
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("forever");
/// automa.add_func_as_worker("tick", async |cx: Context| cx.ferry_to("tick", ()), start())?;
/// let run = automa.run(()).spawn();
/// tokio::task::yield_now().await;
/// run.stop();                                   // after the current step
/// assert!(run.await?.stopped());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As those of the [run](crate::run::RunBuilder#errors), and if it was cancelled.
///
/// # Cancel safety
/// Dropping the handle, or a future created from it, cancels the run.
pub struct RunHandle<T = Outcome> {
    automa: Arc<str>,
    run: Run,
    task: AbortOnDropHandle<Result<Outcome, RunError>>,
    /// Where a stored run is.
    place: Option<Place>,
    gives: PhantomData<fn() -> T>,
}

/// The run of a handle.
enum Run {
    Begun(Arc<RunCore>),
    Stored(Arc<Claiming>),
    /// The run could not begin.
    Failed,
}

impl<T> RunHandle<T> {
    pub(super) fn start(plan: Plan, subscribers: EarlySubscribers) -> Self {
        let automa = plan.automa();
        let place = plan.place();
        let (run, task) = if plan.is_stored() {
            let claiming = Claiming::new(subscribers);
            let run = stored::run(plan, Arc::clone(&claiming));
            (Run::Stored(claiming), tokio::spawn(run.in_current_span()))
        } else {
            let live = plan.live();
            let run = match &live {
                Ok(live) => {
                    live.core.inbox.get_or_init(Box::default);
                    live.core.feed().adopt(&subscribers);
                    // A subscription may come at any time, and events count time from the start of
                    // the run.
                    live.core.feed().begin();
                    Run::Begun(Arc::clone(&live.core))
                }
                Err(error) => {
                    subscribers.fail(error);
                    Run::Failed
                }
            };
            let task = async move { drive(live?).await };
            (run, tokio::spawn(task.in_current_span()))
        };
        let task = AbortOnDropHandle::new(task);
        Self { automa, run, task, place, gives: PhantomData }
    }

    /// Subscribes to the events of the run that pass `filter`, from its next step on. To get all
    /// events, subscribe [before it begins](crate::run::RunBuilder::events).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::event::{EventFilter, EventKind};
    ///
    /// let mut automa = GraphAutoma::new("hello");
    /// automa.add_func_as_worker("hello", async || "hello".to_owned(), start().output())?;
    /// let run = automa.run(()).spawn();
    /// let mut events = run.events(EventFilter::updates());
    /// let mut ended = false;
    /// while let Some(event) = events.next().await {
    ///     ended = matches!(event?.kind, EventKind::RunFinished { .. });
    /// }
    /// assert!(ended);
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self, filter: EventFilter) -> EventStream {
        match &self.run {
            Run::Begun(core) => core.feed().subscribe(filter),
            Run::Stored(claiming) => claiming.events(filter),
            Run::Failed => EventStream::ended(filter),
        }
    }

    /// Cancels the run: its workers are dropped at their next `await`, and the run ends with
    /// [`RunError::Cancelled`]. Blocking workers run to their end, and their output is dropped.
    ///
    /// The status of a [stored](crate::run::RunBuilder::stored_in) run is cancelled then. Run
    /// again, it continues from its last step.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("wait");
    /// automa.add_func_as_worker("wait", async || std::future::pending::<()>().await, start())?;
    /// let run = automa.run(()).spawn();
    /// run.cancel();
    /// assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancel(&self) {
        match &self.run {
            Run::Stored(claiming) => claiming.cancel(),
            Run::Begun(_) | Run::Failed => self.task.abort(),
        }
    }

    /// Stops the run after the current step. It then ends with an [`Outcome`] that says so; see
    /// [`outcome`](Self::outcome).
    pub fn stop(&self) {
        match &self.run {
            Run::Begun(core) => core.stop(),
            Run::Stored(claiming) => claiming.stop(),
            Run::Failed => {}
        }
    }

    /// Stops the run after the current step, as [`stop`](Self::stop) does. If it is
    /// [stored](crate::run::RunBuilder::stored_in), it is left in its store as if its process had
    /// died: [`StoredRuns::resume_all`](crate::checkpoint::StoredRuns::resume_all) or another
    /// process continues it. For a process that has to end.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("count");
    /// automa.add_func_as_worker("count", async |n: u32, cx: Context| {
    ///     if n < 100 { cx.ferry_to("count", (n + 1,)) }
    ///     n
    /// }, start().output())?;
    /// let store = MemoryStore::new();
    /// let run = automa.run(args!(0)).stored_in(&store, "count-1").spawn();
    /// run.leave();
    /// assert!(run.outcome().await?.stopped());
    ///
    /// let ended = StoredRuns::new(&store).resume_all([&automa]).await?;      // in the next process
    /// let [(_, Ok(outcome))] = &ended[..] else { panic!("{ended:?}") };
    /// assert_eq!(outcome.output().get::<u32>()?, 100);
    /// # Ok(())
    /// # }
    /// ```
    pub fn leave(&self) {
        match &self.run {
            Run::Stored(claiming) => claiming.leave(),
            Run::Begun(_) | Run::Failed => self.stop(),
        }
    }

    /// Sends the run a signal: a worker that [waits for it](crate::Context::signal) receives
    /// `value`. A signal to a [stored](crate::run::RunBuilder::stored_in) run is kept in its store.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async |cx: Context| cx.signal::<u32>("paid"), start().output())?;
    /// let run = automa.run(()).spawn();
    /// run.signal("paid", 30_u32).await?;
    /// assert_eq!(run.output::<u32>().await?, 30);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the run is stored and its store does not have it (any more) or fails, or if `value` has
    /// no JSON form.
    pub async fn signal(&self, name: impl Into<String>, value: impl Data) -> Result<(), RunError> {
        match &self.run {
            Run::Begun(core) => {
                core.inbox.get_or_init(Box::default).send(name.into(), Value::new(value));
                Ok(())
            }
            Run::Stored(claiming) => {
                // Until the store has the run, the signal is kept here.
                let kept = claiming.keep(name.into(), Value::new(value));
                if let (Some((name, value)), Some(place)) = (kept, self.place.clone()) {
                    let (store, id) = place.into_parts()?;
                    send(&*store, &id, name, &value).await?;
                    claiming.look();
                }
                Ok(())
            }
            Run::Failed => Ok(()),
        }
    }

    /// Whether the run has ended.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: u32| x * 2, start().output())?;
    /// let run = automa.run(args!(20)).spawn();
    /// while !run.is_finished() {
    ///     tokio::task::yield_now().await;
    /// }
    /// assert_eq!(run.output::<u32>().await?, 40);
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the run to end and returns its output as a `U`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: u32| x * 2, start().output())?;
    /// let runs = [1, 2, 3].map(|x| automa.run(args!(x)).spawn());            // all at once
    /// for (run, x) in runs.into_iter().zip(1..) {
    ///     assert_eq!(run.output::<u32>().await?, x * 2);
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
    pub async fn output<U: RunResult>(self) -> Result<U, RunError> {
        self.outcome().await?.into_output()
    }

    /// Waits for the run to end and returns its outcome, also if it has paused or was stopped.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("pay");
    /// automa.add_func_as_worker("pay", async |cx: Context| -> Result<bool, WorkerError> {
    ///     Ok(cx.interact_with_human("Pay?")?)
    /// }, start().output())?;
    /// let outcome = automa.run(()).spawn().outcome().await?;
    /// assert!(outcome.is_paused());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors), except for those of the output.
    ///
    /// # Cancel safety
    /// As [above](Self#cancel-safety).
    pub async fn outcome(mut self) -> Result<Outcome, RunError> {
        std::future::poll_fn(|cx| self.poll_outcome(cx)).await
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outcome, RunError>> {
        self.task.poll_unpin(cx).map(|joined| match joined {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(RunError::Cancelled { automa: self.automa.to_string() }),
            },
        })
    }
}

impl<T: FromOutcome> Future for RunHandle<T> {
    type Output = Result<T, RunError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_outcome(cx).map(|outcome| T::from_outcome(outcome?))
    }
}

impl<T> fmt::Debug for RunHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunHandle")
            .field("automa", &&*self.automa)
            .field("finished", &self.is_finished())
            .finish()
    }
}
