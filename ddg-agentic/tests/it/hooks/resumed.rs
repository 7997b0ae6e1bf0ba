//! Hooks in runs that are resumed: none is skipped, and none decides twice about one call that
//! waited for a person.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ddg_agentic::hook::{AfterTool, BeforeTool, Hook, HookRun, ToolUse};
use ddg_agentic::message::ToolMessage;
use ddg_agentic::prelude::*;
use ddg_core::checkpoint::{Claim, MemoryStore};
use ddg_core::snapshot::Snapshot;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::sync::Notify;

use super::{Paid, bank, paying, stops_above_100};

/// Pays 50 euros, then answers with the last result. What it says follows from what it is asked, so
/// any process can go on with it.
#[derive(Debug)]
struct Payer(u64);

impl ChatModel for Payer {
    fn name(&self) -> &str {
        "payer"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let result = request.messages.iter().find(|message| matches!(message, Message::Tool(_)));
        let reply = match result {
            None => ChatReply::calls([paying("a", self.0)]),
            Some(result) => ChatReply::text(result.text()),
        };
        Box::pin(async move { Ok(reply) })
    }
}

/// Counts what it is asked, and halves what is paid.
#[derive(Clone, Default)]
struct Halves {
    n_before: Arc<AtomicU32>,
    n_after: Arc<AtomicU32>,
}

impl Hook for Halves {
    fn name(&self) -> &str {
        "halves"
    }

    async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        self.n_before.fetch_add(1, Ordering::SeqCst);
        let euros = call.arguments["euros"].as_u64().unwrap_or_default();
        Ok(BeforeTool::Change(json!({ "euros": euros / 2 })))
    }

    async fn after_tool(
        &self,
        _: &ToolUse,
        _: &ToolMessage,
        _: &HookRun,
    ) -> Result<AfterTool, WorkerError> {
        self.n_after.fetch_add(1, Ordering::SeqCst);
        Ok(AfterTool::Go)
    }
}

/// Pays, after a question of its own.
#[tool]
async fn pay(euros: u64, paid: State<Paid>, cx: &Context) -> Result<String, WorkerError> {
    let sure: bool = cx.interact_with_human(format!("Pay {euros}?"))?;
    paid.0.0.lock().unwrap().push(euros);
    Ok(format!("paid {euros}, {sure}"))
}

#[tokio::test]
async fn decisions_are_kept_while_a_person_is_asked_and_while_the_tool_asks() {
    let (paid, halves) = (Paid::default(), Halves::default());
    let agent = || {
        let options = ToolOptions::new().approval();
        let tools = Toolbox::builder().with_options(pay::tool(), options).state(paid.clone());
        let agent = ReActAutoma::new(Payer(40)).tools(tools.build().unwrap());
        agent.hook(halves.clone()).build().unwrap()
    };
    let mut paused = agent().run(args!("Pay.")).outcome().await.unwrap();
    for answer in [Value::new(Verdict::Allow), Value::new(true)] {
        let question = paused.questions().remove(0);
        let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
        let mut snapshot: Snapshot = serde_json::from_str(&json).unwrap();
        snapshot.answer(&question.id, answer).unwrap();
        paused = agent().resume(snapshot).outcome().await.unwrap();
    }
    let outcome: AgentOutcome = paused.into_output().unwrap();
    assert_eq!(outcome.text(), "paid 20, true");
    assert_eq!(paid.all(), [20]);
    assert_eq!(halves.n_before.load(Ordering::SeqCst), 1);
    assert_eq!(halves.n_after.load(Ordering::SeqCst), 1);
}

/// Hangs at the first call, as a process that is killed.
#[tool(name = "pay")]
async fn hanging(euros: u64, hangs: State<Notify>) -> String {
    hangs.notify_one();
    std::future::pending::<()>().await;
    format!("{euros}")
}

/// The call runs again, so its hooks decide again: they are not skipped.
#[tokio::test]
async fn a_call_that_was_interrupted_is_decided_about_again() {
    let (store, halves, began) = (MemoryStore::new(), Halves::default(), Arc::new(Notify::new()));
    let tools = Toolbox::builder().with(hanging::tool()).shared_state(Arc::clone(&began));
    let first = ReActAutoma::new(Payer(40)).tools(tools.build().unwrap()).hook(halves.clone());
    let run = first.build().unwrap().run(args!("Pay.")).stored_in(&store, "r").spawn();
    began.notified().await;
    drop(run);

    let paid = Paid::default();
    let second = ReActAutoma::new(Payer(40)).tools(bank(&paid)).hook(halves.clone());
    let takes_over = Claim::this_process(Duration::from_secs(30)).by_force();
    let run = second.build().unwrap().run(args!("Pay.")).stored_in(&store, "r").claim(takes_over);
    let outcome = run.await.unwrap();
    assert_eq!(outcome.text(), "paid 20");
    assert_eq!(paid.all(), [20]);
    assert_eq!(halves.n_before.load(Ordering::SeqCst), 2);
    assert_eq!(halves.n_after.load(Ordering::SeqCst), 1);
}

/// A stop is kept: it is in force in the process that goes on.
#[tokio::test]
async fn a_stop_is_in_force_after_a_run_is_resumed() {
    let paid = Paid::default();
    let agent = || {
        let model = ScriptedModel::new().calls([paying("a", 500), paying("b", 50)]);
        let ask = ddg_agentic::hook::Approve::when("above 10", |call| {
            call.arguments["euros"].as_u64() == Some(50)
        });
        ReActAutoma::new(model).tools(bank(&paid)).hook(stops_above_100()).hook(ask)
    };
    let paused = agent().build().unwrap().run(args!("Pay.")).outcome().await.unwrap();
    let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    let question = paused.questions().remove(0);
    let mut snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    snapshot.answer(&question.id, Verdict::Allow).unwrap();
    // This model has no replies: it would fail if it were asked.
    let agent = ReActAutoma::new(ScriptedModel::new()).tools(bank(&paid)).hook(stops_above_100());
    let error = agent.build().unwrap().resume(snapshot).await.unwrap_err();
    let failed: &AgentFailed = error.downcast_ref().unwrap();
    assert!(
        matches!(&failed.outcome.end, AgentEnd::StoppedByHook { stop } if stop.name == "too_much")
    );
}
