//! The pace of a run: when a step settles.

use serde::{Deserialize, Serialize};

/// When a run settles the results of its workers. See [`set_pace`](crate::GraphAutoma::set_pace).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pace {
    /// When all workers of a step have ended. Which worker runs in which step depends on the graph
    /// and the workers only.
    #[default]
    Lockstep,
    /// When any worker has ended, so that a slow worker delays only its successors. Each settling
    /// follows the same rules, but which workers settle together depends on timing.
    Rolling,
}
