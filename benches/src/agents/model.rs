//! A model that replies at once, and notes when it is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ddg_agentic::ChatModel;
use ddg_agentic::message::ToolCall;
use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
use futures::future::BoxFuture;
use serde_json::json;

/// What the model says in the end.
pub const ANSWER: &str = "It is sunny in Tokyo.";

/// What a model says: calls of the tool for some turns, then the answer.
#[derive(Debug)]
pub struct Script {
    turns: usize,
    n_calls: usize,
    asked: Mutex<Vec<Instant>>,
}

/// What a model says when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// So many calls, in the turn of this number.
    Calls {
        /// From 1 on.
        turn: usize,
        /// How many.
        n_calls: usize,
    },
    /// The answer.
    Answer,
}

impl Script {
    /// So many turns of so many calls.
    pub fn new(turns: usize, n_calls: usize) -> Arc<Self> {
        Arc::new(Self { turns, n_calls, asked: Mutex::default() })
    }

    /// How many turns of calls.
    pub fn turns(&self) -> usize {
        self.turns
    }

    /// How many calls a turn has.
    pub fn n_calls(&self) -> usize {
        self.n_calls
    }

    /// What comes next; notes when it was asked for.
    pub fn next(&self) -> Line {
        let now = Instant::now();
        let mut asked = self.lock();
        asked.push(now);
        match asked.len() {
            turn if turn <= self.turns => Line::Calls { turn, n_calls: self.n_calls },
            _ => Line::Answer,
        }
    }

    /// When the model was asked, and begins from the top.
    pub fn rewind(&self) -> Vec<Instant> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of a call.
pub fn call_id(turn: usize, call: usize) -> String {
    format!("call_{turn}_{call}")
}

/// The model that says what is in a script.
#[derive(Clone, Debug)]
pub struct AtOnce(pub Arc<Script>);

impl ChatModel for AtOnce {
    fn name(&self) -> &str {
        "at-once"
    }

    fn chat(&self, _request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let reply = match self.0.next() {
            Line::Calls { turn, n_calls } => {
                let arguments = || json!({ "city": "Tokyo" });
                let calls = (1..=n_calls)
                    .map(|call| ToolCall::new(call_id(turn, call), "weather", arguments()));
                ChatReply::calls(calls)
            }
            Line::Answer => ChatReply::text(ANSWER),
        };
        Box::pin(async move { Ok(reply) })
    }
}
