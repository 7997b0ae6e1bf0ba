//! Replies that come piece by piece.

use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{ChatReply, FinishReason, ModelError, Usage};
use crate::message::{AssistantMessage, Reasoning, ToolArguments, ToolCall};

/// A piece of a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatChunk {
    /// A part of the text.
    Text(String),
    /// A part of the text of the reasoning.
    Thinking(String),
    /// A complete block of reasoning: the text so far, and the data that the provider wants back.
    Reasoning(Reasoning),
    /// A part of a tool call.
    ToolCall {
        /// The index of the call in the reply, from 0.
        index: usize,
        /// The id of the call, if the piece has it.
        id: Option<String>,
        /// The name of the tool, if the piece has it.
        name: Option<String>,
        /// A part of the text of the arguments.
        arguments: String,
    },
    /// What came before is void: the stream broke, and the reply begins anew.
    Restart {
        /// Which of several models it comes from now.
        model: Option<String>,
    },
    /// The reply is whole.
    End {
        /// The reason why it ends.
        finish: FinishReason,
        /// The usage.
        usage: Usage,
    },
}

/// A reply that comes piece by piece. It ends with [`ChatChunk::End`]; a stream that ends without
/// it has broken off.
pub struct ChatStream {
    model: String,
    /// The name of the model, if it is one of several.
    one_of: Option<String>,
    chunks: Chunks,
}

type Chunks = BoxStream<'static, Result<ChatChunk, ModelError>>;

impl ChatStream {
    /// Creates a stream of the reply of the model `model`.
    pub fn new(
        model: impl Into<String>,
        chunks: impl Stream<Item = Result<ChatChunk, ModelError>> + Send + 'static,
    ) -> Self {
        Self { model: model.into(), one_of: None, chunks: chunks.boxed() }
    }

    /// Creates a stream from a complete reply.
    pub fn of_reply(reply: ChatReply) -> Self {
        let ChatReply { message, finish, usage, model } = reply;
        let AssistantMessage { text, tool_calls, reasoning } = message;
        let reasoning = reasoning.into_iter().map(ChatChunk::Reasoning);
        let text = (!text.is_empty()).then_some(ChatChunk::Text(text));
        let calls = tool_calls.into_iter().enumerate().map(|(index, call)| ChatChunk::ToolCall {
            index,
            id: Some(call.id),
            name: Some(call.name),
            arguments: call.arguments.to_text(),
        });
        let end = ChatChunk::End { finish, usage };
        let chunks: Vec<_> = reasoning.chain(text).chain(calls).chain([end]).map(Ok).collect();
        Self { one_of: model, ..Self::new(String::new(), stream::iter(chunks)) }
    }

    /// Sets which of several models the stream is from, unless it is set.
    pub(super) fn said_by(mut self, model: &str) -> Self {
        self.one_of.get_or_insert_with(|| model.to_owned());
        self
    }

    /// Waits for the first piece, which the stream still gives. An error before the first piece can
    /// be retried.
    pub(super) async fn begun(mut self) -> Result<Self, ModelError> {
        let first = self.next().await.unwrap_or_else(|| Err(self.broken_off()))?;
        Ok(self.map_chunks(|rest| stream::once(ready(Ok(first))).chain(rest)))
    }

    /// The same, which begins anew with what `next` gives when it breaks, as long as `next` gives
    /// something.
    pub(super) fn restarting<F>(self, next: F) -> Self
    where
        F: FnMut(ModelError) -> BoxFuture<'static, Result<Self, ModelError>> + Send + 'static,
    {
        let broken_off = self.broken_off();
        self.map_chunks(|chunks| {
            stream::unfold(Some((chunks, next, broken_off)), |state| async {
                let (mut chunks, mut next, broken_off) = state?;
                let error = match chunks.next().await {
                    Some(Ok(end @ ChatChunk::End { .. })) => return Some((Ok(end), None)),
                    Some(Ok(chunk)) => return Some((Ok(chunk), Some((chunks, next, broken_off)))),
                    Some(Err(error)) => error,
                    None => broken_off,
                };
                match next(error).await {
                    Ok(stream) => {
                        let (model, broken_off) = (stream.one_of.clone(), stream.broken_off());
                        let restart = ChatChunk::Restart { model };
                        Some((Ok(restart), Some((stream.chunks, next, broken_off))))
                    }
                    Err(error) => Some((Err(error), None)),
                }
            })
        })
    }

