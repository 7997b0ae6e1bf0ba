//! Calls of a model from a worker.

use ddg_core::Context;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use super::{ChatChunk, ChatModel, ChatReply, ChatRequest, ModelError, Usage};
use crate::message::AssistantMessage;
use crate::scope::ModelAct;

/// A message that a model has replied, which workers [post](Context::post) to the program around
/// the run, even if the worker fails later. A [`UsageMeter`](super::UsageMeter) adds them up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelCalled {
    /// The name of the model; of several models, the one that replied.
    pub model: String,
    /// The usage of the reply.
    pub usage: Usage,
}

impl ModelCalled {
    /// Creates the message that `model` has replied with this usage.
    pub fn new(model: impl Into<String>, usage: Usage) -> Self {
        Self { model: model.into(), usage }
    }
}

/// Asks `model` as [`ask`] does, and publishes no pieces.
///
/// # Errors
/// Those of the model.
///
/// # Cancel safety
/// As [`ask`].
pub(crate) async fn ask_silently<M: ChatModel>(
    model: &M,
    request: ChatRequest,
    cx: &Context,
) -> Result<ChatReply, ModelError> {
    ask_with(model, request, cx, |_| {}).await
}

/// Asks `model`, publishes each piece of its reply to the subscribers of the run, and posts its
/// usage.
///
/// # Errors
/// Those of the model.
///
/// # Cancel safety
/// Dropping the future cancels the request, and nothing is posted.
pub(crate) async fn ask<M: ChatModel>(
    model: &M,
    request: ChatRequest,
    cx: &Context,
) -> Result<ChatReply, ModelError> {
    ask_with(model, request, cx, |chunk| cx.emit_chunk(chunk.clone())).await
}

async fn ask_with<M: ChatModel>(
    model: &M,
    request: ChatRequest,
    cx: &Context,
    each: impl FnMut(&ChatChunk),
) -> Result<ChatReply, ModelError> {
    let act = ModelAct::new(model, &request, cx);
    let asked = async { model.stream(request).await?.reply(each).await };
    let reply = asked.instrument(act.span()).await;
    let reply = act.ended(reply)?;
    let name = reply.model.clone().unwrap_or_else(|| model.name().to_owned());
    cx.post(ModelCalled { model: name, usage: reply.usage });
    Ok(reply)
}

/// Publishes what is said in a reply whose pieces were held, and its end.
pub(crate) fn publish_whole(message: &AssistantMessage, reply: &ChatReply, cx: &Context) {
    for reasoning in message.reasoning.iter().filter(|reasoning| !reasoning.text.is_empty()) {
        cx.emit_chunk(ChatChunk::Thinking(reasoning.text.clone()));
    }
    if !message.text.is_empty() {
        cx.emit_chunk(ChatChunk::Text(message.text.clone()));
    }
    for (index, call) in message.tool_calls.iter().enumerate() {
        cx.emit_chunk(ChatChunk::ToolCall {
            index,
            id: Some(call.id.clone()),
            name: Some(call.name.clone()),
            arguments: call.arguments.to_text(),
        });
    }
    cx.emit_chunk(ChatChunk::End { finish: reply.finish.clone(), usage: reply.usage });
}
