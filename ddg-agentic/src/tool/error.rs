//! Why a call of a tool gave nothing.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use ddg_core::__report::Told;
use ddg_core::WorkerError;
use ddg_core::worker::{BoxError, Panicked, TimedOut};

/// Why a call of a tool gave nothing. Its message is what a model reads: it says what would be right.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// There is no such tool.
    #[error("there is no tool `{name}`{}", suggestion(.nearest.as_deref(), .known))]
    Unknown {
        /// The name in the call.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// The names of the tools that there are.
        known: Vec<String>,
    },
    /// The arguments are no JSON.
    #[error(
        "the arguments of `{tool}` cannot be read ({reason}): call it again with a JSON object"
    )]
    Malformed {
        /// The tool.
        tool: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The arguments are not those that the tool takes.
    #[error("the arguments of `{tool}` are wrong: {}", .faults.join("; "))]
    Arguments {
        /// The tool.
        tool: String,
        /// Each as `path: what is wrong`.
        faults: Vec<String>,
    },
    /// A person did not allow the call.
    #[error("a person did not allow this call of `{tool}`: {reason}")]
    Denied {
        /// The tool.
        tool: String,
        /// Why not.
        reason: String,
    },
    /// It did not end in time.
    #[error("`{tool}` did not end within {after:?}")]
    TimedOut {
        /// The tool.
        tool: String,
        /// The time it had.
        after: Duration,
    },
    /// It panicked.
    #[error("`{tool}` panicked: {message}")]
    Panicked {
        /// The tool.
        tool: String,
        /// With what.
        message: String,
    },
    /// It failed.
    #[error("`{tool}` failed: {}", Told(&**.source))]
    Failed {
        /// The tool.
        tool: String,
        /// Why.
        r#source: BoxError,
    },
}

/// What ends a call before the tool has given anything.
pub(super) enum Halt {
    /// The model is told.
    Tell(ToolError),
    /// The worker fails, or waits for an answer of a person.
    Fail(WorkerError),
}

impl ToolError {
    /// The arguments fit the schema, and could not be read all the same.
    pub(crate) fn unreadable(tool: &str, error: &serde_json::Error) -> Self {
        Self::Arguments { tool: tool.to_owned(), faults: vec![error.to_string()] }
    }

    /// What `error` of `tool` is.
    pub(super) fn of(tool: &str, error: WorkerError) -> Self {
        let tool = tool.to_owned();
        if let Some(TimedOut { after, .. }) = error.downcast_ref() {
            return Self::TimedOut { tool, after: *after };
        }
        if let Some(Panicked { message, .. }) = error.downcast_ref() {
            return Self::Panicked { tool, message: message.clone() };
        }
        match BoxError::from(error).downcast::<Self>() {
            Ok(error) => *error,
            Err(source) => Self::Failed { tool, source },
        }
    }

    /// What a model is told of an `error` that somebody else keeps.
    pub(super) fn told(tool: &str, error: &WorkerError) -> String {
        if let Some(error) = error.downcast_ref::<TimedOut>() {
            return Self::of(tool, (*error).into()).to_string();
        }
        if let Some(error) = error.downcast_ref::<Panicked>() {
            return Self::of(tool, error.clone().into()).to_string();
        }
        Self::of(tool, WorkerError::msg(error.to_string())).to_string()
    }
}

impl From<ToolError> for Halt {
    fn from(error: ToolError) -> Self {
        Self::Tell(error)
    }
}

impl From<Halt> for WorkerError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Tell(error) => error.into(),
            Halt::Fail(error) => error,
        }
    }
}

/// Any error as the error of a worker.
pub(super) fn failure(error: impl Into<BoxError>) -> WorkerError {
    Failure(error.into()).into()
}

/// An error that is only known as one.
#[derive(Debug)]
struct Failure(BoxError);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // What the error itself says is the message.
        self.0.source()
    }
}

/// `; did you mean a? The tools are: a, b`
fn suggestion(nearest: Option<&str>, known: &[String]) -> String {
    if known.is_empty() {
        return "; there are no tools".to_owned();
    }
    let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`? The tools are: {known}"),
        None => format!("; the tools are: {known}"),
    }
}

ddg_core::__report::debug_is_display!(ToolError);
