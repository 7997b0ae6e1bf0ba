//! Converts replies of rig.

use rig_core::completion::{
    AssistantContent, CompletionResponse, FinishReason as RigFinish, Usage as RigUsage,
};
use rig_core::message::{Reasoning as RigReasoning, ToolCall as RigCall};
use serde_json::Value as Json;

use super::call_ids::CallIds;
use super::signature::{Signatures, Signed};
use crate::message::{AssistantMessage, Reasoning, ToolArguments, ToolCall};
use crate::model::{ChatReply, FinishReason, Usage};

/// Converts a whole reply of `model`.
pub(super) fn reply(response: CompletionResponse, model: &str, ids: &mut CallIds) -> ChatReply {
    let (finish, usage) = (finish(&response), usage(&response.usage));
    let mut message = AssistantMessage::default();
    let mut signatures = Signatures::default();
    for content in response.choice {
        let id = match &content {
            AssistantContent::ToolCall(call) => ids.id(&call.id, message.tool_calls.len()),
            _ => String::new(),
        };
        let signed = signed(&content, &id);
        let signature = signed.and_then(|signed| signatures.of(&content, signed, model));
        message.reasoning.extend(signature);
        match content {
            AssistantContent::Text(text) => message.text.push_str(&text.text),
            AssistantContent::ToolCall(call) => message.tool_calls.push(tool_call(call, id)),
            AssistantContent::Reasoning(thought) => {
                message.reasoning.push(reasoning(thought, model));
            }
            _ => {}
        }
    }
    ChatReply::new(message).finish(finish).usage(usage)
}

/// What a provider may have signed: a text, or a call that has got `id`.
pub(super) fn signed(content: &AssistantContent, id: &str) -> Option<Signed> {
    match content {
        AssistantContent::Text(text) => Some(Signed::Text(text.text.len())),
        AssistantContent::ToolCall(_) => Some(Signed::Call(id.to_owned())),
        _ => None,
    }
}

/// What `model` has thought, with what only its provider can read.
pub(super) fn reasoning(thought: RigReasoning, model: &str) -> Reasoning {
    let opaque = match thought.native.is_some() || thought.redacted {
        true => serde_json::to_value(&thought).ok(),
        false => None,
    };
    let mut reasoning = Reasoning::new(thought.text);
    (reasoning.model, reasoning.opaque) = (model.to_owned(), opaque);
    reasoning
}

fn tool_call(call: RigCall, id: String) -> ToolCall {
    let arguments = match call.function.invalid_arguments {
        None => Json::Object(call.function.arguments).into(),
        Some(text) => ToolArguments::parse(&text),
    };
    ToolCall { id, name: call.function.name.into(), arguments }
}

pub(super) fn finish(response: &CompletionResponse) -> FinishReason {
    match response.finish_reason() {
        None if response.tool_calls().next().is_some() => FinishReason::ToolCalls,
        None | Some(RigFinish::Stop) => FinishReason::Stop,
        Some(RigFinish::ToolCalls) => FinishReason::ToolCalls,
        Some(RigFinish::Length) => FinishReason::Length,
        Some(RigFinish::ContentFilter) => FinishReason::ContentFilter,
        Some(RigFinish::Other(reason)) => named(reason),
        Some(other) => FinishReason::Other(format!("{other:?}")),
    }
}

/// A reason that the library has no name for, by the words of the providers.
fn named(reason: String) -> FinishReason {
    match reason.to_ascii_lowercase().as_str() {
        "refusal" => FinishReason::Refusal,
        "malformed_function_call" | "unexpected_tool_call" => FinishReason::MalformedCall,
        "safety" | "recitation" | "blocklist" | "prohibited_content" | "spii" | "image_safety" => {
            FinishReason::ContentFilter
        }
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        _ => FinishReason::Other(reason),
    }
}

pub(super) fn usage(usage: &RigUsage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens.unwrap_or_default(),
        cached_input_tokens: usage.cached_input_tokens.unwrap_or_default(),
        output_tokens: usage.output_tokens.unwrap_or_default(),
    }
}
