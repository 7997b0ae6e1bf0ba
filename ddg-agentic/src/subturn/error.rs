//! Errors of child agents.

use ddg_core::__report::{shown, shown_lines};
use std::time::Duration;

/// Why a child agent did not begin, or gave no result.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubTurnError {
    /// The worker is not in a turn of an agent, or the turn is over.
    #[error(
        "a child agent belongs to the turn of an agent, and there is none here, or it is over: begin \
         it from a tool or worker of an agent's run"
    )]
    OutsideTurn,
    /// The turn is at the maximum depth, so it has no children.
    #[error("a turn at depth {depth} cannot have child agents: {max} is the deepest; do it here")]
    DepthLimit {
        /// The depth of the turn. The root has depth 0.
        depth: u32,
        /// The maximum depth.
        max: u32,
    },
    /// The configuration of the child is invalid.
    #[error("the child agent cannot be begun: {why}", why = shown_lines(.why))]
    InvalidConfig {
        /// What is wrong, and what would be valid.
        why: String,
    },
    /// All slots were taken, and no child ended in time.
    #[error(
        "all {slots} child agents of this turn were busy for {waited:?}: wait for one, or stop one"
    )]
    SlotTimeout {
        /// The number of slots.
        slots: usize,
        /// How long the caller has waited.
        waited: Duration,
    },
    /// The turn or the child was stopped.
    #[error("the child agent was stopped")]
    Cancelled,
    /// The child did not end within its timeout.
    #[error("the child agent did not end within {after:?}")]
    TimedOut {
        /// The timeout.
        after: Duration,
    },
    /// The child panicked.
    #[error("the child agent panicked: {message}", message = shown_lines(.message))]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The child failed.
    #[error("the child agent failed: {why}", why = shown_lines(.why))]
    Failed {
        /// The cause.
        why: String,
    },
    /// The child asks a person. Pass the error on with `?`: the run pauses for the question, and
    /// the worker runs again when the child can continue.
    #[error(
        "the child agent `{id}` asks a person: pass this on with `?`, so that the run pauses",
        id = shown(.id)
    )]
    Waiting {
        /// The id of the child.
        id: String,
    },
    /// The turn has no child with this id.
    #[error("this turn has no child agent `{id}`{}", shown(&of_children(.known)), id = shown(.id))]
    Unknown {
        /// The id.
        id: String,
        /// The ids of the turn's children.
        known: Vec<String>,
    },
}

/// Formats the end of a message: its children are …
fn of_children(ids: &[String]) -> String {
    match ids {
        [] => ": it has none".to_owned(),
        ids => format!(": its children are {}", ids.join(", ")),
    }
}

ddg_core::__report::debug_is_display!(SubTurnError);
