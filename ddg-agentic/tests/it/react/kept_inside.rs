//! A stored run of agents inside of others goes on where it was: model calls that were kept are not
//! made again.

use std::sync::atomic::{AtomicU64, Ordering};

use ddg_agentic::compose::{ConcurrentAutoma, SequentialAutoma};
use ddg_agentic::prelude::*;
use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use futures::future::BoxFuture;
use std::sync::Arc;

use super::{adding, tools};

/// Numbers of the calls of models, by name.
#[derive(Clone, Debug, Default)]
struct Calls(Arc<AtomicU64>);

impl Calls {
    fn n(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Adds three times and answers, or calls the mathematician and answers. What it says follows from
/// the messages, so that any process can continue.
#[derive(Debug)]
struct Model {
    asks_for_help: bool,
    calls: Calls,
}

impl ChatModel for Model {
    fn name(&self) -> &str {
        "model"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        self.calls.0.fetch_add(1, Ordering::SeqCst);
        let results = request.messages.iter().filter(|one| matches!(one, Message::Tool(_)));
        let n_results = results.count();
        let help = || {
            let task = serde_json::json!({ "task": "1 + 2?" });
            ToolCall::new("help", "mathematician", task)
        };
        let reply = match n_results {
            0 if self.asks_for_help => ChatReply::calls([help()]),
            0..3 if !self.asks_for_help => {
                ChatReply::calls([adding(&format!("sum {n_results}"), 1, n_results as i64)])
            }
            n => ChatReply::text(format!("done after {n}")),
        };
        Box::pin(async move { Ok(reply) })
    }
}

fn mathematician(calls: &Calls) -> ReActAutoma {
    ReActAutoma::new(Model { asks_for_help: false, calls: calls.clone() }).tools(tools())
}

/// Runs an automa to its end, forks it at each of its states, and continues the forks. Between two
/// states at most `most` calls are made, and each fork makes only those that are left.
async fn forked_at_each_state(most: u64, declare: impl Fn(&Calls) -> GraphAutoma) {
    let (store, calls) = (MemoryStore::new(), Calls::default());
    let input = || args!("What is 1 + 2?".to_owned());
    let run = declare(&calls).run(input()).stored_in(&store, "a").await.unwrap();
    let expected = run.output().to_json().unwrap();
    let runs = StoredRuns::new(&store);
    let mut left = calls.n();
    for state in runs.history("a").await.unwrap() {
        let (fork, calls) = (format!("fork {}", state.step), Calls::default());
        runs.fork("a", state.step, &fork).await.unwrap();
        let forked = declare(&calls).run(input()).stored_in(&store, &fork).await.unwrap();
        assert_eq!(forked.output().to_json().unwrap(), expected);
        assert!(
            calls.n() <= left && calls.n() + most >= left,
            "{state:?}: {} of {left}",
            calls.n()
        );
        left = calls.n();
    }
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_agent_as_a_tool_keeps_its_model_calls() {
    forked_at_each_state(1, |calls| {
        let tool = mathematician(calls).into_tool("mathematician", "Knows sums.").unwrap();
        let tools = Toolbox::builder().with(tool).build().unwrap();
        let model = Model { asks_for_help: true, calls: calls.clone() };
        ReActAutoma::new(model).tools(tools).build().unwrap().into_graph()
    })
    .await;
}

#[tokio::test]
async fn agents_in_a_sequence_keep_their_model_calls() {
    forked_at_each_state(1, |calls| {
        let answer = async |outcome: AgentOutcome| outcome.text().clone();
        SequentialAutoma::new("sequence")
            .then("first", mathematician(calls).build().unwrap().into_graph())
            .then_func("answer", answer)
            .then("second", mathematician(calls).build().unwrap().into_graph())
            .build()
            .unwrap()
    })
    .await;
}

#[tokio::test]
async fn agents_side_by_side_keep_their_model_calls() {
    forked_at_each_state(2, |calls| {
        ConcurrentAutoma::new("side by side")
            .branch("one", mathematician(calls).build().unwrap().into_graph())
            .branch("other", mathematician(calls).build().unwrap().into_graph())
            .build()
            .unwrap()
    })
    .await;
}
