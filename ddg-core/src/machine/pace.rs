//! When a step settles.

use serde::{Deserialize, Serialize};

/// When a run settles what its workers gave and asked for; see
/// [`set_pace`](crate::GraphAutoma::set_pace).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pace {
    /// When all workers of a step have ended. What runs in which step depends on the graph and the
    /// workers alone.
    #[default]
    Lockstep,
    /// When any worker has ended: a slow worker holds back only what depends on it. The same rules
    /// hold for each settling, but which workers settle together depends on how long they take.
    Rolling,
}
