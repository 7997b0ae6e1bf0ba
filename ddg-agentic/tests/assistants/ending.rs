//! Runs that are cancelled, that expire, and that a process leaves behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use ddg_agentic::assistants::{
    AssistantStore, MessageParams, MessageStatus, Order, Paging, RunStatus, StepStatus,
    ToolOutputParams,
};
use ddg_agentic::model::{ChatChunk, ScriptedModel};
use ddg_agentic::{Toolbox, tool};
use futures::StreamExt;
use futures::stream;
use serde_json::json;

use crate::fixture::{Fixture, all, calls, function, trace, until, words};

/// Never ends.
#[tool]
async fn hang() -> String {
    std::future::pending().await
}

fn asc() -> Paging {
    let mut paging = Paging::default();
    paging.order = Some(Order::Asc);
    paging
}

/// A reply that begins and never ends.
fn hanging(words: &[&str]) -> ScriptedModel {
    let words: Vec<_> = words.iter().map(|word| Ok(ChatChunk::Text((*word).to_owned()))).collect();
    ScriptedModel::new().streams(stream::iter(words).chain(stream::pending()))
}

/// [assistants states 4] [assistants http 5]
#[tokio::test]
async fn a_run_is_cancelled_in_the_middle_of_a_reply() {
    let fixture = Fixture::new(hanging(&["It ", "is"])).await;
    let (mut events, run) = fixture.started(json!({}), json!({})).await;
    until(&mut events, "thread.message.delta").await;
    let cancelled = fixture.ada.cancel_run(&run.thread_id, &run.id).await.unwrap();
    assert_eq!(cancelled.status, RunStatus::Cancelling);
    let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Cancelled);
    assert!(ended.cancelled_at.is_some());
    let rest = trace(&all(events).await);
    assert!(
        rest.ends_with("run.cancelling\nrun.step.cancelled\nmessage.incomplete\nrun.cancelled"),
        "{rest}"
    );
    let message =
        &fixture.ada.list_messages(&run.thread_id, Some(&run.id), &asc()).await.unwrap().data[0];
    assert_eq!((message.text().as_str(), message.status), ("It is", MessageStatus::Incomplete));
    assert_eq!(message.incomplete_details.as_ref().unwrap().reason, "run_cancelled");
    let again = fixture.ada.cancel_run(&run.thread_id, &run.id).await.unwrap_err();
    assert_eq!(again.to_string(), "Cannot cancel run with status 'cancelled'.");
    fixture.ada.create_message(&run.thread_id, MessageParams::user("again")).await.unwrap();
}

/// [assistants states 4] [assistants known failures]
#[tokio::test]
async fn a_run_is_cancelled_while_a_tool_runs_and_while_it_waits() {
    let tools = Toolbox::builder().with(hang::tool()).build().unwrap();
    let model = ScriptedModel::new().pieces(calls(&[("a", "hang", "{}")]));
    let fixture = Fixture::with(|builder| builder.model(model).tools(tools)).await;
    let (mut events, run) =
        fixture.started(json!({ "tools": [{ "type": "hang" }] }), json!({})).await;
    until(&mut events, "thread.run.step.delta").await;
    fixture.ada.run(&run.id).cancel().await.unwrap();
    let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Cancelled);
    let steps = fixture.ada.list_steps(&run.thread_id, &run.id, &asc()).await.unwrap().data;
    assert_eq!(steps[0].status, StepStatus::Cancelled);

    let model = ScriptedModel::new().pieces(calls(&[("a", "weather", "{}")]));
    let fixture = Fixture::new(model).await;
    let run = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
    let cancelled = fixture.ada.run(&run.id).cancel().await.unwrap();
    assert_eq!(cancelled.status, RunStatus::Cancelled);
    let trace = fixture.trace(&run.id).await;
    assert!(trace.ends_with("run.cancelling\nrun.step.cancelled\nrun.cancelled"), "{trace}");
    let late = fixture.ada.run(&run.id).submit(vec![ToolOutputParams::new("a", "x")]).await;
    assert!(late.unwrap_err().to_string().contains("do not accept tool outputs"));
}

