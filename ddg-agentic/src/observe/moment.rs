//! What observers are told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ddg_core::run::RunEnd;
use serde_json::Value as Json;

use crate::message::ToolMessage;
use crate::model::{ChatReply, ChatRequest};

/// A moment in a run of an agent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Moment {
    /// The names of the agents from the outermost one to the one that acts, as `planner/librarian`.
    pub agent: String,
    /// The path of the run inside the outermost run; empty for that run itself.
    pub run: String,
    /// The id of the conversation, if the run belongs to one and has begun.
    pub conversation: Option<String>,
    /// What happens.
    pub kind: MomentKind,
}

/// What happens at a moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MomentKind {
    /// A run starts, or is resumed.
    RunStarted,
    /// A run has finished, was stopped, or pauses.
    RunEnded {
        /// How.
        end: RunEnd,
    },
    /// A run has failed, or was cancelled or dropped.
    RunFailed {
        /// How.
        end: RunEnd,
    },
    /// A model is asked.
    ModelStarted {
        /// The name of the model.
        model: String,
        /// The request.
        request: Arc<ChatRequest>,
    },
    /// A model has replied. Hooks have not decided about the reply yet.
    ModelEnded {
        /// The name of the model that replied.
        model: String,
        /// The reply.
        reply: Arc<ChatReply>,
    },
    /// A model has given no reply.
    ModelFailed {
        /// The name of the model.
        model: String,
        /// Why.
        error: String,
    },
    /// A tool is called.
    ToolStarted {
        /// The name of the tool.
        tool: String,
        /// The id of the call; empty if no model has made it.
        call_id: String,
        /// The arguments.
        arguments: Json,
    },
    /// A tool has given a result. Hooks have decided about it.
    ToolEnded {
        /// The name of the tool.
        tool: String,
        /// The id of the call.
        call_id: String,
        /// The result.
        result: Arc<ToolMessage>,
    },
    /// A tool has given no result.
    ToolFailed {
        /// The name of the tool.
        tool: String,
        /// The id of the call.
        call_id: String,
        /// Why.
        error: String,
    },
}

impl Moment {
    /// The longest time that an observer has for a moment.
    pub const LONGEST: Duration = Duration::from_secs(30);
}

impl MomentKind {
    /// Whether it is about the run as a whole.
    pub(super) fn is_of_run(&self) -> bool {
        matches!(self, Self::RunStarted | Self::RunEnded { .. } | Self::RunFailed { .. })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.agent)?;
        match &self.kind {
            MomentKind::RunStarted => f.write_str("run started"),
            MomentKind::RunEnded { end } => write!(f, "run {end}"),
            MomentKind::RunFailed { end } => write!(f, "run failed: {end}"),
            MomentKind::ModelStarted { model, .. } => write!(f, "model {model} started"),
            MomentKind::ModelEnded { model, .. } => write!(f, "model {model} ended"),
            MomentKind::ModelFailed { model, error } => write!(f, "model {model} failed: {error}"),
            MomentKind::ToolStarted { tool, .. } => write!(f, "tool {tool} started"),
            MomentKind::ToolEnded { tool, .. } => write!(f, "tool {tool} ended"),
            MomentKind::ToolFailed { tool, error, .. } => write!(f, "tool {tool} failed: {error}"),
        }
    }
}
