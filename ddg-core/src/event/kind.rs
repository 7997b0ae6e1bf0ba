//! The kinds of events.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::Change;
use super::filter::Modes;
use crate::key::Key;
use crate::machine::{Cause, KickoffId, Question};
use crate::printable::Printable;
use crate::values::Value;

/// The kind of an [`Event`](crate::event::Event).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A run began.
    RunStarted {
        /// The name of the automa.
        name: String,
    },
    /// A step began.
    StepStarted {
        /// The kickoffs of the step, in kickoff order.
        kickoffs: Vec<ScheduledKickoff>,
    },
    /// A worker started.
    WorkerStarted {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
    },
    /// A worker ended successfully.
    WorkerFinished {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
        /// Its output, or the output that a callback gave in place of its error.
        #[serde(serialize_with = "as_json_or_text")]
        output: Value,
    },
    /// An attempt of a worker failed.
    AttemptFailed {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The message of the error.
        error: String,
    },
    /// A worker will be tried again after a failed attempt.
    WorkerRetrying {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
        /// The number of the next attempt, from 2.
        attempt: u32,
        /// The time until the next attempt.
        wait: Duration,
    },
    /// A worker failed for good: it is not tried again, and no callback gave an output in place of
    /// the error.
    WorkerFailed {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
        /// The message of the error.
        error: String,
    },
    /// A worker asked a question that has no answer yet. It runs again once there is an answer.
    WorkerInterrupted {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
    },
    /// A worker emitted a part of its output with
    /// [`Context::emit_chunk`](crate::Context::emit_chunk).
    Chunk {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
        /// The part.
        #[serde(serialize_with = "as_json_or_text")]
        chunk: Value,
    },
    /// A worker emitted an event with [`Context::emit`](crate::Context::emit).
    Custom {
        /// The key of the worker.
        worker: Key,
        /// Its kickoff.
        kickoff: KickoffId,
        /// The name of the event.
        name: Cow<'static, str>,
        /// The data of the event.
        #[serde(serialize_with = "as_json_or_text")]
        data: Value,
    },
    /// The graph of the run changed when the step settled.
    GraphChanged {
        /// All changes of the step, in the order in which they were made.
        changes: Vec<Change>,
    },
    /// A ferry was accepted: `to` runs in the next step.
    Ferried {
        /// The worker that asked for the ferry.
        by: Key,
        /// The target.
        to: Key,
    },
    /// A step settled.
    StepSettled {
        /// The outputs of its workers, in kickoff order.
        outputs: Vec<WorkerOutput>,
    },
    /// The state of the run after a step settled. It is made only for subscribers that ask for it
    /// with [`EventFilter::values`](crate::event::EventFilter::values), because its size grows with
    /// the graph.
    Values {
        /// The last output of each worker that has run, in the order of the workers.
        outputs: Vec<WorkerOutput>,
    },
    /// The run paused. It can be resumed when these questions are answered.
    RunPaused {
        /// The questions, in order.
        questions: Vec<Question>,
    },
    /// The run ended, or stopped after a step as it was asked to.
    RunFinished {
        /// Its result.
        #[serde(serialize_with = "as_json_or_text")]
        output: Value,
        /// Whether it was stopped before its end.
        stopped: bool,
    },
    /// The run failed.
    RunFailed {
        /// The message of the error.
        error: String,
    },
    /// The run was cancelled or dropped.
    RunCancelled,
}

/// A kickoff of a step, as it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScheduledKickoff {
    /// The worker.
    pub worker: Key,
    /// The kickoff's number within the run of its automa.
    pub kickoff: KickoffId,
    /// Why it runs.
    pub cause: Cause,
}

/// The output of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkerOutput {
    /// The worker.
    pub worker: Key,
    /// Its output.
    #[serde(serialize_with = "as_json_or_text")]
    pub output: Value,
}

impl EventKind {
    /// The worker that the event concerns, if it concerns a single one.
    pub fn worker(&self) -> Option<&Key> {
        match self {
            Self::WorkerStarted { worker, .. }
            | Self::WorkerFinished { worker, .. }
            | Self::AttemptFailed { worker, .. }
            | Self::WorkerRetrying { worker, .. }
            | Self::WorkerFailed { worker, .. }
            | Self::WorkerInterrupted { worker, .. }
            | Self::Chunk { worker, .. }
            | Self::Custom { worker, .. } => Some(worker),
            Self::RunStarted { .. }
            | Self::StepStarted { .. }
            | Self::GraphChanged { .. }
            | Self::Ferried { .. }
            | Self::StepSettled { .. }
            | Self::Values { .. }
            | Self::RunPaused { .. }
            | Self::RunFinished { .. }
            | Self::RunFailed { .. }
            | Self::RunCancelled => None,
        }
    }

