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
    /// Why a person is asked, if a [hook](crate::hook::BeforeTool::Ask) asks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Approval {
    /// Creates the question whether `tool` may be called with `arguments`.
    pub fn new(tool: impl Into<String>, arguments: Json) -> Self {
        Self { tool: tool.into(), arguments, reason: String::new() }
    }
}

/// The answer of a person to an [`Approval`].
///
/// As JSON: `"allow"`, `"always"`, `{"deny": {"reason": "too expensive"}}` or
/// `{"allow_with": {"arguments": {"amount": 20}}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Call the tool.
    Allow,
    /// Call the tool, and do not ask again: neither in this run nor in later runs of its
    /// conversation. It covers the calls of this tool of this agent or, if a hook asks by
    /// [category](crate::hook::Approve::category), all calls for which it asks so.
    Always,
    /// Do not call the tool, and tell the model why.
    Deny {
        /// The reason.
        reason: String,
    },
    /// Call the tool with other arguments, which are checked as well, also by hooks. The model sees
    /// them only in the result.
    AllowWith {
        /// The arguments.
        arguments: Json,
    },
}