/// [assistants states 5] [assistants known failures]
#[tokio::test]
async fn a_run_that_waits_too_long_expires_and_frees_its_thread() {
    let now = Arc::new(AtomicU64::new(1_000_000));
    let clock = Arc::clone(&now);
    let model = ScriptedModel::new().pieces(calls(&[("a", "weather", "{}")]));
    let fixture = Fixture::with(|builder| {
        let time = move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed));
        builder.model(model).with_clock(time).run_expiry(Duration::from_secs(60))
    })
    .await;
    let run = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
    assert_eq!((run.status, run.expires_at), (RunStatus::RequiresAction, Some(1_000_060)));
    now.store(1_000_060, Ordering::Relaxed);
    let late = fixture.ada.run(&run.id).submit(vec![ToolOutputParams::new("a", "x")]).await;
    assert!(late.is_err());
    let expired = fixture.ada.retrieve_run(&run.thread_id, &run.id).await.unwrap();
    assert_eq!(expired.status, RunStatus::Expired);
    let trace = fixture.trace(&run.id).await;
    assert!(trace.ends_with("run.requires_action\nrun.step.expired\nrun.expired"), "{trace}");
    fixture.ada.create_message(&run.thread_id, MessageParams::user("again")).await.unwrap();
}

/// [assistants states 5]
#[tokio::test]
async fn a_run_at_work_expires_with_what_it_has() {
    let now = Arc::new(AtomicU64::new(1_000_000));
    let clock = Arc::clone(&now);
    let fixture = Fixture::with(|builder| {
        let time = move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed));
        builder.model(hanging(&["It"])).with_clock(time)
    })
    .await;
    let (mut events, run) = fixture.started(json!({}), json!({})).await;
    until(&mut events, "thread.message.delta").await;
    now.store(1_000_600, Ordering::Relaxed);
    let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Expired);
    let message =
        &fixture.ada.list_messages(&run.thread_id, Some(&run.id), &asc()).await.unwrap().data[0];
    assert_eq!(message.incomplete_details.as_ref().unwrap().reason, "run_expired");
}

/// [assistants states 8] [assistants store 3]
#[tokio::test]
async fn the_next_process_takes_up_what_the_last_one_left() {
    let fixture = Fixture::with(|builder| {
        builder.model(hanging(&["It ", "is"])).grace(Duration::from_millis(1))
    })
    .await;
    let (mut events, run) = fixture.started(json!({}), json!({})).await;
    until(&mut events, "thread.message.delta").await;
    let seen = all(events);
    let fixture =
        fixture.reopened(|builder| builder.model(ScriptedModel::new().text("It rains."))).await;
    drop(seen);
    let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Completed);
    let events = fixture.events(&run.id).await;
    // What was begun is ended, and begun again; nothing is told twice.
    let expected = "run.created\nrun.queued\nrun.in_progress\nrun.step.created\nrun.step.in_progress\n\
                    message.created\nmessage.in_progress\nmessage.delta x2\nrun.step.failed\n\
                    message.incomplete\nrun.step.created\nrun.step.in_progress\nmessage.created\n\
                    message.in_progress\nmessage.delta\nmessage.completed\nrun.step.completed\nrun.completed";
    assert_eq!(trace(&events), expected);
    let numbers: Vec<_> = events.iter().map(|event| event.number).collect();
    assert!(numbers.iter().copied().eq(1..=events.len() as u64), "{numbers:?}");
    fixture.ada.create_message(&run.thread_id, MessageParams::user("again")).await.unwrap();
}

/// [assistants run 1.3]
#[tokio::test]
async fn outputs_are_submitted_to_another_process() {
    let model = ScriptedModel::new().pieces(calls(&[("a", "weather", "{}")]));
    let fixture = Fixture::new(model).await;
    let run = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
    let next = ScriptedModel::new().pieces(words(&["Sunny."])).expects_last("sun");
    let fixture = fixture.reopened(|builder| builder.model(next.clone())).await;
    let handle = fixture.ada.run(&run.id);
    handle.submit(vec![ToolOutputParams::new("a", "sun")]).await.unwrap();
    assert_eq!(handle.outcome().await.unwrap().status, RunStatus::Completed);
    next.assert_finished();
}

