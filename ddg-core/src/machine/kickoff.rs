//! One scheduled execution of one worker: why, with what, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Hosts;
use super::effects::Effects;
use super::question::{Interrupted, Replay};
use crate::args::Args;
use crate::error::WorkerError;
use crate::graph::WorkerId;
use crate::key::Key;
use crate::values::Value;

/// A kickoff's number within its run, from 0, in the order they were scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KickoffId(pub(crate) u64);

/// Why a worker runs.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::run::Cause;
///
/// async fn greet(cx: Context) -> String {
///     match cx.cause() {
///         Cause::Ferry { by } => format!("{by} sent me"),
///         cause => cause.to_string(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// It is a start worker, and the run has begun.
    Start,
    /// Another worker ferried to it.
    Ferry {
        /// That worker.
        by: Key,
    },
    /// All workers that it depends on have run.
    Dependencies,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.pad("start"),
            Self::Ferry { by } => f.pad(&format!("ferry by `{by}`")),
            Self::Dependencies => f.pad("dependencies"),
        }
    }
}

/// A kickoff with all that is needed to run it.
pub(crate) struct Job<P: Hosts> {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    /// The step that it belongs to, from 1.
    pub(crate) step: u64,
    pub(crate) payload: P,
    pub(crate) cause: Cause,
    pub(crate) args: Args,
    /// Where it puts what it asks for: empty, with memory if there was some to use again.
    pub(crate) effects: Effects<P>,
    /// What the interrupted execution before this one left, if there was one.
    pub(crate) replay: Option<Box<Replay<P::Paused>>>,
}

/// A kickoff that has ended.
pub(crate) struct Ended<P: Hosts> {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    pub(crate) end: ExecutionEnd<P>,
}

/// How a kickoff ended: with an output and what the worker asked for, or without an output.
pub(crate) type ExecutionEnd<P> = Result<(Value, Effects<P>), Undone<P>>;

/// How a kickoff ended that gave no output.
pub(crate) enum Undone<P: Hosts> {
    Failed(WorkerError),
    /// It has asked a question that nobody has answered.
    Interrupted(Box<Interrupted<WorkerId, P::Paused>>),
}
