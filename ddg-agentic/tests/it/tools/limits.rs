//! Timeouts, the number of concurrent calls, and the size of results.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_agentic::message::ToolCall;
use ddg_agentic::tool::{OnFailure, State, ToolOptions, ToolResult};
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use expect_test::expect;
use serde_json::json;
use tokio::sync::{Barrier, Semaphore, mpsc};

use super::{caller, error, given};

/// Never ends.
#[tool]
async fn never() {
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_takes_too_long_is_given_up() {
    let options = ToolOptions::new().timeout(Duration::from_secs(5));
    let tools = Toolbox::builder().with_options(never::tool(), options).build().unwrap();
    expect!["`never` did not end within 5s"].assert_eq(&error(&tools, "never", json!({})).await);
}

/// Blocks until it may go on.
#[tool]
fn blocks(gate: State<Mutex<std::sync::mpsc::Receiver<()>>>) -> String {
    let State(gate) = gate;
    gate.lock().unwrap().recv().unwrap();
    "late".to_owned()
}

#[tokio::test]
async fn a_tool_that_cannot_be_stopped_says_so_and_is_not_called_again() {
    let (end, gate) = std::sync::mpsc::channel();
    let options = ToolOptions::new().timeout(Duration::from_millis(1));
    let options = options.on_failure(OnFailure::Retry { times: 3 });
    let tools = Toolbox::builder()
        .with_options(blocks::tool(), options)
        .state(Mutex::new(gate))
        .build()
        .unwrap();
    expect!["`blocks` did not end within 1ms; it cannot be stopped, so it still runs and may still have its effects"]
        .assert_eq(&error(&tools, "blocks", json!({})).await);
    end.send(()).unwrap();
}

/// Gives a text.
#[tool]
async fn say(text: String) -> String {
    text
}

#[tokio::test]
async fn a_long_output_is_cut_at_the_end_of_a_character() {
    let options = ToolOptions::new().max_output_bytes(5);
    let tools = Toolbox::builder().with_options(say::tool(), options).build().unwrap();
    let say = async |text: &str| given(&tools, "say", json!({ "text": text })).await;
    assert_eq!(say("äöx").await, "äöx");
    expect![[r#"
        ä
        [cut: 2 of 7 bytes are missing]
        üx"#]]
    .assert_eq(&say("äöüx").await);
    let wrong = error(&tools, "say", json!({ "text": vec![0; 1000] })).await;
    expect![[r#"
        th
        [cut: 71 of 76 bytes are missing]
        ng""#]]
    .assert_eq(&wrong);
}

/// Reports active calls, and holds them until they may end.
struct Gate {
    began: mpsc::UnboundedSender<u32>,
    goes_on: Semaphore,
}

/// Says that it has begun, and waits.
#[tool]
async fn wait(n: u32, gate: State<Gate>) -> u32 {
    gate.began.send(n).unwrap();
    gate.goes_on.acquire().await.unwrap().forget();
    n
}

#[tokio::test]
async fn concurrent_calls_are_limited_over_all_runs() {
    let (began, mut begins) = mpsc::unbounded_channel();
    let gate = Arc::new(Gate { began, goes_on: Semaphore::new(0) });
    let tools = Toolbox::builder()
        .with_options(wait::tool(), ToolOptions::new().max_concurrency(2))
        .shared_state(Arc::clone(&gate))
        .build()
        .unwrap();
    let runs: Vec<_> = (0..3)
        .map(|n| {
            let call = ToolCall::new("call_1", "wait", json!({ "n": n }));
            caller(&tools.clone(), "wait").run((call,)).spawn()
        })
        .collect();
    let first = [begins.recv().await.unwrap(), begins.recv().await.unwrap()];
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(begins.try_recv().is_err(), "the third waits for its turn");
    gate.goes_on.add_permits(1);
    let third = begins.recv().await.unwrap();
    assert!(!first.contains(&third));
    gate.goes_on.add_permits(2);
    for run in runs {
        run.await.unwrap().into_output::<ToolResult>().unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_call_gives_its_place_back() {
    let (began, mut begins) = mpsc::unbounded_channel();
    let gate = Arc::new(Gate { began, goes_on: Semaphore::new(0) });
    let tools = Toolbox::builder()
        .with_options(wait::tool(), ToolOptions::new().max_concurrency(1))
        .shared_state(Arc::clone(&gate))
        .build()
        .unwrap();
    let call = |n| (ToolCall::new("call_1", "wait", json!({ "n": n })),);
    let dropped = caller(&tools, "wait").run(call(1)).spawn();
    assert_eq!(begins.recv().await, Some(1));
    drop(dropped);
    let next = caller(&tools, "wait").run(call(2)).spawn();
    assert_eq!(begins.recv().await, Some(2));
    gate.goes_on.add_permits(1);
    next.await.unwrap();
}

/// Waits for others.
#[tool]
async fn meet(all: State<Barrier>) -> bool {
    all.wait().await.is_leader()
}

#[tokio::test]
async fn without_a_limit_calls_run_concurrently() {
    let tools = Toolbox::builder().with(meet::tool()).state(Barrier::new(3)).build().unwrap();
    let mut automa = GraphAutoma::new("agent");
    for key in ["a", "b", "c"] {
        automa.add_worker(key, tools.call_worker("meet"), start()).unwrap();
    }
    let run = automa.run((ToolCall::new("call_1", "meet", json!({})),));
    assert_eq!(run.await.unwrap().steps(), 1);
}