/// The rows are ahead of the journal, as after a crash between them.
///
/// [assistants store 3]
#[tokio::test]
async fn rows_that_are_ahead_of_the_journal_are_read_and_not_written_twice() {
    let model = ScriptedModel::new().pieces(calls(&[("a", "weather", "{}")]));
    let fixture = Fixture::new(model).await;
    let run = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
    let before = fixture.events(&run.id).await;
    fixture.assistants.close().await;
    let store = AssistantStore::open(fixture.folder.path().join("ddg.sqlite")).await.unwrap();
    let id = ddg_core::checkpoint::RunId::new(run.id.as_str()).unwrap();
    store.journals().delete(&id).await.unwrap();

    // The journal begins anew: the model is not asked for what it has said.
    let next = ScriptedModel::new().text("Sunny.").expects_last("sun");
    let fixture = fixture.reopened(|builder| builder.model(next.clone())).await;
    let handle = fixture.ada.run(&run.id);
    handle.submit(vec![ToolOutputParams::new("a", "sun")]).await.unwrap();
    assert_eq!(handle.outcome().await.unwrap().status, RunStatus::Completed);
    next.assert_finished();
    let events = fixture.events(&run.id).await;
    assert_eq!(events[..before.len()], before);
    let expected = "run.step.completed\nrun.queued\nrun.in_progress\nrun.step.created\nrun.step.in_progress\n\
                    message.created\nmessage.in_progress\nmessage.delta\nmessage.completed\n\
                    run.step.completed\nrun.completed";
    assert_eq!(trace(&events[before.len()..]), expected);
}

/// [assistants states 4] A second is long; the request returns at once.
#[tokio::test]
async fn a_run_is_cancelled_within_a_second() {
    let tools = Toolbox::builder().with(hang::tool()).build().unwrap();
    for (model, last) in [
        (hanging(&["It"]), "thread.message.delta"),
        (ScriptedModel::new().pieces(calls(&[("a", "hang", "{}")])), "thread.run.step.delta"),
    ] {
        let fixture = Fixture::with(|builder| builder.model(model).tools(tools.clone())).await;
        let (mut events, run) =
            fixture.started(json!({ "tools": [{ "type": "hang" }] }), json!({})).await;
        until(&mut events, last).await;
        let began = Instant::now();
        fixture.ada.run(&run.id).cancel().await.unwrap();
        let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
        assert_eq!(ended.status, RunStatus::Cancelled);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

/// [assistants command line 6]
#[tokio::test]
async fn ended_runs_are_deleted_when_they_are_older_than_retain() {
    let now = Arc::new(AtomicU64::new(1_000_000));
    let clock = Arc::clone(&now);
    let model =
        ScriptedModel::new().text("Sunny.").pieces(calls(&[("a", "weather", "{}")])).text("Late.");
    let fixture = Fixture::with(|builder| {
        let time = move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed));
        let builder = builder.model(model).with_clock(time).retain(Duration::from_secs(3600));
        builder.run_expiry(Duration::from_secs(100_000))
    })
    .await;
    let old = fixture.run(json!({}), json!({})).await;
    let open = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
    assert_eq!(open.status, RunStatus::RequiresAction);
    now.store(1_003_000, Ordering::Relaxed);
    let young = fixture.run(json!({}), json!({})).await;
    fixture.assistants.sweep().await.unwrap();
    assert_eq!(fixture.trace(&old.id).await.lines().last(), Some("run.completed"));

    now.store(1_003_601, Ordering::Relaxed);
    fixture.assistants.sweep().await.unwrap();
    let gone = fixture.ada.retrieve_run(&old.thread_id, &old.id).await.unwrap_err();
    assert_eq!(gone.kind(), "not_found_error");
    assert!(fixture.ada.run(&old.id).events(None).await.is_err());
    // What it has said stays, and so do runs that are younger, or have not ended.
    let said = fixture.ada.list_messages(&old.thread_id, None, &asc()).await.unwrap().data;
    assert_eq!(said.last().unwrap().text(), "Sunny.");
    for kept in [&open, &young] {
        fixture.ada.retrieve_run(&kept.thread_id, &kept.id).await.unwrap();
    }
}

/// The model is resolved again by the process that takes a run up.
///
/// [assistants keys 3]
#[tokio::test]
async fn a_run_whose_key_is_gone_fails_and_says_so() {
    let fixture =
        Fixture::with(|builder| builder.model(hanging(&["It"])).grace(Duration::from_millis(1)))
            .await;
    let (mut events, run) = fixture.started(json!({}), json!({})).await;
    until(&mut events, "thread.message.delta").await;
    let gone = |_: &str, _: &str| Err("the key of this run was removed".to_owned());
    let fixture = fixture.reopened(|builder| builder.models(gone)).await;
    let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Failed);
    let error = ended.last_error.unwrap();
    assert_eq!(error.code, "server_error");
    assert!(error.message.contains("the key of this run was removed"), "{}", error.message);
    fixture.ada.create_message(&run.thread_id, MessageParams::user("again")).await.unwrap();
}
