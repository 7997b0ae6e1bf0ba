//! Errors of steps.

use std::error::Error;
use std::fmt::{self, Write};

use super::BindError;
use crate::__debug_is_display;
use crate::error::WorkerError;
use crate::graph::{EditError, listing};
use crate::key::Key;
use crate::machine::Question;
use crate::path::WorkerPath;
use crate::printable::Printable;

/// A step that failed, with all failures in kickoff order.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::run::FailureKind;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("two");
/// automa.add_func_as_worker("a", async || Err::<(), _>(WorkerError::msg("no")), start())?;
/// automa.add_func_as_worker("b", async |cx: Context| cx.ferry_to("c", ()), start())?;
/// let Err(RunError::Step(error)) = automa.run(()).output::<()>().await else { panic!() };
/// assert!(matches!(error.failures[0].kind, FailureKind::Worker(_)));
/// assert!(matches!(error.failures[1].kind, FailureKind::UnknownFerryTarget { .. }));
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
pub struct StepError {
    /// The name of the automa, for messages.
    pub automa: String,
    /// The step, counted from 1.
    pub step: u64,
    /// The failures; never empty.
    pub failures: Vec<StepFailure>,
    /// Questions of the same step. They get no answer, because the run has failed.
    pub questions: Vec<Question>,
}

__debug_is_display!(StepError);

impl StepError {
    /// The error of the first worker that failed, if it is an `E`.
    ///
    /// The message contains the message of this error, so this error is not also the
    /// [`source`](Error::source); its own source is.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    /// use ddg_core::worker::Panicked;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("fragile");
    /// automa.add_func_as_worker("break", async || -> i32 { panic!("oh no") }, start())?;
    /// let Err(RunError::Step(error)) = automa.run(()).output::<()>().await else { panic!() };
    /// assert_eq!(error.downcast_ref::<Panicked>().unwrap().message, "oh no");
    /// # Ok(())
    /// # }
    /// ```
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.first_error()?.downcast_ref()
    }

    /// The error of the first worker that failed.
    pub(crate) fn first_error(&self) -> Option<&WorkerError> {
        self.failures.iter().find_map(|failure| match &failure.kind {
            FailureKind::Worker(error) => Some(error),
            _ => None,
        })
    }

    /// Whether all failures are failures of workers.
    pub(crate) fn is_of_workers(&self) -> bool {
        self.failures.iter().all(|failure| matches!(failure.kind, FailureKind::Worker(_)))
    }
}

/// A failure in a step.
#[derive(Debug)]
#[non_exhaustive]
pub struct StepFailure {
    /// The worker that failed, that could not be started, or that asked for something impossible.
    pub worker: WorkerPath,
    /// The kind of the failure.
    pub kind: FailureKind,
}

/// The kinds of failures of a worker in a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// The worker returned an error, panicked ([`Panicked`](crate::worker::Panicked)) or timed out
    /// ([`TimedOut`](crate::worker::TimedOut)).
    Worker(WorkerError),
    /// The worker could not be called. No worker of the step was started.
    Bind(BindError),
    /// The worker asked for an impossible edit. None of the step's edits was made.
    Edit(EditError),
    /// The worker ferried to one that does not exist.
    UnknownFerryTarget {
        /// The key it ferried to.
        target: Key,
        /// The keys that exist, or the first few of many.
        known: Vec<Key>,
    },
    /// The output to scatter is not a list of the right length.
    InOrder {
        /// Number of its successors.
        successors: usize,
        /// A description of its output.
        found: String,
    },
    /// An output worker ran although another output worker of the run has run or is ready.
    SecondOutput {
        /// The other output worker.
        first: Key,
    },
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Printable::lines(f);
        write!(f, "automa `{}`, step {}: ", self.automa, self.step)?;
        match self.failures.as_slice() {
            [failure] => write!(f, "{failure}"),
            failures => {
                write!(f, "{} failures", failures.len())?;
                failures.iter().try_for_each(|failure| write!(f, "\n- {failure}"))
            }
        }?;
        let asked = |question: &Question| write!(f, "\n- question `{}` was asked", question.id);
        self.questions.iter().try_for_each(asked)
    }
}

impl Error for StepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failures.first().and_then(|failure| match &failure.kind {
            // The message includes that of the error itself, but not its causes.
            FailureKind::Worker(error) => error.as_ref().source(),
            FailureKind::Bind(_)
            | FailureKind::Edit(_)
            | FailureKind::UnknownFerryTarget { .. }
            | FailureKind::InOrder { .. }
            | FailureKind::SecondOutput { .. } => None,
        })
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (worker, f) = (&self.worker, &mut Printable::lines(f));
        match &self.kind {
            FailureKind::Worker(error) => write!(f, "worker `{worker}` failed: {error}"),
            FailureKind::Bind(error) => write!(f, "worker `{worker}` cannot be called: {error}"),
            FailureKind::Edit(error) => {
                write!(f, "worker `{worker}` asked for an impossible change: {error}")
            }
            FailureKind::UnknownFerryTarget { target, known } => write!(
                f,
                "worker `{worker}` ferried to `{target}`, which does not exist{}",
                listing(target, known)
            ),
            FailureKind::InOrder { successors, found } => write!(
                f,
                "worker `{worker}` scatters its output in order over {successors} successors, \
                 so it must be a list of that length, but it is {found}"
            ),
            FailureKind::SecondOutput { first } => write!(
                f,
                "worker `{worker}` is the second output worker of this run, after `{first}`: \
                 a run has one result, so let only one of them run"
            ),
        }
    }
}
