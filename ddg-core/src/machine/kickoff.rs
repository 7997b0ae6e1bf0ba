//! Kickoffs: scheduled executions of workers, their causes and their ends.

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

/// The number of a kickoff in its run, counted from 0 in the order of scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KickoffId(pub(crate) u64);

/// The cause of a kickoff.
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
    /// The worker is a start worker, and the run has begun.
    Start,
    /// Another worker ferried to it.
    Ferry {
        /// The worker that ferried.
        by: Key,
    },
    /// All of its dependencies have run.
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

/// A kickoff with everything that is needed to run it.
pub(crate) struct Job<P: Hosts> {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    /// The step that it belongs to, counted from 1.
    pub(crate) step: u64,
    /// The payload of the worker; `None` if it is that of the declared graph.
    pub(crate) payload: Option<P>,
    pub(crate) cause: Cause,
    pub(crate) args: Args,
    /// Where the execution puts its effects: empty, but possibly with memory to reuse.
    pub(crate) effects: Effects<P>,
    /// The rest of the interrupted execution that this one repeats, if there is one.
    pub(crate) replay: Option<Box<Replay<P::Paused>>>,
}

/// A kickoff that has ended.
pub(crate) struct Ended<P: Hosts> {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    pub(crate) end: ExecutionEnd<P>,
}

/// The end of a kickoff: its output and effects, or the reason why there are none.
pub(crate) type ExecutionEnd<P> = Result<(Value, Effects<P>), Undone<P>>;

/// The end of a kickoff without an output.
pub(crate) enum Undone<P: Hosts> {
    Failed(WorkerError),
    /// Interrupted by a question without an answer.
    Interrupted(Box<Interrupted<WorkerId, P::Paused>>),
}
