//! What happens to children, told while it happens.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ChildResult, ChildStatus, OrphanReason, SubTurn};
use crate::model::Usage;

/// What happened to a child. Of each child in this order: [`Spawned`](Self::Spawned), at most one of
/// [`Delivered`](Self::Delivered) and [`Orphaned`](Self::Orphaned), [`Ended`](Self::Ended), exactly once; what
/// was delivered and is not read by the parent's end is told as orphaned after that.
///
/// [`SubTurns::on_event`](super::SubTurns::on_event) hears them all; who watches the parent's run gets them
/// as `subturn`, told about the worker that has the child's id, as long as that run goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubTurnEvent {
    /// A child begins, or goes on in another process.
    Spawned {
        /// The id of the turn that begins it; `root` of the outermost.
        parent: String,
        /// Its id.
        child: String,
        /// Its depth; the root is at 0.
        depth: u32,
        /// What it is given.
        config: SubTurn,
    },
    /// Its result is in its parent's inbox.
    Delivered {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
        /// What it gave.
        result: ChildResult,
    },
    /// Nobody reads its result.
    Orphaned {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
        /// What it gave.
        result: ChildResult,
        /// Why not.
        reason: OrphanReason,
    },
    /// It has ended.
    Ended {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
        /// How.
        status: ChildStatus,
        /// What it said, or why there is nothing.
        result: String,
        /// What it took of models.
        usage: Usage,
        /// How long it took.
        duration: Duration,
    },
    /// A turn of an agent began.
    TurnStarted {
        /// Its id; `root` of the outermost.
        turn: String,
        /// Its depth.
        depth: u32,
    },
    /// A turn of an agent ended, however it did.
    TurnEnded {
        /// Its id.
        turn: String,
        /// How.
        status: TurnStatus,
        /// How often its model was asked.
        turns: u32,
        /// How long it took.
        duration: Duration,
    },
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TurnStatus {
    /// By itself.
    Finished,
    /// It was stopped, dropped, or failed.
    Aborted,
}

impl SubTurnEvent {
    /// The child that it is about, if it is about one.
    pub fn child(&self) -> Option<&str> {
        match self {
            Self::Spawned { child, .. }
            | Self::Delivered { child, .. }
            | Self::Orphaned { child, .. }
            | Self::Ended { child, .. } => Some(child),
            Self::TurnStarted { .. } | Self::TurnEnded { .. } => None,
        }
    }
}
