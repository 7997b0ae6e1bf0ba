//! What a person is asked before a tool is called, and what they say.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The question to a person whether a tool may be called; the answer is a [`Verdict`].
///
/// It is the content of a [`Question`](ddg_core::run::Question) of a run that has paused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approval {
    /// The tool.
    pub tool: String,
    /// With what it would be called: these have been checked already.
    pub arguments: Json,
}

impl Approval {
    /// Whether `tool` may be called with `arguments`.
    pub fn new(tool: impl Into<String>, arguments: Json) -> Self {
        Self { tool: tool.into(), arguments }
    }
}

/// What a person says to the call of a tool.
///
/// As JSON: `"allow"`, `{"deny": {"reason": "too expensive"}}` or
/// `{"allow_with": {"arguments": {"amount": 20}}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It is called.
    Allow,
    /// It is not called, and the model is told why.
    Deny {
        /// Why not.
        reason: String,
    },
    /// It is called with other arguments, which are checked, too. The model learns of them only by
    /// what the tool gives.
    AllowWith {
        /// The arguments.
        arguments: Json,
    },
}
