//! Approval of tool calls by a person.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The question whether a tool may be called. The answer is a [`Verdict`].
///
/// It is the content of a [`Question`](ddg_core::run::Question) of a paused run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approval {
    /// The tool.
    pub tool: String,
    /// The arguments, which have been checked.
    pub arguments: Json,
}

impl Approval {
    /// Creates the question whether `tool` may be called with `arguments`.
    pub fn new(tool: impl Into<String>, arguments: Json) -> Self {
        Self { tool: tool.into(), arguments }
    }
}

/// The answer of a person to an [`Approval`].
///
/// As JSON: `"allow"`, `{"deny": {"reason": "too expensive"}}` or
/// `{"allow_with": {"arguments": {"amount": 20}}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Call the tool.
    Allow,
    /// Do not call the tool, and tell the model why.
    Deny {
        /// The reason.
        reason: String,
    },
    /// Call the tool with other arguments, which are checked as well. The model sees them only in
    /// the result.
    AllowWith {
        /// The arguments.
        arguments: Json,
    },
}
