//! A handle to a run that goes on by itself.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::builder::FromOutcome;
use super::plan::Plan;
use super::stored::{self, Claiming};
use super::{Outcome, RunError};
use crate::engine::{RunCore, drive};
use crate::event::{EarlySubscribers, EventFilter, EventStream};
use crate::values::RunResult;

/// A run that goes on as a task of its own: a future of what its automa's runs give; made by
/// [`RunBuilder::spawn`](crate::run::RunBuilder::spawn).
///
/// Dropping it cancels the run.
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
/// Dropping it, or a future made of it, cancels the run.
pub struct RunHandle<T = Outcome> {
    automa: Arc<str>,
    run: Run,
    task: AbortOnDropHandle<Result<Outcome, RunError>>,
    gives: PhantomData<fn() -> T>,
}

/// The run that a handle is of.
enum Run {
    Begun(Arc<RunCore>),
    Stored(Arc<Claiming>),
    /// It could not begin.
    Failed,
}

impl<T> RunHandle<T> {
    pub(super) fn start(plan: Plan, subscribers: EarlySubscribers) -> Self {
        let automa = plan.automa();
        let (run, task) = if plan.is_stored() {
            let claiming = Claiming::new(subscribers);
            let run = stored::run(plan, Arc::clone(&claiming));
            (Run::Stored(claiming), tokio::spawn(run.in_current_span()))
        } else {
            let live = plan.live();
            let run = match &live {
                Ok(live) => {
                    live.core.feed().adopt(&subscribers);
                    // Somebody may subscribe at any time.
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
        Self { automa, run, task: AbortOnDropHandle::new(task), gives: PhantomData }
    }

    /// Subscribes to the events of the run that pass `filter`, from its next step on; to get all
    /// from its beginning, subscribe [before it begins](crate::run::RunBuilder::events).
    pub fn events(&self, filter: EventFilter) -> EventStream {
        match &self.run {
            Run::Begun(core) => core.feed().subscribe(filter),
            Run::Stored(claiming) => claiming.events(filter),
            Run::Failed => EventStream::ended(filter),
        }
    }

    /// Cancels the run: its workers are dropped at their next `await`, and the run ends with
    /// [`RunError::Cancelled`]. Blocking workers run to their end; their output is dropped.
    ///
    /// A [stored](crate::run::RunBuilder::stored_in) run can be resumed from its last step when it has
    /// ended so.
    pub fn cancel(&self) {
        match &self.run {
            Run::Stored(claiming) => claiming.cancel(),
            Run::Begun(_) | Run::Failed => self.task.abort(),
        }
    }

    /// Asks the run to stop after the current step; it then ends with an [`Outcome`] that says so,
    /// see [`outcome`](Self::outcome).
    pub fn stop(&self) {
        match &self.run {
            Run::Begun(core) => core.machine().stop(),
            Run::Stored(claiming) => claiming.stop(),
            Run::Failed => {}
        }
    }

    /// Whether the run has ended.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the run's end and gives its output as a `U`.
    ///
    /// # Errors
    /// As [above](Self#errors).
    ///
    /// # Cancel safety
    /// As [above](Self#cancel-safety).
    pub async fn output<U: RunResult>(self) -> Result<U, RunError> {
        self.outcome().await?.into_output()
    }

    /// Waits for the run's end and gives everything there is to say about the run, also if it has
    /// paused or was stopped.
    ///
    /// # Errors
    /// As [above](Self#errors), but for what the output is.
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
