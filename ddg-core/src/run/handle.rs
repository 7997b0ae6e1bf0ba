//! A handle to a run that goes on by itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use tokio_util::task::AbortOnDropHandle;

use super::{Outcome, RunCore, RunError, driver};
use crate::args::Args;
use crate::graph::GraphAutoma;
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
    core: Result<Arc<RunCore>, String>,
    task: AbortOnDropHandle<Result<Outcome, RunError>>,
}

impl Run {
    pub(crate) fn start(automa: &GraphAutoma, args: Args) -> Self {
        let core = automa
            .compiled()
            .map_err(RunError::from)
            .and_then(|topology| RunCore::top(topology, args, None));
        let (kept, task) = match core {
            Ok(core) => {
                let driven = Arc::clone(&core);
                let task = tokio::spawn(async move { driver::drive(&driven).await });
                (Ok(core), task)
            }
            Err(error) => (Err(automa.name().to_owned()), tokio::spawn(async move { Err(error) })),
        };
        Self { core: kept, task: AbortOnDropHandle::new(task) }
    }

    /// Cancels the run: its workers are dropped at their next `await`, and the run ends with
    /// [`RunError::Cancelled`]. Blocking workers run to their end; their output is dropped.
    pub fn cancel(&self) {
        self.task.abort();
    }

    /// Asks the run to stop after the current step; it then ends with an [`Outcome`] that says so.
    pub fn stop(&self) {
        if let Ok(core) = &self.core {
            core.stop();
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

    fn automa(&self) -> &str {
        match &self.core {
            Ok(core) => core.automa(),
            Err(name) => name,
        }
    }
}

impl Future for Run {
    type Output = Result<Outcome, RunError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.task.poll_unpin(cx).map(|joined| match joined {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(RunError::Cancelled { automa: self.automa().to_owned() }),
            },
        })
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("automa", &self.automa())
            .field("finished", &self.is_finished())
            .finish()
    }
}
