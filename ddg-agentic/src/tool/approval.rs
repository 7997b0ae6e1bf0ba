//! What a person is asked before a tool is called, and what they say.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The question to a person whether a tool may be called; the answer is a [`Verdict`].
///
/// It is the content of a [`Question`](ddg_core::Question) of a run that has paused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// The tool.
    pub tool: String,
    /// With what it would be called: these have been checked already.
    pub arguments: Json,
}

/// What a person says to the call of a tool.
///
/// As JSON: `"allow"`, `{"deny": {"reason": "too expensive"}}` or
/// `{"allow_with": {"arguments": {"amount": 20}}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