    /// The same with no more than `after` between one piece and the next. It ends with the reply,
    /// however long the provider keeps the connection.
    pub(super) fn paced(self, after: Duration) -> Self {
        let late = ModelError::TimedOut { model: self.model.clone(), after };
        self.map_chunks(|chunks| {
            stream::unfold(Some(chunks), move |chunks| {
                let late = late.clone();
                async move {
                    let mut chunks = chunks?;
                    match timeout(after, chunks.next()).await {
                        Ok(None) => None,
                        Ok(Some(Ok(end @ ChatChunk::End { .. }))) => Some((Ok(end), None)),
                        Ok(Some(chunk)) => Some((chunk, Some(chunks))),
                        Err(_) => Some((Err(late), None)),
                    }
                }
            })
        })
    }

    fn map_chunks<S>(self, map: impl FnOnce(Chunks) -> S) -> Self
    where
        S: Stream<Item = Result<ChatChunk, ModelError>> + Send + 'static,
    {
        Self { chunks: map(self.chunks).boxed(), ..self }
    }

    fn broken_off(&self) -> ModelError {
        ModelError::BrokenOff { model: self.model.clone() }
    }

    /// Collects the whole reply, and calls `each` with every piece as it comes.
    ///
    /// # Errors
    /// Those of the model, and if the stream breaks off.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the rest of the reply.
    pub async fn reply(
        mut self,
        mut each: impl FnMut(&ChatChunk),
    ) -> Result<ChatReply, ModelError> {
        let (mut text, mut thinking) = (String::new(), String::new());
        let mut reasoning = Vec::new();
        let mut calls: Vec<(String, String, String)> = Vec::new();
        while let Some(chunk) = self.next().await {
            let chunk = chunk?;
            each(&chunk);
            match chunk {
                ChatChunk::Text(more) => text.push_str(&more),
                ChatChunk::ToolCall { index, id, name, arguments } => {
                    if index > calls.len() {
                        let message = format!("call {index} comes before call {}", calls.len());
                        return Err(ModelError::Malformed { model: self.model, message });
                    }
                    if index == calls.len() {
                        calls.push(Default::default());
                    }
                    let call = &mut calls[index];
                    call.0.push_str(&id.unwrap_or_default());
                    call.1.push_str(&name.unwrap_or_default());
                    call.2.push_str(&arguments);
                }
                ChatChunk::Thinking(more) => thinking.push_str(&more),
                ChatChunk::Reasoning(whole) => {
                    // A signature has no text, and may come in the middle of a thought.
                    if !whole.text.is_empty() {
                        thinking.clear();
                    }
                    reasoning.push(whole);
                }
                ChatChunk::Restart { model } => {
                    text.clear();
                    thinking.clear();
                    reasoning.clear();
                    calls.clear();
                    self.one_of = model.or(self.one_of);
                }
                ChatChunk::End { finish, usage } => {
                    let tool_calls = calls.into_iter().map(|(id, name, arguments)| ToolCall {
                        id,
                        name,
                        arguments: ToolArguments::parse(&arguments),
                    });
                    if !thinking.is_empty() {
                        reasoning.push(Reasoning::new(thinking));
                    }
                    let tool_calls = tool_calls.collect();
                    let message = AssistantMessage { text, tool_calls, reasoning };
                    return Ok(ChatReply { message, finish, usage, model: self.one_of });
                }
            }
        }
        Err(self.broken_off())
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatChunk, ModelError>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(task)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChatStream({:?})", self.model)
    }
}
