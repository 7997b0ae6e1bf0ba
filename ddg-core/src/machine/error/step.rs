//! What went wrong in a step.

use std::error::Error;
use std::fmt;

use super::BindError;
use crate::__debug_is_display;
use crate::error::WorkerError;
use crate::graph::{EditError, listing};
use crate::key::Key;
use crate::machine::Question;
use crate::path::WorkerPath;

/// A step in which something went wrong: every failure, in kickoff order.
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
    /// The automa, as a message names it.
    pub automa: String,
    /// The step, from 1.
    pub step: u64,
    /// What went wrong; never empty.
    pub failures: Vec<StepFailure>,
    /// Questions that were asked in the same step; they get no answer, since the run has failed.
    pub questions: Vec<Question>,
}

__debug_is_display!(StepError);

impl StepError {
    /// The error of the first worker that failed, if it is an `E`.
    ///
    /// The message says what this error says, so it is not the [`source`](Error::source) as well;
    /// its own source is.
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

    /// Whether workers have failed, and nothing else is wrong.
    pub(crate) fn is_of_workers(&self) -> bool {
        self.failures.iter().all(|failure| matches!(failure.kind, FailureKind::Worker(_)))
    }
}

/// One thing that went wrong in a step.
#[derive(Debug)]
#[non_exhaustive]
pub struct StepFailure {
    /// The worker that failed, that could not be started, or that asked for what cannot be done.
    pub worker: WorkerPath,
    /// What went wrong.
    pub kind: FailureKind,
}

/// What can go wrong with a worker in a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// It returned an error, panicked ([`Panicked`](crate::worker::Panicked)) or timed out
    /// ([`TimedOut`](crate::worker::TimedOut)).
    Worker(WorkerError),
    /// It could not be called; no worker of the step was started.
    Bind(BindError),
    /// It asked for a change of the graph that cannot be made; none of the step's changes was.
    Edit(EditError),
    /// It ferried to a worker that does not exist.
    UnknownFerryTarget {
        /// The key it ferried to.
        target: Key,
        /// The keys that exist; the first few of many.
        known: Vec<Key>,
    },
    /// It is to deal out its output, which is no list of the right length.
    InOrder {
        /// How many successors it has.
        successors: usize,
        /// What its output is.
        found: String,
    },
    /// It is an output worker, and another output worker has run or is to run beside it.
    SecondOutput {
        /// The other one.
        first: Key,
    },
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            // What the error itself says is in the message; what is behind it is not.
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
        let worker = &self.worker;
        match &self.kind {
            FailureKind::Worker(error) => write!(f, "worker `{worker}` failed: {error}"),
            FailureKind::Bind(error) => write!(f, "worker `{worker}` cannot be called: {error}"),
            FailureKind::Edit(error) => {
                write!(f, "worker `{worker}` asked for a change that cannot be made: {error}")
            }
            FailureKind::UnknownFerryTarget { target, known } => write!(
                f,
                "worker `{worker}` ferried to `{target}`, which does not exist{}",
                listing(target, known)
            ),
            FailureKind::InOrder { successors, found } => write!(
                f,
                "worker `{worker}` deals its output out in order to {successors} successors, \
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
