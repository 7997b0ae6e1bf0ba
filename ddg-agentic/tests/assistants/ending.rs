//! Runs that are cancelled, that expire, and that a process leaves behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use ddg_agentic::assistants::{
    AssistantStore, MessageParams, MessageStatus, Order, Paging, RunStatus, StepStatus,
    ToolOutputParams,
};
use ddg_agentic::model::{ChatChunk, ScriptedModel};
use ddg_agentic::{Toolbox, tool};
use futures::StreamExt;
use futures::stream;
use serde_json::json;

use crate::fixture::{Fixture, all, calls, function, rounds, trace, words};

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

/// Waits for the first event with this name.
async fn until(events: &mut ddg_agentic::assistants::EventStream, name: &str) {
    while let Some(event) = events.next().await {
        if event.unwrap().name == name {
            return;
        }
    }
    panic!("the stream ended before `{name}`");
}

/// [assistants states] [assistants http] [assistants known failures]
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

/// [assistants states] [assistants known failures]
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

/// [assistants states] [assistants known failures]
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

/// [assistants states]
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

/// [assistants states] [assistants store]
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

/// [assistants run 4] [assistants store]
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
/// [assistants store] [assistants run 4]
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

/// [assistants states]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_cancelled_as_it_ends_is_one_of_both() {
    for round in 0..rounds() {
        let gate = Arc::new(tokio::sync::Notify::new());
        let opened = Arc::clone(&gate);
        let model =
            ScriptedModel::new().text("Late.").after(async move { opened.notified().await });
        let fixture = Fixture::new(model).await;
        let (mut events, run) = fixture.started(json!({}), json!({})).await;
        until(&mut events, "thread.run.in_progress").await;
        let handle = fixture.ada.run(&run.id);
        let cancel = tokio::spawn(async move {
            // The moment of the request differs from round to round.
            for _ in 0..round % 50 {
                tokio::task::yield_now().await;
            }
            handle.cancel().await.map(|_| ())
        });
        gate.notify_one();
        let cancelled = cancel.await.unwrap();
        let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
        let expected = if cancelled.is_ok() { RunStatus::Cancelled } else { RunStatus::Completed };
        assert_eq!(ended.status, expected);
        let ends = ["thread.run.completed", "thread.run.cancelled"];
        let n_ends = fixture
            .events(&run.id)
            .await
            .iter()
            .filter(|event| ends.contains(&&*event.name))
            .count();
        assert_eq!(n_ends, 1);
        fixture.ada.create_message(&run.thread_id, MessageParams::user("again")).await.unwrap();
    }
}
