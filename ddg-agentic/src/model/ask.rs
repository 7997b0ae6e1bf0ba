//! Asking a model from inside a worker.

use ddg_core::Context;
use serde::{Deserialize, Serialize};

use super::{ChatModel, ChatReply, ChatRequest, ModelError, Usage};

/// A model has replied: what workers that ask one [post](Context::post) to the program around
/// the run, whatever becomes of the worker. A [`UsageMeter`](super::UsageMeter) adds these up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelCalled {
    /// The model's name; of several that stand in for each other, the one that replied.
    pub model: String,
    /// What it took.
    pub usage: Usage,
}

impl ModelCalled {
    /// That `model` has replied, which took so much.
    pub fn new(model: impl Into<String>, usage: Usage) -> Self {
        Self { model: model.into(), usage }
    }
}

/// Asks `model`, shows each piece of its reply to who watches the run, and posts what it took.
///
/// # Errors
/// The model's.
///
/// # Cancel safety
/// Dropping the future gives the request up; nothing is posted then.
pub(crate) async fn ask<M: ChatModel + ?Sized>(
    model: &M,
    request: ChatRequest,
    cx: &Context,
) -> Result<ChatReply, ModelError> {
    let stream = model.stream(request).await?;
    let reply = stream.reply(|chunk| cx.emit_chunk(chunk.clone())).await?;
    let name = reply.model.clone().unwrap_or_else(|| model.name().to_owned());
    cx.post(ModelCalled { model: name, usage: reply.usage });
    Ok(reply)
}
