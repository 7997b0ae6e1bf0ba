//! The spans, and what is recorded in them.

use serde_json::{Value as Json, json};
use tracing::field::{Empty, display};
use tracing::{Span, info_span};

use super::TARGET;
use super::names::{
    AGENT_NAME, CHAT, CONVERSATION_ID, ERROR_TYPE, EXECUTE_TOOL, INPUT_MESSAGES, INVOKE_AGENT,
    OPERATION_NAME, OUTPUT_MESSAGES, OUTPUT_TYPE, PROVIDER_NAME, REQUEST_MAX_TOKENS, REQUEST_MODEL,
    REQUEST_SEED, REQUEST_STOP_SEQUENCES, REQUEST_STREAM, REQUEST_TEMPERATURE, REQUEST_TOP_P,
    RESPONSE_FINISH_REASONS, RESPONSE_MODEL, SYSTEM_INSTRUCTIONS, TOOL_CALL_ARGUMENTS,
    TOOL_CALL_ID, TOOL_CALL_RESULT, TOOL_DESCRIPTION, TOOL_NAME, TOOL_TYPE, USAGE_CACHE_READ,
    USAGE_INPUT_TOKENS, USAGE_OUTPUT_TOKENS,
};
use crate::message::{ContentPart, Message, ToolCall};
use crate::model::{ChatModel, ChatReply, ChatRequest, FinishReason, Usage};
use crate::tool::ToolSpec;

/// The span of a run of an agent.
#[derive(Debug)]
pub(crate) struct AgentSpan(Span);

/// The span of a request to a model.
#[derive(Debug)]
pub(crate) struct ModelSpan {
    span: Span,
    records_content: bool,
}

/// The span of a tool call.
#[derive(Debug)]
pub(crate) struct ToolSpan {
    span: Span,
    records_content: bool,
}

/// What is recorded after a failure.
fn fail(span: &Span, kind: &str, message: &dyn std::fmt::Display) {
    span.record(ERROR_TYPE, kind);
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", display(message));
}

impl AgentSpan {
    pub(crate) fn new(parent: &Span, agent: &str, model: &dyn ChatModel) -> Self {
        Self(info_span!(
            target: TARGET,
            parent: parent,
            INVOKE_AGENT,
            otel.name = %format_args!("{INVOKE_AGENT} {agent}"),
            otel.kind = "internal",
            { OPERATION_NAME } = INVOKE_AGENT,
            { PROVIDER_NAME } = model.provider(),
            { AGENT_NAME } = agent,
            { REQUEST_MODEL } = model.name(),
            { CONVERSATION_ID } = Empty,
            { USAGE_INPUT_TOKENS } = Empty,
            { USAGE_OUTPUT_TOKENS } = Empty,
            { USAGE_CACHE_READ } = Empty,
            { ERROR_TYPE } = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
        ))
    }

    pub(crate) fn span(&self) -> &Span {
        &self.0
    }

    pub(crate) fn conversation(&self, id: &str) {
        self.0.record(CONVERSATION_ID, id);
    }

    pub(crate) fn usage(&self, usage: Usage) {
        record_usage(&self.0, usage);
    }

    pub(crate) fn failed(&self, kind: &str, error: &str) {
        fail(&self.0, kind, &error);
    }
}

