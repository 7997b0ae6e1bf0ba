//! Errors of tool calls.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use ddg_core::__report::{Told, shown, shown_lines};
use ddg_core::WorkerError;
use ddg_core::worker::{BoxError, Panicked, TimedOut};

use crate::hook::HookStop;

/// A tool call has no result. The message is for a model, and says what would be right.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// There is no tool with this name.
    #[error(
        "there is no tool `{name}`{}",
        shown(&suggestion(.nearest.as_deref(), .known)), name = shown(.name)
    )]
    Unknown {
        /// The name in the call.
        name: String,
        /// The most similar name.
        nearest: Option<String>,
        /// The names of all tools.
        known: Vec<String>,
    },
    /// There is no tool with this name any more: a [source](super::ToolSource) of the toolbox had
    /// it, or never had.
    #[error(
        "there is no tool `{name}` now: it may have been removed meanwhile{}",
        shown(&suggestion(None, .known)), name = shown(.name)
    )]
    Gone {
        /// The name in the call.
        name: String,
        /// The names of all tools.
        known: Vec<String>,
    },
    /// A tool is known by its name only, and nothing says where it is found.
    #[error(
        "tool `{name}` is known by its name only: register the toolbox that has it in the automa, \
         with `register_in`",
        name = shown(.name)
    )]
    Unregistered {
        /// The name of the tool.
        name: String,
    },
    /// The arguments are not JSON.
    #[error(
        "the arguments of `{tool}` cannot be read ({reason}): call it again with a JSON object",
        tool = shown(.tool), reason = shown_lines(.reason)
    )]
    Malformed {
        /// The tool.
        tool: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The arguments do not fit the schema of the tool.
    #[error(
        "the arguments of `{tool}` are wrong: {}",
        shown_lines(&faults.join("; ")), tool = shown(.tool)
    )]
    Arguments {
        /// The tool.
        tool: String,
        /// The faults, each as `path: what is wrong`.
        faults: Vec<String>,
    },
    /// A person denied the call.
    #[error(
        "a person did not allow this call of `{tool}`: {reason}",
        tool = shown(.tool), reason = shown_lines(.reason)
    )]
    Denied {
        /// The tool.
        tool: String,
        /// The reason.
        reason: String,
    },
    /// A hook refused the call, or its result.
    #[error(
        "`{tool}` was refused by `{hook}`: {why}",
        tool = shown(.tool), hook = shown(.hook), why = shown_lines(.why)
    )]
    Refused {
        /// The tool.
        tool: String,
        /// The name of the hook.
        hook: String,
        /// Why.
        why: String,
    },
    /// A hook stopped the run.
    #[error("`{tool}` has no result: {stop}", tool = shown(.tool))]
    Stopped {
        /// The tool.
        tool: String,
        /// Why.
        stop: HookStop,
    },
    /// A hook changed the error of the call.
    #[error("{message}", message = shown_lines(.message))]
    Changed {
        /// The tool.
        tool: String,
        /// The text of the hook.
        message: String,
    },
    /// The tool did not end in time.
    #[error("`{tool}` did not end within {after:?}", tool = shown(.tool))]
    TimedOut {
        /// The tool.
        tool: String,
        /// The timeout.
        after: Duration,
    },
    /// The tool timed out and cannot be stopped; it may still act.
    #[error(
        "`{tool}` did not end within {after:?}; it cannot be stopped, so it still runs and may \
         still have its effects",
        tool = shown(.tool)
    )]
    StillRuns {
        /// The tool.
        tool: String,
        /// The timeout.
        after: Duration,
    },
    /// The tool panicked.
    #[error("`{tool}` panicked: {message}", tool = shown(.tool), message = shown_lines(.message))]
    Panicked {
        /// The tool.
        tool: String,
        /// The message of the panic.
        message: String,
    },
    /// The tool failed.
    #[error("`{tool}` failed: {}", Told(&**.source), tool = shown(.tool))]
    Failed {
        /// The tool.
        tool: String,
        /// The cause.
        r#source: BoxError,
    },
}

/// The reason why a call ends before the tool has run.
pub(super) enum Halt {
    /// The model gets an error.
    Tell(ToolError),
    /// The worker fails, or waits for an answer of a person.
    Fail(WorkerError),
}

impl ToolError {
    /// There is no tool `name` among `known`.
    pub(crate) fn unknown(name: &str, known: Vec<String>) -> Self {
        let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Self::Unknown { name: name.to_owned(), nearest, known }
    }

    /// The arguments fit the schema but could not be deserialised.
    pub(crate) fn unreadable(tool: &str, error: &serde_json::Error) -> Self {
        Self::Arguments { tool: tool.to_owned(), faults: vec![error.to_string()] }
    }

    /// Converts an error of `tool`.
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

    /// The message for a model about an `error` that is owned elsewhere.
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

/// Converts any error into the error of a worker. A tool that wants other arguments says so as it
/// is.
pub(super) fn failure(error: impl Into<BoxError>) -> WorkerError {
    match error.into().downcast::<ToolError>() {
        Ok(error) if matches!(*error, ToolError::Arguments { .. }) => WorkerError::from(*error),
        Ok(error) => Failure(error).into(),
        Err(error) => Failure(error).into(),
    }
}

/// An error whose type is unknown.
#[derive(Debug)]
struct Failure(BoxError);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The message includes that of the error itself, but not its causes.
        self.0.source()
    }
}

/// The hint `; did you mean a? The tools are: a, b`.
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

/// The name in `names` that is most similar to `name`, if it is similar enough.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.7;
    names
        .map(|known| (strsim::normalized_damerau_levenshtein(name, known), known))
        .filter(|(nearness, _)| *nearness >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

ddg_core::__report::debug_is_display!(ToolError);
