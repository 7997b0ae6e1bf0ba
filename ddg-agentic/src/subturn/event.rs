//! Events of child agents.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ChildResult, ChildStatus, OrphanReason, SubTurn};
use crate::model::Usage;

/// An event of a child or of a turn.
///
/// The events of a child come in this order: [`Spawned`](Self::Spawned), at most one of
/// [`Delivered`](Self::Delivered) and [`Orphaned`](Self::Orphaned), and [`Ended`](Self::Ended)
/// exactly once. A delivered result that the parent has not read by its end is reported as orphaned
/// after that.
///
/// [`SubTurns::on_event`](super::SubTurns::on_event) receives all events. Subscribers to the
/// parent's run receive those of a child as `subturn`, from the worker with the id of the child,
/// while that run is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few, and programs match the configuration"
)]
pub enum SubTurnEvent {
    /// A child begins, or continues after a pause or in another process.
    Spawned {
        /// The id of the parent turn; `root` for the outermost turn.
        parent: String,
        /// The id of the child.
        child: String,
        /// The depth of the child. The root has depth 0.
        depth: u32,
        /// The configuration of the child.
        config: SubTurn,
    },
    /// The result of a child is in its parent's inbox.
    Delivered {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
        /// The result of the child.
        result: ChildResult,
    },
    /// The result of a child is not read.
    Orphaned {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
        /// The result of the child.
        result: ChildResult,
        /// The reason.
        reason: OrphanReason,
    },
    /// A child rests until the run of its parent is resumed, when it begins again: the child asks a
    /// person, or its parent's run pauses.
    Paused {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
        /// The ids of its questions to a person. Empty if it asks none itself.
        questions: Vec<String>,
    },
    /// A child has ended.
    Ended {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
        /// How the child ended.
        status: ChildStatus,
        /// The text of the child, or why there is none.
        result: String,
        /// The usage of models by the child.
        usage: Usage,
        /// How long the child took.
        duration: Duration,
    },
    /// A turn of an agent began.
    TurnStarted {
        /// The id of the turn; `root` for the outermost turn.
        turn: String,
        /// The depth of the turn.
        depth: u32,
    },
    /// A turn of an agent ended.
    TurnEnded {
        /// The id of the turn.
        turn: String,
        /// How the turn ended.
        status: TurnStatus,
        /// Number of requests to its model.
        turns: u32,
        /// How long the turn took.
        duration: Duration,
    },
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TurnStatus {
    /// The turn ended by itself.
    Finished,
    /// The run of the turn has paused for a person, or was stopped to be continued later.
    Paused,
    /// The turn was stopped, dropped, or failed.
    Aborted,
}

impl SubTurnEvent {
    /// The id of the child, for an event of a child.
    pub fn child(&self) -> Option<&str> {
        match self {
            Self::Spawned { child, .. }
            | Self::Delivered { child, .. }
            | Self::Orphaned { child, .. }
            | Self::Paused { child, .. }
            | Self::Ended { child, .. } => Some(child),
            Self::TurnStarted { .. } | Self::TurnEnded { .. } => None,
        }
    }
}