impl ModelSpan {
    /// The span of a request to `model` in the span `parent`, or in the current one.
    pub(crate) fn new(
        parent: Option<&Span>,
        model: &dyn ChatModel,
        request: &ChatRequest,
        conversation: Option<&str>,
        records_content: bool,
    ) -> Self {
        let parent = parent.cloned().unwrap_or_else(Span::current);
        let stop = (!request.stop.is_empty()).then(|| json!(request.stop).to_string());
        let output = if request.output_schema.is_some() { Some("json") } else { None };
        let span = info_span!(
            target: TARGET,
            parent: &parent,
            CHAT,
            otel.name = %format_args!("{CHAT} {}", model.name()),
            otel.kind = "client",
            { OPERATION_NAME } = CHAT,
            { PROVIDER_NAME } = model.provider(),
            { REQUEST_MODEL } = model.name(),
            { REQUEST_STREAM } = true,
            { REQUEST_SEED } = request.seed,
            { REQUEST_MAX_TOKENS } = request.max_output_tokens,
            { REQUEST_TEMPERATURE } = request.temperature,
            { REQUEST_TOP_P } = request.top_p,
            { REQUEST_STOP_SEQUENCES } = stop,
            { OUTPUT_TYPE } = output,
            { CONVERSATION_ID } = conversation,
            { RESPONSE_MODEL } = Empty,
            { RESPONSE_FINISH_REASONS } = Empty,
            { USAGE_INPUT_TOKENS } = Empty,
            { USAGE_OUTPUT_TOKENS } = Empty,
            { USAGE_CACHE_READ } = Empty,
            { INPUT_MESSAGES } = Empty,
            { OUTPUT_MESSAGES } = Empty,
            { SYSTEM_INSTRUCTIONS } = Empty,
            { ERROR_TYPE } = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
        );
        let records_content = records_content && !span.is_disabled();
        if records_content {
            let (system, said): (Vec<_>, Vec<_>) =
                request.messages.iter().partition(|message| message.is_system());
            let said: Vec<_> = said.into_iter().map(told).collect();
            span.record(INPUT_MESSAGES, Json::from(said).to_string());
            let system = system.iter().map(|message| text(&message.text()));
            let system: Vec<_> = system.collect();
            if !system.is_empty() {
                span.record(SYSTEM_INSTRUCTIONS, Json::from(system).to_string());
            }
        }
        Self { span, records_content }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn ended(&self, model: &str, reply: &ChatReply) {
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        let finish = reason(&reply.finish);
        span.record(RESPONSE_MODEL, model);
        span.record(RESPONSE_FINISH_REASONS, json!([finish]).to_string());
        record_usage(span, reply.usage);
        if self.records_content {
            let mut said = told(&Message::Assistant(reply.message.clone()));
            said["finish_reason"] = finish.into();
            span.record(OUTPUT_MESSAGES, json!([said]).to_string());
        }
    }

    pub(crate) fn failed(&self, kind: &str, error: &str) {
        fail(&self.span, kind, &error);
    }
}

impl ToolSpan {
    /// The span of a call of a tool in the span `parent`, or in the current one.
    pub(crate) fn new(
        parent: Option<&Span>,
        tool: &ToolSpec,
        call: &ToolCall,
        arguments: &Json,
        records_content: bool,
    ) -> Self {
        let parent = parent.cloned().unwrap_or_else(Span::current);
        let span = info_span!(
            target: TARGET,
            parent: &parent,
            EXECUTE_TOOL,
            otel.name = %format_args!("{EXECUTE_TOOL} {}", tool.name),
            otel.kind = "internal",
            { OPERATION_NAME } = EXECUTE_TOOL,
            { TOOL_NAME } = tool.name,
            { TOOL_DESCRIPTION } = tool.description,
            { TOOL_TYPE } = "function",
            { TOOL_CALL_ID } = Some(call.id.as_str()).filter(|id| !id.is_empty()),
            { TOOL_CALL_ARGUMENTS } = Empty,
            { TOOL_CALL_RESULT } = Empty,
            { ERROR_TYPE } = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
        );
        let records_content = records_content && !span.is_disabled();
        if records_content {
            span.record(TOOL_CALL_ARGUMENTS, arguments.to_string());
        }
        Self { span, records_content }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn ended(&self, result: &str) {
        if self.records_content {
            self.span.record(TOOL_CALL_RESULT, result);
        }
    }

    /// Records a failure. Its message can be what a tool says, so it is content.
    pub(crate) fn failed(&self, kind: &str, error: &str) {
        let told: &dyn std::fmt::Display = if self.records_content { &error } else { &kind };
        fail(&self.span, kind, told);
    }
}

fn record_usage(span: &Span, usage: Usage) {
    span.record(USAGE_INPUT_TOKENS, usage.input_tokens);
    span.record(USAGE_OUTPUT_TOKENS, usage.output_tokens);
    if usage.cached_input_tokens > 0 {
        span.record(USAGE_CACHE_READ, usage.cached_input_tokens);
    }
}

/// The word of the conventions for a reason.
fn reason(finish: &FinishReason) -> &str {
    match finish {
        FinishReason::Stop => "stop",
        FinishReason::ToolCalls => "tool_call",
        FinishReason::Length => "length",
        FinishReason::ContentFilter | FinishReason::Refusal => "content_filter",
        FinishReason::MalformedCall => "error",
        FinishReason::Other(word) => word,
    }
}

/// A message as the conventions write it.
fn told(message: &Message) -> Json {
    let (role, parts) = match message {
        Message::System { text: said } => ("system", vec![text(said)]),
        Message::User { content } => {
            let part = |part: &ContentPart| match part {
                ContentPart::Text { text: said } => text(said),
                ContentPart::Image { .. } => json!({ "type": "image" }),
                ContentPart::Document { .. } => json!({ "type": "document" }),
                ContentPart::Audio { .. } => json!({ "type": "audio" }),
            };
            ("user", content.iter().map(part).collect())
        }
        Message::Assistant(said) => {
            let own = Some(&said.text).filter(|said| !said.is_empty());
            let calls = said.tool_calls.iter().map(|call| {
                json!({
                    "type": "tool_call", "id": call.id, "name": call.name,
                    "arguments": call.arguments.to_text(),
                })
            });
            ("assistant", own.map(|said| text(said)).into_iter().chain(calls).collect())
        }
        Message::Tool(result) => {
            let part = json!({
                "type": "tool_call_response", "id": result.call_id, "response": result.content,
            });
            ("tool", vec![part])
        }
    };
    json!({ "role": role, "parts": parts })
}

fn text(text: &str) -> Json {
    json!({ "type": "text", "content": text })
}
