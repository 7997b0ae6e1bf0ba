//! Policies for tools that fail or panic: the model gets the error, the call is retried, or the run
//! fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ddg_agentic::message::ToolCall;
use ddg_agentic::tool::ToolResult;
use ddg_agentic::tool::{OnFailure, State, ToolError, ToolOptions};
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use ddg_core::worker::Retry;
use expect_test::expect;
use serde_json::json;
use tokio::time::Instant;

use super::{caller, error, given};

/// Fails the first few times.
#[tool]
async fn flaky(failures: u32, n: State<AtomicU32>) -> Result<u32, String> {
    match n.fetch_add(1, Ordering::Relaxed) {
        n if n < failures => Err(format!("failure {n}")),
        n => Ok(n),
    }
}

fn tools(on_failure: OnFailure) -> Toolbox {
    let options = ToolOptions::new().on_failure(on_failure);
    Toolbox::builder()
        .with_options(flaky::tool(), options.clone())
        .with_options(bomb::tool(), options.clone())
        .with_options(sync_bomb::tool(), options)
        .state(AtomicU32::new(0))
        .build()
        .unwrap()
}

/// Panics.
#[tool]
async fn bomb() {
    panic!("boom")
}

/// Panics on another thread.
#[tool]
fn sync_bomb(when: u32) {
    panic!("boom {when}")
}

#[tokio::test]
async fn a_panic_is_an_error_like_any_other() {
    let tools = tools(OnFailure::TellModel);
    assert_eq!(error(&tools, "bomb", json!({})).await, "`bomb` panicked: boom");
    let told = error(&tools, "sync_bomb", json!({ "when": 7 })).await;
    assert_eq!(told, "`sync_bomb` panicked: boom 7");
}

#[tokio::test]
async fn a_failure_is_reported_unless_another_attempt_succeeds() {
    let calls = json!({ "failures": 2 });
    let told = tools(OnFailure::TellModel);
    assert_eq!(error(&told, "flaky", calls.clone()).await, "`flaky` failed: failure 0");
    let retried = tools(OnFailure::Retry { times: 2 });
    assert_eq!(given(&retried, "flaky", calls.clone()).await, "2");
    let too_few = tools(OnFailure::Retry { times: 1 });
    assert_eq!(error(&too_few, "flaky", calls).await, "`flaky` failed: failure 1");
}

#[tokio::test]
async fn a_failure_fails_the_run_if_that_is_the_policy_and_a_bad_call_does_not() {
    let tools = tools(OnFailure::FailRun);
    let call = ToolCall::new("call_1", "flaky", json!({ "failures": 1 }));
    let RunError::Step(failed) =
        caller(&tools, "flaky").run((call,)).output::<ToolResult>().await.unwrap_err()
    else {
        panic!("the step fails");
    };
    expect!["automa `agent`, step 1: worker `call` failed: `flaky` failed: failure 0"]
        .assert_eq(&failed.to_string());
    assert!(matches!(failed.downcast_ref(), Some(ToolError::Failed { .. })), "{failed:?}");
    error(&tools, "flaky", json!({ "failures": "one" })).await;
}

/// Wants other arguments.
#[tool]
async fn picky(n: State<AtomicU32>) -> Result<u32, ToolError> {
    n.fetch_add(1, Ordering::Relaxed);
    let faults = vec!["failures: too many".to_owned()];
    Err(ToolError::Arguments { tool: "picky".to_owned(), faults })
}

#[tokio::test(start_paused = true)]
async fn attempts_wait_as_the_policy_says() {
    let waits = Retry::times(2).delay(Duration::from_secs(1));
    let tools = || {
        let options = ToolOptions::new().retry(waits);
        let tools = Toolbox::builder().with_options(flaky::tool(), options.clone());
        tools.with_options(picky::tool(), options).state(AtomicU32::new(0)).build().unwrap()
    };
    let began = Instant::now();
    assert_eq!(given(&tools(), "flaky", json!({ "failures": 2 })).await, "2");
    assert_eq!(began.elapsed().as_secs(), 3, "a second, then two");
    let told = error(&tools(), "flaky", json!({ "failures": 9 })).await;
    assert_eq!(told, "`flaky` failed: failure 2");
    let began = Instant::now();
    let told = error(&tools(), "picky", json!({})).await;
    assert_eq!(told, "the arguments of `picky` are wrong: failures: too many");
    assert_eq!(began.elapsed().as_secs(), 0, "the model is told at once");
}
