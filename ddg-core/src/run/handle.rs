//! A handle to a run that goes on by itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{Outcome, RunError};
use crate::engine::{RunCore, RunGuard, drive};
use crate::event::{EventFilter, EventStream};
use crate::values::Data;

/// A started run: a future of its [`Outcome`].
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
/// let run = automa.start(());
/// tokio::task::yield_now().await;
/// run.stop();                                   // after the current step
/// assert!(run.await?.stopped());
/// # Ok(())
/// # }
/// ```
pub struct Run {
    automa: Arc<str>,
    /// `None` if it could not begin.
    core: Option<Arc<RunCore>>,
    task: AbortOnDropHandle<Result<Outcome, RunError>>,
}

impl Run {
    pub(super) fn start(automa: Arc<str>, live: Result<RunGuard, RunError>) -> Self {
        let core = live.as_ref().ok().map(|live| Arc::clone(&live.core));
        if let Some(core) = &core {
            // Somebody may subscribe at any time.
            core.feed().begin();
        }
        let task = tokio::spawn(async move { drive(live?).await }.in_current_span());
        Self { automa, core, task: AbortOnDropHandle::new(task) }
    }

    /// All events of the run but the [values](EventFilter::values), from its next step on; to get
    /// all from its beginning, [prepare](crate::GraphAutoma::prepare) it.
    pub fn events(&self) -> EventStream {
        self.events_of(EventFilter::all())
    }

    /// The events of the run that pass `filter`, from its next step on.
    pub fn events_of(&self, filter: EventFilter) -> EventStream {
        match &self.core {
            Some(core) => core.feed().subscribe(filter),
            None => EventStream::ended(filter),
        }
    }

    /// Cancels the run: its workers are dropped at their next `await`, and the run ends with
    /// [`RunError::Cancelled`]. Blocking workers run to their end; their output is dropped.
    ///
    /// A [durable](crate::Durable) run can be gone on with when it has ended so.
    pub fn cancel(&self) {
        match self.core.as_ref().and_then(|core| core.journal.as_ref()) {
            Some(journal) => journal.cancel(),
            None => self.task.abort(),
        }
    }

    /// Asks the run to stop after the current step; it then ends with an [`Outcome`] that says so.
    pub fn stop(&self) {
        if let Some(core) = &self.core {
            core.machine().stop();
        }
    }

    /// Whether the run has ended.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the run's end and gives its output.
    ///
    /// # Errors
    /// As [`GraphAutoma::run`](crate::GraphAutoma::run), and if it was cancelled.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the run.
    pub async fn output<T: Data>(self) -> Result<T, RunError> {
        self.await?.into_output()
    }
}

impl Future for Run {
    type Output = Result<Outcome, RunError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.task.poll_unpin(cx).map(|joined| match joined {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(RunError::Cancelled { automa: self.automa.to_string() }),
            },
        })
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("automa", &&*self.automa)
            .field("finished", &self.is_finished())
            .finish()
    }
}
