//! A model whose replies are given beforehand.

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

/// A model whose replies are given beforehand, one for each request, in the order of the requests:
/// for tests, and for programs that are to run without a network.
///
/// What is added after a reply is about that reply: [`expects`](Self::expects) and its like check
/// what the model is asked, [`after`](Self::after) holds the reply back. When there are no more
/// replies, the model fails and says so. Clones share the script.
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
    /// Those that nobody has asked for yet.
    turns: VecDeque<Turn>,
    /// How many there have ever been.
    n_turns: usize,
    requests: Vec<ChatRequest>,
}

impl ScriptedModel {
    /// A model without replies, called `scripted`, that can do all but see images.
    pub fn new() -> Self {
        Self {
            name: "scripted".into(),
            capabilities: Capabilities::default(),
            script: Arc::default(),
        }
    }

    /// Sets its name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Sets what it says that it can do; it is not held to it.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Adds a reply. As a stream, its text comes in one piece.
    #[must_use]
    pub fn reply(self, reply: ChatReply) -> Self {
        self.turn(Answer::Reply(Ok(reply)))
    }

    /// Adds a reply of words.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.reply(ChatReply::text(text))
    }

    /// Adds a reply of calls of tools.
    #[must_use]
    pub fn calls(self, calls: impl IntoIterator<Item = ToolCall>) -> Self {
        self.reply(ChatReply::calls(calls))
    }

    /// Adds a failure.
    #[must_use]
    pub fn fails(self, error: ModelError) -> Self {
        self.turn(Answer::Reply(Err(error)))
    }

    /// Adds a reply in these pieces; without an [`End`](ChatChunk::End) it breaks off.
    #[must_use]
    pub fn pieces(self, pieces: impl IntoIterator<Item = ChatChunk>) -> Self {
        let pieces: Vec<_> = pieces.into_iter().map(Ok).collect();
        self.streams(stream::iter(pieces))
    }

    /// Adds a reply that comes as this stream does, late pieces and failures included.
    #[must_use]
    pub fn streams(
        self,
        chunks: impl Stream<Item = Result<ChatChunk, ModelError>> + Send + 'static,
    ) -> Self {
        self.turn(Answer::Stream(chunks.boxed()))
    }

    /// Holds the reply that was added last back until `gate` is ready. What the model is asked has
    /// been [written down](Self::requests) by then.
    ///
    /// # Panics
    /// There is no reply yet.
    #[must_use]
    pub fn after<G>(self, gate: G) -> Self
    where
        G: Future<Output: Send> + Send + 'static,
    {
        self.last(|turn| turn.gate = Some(Box::pin(async move { drop(gate.await) })))
    }

    /// Calls `check` with the request for the reply that was added last; it panics, as `assert_eq!`
    /// does, if that is not what it should be.
    ///
    /// # Panics
    /// There is no reply yet.
    #[must_use]
    pub fn expects(self, check: impl FnOnce(&ChatRequest) + Send + 'static) -> Self {
        self.check(Check::Own(Box::new(check)))
    }

    /// The request for the reply that was added last has to end with this text; otherwise the model
    /// fails.
    ///
    /// # Panics
    /// There is no reply yet.
    #[must_use]
    pub fn expects_last(self, text: impl Into<String>) -> Self {
        self.check(Check::Last(text.into()))
    }

    /// The request for the reply that was added last has to offer exactly these tools; otherwise the
    /// model fails.
    ///
    /// # Panics
    /// There is no reply yet.
    #[must_use]
    pub fn expects_tools<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.check(Check::Tools(names.into_iter().map(Into::into).collect()))
    }

    /// All that it has been asked, the first first.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.lock().requests.clone()
    }

    /// How many replies nobody has asked for yet.
    pub fn n_left(&self) -> usize {
        self.lock().turns.len()
    }

    /// Makes sure that all replies have been asked for.
    ///
    /// # Panics
    /// Some have not.
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

    /// The answer to `request`, once it may be given.
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
