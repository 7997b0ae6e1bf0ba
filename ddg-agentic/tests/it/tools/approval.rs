//! A person approves a call before it is made, in this process or another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ddg_agentic::message::ToolCall;
use ddg_agentic::tool::{Approval, State, ToolOptions, ToolResult, Verdict};
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use ddg_core::run::Question;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;
use serde_json::{Value as Json, json};

use super::caller;

/// Pays.
#[tool]
async fn pay(euros: u32, paid: State<AtomicU32>) -> u32 {
    paid.fetch_add(euros, Ordering::Relaxed);
    euros
}

struct Desk {
    automa: GraphAutoma,
    paid: Arc<AtomicU32>,
}

impl Desk {
    fn new() -> Self {
        let paid = Arc::default();
        let tools = Toolbox::builder()
            .with_options(pay::tool(), ToolOptions::new().approval())
            .shared_state(Arc::clone(&paid))
            .build()
            .unwrap();
        Self { automa: caller(&tools, "pay"), paid }
    }

    /// The run that asks, as it would reach another process.
    async fn asks(&self, arguments: Json) -> (Vec<Question>, Snapshot) {
        let paused =
            self.automa.run((ToolCall::new("call_1", "pay", arguments),)).outcome().await.unwrap();
        assert!(paused.is_paused());
        assert_eq!(self.paid.load(Ordering::Relaxed), 0);
        let snapshot = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
        (paused.questions(), serde_json::from_str(&snapshot).unwrap())
    }

    async fn told(&self, mut snapshot: Snapshot, verdict: impl ddg_core::Data) -> (String, bool) {
        let id = snapshot.questions()[0].id.clone();
        snapshot.answer(&id, verdict).unwrap();
        let outcome = self.automa.resume(snapshot).outcome().await.unwrap();
        let ToolResult { message, .. } = outcome.into_output().unwrap();
        (message.content, message.is_error)
    }
}

#[tokio::test]
async fn the_question_shows_the_call_and_once_allowed_it_is_made_once() {
    let desk = Desk::new();
    let (questions, snapshot) = desk.asks(json!({ "euros": 30 })).await;
    let approval: Approval = questions[0].content.get().unwrap();
    assert_eq!(approval, Approval::new("pay", json!({ "euros": 30 })));

    // Another process has a toolbox of its own.
    let elsewhere = Desk::new();
    assert_eq!(elsewhere.told(snapshot, Verdict::Allow).await, ("30".to_owned(), false));
    assert_eq!(elsewhere.paid.load(Ordering::Relaxed), 30);
    assert_eq!(desk.paid.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_denied_call_is_not_made_and_the_model_gets_the_reason() {
    let desk = Desk::new();
    let (_, snapshot) = desk.asks(json!({ "euros": 30 })).await;
    let (told, is_error) = desk.told(snapshot, json!({ "deny": { "reason": "too much" } })).await;
    assert!(is_error);
    expect!["a person did not allow this call of `pay`: too much"].assert_eq(&told);
    assert_eq!(desk.paid.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_person_can_change_the_arguments_which_are_checked() {
    let desk = Desk::new();
    let (_, snapshot) = desk.asks(json!({ "euros": 30 })).await;
    let verdict = |arguments| Verdict::AllowWith { arguments };
    let told = desk.told(snapshot.clone(), verdict(json!({ "euros": 20 }))).await;
    assert_eq!(told, ("20".to_owned(), false));
    let (told, is_error) = desk.told(snapshot, verdict(json!({ "euros": "20" }))).await;
    assert!(is_error);
    expect![[r#"a person did not allow this call of `pay`: what they gave in its place is wrong: euros: "20" is not of type "integer""#]]
        .assert_eq(&told);
    assert_eq!(desk.paid.load(Ordering::Relaxed), 20);
}

#[tokio::test]
async fn no_question_is_asked_about_an_impossible_call() {
    let desk = Desk::new();
    let call = ToolCall::new("call_1", "pay", json!({ "euros": -1 }));
    let result: ToolResult = desk.automa.run((call,)).output().await.unwrap();
    assert!(result.message.is_error);
}

#[tokio::test]
async fn an_answer_that_is_not_a_verdict_is_refused() {
    let desk = Desk::new();
    let (questions, mut snapshot) = desk.asks(json!({ "euros": 30 })).await;
    snapshot.answer(&questions[0].id, true).unwrap();
    let error = desk.automa.resume(snapshot).outcome().await.unwrap_err();
    expect!["automa `agent`, step 1: worker `call` failed: the answer to question `call#0.1`: expected `Verdict`, found `bool`; withdraw it with `Snapshot::withdraw_answer`, and give another"].assert_eq(&error.to_string());
    assert_eq!(desk.paid.load(Ordering::Relaxed), 0);
}

/// Asks on its own, and makes another error of what it is told.
#[tool]
async fn book(cx: &Context) -> Result<String, String> {
    cx.interact_with_human("which seat?".to_owned()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_question_of_a_tool_pauses_the_run_however_it_handles_the_error() {
    let tools = Toolbox::builder().with(book::tool()).build().unwrap();
    let automa = caller(&tools, "book");
    let call = (ToolCall::new("call_1", "book", json!({})),);
    let mut snapshot = automa.run(call).outcome().await.unwrap().snapshot().unwrap();
    snapshot.answer("call#0.1", "7A".to_owned()).unwrap();
    let outcome = automa.resume(snapshot).outcome().await.unwrap();
    assert_eq!(outcome.into_output::<ToolResult>().unwrap().message.content, "7A");
}
