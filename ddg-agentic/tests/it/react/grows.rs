//! Each call of a tool becomes a worker; those of a turn run concurrently and are collected in
//! order.

use std::sync::{Arc, Mutex};

use ddg_agentic::prelude::*;
use ddg_core::event::{EventFilter, EventKind};
use expect_test::expect;
use serde_json::json;
use tokio::sync::Barrier;

use super::{adding, lines, tools};

/// What is in the graph after each step, and who has run.
async fn steps(agent: &TypedAutoma<AgentOutcome>, task: &str) -> String {
    let prepared = agent.run(args!(task.to_owned()));
    let mut events = prepared.events(EventFilter::all());
    prepared.outcome().await.unwrap();
    let mut told = Vec::new();
    while let Some(Ok(event)) = events.next().await {
        match &event.kind {
            EventKind::StepStarted { kickoffs } => {
                let workers: Vec<_> =
                    kickoffs.iter().map(|kickoff| kickoff.worker.to_string()).collect();
                told.push(format!("run {}", workers.join(", ")));
            }
            EventKind::GraphChanged { changes } => {
                told.extend(changes.iter().map(|change| format!("  {}", change.what)));
            }
            _ => {}
        }
    }
    told.join("\n")
}

#[tokio::test]
async fn calls_become_workers_that_are_removed_when_they_are_collected() {
    let model = ScriptedModel::new()
        .calls([adding("a", 1, 2), adding("b", 3, 4)])
        .expects_tools(["add", "broken"])
        .text("3 and 7");
    let agent = ReActAutoma::new(model.clone()).tools(tools()).build().unwrap();
    expect![[r#"
        run begin
        run think
          worker `tool_add_1_1` added
          worker `tool_add_1_2` added
          worker `collect` added after `tool_add_1_1` and `tool_add_1_2`
        run tool_add_1_1, tool_add_1_2
        run collect
          worker `tool_add_1_1` removed
          worker `tool_add_1_2` removed
          worker `collect` removed
        run think
        run finish"#]]
    .assert_eq(&steps(&agent, "1 + 2 and 3 + 4?").await);
    model.assert_finished();
}

#[tokio::test]
async fn results_are_in_the_order_of_the_calls_and_failures_are_reported() {
    let model = ScriptedModel::new()
        .calls([
            ToolCall::new("a", "broken", json!({ "why": "no paper" })),
            adding("b", 3, 4),
            ToolCall::new("c", "divide", json!({})),
            ToolCall::new("d", "add", json!({ "a": "one" })),
        ])
        .text("done");
    let agent = ReActAutoma::new(model).system("You compute.").tools(tools()).build().unwrap();
    let outcome = agent.run(args!("Go.")).await.unwrap();
    expect![[r#"
        user: Go.
        model: [broken#a, add#b, divide#c, add#d]
        error of broken#a: `broken` failed: no paper
        result of add#b: 7
        error of divide#c: there is no tool `divide`; the tools are: `add`, `broken`
        error of add#d: the arguments of `add` are wrong: "b" is a required property; a: "one" is not of type "integer"
        model: done"#]].assert_eq(&lines(&outcome.conversation.messages));
}

#[tokio::test]
async fn calls_of_a_turn_run_at_once() {
    let barrier = Arc::new(Barrier::new(2));
    /// Waits for the other.
    #[tool]
    async fn meet(barrier: State<Barrier>) -> &'static str {
        barrier.wait().await;
        "met"
    }
    let model = ScriptedModel::new()
        .calls(["a", "b"].map(|id| ToolCall::new(id, "meet", json!({}))))
        .text("done");
    let tools = Toolbox::builder().with(meet::tool()).shared_state(barrier).build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    assert_eq!(agent.run(args!("Meet.")).await.unwrap().text(), "done");
}

#[tokio::test]
async fn or_one_after_the_other() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    /// Says when it begins and ends.
    #[tool]
    async fn log(
        /// Its name.
        name: String,
        seen: State<Mutex<Vec<String>>>,
    ) -> String {
        seen.lock().unwrap().push(format!("{name} begins"));
        tokio::task::yield_now().await;
        seen.lock().unwrap().push(format!("{name} ends"));
        name
    }
    let calls = ["a", "b", "c"].map(|name| ToolCall::new(name, "log", json!({ "name": name })));
    let model = ScriptedModel::new().calls(calls).text("done");
    let tools = Toolbox::builder().with(log::tool()).shared_state(seen.clone()).build().unwrap();
    let agent =
        ReActAutoma::new(model).tools(tools).tool_calls(ToolCallMode::Sequential).build().unwrap();
    let outcome = agent.run(args!("Log.")).await.unwrap();
    expect![[r#"
        a begins
        a ends
        b begins
        b ends
        c begins
        c ends"#]]
    .assert_eq(&seen.lock().unwrap().join("\n"));
    expect![[r#"
        user: Log.
        model: [log#a, log#b, log#c]
        result of log#a: a
        result of log#b: b
        result of log#c: c
        model: done"#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(outcome.turns, 2, "the model is asked once for all calls");
}
