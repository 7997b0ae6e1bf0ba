//! One scheduled execution of one worker.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::asks::Asks;
use super::interaction::{Again, Interrupted};
use crate::args::Args;
use crate::graph::{Spec, WorkerId};
use crate::key::Key;
use crate::values::Value;
use crate::worker::WorkerError;

/// A kickoff's number within its run, from 0, in the order they were scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KickoffId(pub(crate) u64);

/// One scheduled execution of one worker; see [`simulate`](crate::RunBuilder::simulate).
#[derive(Clone)]
pub struct Kickoff {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    pub(crate) spec: Arc<Spec>,
    pub(crate) cause: Cause,
    pub(crate) step: u64,
}

/// Why a worker runs.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::Cause;
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

impl Kickoff {
    /// Its number within the run.
    pub fn id(&self) -> KickoffId {
        self.id
    }

    /// The worker's key.
    pub fn key(&self) -> &Key {
        &self.spec.key
    }

    /// Why it runs.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The Dynamic Step in which it runs, from 1.
    pub fn step(&self) -> u64 {
        self.step
    }
}

impl fmt::Debug for Kickoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in step {} ({})", self.key(), self.step, self.cause)
    }
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
pub(crate) struct Job {
    pub(crate) kickoff: Kickoff,
    pub(crate) args: Args,
    /// What it goes on with, if it was interrupted.
    pub(crate) again: Option<Box<Again>>,
}

/// A kickoff that has ended.
pub(crate) struct Ended {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    pub(crate) end: End,
}

/// How a kickoff ended: with an output and what the worker asked for, or not well.
pub(crate) type End = Result<(Value, Asks), Undone>;

/// How a kickoff ended that gave nothing.
pub(crate) enum Undone {
    Failed(WorkerError),
    /// It has asked a question that nobody has answered.
    Interrupted(Box<Interrupted<WorkerId>>),
}
