//! Requests at the same time, on both databases: one of them wins. In the night there are 500 rounds.

use std::sync::Arc;

use ddg_agentic::assistants::{MessageParams, RunParams, RunStatus, ToolOutputParams};
use ddg_agentic::model::ScriptedModel;
use serde_json::json;
use tokio::sync::Notify;

use crate::fixture::{Fixture, calls, function, until};

/// How often a race is run.
fn rounds() -> usize {
    if std::env::var_os("DDG_NIGHTLY").is_some() { 500 } else { 5 }
}

/// Of eight runs that are created at once on a thread, one begins.
async fn creations(open: impl AsyncFn(ScriptedModel) -> Fixture) {
    for _ in 0..rounds() {
        let model = ScriptedModel::new().text("late").after(std::future::pending::<()>());
        let fixture = open(model).await;
        let (assistant, thread) =
            (fixture.assistant(json!({})).await, fixture.thread(&["hi"]).await);
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (ada, thread, params) =
                    (fixture.ada.clone(), thread.clone(), RunParams::new(&assistant));
                tokio::spawn(async move { ada.create_run(&thread, params).await })
            })
            .collect();
        let (mut begun, mut refused) = (Vec::new(), Vec::new());
        for task in tasks {
            match task.await.unwrap() {
                Ok(started) => begun.push(started.run.id),
                Err(error) => refused.push(error.to_string()),
            }
        }
        let [run] = &begun[..] else { panic!("{begun:?} have begun") };
        let expected = format!("Thread {thread} already has an active run {run}.");
        assert!(refused.iter().all(|refused| *refused == expected), "{refused:?}");
        fixture.ada.run(run).cancel().await.unwrap();
        fixture.ada.run(run).outcome().await.unwrap();
        fixture.assistants.close().await;
    }
}

/// Of eight submissions at once, one is accepted, and the loop runs once.
async fn submissions(open: impl AsyncFn(ScriptedModel) -> Fixture) {
    for _ in 0..rounds() {
        let model = ScriptedModel::new().pieces(calls(&[("a", "weather", "{}")])).text("Done.");
        let fixture = open(model.clone()).await;
        let run = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let handle = fixture.ada.run(&run.id);
                let output = ToolOutputParams::new("a", format!("{n}"));
                tokio::spawn(async move { handle.submit(vec![output]).await.is_ok() })
            })
            .collect();
        let mut n_accepted = 0;
        for task in tasks {
            n_accepted += u32::from(task.await.unwrap());
        }
        assert_eq!(n_accepted, 1);
        let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
        assert_eq!(ended.status, RunStatus::Completed);
        model.assert_finished();
        assert_eq!(model.requests().len(), 2);
        fixture.assistants.close().await;
    }
}

/// A run that is cancelled as it ends is cancelled or completed, and has one end.
async fn cancellations(open: impl AsyncFn(ScriptedModel) -> Fixture) {
    for round in 0..rounds() {
        let gate = Arc::new(Notify::new());
        let opened = Arc::clone(&gate);
        let model =
            ScriptedModel::new().text("Late.").after(async move { opened.notified().await });
        let fixture = open(model).await;
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
        let events = fixture.events(&run.id).await;
        assert_eq!(events.iter().filter(|event| ends.contains(&&*event.name)).count(), 1);
        fixture.ada.create_message(&run.thread_id, MessageParams::user("again")).await.unwrap();
        fixture.assistants.close().await;
    }
}

mod sqlite {
    use super::*;

    async fn open(model: ScriptedModel) -> Fixture {
        Fixture::new(model).await
    }

    /// [assistants states 2]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_eight_runs_created_at_once_one_begins() {
        creations(open).await;
    }

    /// [assistants run 4.3]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_submissions_at_once_one_is_accepted() {
        submissions(open).await;
    }

    /// [assistants states 1]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_run_that_is_cancelled_as_it_ends_is_one_of_both() {
        cancellations(open).await;
    }
}

#[cfg(all(feature = "outside", feature = "postgres"))]
mod postgres {
    use std::time::Duration;

    use ddg_agentic::assistants::{AssistantStore, Assistants};

    use super::*;
    use crate::database::Database;

    async fn open(database: &Database, model: ScriptedModel) -> Fixture {
        let store = AssistantStore::connect(database.url()).await.unwrap();
        let assistants = Assistants::open(store).poll_every(Duration::from_millis(10));
        Fixture::of(assistants.model(model).await.unwrap())
    }

    /// [assistants states 2]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_eight_runs_created_at_once_one_begins() {
        let Some(database) = Database::new().await else { return };
        creations(async |model| open(&database, model).await).await;
        database.drop().await;
    }

    /// [assistants run 4.3]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_submissions_at_once_one_is_accepted() {
        let Some(database) = Database::new().await else { return };
        submissions(async |model| open(&database, model).await).await;
        database.drop().await;
    }

    /// [assistants states 1]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_run_that_is_cancelled_as_it_ends_is_one_of_both() {
        let Some(database) = Database::new().await else { return };
        cancellations(async |model| open(&database, model).await).await;
        database.drop().await;
    }
}
