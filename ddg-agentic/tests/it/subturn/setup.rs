//! Setup that the tests share: a model whose replies depend on how a conversation begins, agents
//! with tools, and a recorder of the events of children.

use std::fmt;
use std::sync::{Arc, Mutex};

use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurnEvent, SubTurns};
use futures::future::BoxFuture;

/// The replies of the model: from the first text of a conversation and the number of the request.
type Plays =
    dyn Fn(&ChatRequest, usize) -> BoxFuture<'static, Result<ChatReply, ModelError>> + Send + Sync;

/// A model whose reply depends on the first user message of the conversation and on the number of
/// requests in it. A script does not work here, because the order of requests of several children
/// is not known.
#[derive(Clone)]
pub(super) struct Player {
    plays: Arc<Plays>,
    requests: Arc<Mutex<Vec<ChatRequest>>>,
}

impl Player {
    pub(super) fn new<F, Fut>(plays: F) -> Self
    where
        F: Fn(String, usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ChatReply> + Send + 'static,
    {
        let plays = move |request: &ChatRequest, n: usize| {
            let reply = plays(first(request), n);
            Box::pin(async move { Ok(reply.await) }) as BoxFuture<'static, _>
        };
        Self { plays: Arc::new(plays), requests: Arc::default() }
    }

    /// The requests so far, in order.
    pub(super) fn requests(&self) -> Vec<ChatRequest> {
        self.requests.lock().unwrap().clone()
    }
}

/// The text of the first user message.
fn first(request: &ChatRequest) -> String {
    let user = |message: &&Message| matches!(message, Message::User { .. });
    request.messages.iter().find(user).map(Message::text).unwrap_or_default()
}

impl ChatModel for Player {
    fn name(&self) -> &str {
        "player"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let said = |message: &&Message| matches!(message, Message::Assistant(_));
        let n = request.messages.iter().filter(said).count();
        self.requests.lock().unwrap().push(request.clone());
        (self.plays)(&request, n)
    }
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Player")
    }
}

/// A recorder of the events of children.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<SubTurnEvent>>>);

impl Heard {
    pub(super) fn listen(&self, subturns: SubTurns) -> SubTurns {
        let heard = Arc::clone(&self.0);
        subturns.on_event(move |event| heard.lock().unwrap().push(event.clone()))
    }

    pub(super) fn events(&self) -> Vec<SubTurnEvent> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until this event has been recorded.
    pub(super) async fn until(&self, word: &str) {
        while !self.words().iter().any(|heard| heard == word) {
            tokio::task::yield_now().await;
        }
    }

    /// Each event in a few words, without those of turns.
    pub(super) fn words(&self) -> Vec<String> {
        self.events().iter().filter_map(words).collect()
    }
}

fn words(event: &SubTurnEvent) -> Option<String> {
    Some(match event {
        SubTurnEvent::Spawned { child, depth, .. } => format!("{child} spawned at {depth}"),
        SubTurnEvent::Delivered { child, result, .. } => {
            format!("{child} delivered: {}", result.text())
        }
        SubTurnEvent::Orphaned { child, reason, .. } => format!("{child} orphaned: {reason:?}"),
        SubTurnEvent::Paused { child, .. } => format!("{child} paused"),
        SubTurnEvent::Ended { child, status, .. } => format!("{child} ended: {}", status.word()),
        _ => return None,
    })
}

/// A reply that calls one tool.
pub(super) fn calls(tool: &str, arguments: serde_json::Value) -> ChatReply {
    ChatReply::calls([ToolCall::new(format!("call_{tool}"), tool, arguments)])
}

/// An agent with these tools, and the recorder of its children's events.
pub(super) fn agent(
    model: &Player,
    tools: Toolbox,
    subturns: SubTurns,
) -> (TypedAutoma<AgentOutcome>, Heard) {
    let heard = Heard::default();
    let agent = ReActAutoma::new(model.clone()).tools(tools).subturns(heard.listen(subturns));
    (agent.build().unwrap(), heard)
}
