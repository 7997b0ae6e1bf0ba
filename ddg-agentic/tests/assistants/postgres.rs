//! Assistants on PostgreSQL, and several servers on one database.

use std::time::Duration;

use ddg_agentic::assistants::{
    AssistantParams, AssistantStore, Assistants, AssistantsBuilder, EventStream, MessageParams,
    Order, Paging, ResponseParams, RunParams, RunStatus, ThreadParams,
};
use ddg_agentic::model::{ChatChunk, ScriptedModel};
use futures::{StreamExt, stream};

use crate::database::Database;
use crate::fixture::{all, trace, words};

async fn open(
    database: &Database,
    build: impl FnOnce(AssistantsBuilder) -> AssistantsBuilder,
) -> Assistants {
    let store = AssistantStore::connect(database.url()).await.unwrap();
    build(Assistants::open(store).poll_every(Duration::from_millis(10))).await.unwrap()
}

fn hanging() -> ScriptedModel {
    let words = vec![Ok(ChatChunk::Text("It".to_owned()))];
    ScriptedModel::new().streams(stream::iter(words).chain(stream::pending()))
}

async fn until_delta(events: &mut EventStream) {
    while let Some(event) = events.next().await {
        if event.unwrap().name == "thread.message.delta" {
            return;
        }
    }
    panic!("the stream ended before the first delta");
}

/// [assistants store 1] [assistants states 2]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_the_same_on_a_server_of_databases() {
    let Some(database) = Database::new().await else { return };
    let (all_answered, answered) = tokio::sync::oneshot::channel::<()>();
    let model = ScriptedModel::new()
        .pieces(words(&["It ", "rains."]))
        .after(answered)
        .text("First.")
        .text("Second.");
    let assistants = open(&database, |builder| builder.model(model.clone())).await;
    let ada = assistants.tenant("ada");
    let assistant = ada.create_assistant(AssistantParams::new("m")).await.unwrap().id;
    let mut params = ThreadParams::default();
    params.messages = vec![MessageParams::user("one"), MessageParams::user("two")];
    let thread = ada.create_thread(params).await.unwrap().id;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (ada, thread, params) = (ada.clone(), thread.clone(), RunParams::new(&assistant));
            tokio::spawn(async move { ada.create_run(&thread, params).await })
        })
        .collect();
    // The first reply waits until all have been answered, so no second run can begin after the first.
    let mut begun = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(started) => begun.push(started),
            Err(error) => {
                assert!(error.to_string().contains("already has an active run"), "{error}");
            }
        }
    }
    assert_eq!(begun.len(), 1);
    all_answered.send(()).unwrap();
    let first = begun.remove(0);
    let events = trace(&all(first.events).await);
    assert!(
        events.ends_with("message.delta x2\nmessage.completed\nrun.step.completed\nrun.completed"),
        "{events}"
    );
    let mut asc = Paging::default();
    (asc.order, asc.limit) = (Some(Order::Asc), Some(2));
    let page = ada.list_messages(&thread, None, &asc).await.unwrap();
    assert_eq!(
        page.data.iter().map(ddg_agentic::assistants::Message::text).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert!(page.has_more);
    let first = ada.create_response(ResponseParams::new("m", "one")).await.unwrap().response.id;
    ada.response_outcome(&first).await.unwrap();
    let mut params = ResponseParams::new("m", "two");
    params.previous_response_id = Some(first);
    let second = ada.create_response(params).await.unwrap().response.id;
    ada.response_outcome(&second).await.unwrap();
    let asked: Vec<_> =
        model.requests()[2].messages.iter().map(ddg_agentic::Message::text).collect();
    assert_eq!(asked, ["one", "First.", "two"]);
    assistants.close().await;
    drop((assistants, ada));
    database.drop().await;
}

/// [assistants store 2] [assistants states 4]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_cancels_a_run() {
    let Some(database) = Database::new().await else { return };
    let one =
        open(&database, |builder| builder.model(hanging()).grace(Duration::from_millis(1))).await;
    let ada = one.tenant("ada");
    let assistant = ada.create_assistant(AssistantParams::new("m")).await.unwrap().id;
    let thread = ada.create_thread(ThreadParams::default()).await.unwrap().id;
    let mut started = ada.create_run(&thread, RunParams::new(&assistant)).await.unwrap();
    until_delta(&mut started.events).await;
    let two = open(&database, |builder| builder.model(ScriptedModel::new())).await;
    let elsewhere = two.tenant("ada");
    // Its lease is held, so the second server leaves it alone, and cancels it all the same.
    let cancelled = elsewhere.cancel_run(&thread, &started.run.id).await.unwrap();
    assert_eq!(cancelled.status, RunStatus::Cancelling);
    let ended = elsewhere.run(&started.run.id).outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Cancelled);
    let rest = trace(&all(started.events).await);
    assert!(rest.ends_with("run.cancelled"), "{rest}");
    one.close().await;
    two.close().await;
    drop((one, two, ada, elsewhere));
    database.drop().await;
}

/// [assistants store 2]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_continues_a_run_that_was_left() {
    let Some(database) = Database::new().await else { return };
    let one =
        open(&database, |builder| builder.model(hanging()).grace(Duration::from_millis(1))).await;
    let two =
        open(&database, |builder| builder.model(ScriptedModel::new().text("It rains."))).await;
    let ada = one.tenant("ada");
    let assistant = ada.create_assistant(AssistantParams::new("m")).await.unwrap().id;
    let thread = ada.create_thread(ThreadParams::default()).await.unwrap().id;
    let mut started = ada.create_run(&thread, RunParams::new(&assistant)).await.unwrap();
    until_delta(&mut started.events).await;
    let elsewhere = two.tenant("ada").run(&started.run.id);
    let seen = tokio::spawn(all(elsewhere.events(None).await.unwrap()));
    one.close().await;
    let ended = elsewhere.outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Completed);
    let seen = seen.await.unwrap();
    assert!(trace(&seen).ends_with("message.completed\nrun.step.completed\nrun.completed"));
    assert!(seen.iter().map(|event| event.number).eq(1..=seen.len() as u64));
    two.close().await;
    drop((one, two, ada, elsewhere));
    database.drop().await;
}
