//! A model with scripted replies.

mod turn;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{self, Stream};

use super::{Capabilities, ChatChunk, ChatModel, ChatReply, ChatRequest, ChatStream, ModelError};
use crate::message::{Message, ToolCall};
use turn::{Answer, Check, Turn};

/// A model with scripted replies, one for each request in order. For tests, and for programs that
/// run without a network.
///
/// Methods that follow a reply apply to that reply: [`expects`](Self::expects) and similar methods
/// check the request, [`after`](Self::after) delays the reply. When the script is at its end,
/// requests fail with an error that says so. Clones share the script.
///
/// ```
/// use ddg_agentic::ChatModel;
/// use ddg_agentic::message::ToolCall;
/// use ddg_agentic::model::{ChatRequest, ScriptedModel};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ddg_agentic::model::ModelError> {
/// let model = ScriptedModel::new()
///     .calls([ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }))])
///     .expects_last("How is the weather?")
///     .text("It is sunny.");
///
/// let reply = model.chat(ChatRequest::new(["How is the weather?"])).await?;
/// assert_eq!(reply.message.tool_calls[0].name, "weather");
/// assert_eq!(model.chat(ChatRequest::new(["And now?"])).await?.message.text, "It is sunny.");
/// assert_eq!(model.requests().len(), 2);
/// model.assert_finished();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ScriptedModel {
    name: Arc<str>,
    capabilities: Capabilities,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    /// The replies that are left.
    turns: VecDeque<Turn>,
    /// Number of all replies.
    n_turns: usize,
    requests: Vec<ChatRequest>,
}

impl ScriptedModel {
    /// Creates a model named `scripted` without replies. It can do everything except see images.
    pub fn new() -> Self {
        Self {
            name: "scripted".into(),
            capabilities: Capabilities::default(),
            script: Arc::default(),
        }
    }

    /// Sets the name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the capabilities that it reports. They are not enforced.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Adds a reply. As a stream, its text is one piece.
    #[must_use]
    pub fn reply(self, reply: ChatReply) -> Self {
        self.turn(Answer::Reply(Ok(reply)))
    }

    /// Adds a reply that is only text.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.reply(ChatReply::text(text))
    }

    /// Adds a reply that is only tool calls.
    #[must_use]
    pub fn calls(self, calls: impl IntoIterator<Item = ToolCall>) -> Self {
        self.reply(ChatReply::calls(calls))
    }

    /// Adds a failure.
    #[must_use]
    pub fn fails(self, error: ModelError) -> Self {
        self.turn(Answer::Reply(Err(error)))
    }

    /// Adds a reply in these pieces. Without an [`End`](ChatChunk::End) the stream breaks off.
    #[must_use]
    pub fn pieces(self, pieces: impl IntoIterator<Item = ChatChunk>) -> Self {
        let pieces: Vec<_> = pieces.into_iter().map(Ok).collect();
        self.streams(stream::iter(pieces))
    }

    /// Adds a reply with the timing of a stream, including late pieces and failures.
    #[must_use]
    pub fn streams(
        self,
        chunks: impl Stream<Item = Result<ChatChunk, ModelError>> + Send + 'static,
    ) -> Self {
        self.turn(Answer::Stream(chunks.boxed()))
    }

    /// Delays the last added reply until `gate` is ready. The request is [recorded](Self::requests)
    /// before.
    ///
    /// # Panics
    /// If there is no reply yet.
    #[must_use]
    pub fn after<G>(self, gate: G) -> Self
    where
        G: Future<Output: Send> + Send + 'static,
    {
        self.last(|turn| turn.gate = Some(Box::pin(async move { drop(gate.await) })))
    }

    /// Calls `check` with the request for the last added reply. `check` panics, as `assert_eq!`
    /// does, if the request is not as expected.
    ///
    /// # Panics
    /// If there is no reply yet.
    #[must_use]
    pub fn expects(self, check: impl FnOnce(&ChatRequest) + Send + 'static) -> Self {
        self.check(Check::Own(Box::new(check)))
    }

    /// Expects the request for the last added reply to end with this text. Otherwise the model
    /// fails.
    ///
    /// # Panics
    /// If there is no reply yet.
    #[must_use]
    pub fn expects_last(self, text: impl Into<String>) -> Self {
        self.check(Check::Last(text.into()))
    }

    /// Expects the request for the last added reply to offer exactly these tools. Otherwise the
    /// model fails.
    ///
    /// # Panics
    /// If there is no reply yet.
    #[must_use]
    pub fn expects_tools<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.check(Check::Tools(names.into_iter().map(Into::into).collect()))
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.lock().requests.clone()
    }

    /// Number of replies that are left.
    pub fn n_left(&self) -> usize {
        self.lock().turns.len()
    }

    /// Asserts that all replies have been requested.
    ///
    /// # Panics
    /// If some have not.
    #[track_caller]
    pub fn assert_finished(&self) {
        let (n_left, n_turns) = (self.n_left(), self.lock().n_turns);
        assert!(
            n_left == 0,
            "model `{}` was not asked for {n_left} of its {n_turns} replies",
            self.name
        );
    }

    fn turn(self, answer: Answer) -> Self {
        let mut script = self.lock();
        script.turns.push_back(Turn { checks: Vec::new(), gate: None, answer });
        script.n_turns += 1;
        drop(script);
        self
    }

    fn check(self, check: Check) -> Self {
        self.last(|turn| turn.checks.push(check))
    }

    fn last(self, change: impl FnOnce(&mut Turn)) -> Self {
        let mut script = self.lock();
        change(script.turns.back_mut().expect("a reply is added before what is said about it"));
        drop(script);
        self
    }

    /// The answer to `request`, when it may be given.
    async fn answer(&self, request: ChatRequest) -> Result<Answer, ModelError> {
        let (turn, n_asked, n_turns) = {
            let mut script = self.lock();
            script.requests.push(request.clone());
            (script.turns.pop_front(), script.requests.len(), script.n_turns)
        };
        let fault = |fault| {
            let message = format!("model `{}`, request {n_asked}: {fault}", self.name);
            ModelError::Setup { message }
        };
        let Some(turn) = turn else {
            let last = request.messages.last().map(Message::text).unwrap_or_default();
            let told =
                format!("the script has only {n_turns} replies; the last message is {last:?}");
            return Err(fault(told));
        };
        for check in turn.checks {
            check.run(&request).map_err(fault)?;
        }
        if let Some(gate) = turn.gate {
            gate.await;
        }
        Ok(turn.answer)
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ScriptedModel {
    fn default() -> Self {
        Self::new()
    }
}

impl ChatModel for ScriptedModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn provider(&self) -> &str {
        "scripted"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            match self.answer(request).await? {
                Answer::Reply(reply) => reply,
                Answer::Stream(chunks) => ChatStream::new(&*self.name, chunks).reply(|_| ()).await,
            }
        })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        Box::pin(async move {
            Ok(match self.answer(request).await? {
                Answer::Reply(reply) => ChatStream::of_reply(reply?),
                Answer::Stream(chunks) => ChatStream::new(&*self.name, chunks),
            })
        })
    }
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptedModel(`{}`, {} replies left)", self.name, self.n_left())
    }
}
