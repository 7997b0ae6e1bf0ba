//! Why there is no child, or no result of it.

use std::time::Duration;

/// Why a child agent was not begun, or gave nothing.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubTurnError {
    /// There is no turn of an agent around the worker, or it is over.
    #[error(
        "a child agent belongs to the turn of an agent, and there is none here, or it is over: begin \
         it from a tool or worker of an agent's run"
    )]
    OutsideTurn,
    /// The turn is too deep down.
    #[error("a turn at depth {depth} cannot have child agents: {max} is the deepest; do it here")]
    DepthLimit {
        /// Its depth; the root is at 0.
        depth: u32,
        /// The deepest.
        max: u32,
    },
    /// What the child is to be given is not there.
    #[error("the child agent cannot be begun: {why}")]
    InvalidConfig {
        /// What is wrong, and what would be right.
        why: String,
    },
    /// No other child has ended in time.
    #[error(
        "all {slots} child agents of this turn were busy for {waited:?}: wait for one, or stop one"
    )]
    SlotTimeout {
        /// How many there are at a time, all taken.
        slots: usize,
        /// How long it was waited.
        waited: Duration,
    },
    /// The turn, or the child, was stopped.
    #[error("the child agent was stopped")]
    Cancelled,
    /// The child did not end in its time.
    #[error("the child agent did not end within {after:?}")]
    TimedOut {
        /// Its time.
        after: Duration,
    },
    /// The child panicked.
    #[error("the child agent panicked: {message}")]
    Panicked {
        /// With what.
        message: String,
    },
    /// The child failed.
    #[error("the child agent failed: {why}")]
    Failed {
        /// Why.
        why: String,
    },
    /// There is no such child of this turn.
    #[error("this turn has no child agent `{id}`{}", of_children(.known))]
    Unknown {
        /// The id.
        id: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

/// `; its children are: …`
fn of_children(ids: &[String]) -> String {
    match ids {
        [] => ": it has none".to_owned(),
        ids => format!(": its children are {}", ids.join(", ")),
    }
}

ddg_core::__report::debug_is_display!(SubTurnError);