    /// Whether the event concerns the worker `key`, alone or among others.
    pub(super) fn concerns(&self, key: &Key) -> bool {
        match self {
            Self::StepStarted { kickoffs } => kickoffs.iter().any(|kickoff| kickoff.worker == *key),
            Self::StepSettled { outputs } | Self::Values { outputs } => {
                outputs.iter().any(|output| output.worker == *key)
            }
            Self::GraphChanged { changes } => {
                changes.iter().any(|change| change.by == *key || change.what.concerns(key))
            }
            Self::Ferried { by, to } => by == key || to == key,
            other => other.worker() == Some(key),
        }
    }

    /// The modes in which the event passes.
    pub(super) fn modes(&self) -> Modes {
        match self {
            Self::Values { .. } => Modes::VALUES,
            Self::Chunk { .. } => Modes::MESSAGES,
            Self::Custom { .. } => Modes::CUSTOM,
            Self::StepSettled { .. }
            | Self::RunPaused { .. }
            | Self::RunFinished { .. }
            | Self::RunFailed { .. }
            | Self::RunCancelled => Modes::UPDATES.and(Modes::DEBUG),
            Self::RunStarted { .. }
            | Self::StepStarted { .. }
            | Self::WorkerStarted { .. }
            | Self::WorkerFinished { .. }
            | Self::AttemptFailed { .. }
            | Self::WorkerRetrying { .. }
            | Self::WorkerFailed { .. }
            | Self::WorkerInterrupted { .. }
            | Self::GraphChanged { .. }
            | Self::Ferried { .. } => Modes::DEBUG,
        }
    }

    /// Whether the text of the event begins with the step.
    pub(super) fn names_its_step(&self) -> bool {
        !matches!(
            self,
            Self::RunStarted { .. }
                | Self::RunPaused { .. }
                | Self::RunFinished { .. }
                | Self::RunFailed { .. }
                | Self::RunCancelled
        )
    }

    /// Whether the event concerns the step itself.
    pub(super) fn is_about_a_step(&self) -> bool {
        matches!(self, Self::StepStarted { .. } | Self::StepSettled { .. })
    }
}

/// Writes one line. Characters from data that would control a terminal or change the direction of
/// the line are escaped.
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Printable::line(f);
        match self {
            Self::RunStarted { name } => write!(f, "run of `{name}` started"),
            Self::StepStarted { kickoffs } => write!(f, "started: {}", List(kickoffs)),
            Self::WorkerStarted { worker, .. } => write!(f, "`{worker}` started"),
            Self::WorkerFinished { worker, output, .. } => {
                write!(f, "`{worker}` finished: {output:?}")
            }
            Self::AttemptFailed { worker, attempt, error, .. } => {
                write!(f, "attempt {attempt} of `{worker}` failed: {error}")
            }
            Self::WorkerRetrying { worker, attempt, wait, .. } => {
                write!(f, "attempt {attempt} of `{worker}` in {wait:?}")
            }
            Self::WorkerFailed { worker, error, .. } => write!(f, "`{worker}` failed: {error}"),
            Self::WorkerInterrupted { worker, .. } => write!(f, "`{worker}` waits for an answer"),
            Self::Chunk { worker, chunk, .. } => write!(f, "`{worker}` gives {chunk:?}"),
            Self::Custom { worker, name, data, .. } => {
                write!(f, "`{worker}` tells {name}: {data:?}")
            }
            Self::GraphChanged { changes } => write!(f, "graph changed: {}", List(changes)),
            Self::Ferried { by, to } => write!(f, "`{by}` ferries to `{to}`"),
            Self::StepSettled { outputs } if outputs.is_empty() => f.write_str("settled"),
            Self::StepSettled { outputs } => write!(f, "settled: {}", List(outputs)),
            Self::Values { outputs } => write!(f, "values: {}", List(outputs)),
            Self::RunPaused { questions } => {
                f.write_str("run paused: ")?;
                for (place, Question { id, content, .. }) in questions.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(f, "{comma}`{id}`: {content:?}")?;
                }
                Ok(())
            }
            Self::RunFinished { output, stopped: false } => write!(f, "run finished: {output:?}"),
            Self::RunFinished { output, stopped: true } => write!(f, "run stopped: {output:?}"),
            Self::RunFailed { error } => write!(f, "run failed: {error}"),
            Self::RunCancelled => f.write_str("run cancelled"),
        }
    }
}

impl fmt::Display for ScheduledKickoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Printable::line(f), "`{}` ({})", self.worker, self.cause)
    }
}

impl fmt::Display for WorkerOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Printable::line(f), "`{}`: {:?}", self.worker, self.output)
    }
}

/// A list with commas.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, thing) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            thing.fmt(f)?;
        }
        Ok(())
    }
}

/// A value without a JSON form must not keep the rest of the event from being serialised.
fn as_json_or_text<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    match value.to_json() {
        Ok(json) => json.serialize(serializer),
        Err(_) => serializer.collect_str(&format_args!("{value:?}")),
    }
}
