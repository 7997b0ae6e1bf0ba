//! An agent's run can stop after any step and be resumed elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ddg_agentic::prelude::*;
use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use ddg_core::snapshot::Snapshot;
use futures::future::BoxFuture;

use super::adding;

/// Asks for two sums, then for another, then answers: what it says follows from what it is asked, so
/// any process can go on with it.
#[derive(Debug)]
struct Sums;

impl ChatModel for Sums {
    fn name(&self) -> &str {
        "sums"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let results: Vec<_> = request
            .messages
            .iter()
            .filter(|message| matches!(message, Message::Tool(_)))
            .map(|message| message.text().parse::<i64>().unwrap_or(0))
            .collect();
        let reply = match results[..] {
            [] => ChatReply::calls([adding("a", 1, 2), adding("b", 3, 4)]),
            [one, other] => ChatReply::calls([adding("c", one, other)]),
            [.., last] => ChatReply::text(last.to_string()),
        };
        Box::pin(async move { Ok(reply.usage(ddg_agentic::model::Usage::new(10, 1))) })
    }
}

/// Counts how often it is called.
#[tool]
async fn add(a: i64, b: i64, n_calls: State<AtomicU32>) -> i64 {
    n_calls.fetch_add(1, Ordering::SeqCst);
    a + b
}

fn agent(
    tool_calls: ToolCallMode,
    options: ToolOptions,
) -> (TypedAutoma<AgentOutcome>, Arc<AtomicU32>) {
    let n_calls: Arc<AtomicU32> = Arc::default();
    let tools = Toolbox::builder()
        .with_options(add::tool(), options)
        .shared_state(Arc::clone(&n_calls))
        .build()
        .unwrap();
    let agent = ReActAutoma::new(Sums).tools(tools).tool_calls(tool_calls).build().unwrap();
    (agent, n_calls)
}

#[tokio::test]
async fn resumed_from_any_step_it_ends_the_same() {
    for tool_calls in [ToolCallMode::Parallel, ToolCallMode::Sequential] {
        let store = MemoryStore::new();
        let (first, _) = agent(tool_calls, ToolOptions::new());
        let whole = first.run(args!("Sums!")).stored_in(&store, "whole").outcome().await.unwrap();
        let steps = whole.steps();
        let whole: AgentOutcome = whole.into_output().unwrap();
        assert_eq!((whole.text().as_str(), whole.turns), ("10", 3));
        for step in 0..=steps {
            // Another agent, as in another process.
            let (again, n_calls) = agent(tool_calls, ToolOptions::new());
            let fork = format!("from {step}");
            StoredRuns::new(&store).fork("whole", step, &fork).await.unwrap();
            let outcome = again.run(()).stored_in(&store, &fork).await.unwrap();
            assert_eq!(outcome, whole, "from step {step}");
            assert!(n_calls.load(Ordering::SeqCst) <= 3);
        }
    }
}

#[tokio::test]
async fn an_allowed_call_is_made_once_in_another_process() {
    let (first, n_calls) = agent(ToolCallMode::Parallel, ToolOptions::new().approval());
    let paused = first.run(args!("Sums!")).outcome().await.unwrap();
    assert_eq!(paused.questions().len(), 2, "both calls of the turn");
    assert_eq!(n_calls.load(Ordering::SeqCst), 0);
    let text = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();

    let (second, n_calls) = agent(ToolCallMode::Parallel, ToolOptions::new().approval());
    let mut snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    let questions = snapshot.questions();
    let asked: Approval = questions[0].content.get().unwrap();
    assert_eq!(
        (asked.tool.as_str(), asked.arguments),
        ("add", serde_json::json!({ "a": 1, "b": 2 }))
    );
    snapshot.answer(&questions[0].id, Verdict::Allow).unwrap();
    snapshot.answer(&questions[1].id, Verdict::Deny { reason: "too much".into() }).unwrap();
    let paused = second.resume(snapshot).outcome().await.unwrap();
    assert_eq!(n_calls.load(Ordering::SeqCst), 1);

    // The next turn asks again.
    let mut snapshot = paused.snapshot().unwrap();
    let allow = Verdict::AllowWith { arguments: serde_json::json!({ "a": 20, "b": 22 }) };
    snapshot.answer(&paused.questions()[0].id, allow).unwrap();
    let outcome: AgentOutcome =
        second.resume(snapshot).outcome().await.unwrap().into_output().unwrap();
    assert_eq!((outcome.text().as_str(), n_calls.load(Ordering::SeqCst)), ("42", 2));
}
