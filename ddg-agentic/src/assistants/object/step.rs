//! Steps of runs.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{LastError, Metadata, Usage};

/// A step of a run: a message, or tool calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunStep {
    /// The id, `step_…`.
    pub id: String,
    /// Always `thread.run.step`.
    pub object: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
    /// The run.
    pub run_id: String,
    /// The assistant.
    pub assistant_id: String,
    /// The thread.
    pub thread_id: String,
    /// `message_creation` or `tool_calls`.
    pub r#type: String,
    /// The state.
    pub status: StepStatus,
    /// When it was cancelled.
    pub cancelled_at: Option<i64>,
    /// When it was completed.
    pub completed_at: Option<i64>,
    /// When it expired.
    pub expired_at: Option<i64>,
    /// When it failed.
    pub failed_at: Option<i64>,
    /// Why it has failed.
    pub last_error: Option<LastError>,
    /// The message or the calls.
    pub step_details: StepDetails,
    /// The usage of the model call, once the step has ended.
    pub usage: Option<Usage>,
    /// Pairs; there are none.
    pub metadata: Metadata,
}

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepStatus {
    /// Under way.
    InProgress,
    /// Ended well.
    Completed,
    /// Failed.
    Failed,
    /// Cancelled.
    Cancelled,
    /// Not done in time.
    Expired,
}

/// The message or the calls of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Json", try_from = "Json")]
#[non_exhaustive]
pub enum StepDetails {
    /// A message.
    MessageCreation {
        /// Its id.
        message_id: String,
    },
    /// Tool calls.
    ToolCalls {
        /// The calls, in the order in which the model asked for them.
        tool_calls: Vec<StepCall>,
    },
}

/// A tool call of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepCall {
    /// The id, `call_…`.
    pub id: String,
    /// Always `function`, also for tools of the server.
    pub r#type: String,
    /// The function.
    pub function: FunctionCall,
}

/// The function of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionCall {
    /// The name.
    pub name: String,
    /// The arguments, as the model wrote them.
    pub arguments: String,
    /// The output. Not shown in a required action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

impl StepCall {
    pub(in crate::assistants) fn new(id: &str, name: &str, arguments: &str) -> Self {
        let function =
            FunctionCall { name: name.to_owned(), arguments: arguments.to_owned(), output: None };
        Self { id: id.to_owned(), r#type: "function".to_owned(), function }
    }
}

impl StepDetails {
    /// The calls; empty for a message.
    pub fn tool_calls(&self) -> &[StepCall] {
        match self {
            Self::MessageCreation { .. } => &[],
            Self::ToolCalls { tool_calls } => tool_calls,
        }
    }
}

impl From<StepDetails> for Json {
    fn from(details: StepDetails) -> Self {
        match details {
            StepDetails::MessageCreation { message_id } => json!({
                "type": "message_creation",
                "message_creation": { "message_id": message_id },
            }),
            StepDetails::ToolCalls { tool_calls } => {
                // The client's type of a call has the output, also while there is none.
                let calls: Vec<_> = tool_calls.iter().map(StepCall::with_output).collect();
                json!({ "type": "tool_calls", "tool_calls": calls })
            }
        }
    }
}

impl StepCall {
    fn with_output(&self) -> Json {
        let FunctionCall { name, arguments, output } = &self.function;
        json!({
            "id": self.id,
            "type": self.r#type,
            "function": { "name": name, "arguments": arguments, "output": output },
        })
    }
}

impl TryFrom<Json> for StepDetails {
    type Error = String;

    fn try_from(mut json: Json) -> Result<Self, String> {
        match json["type"].as_str() {
            Some("message_creation") => {
                let id = json["message_creation"]["message_id"].as_str().unwrap_or_default();
                Ok(Self::MessageCreation { message_id: id.to_owned() })
            }
            Some("tool_calls") => {
                let calls = serde_json::from_value(json["tool_calls"].take());
                Ok(Self::ToolCalls { tool_calls: calls.map_err(|error| error.to_string())? })
            }
            _ => Err("the details of a step have a `type`".to_owned()),
        }
    }
}
