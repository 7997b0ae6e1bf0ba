//! Errors of workers.

use std::error::Error;
use std::fmt::{self, Write};
use std::time::Duration;

use crate::printable::{Printable, shown_lines};

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// The error of a worker. Every error converts into it, so `?` works in workers.
///
/// It does not implement [`Error`] itself, for the same reason as `anyhow::Error`: otherwise not
/// every error could convert into it.
///
/// ```
/// use ddg_core::WorkerError;
///
/// fn parse(text: &str) -> Result<i64, WorkerError> {
///     if text.is_empty() {
///         return Err(WorkerError::msg("the text is empty"));
///     }
///     Ok(text.parse()?)
/// }
/// assert!(parse("x").unwrap_err().downcast_ref::<std::num::ParseIntError>().is_some());
/// ```
pub struct WorkerError(BoxError);

impl WorkerError {
    /// Creates an error from a message.
    pub fn msg(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }

    /// The inner error, if it is an `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    pub(crate) fn boxed(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for WorkerError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<WorkerError> for BoxError {
    fn from(error: WorkerError) -> Self {
        error.0
    }
}

impl AsRef<dyn Error + Send + Sync> for WorkerError {
    fn as_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.alternate() {
            true => write!(Printable::lines(f), "{:#}", self.0),
            false => write!(Printable::lines(f), "{}", self.0),
        }
    }
}

impl fmt::Debug for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::report::debug(&*self.0, f)
    }
}

/// The worker panicked. The run reports this like any other failure.
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
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {message}", message = shown_lines(.message))]
#[non_exhaustive]
pub struct Panicked {
    /// The message of the panic.
    pub message: String,
}

impl Panicked {
    /// Creates the error from the message of the panic.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl TimedOut {
    /// Creates the error for the timeout `after`.
    pub fn new(after: Duration) -> Self {
        Self { after }
    }
}

/// The worker did not end within its [timeout](crate::WorkerOptions::timeout).
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("timed out after {after:?}")]
#[non_exhaustive]
pub struct TimedOut {
    /// The timeout.
    pub after: Duration,
}

crate::__debug_is_display!(Panicked, TimedOut);
