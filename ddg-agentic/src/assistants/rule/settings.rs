//! The settings of a run: what it was asked for, with what it takes from its assistant.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::MemoryRule;
use super::instructions::joined;
use crate::assistants::object::{Assistant, AssistantTool, Metadata, TruncationStrategy};
use crate::assistants::params::{ResponseParams, RunParams};

/// The surface through which a run is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::assistants) enum Surface {
    /// Threads and runs.
    Thread,
    /// Responses.
    Response,
}

/// The settings of a run. They do not change, apart from the metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::assistants) struct RunSettings {
    pub(in crate::assistants) surface: Surface,
    /// Empty for a response.
    pub(in crate::assistants) assistant_id: String,
    pub(in crate::assistants) model: String,
    pub(in crate::assistants) instructions: String,
    pub(in crate::assistants) tools: Vec<AssistantTool>,
    pub(in crate::assistants) tool_choice: Json,
    pub(in crate::assistants) parallel_tool_calls: bool,
    pub(in crate::assistants) response_format: Json,
    pub(in crate::assistants) temperature: Option<f64>,
    pub(in crate::assistants) top_p: Option<f64>,
    pub(in crate::assistants) max_prompt_tokens: Option<u64>,
    pub(in crate::assistants) max_completion_tokens: Option<u64>,
    pub(in crate::assistants) truncation: TruncationStrategy,
    pub(in crate::assistants) reasoning_effort: Option<String>,
    pub(in crate::assistants) extra_body: Map<String, Json>,
    pub(in crate::assistants) stream_options: Option<Json>,
    pub(in crate::assistants) metadata: Metadata,
    pub(in crate::assistants) memory: MemoryRule,
    /// What only responses have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::assistants) response: Option<ResponseSettings>,
}

/// What only responses have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::assistants) struct ResponseSettings {
    pub(in crate::assistants) previous_response_id: Option<String>,
    pub(in crate::assistants) conversation: Option<String>,
    pub(in crate::assistants) store: bool,
    pub(in crate::assistants) background: bool,
    pub(in crate::assistants) has_instructions: bool,
    pub(in crate::assistants) text: Option<Json>,
}

impl RunSettings {
    /// The settings of a run. What the request leaves out, the assistant has.
    pub(in crate::assistants) fn of_run(
        params: &RunParams,
        assistant: &Assistant,
        memory: MemoryRule,
    ) -> Self {
        let instructions = params.instructions.as_ref().or(assistant.instructions.as_ref());
        let instructions = instructions.map_or("", String::as_str);
        let additional = params.additional_instructions.as_deref().unwrap_or_default();
        let mut extra_body = assistant.extra_body.clone();
        extra_body.extend(params.extra_body.clone());
        Self {
            surface: Surface::Thread,
            assistant_id: assistant.id.clone(),
            model: params.model.clone().unwrap_or_else(|| assistant.model.clone()),
            instructions: joined([instructions, additional]),
            tools: params.tools.clone().unwrap_or_else(|| assistant.tools.clone()),
            tool_choice: params.tool_choice.clone().unwrap_or_else(|| "auto".into()),
            parallel_tool_calls: params.parallel_tool_calls.unwrap_or(true),
            response_format: params
                .response_format
                .clone()
                .unwrap_or_else(|| assistant.response_format.clone()),
            temperature: params.temperature.or(assistant.temperature),
            top_p: params.top_p.or(assistant.top_p),
            max_prompt_tokens: params.max_prompt_tokens,
            max_completion_tokens: params.max_completion_tokens,
            truncation: params.truncation_strategy.clone().unwrap_or_default(),
            reasoning_effort: params
                .reasoning_effort
                .clone()
                .or_else(|| assistant.reasoning_effort.clone()),
            extra_body,
            stream_options: params.stream_options.clone(),
            metadata: params.metadata.clone(),
            memory,
            response: None,
        }
    }

    /// The settings of a response with these tools.
    pub(in crate::assistants) fn of_response(
        params: &ResponseParams,
        model: String,
        tools: Vec<AssistantTool>,
    ) -> Self {
        let response = ResponseSettings {
            previous_response_id: params.previous_response_id.clone(),
            conversation: params.conversation.clone(),
            store: params.store,
            background: params.background,
            has_instructions: params.instructions.is_some(),
            text: params.text.clone(),
        };
        Self {
            surface: Surface::Response,
            assistant_id: String::new(),
            model,
            instructions: params.instructions.clone().unwrap_or_default(),
            tools,
            tool_choice: params.tool_choice.clone().unwrap_or_else(|| "auto".into()),
            parallel_tool_calls: params.parallel_tool_calls.unwrap_or(true),
            response_format: params.response_format.clone().unwrap_or_else(|| "auto".into()),
            temperature: params.temperature,
            top_p: params.top_p,
            max_prompt_tokens: None,
            max_completion_tokens: params.max_output_tokens,
            truncation: TruncationStrategy::default(),
            reasoning_effort: params.reasoning_effort.clone(),
            extra_body: Map::new(),
            stream_options: None,
            metadata: params.metadata.clone(),
            memory: MemoryRule::Naive,
            response: Some(response),
        }
    }

    /// Whether calls of this name are answered by the client.
    pub(in crate::assistants) fn is_external(&self, name: &str) -> bool {
        let is_it = |tool: &AssistantTool| match tool {
            AssistantTool::Function(function) => function.name == name,
            AssistantTool::Server(_) => false,
        };
        self.tools.iter().any(is_it)
    }
}
