//! Observers: the nine moments, and that nothing waits for an observer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_agentic::observe::{Moment, MomentKind, Observer};
use ddg_agentic::prelude::*;
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use crate::react::{adding, tools};

/// Sends each moment as a line.
struct Lines(mpsc::UnboundedSender<String>);

impl Observer for Lines {
    async fn observe(&self, moment: Moment) -> Result<(), WorkerError> {
        self.0.send(moment.to_string())?;
        Ok(())
    }
}

fn lines() -> (Lines, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Lines(sender), receiver)
}

/// All lines, when nobody can send any more.
async fn all(mut lines: mpsc::UnboundedReceiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(line) = lines.recv().await {
        all.push(line);
    }
    all
}

#[tokio::test]
async fn nine_moments() {
    let (observer, seen) = lines();
    let away = ModelError::Setup { message: "no network".into() };
    let broken = ToolCall::new("b", "broken", json!({ "why": "the disk is full" }));
    let model = ScriptedModel::new().calls([adding("a", 1, 2)]).calls([broken]).fails(away);
    let agent = ReActAutoma::new(model).tools(tools()).observer(observer).build().unwrap();
    let error = agent.run(args!("1 + 2?")).await.unwrap_err();
    assert!(error.downcast_ref::<AgentFailed>().is_some(), "{error}");
    drop(agent);
    assert_eq!(
        all(seen).await,
        [
            "agent: run started",
            "agent: model scripted started",
            "agent: model scripted ended",
            "agent: tool add started",
            "agent: tool add ended",
            "agent: model scripted started",
            "agent: model scripted ended",
            "agent: tool broken started",
            "agent: tool broken failed: `broken` failed: the disk is full",
            "agent: model scripted started",
            "agent: model scripted failed: no network",
            "agent: run failed: automa `agent`, step 8: worker `think` failed: no network",
        ]
    );

    let (observer, seen) = lines();
    let agent = ReActAutoma::new(ScriptedModel::new().text("3")).observer(observer);
    agent.build().unwrap().run(args!("1 + 2?")).await.unwrap();
    assert_eq!(all(seen).await.last().unwrap(), "agent: run finished");
}

/// Waits for ever.
#[tool]
async fn hang(began: State<Notify>) {
    began.notify_one();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_run_that_is_cancelled_or_dropped_has_one_end_and_it_is_last() {
    for cancels in [true, false] {
        let (observer, seen) = lines();
        let began = Arc::new(Notify::new());
        let tools = Toolbox::builder().with(hang::tool()).shared_state(Arc::clone(&began));
        let model = ScriptedModel::new().calls([ToolCall::new("a", "hang", json!({}))]);
        let agent = ReActAutoma::new(model).tools(tools.build().unwrap()).observer(observer);
        let agent = agent.build().unwrap();
        let run = agent.run(args!("Wait.")).spawn();
        began.notified().await;
        if cancels {
            run.cancel();
            assert!(matches!(run.await.unwrap_err(), RunError::Cancelled { .. }));
        } else {
            drop(run);
        }
        drop(agent);
        assert_eq!(
            all(seen).await,
            [
                "agent: run started",
                "agent: model scripted started",
                "agent: model scripted ended",
                "agent: tool hang started",
                "agent: tool hang failed: interrupted",
                "agent: run failed: cancelled",
            ]
        );
    }
}

#[tokio::test]
async fn a_run_that_pauses_ends_and_starts_again() {
    let (observer, seen) = lines();
    let options = ToolOptions::new().approval();
    let tools = Toolbox::builder().with_options(crate::react::add::tool(), options);
    let model = ScriptedModel::new().calls([adding("a", 1, 2)]).text("3");
    let agent = ReActAutoma::new(model).tools(tools.build().unwrap()).observer(observer);
    let agent = Agent::new(agent).unwrap();
    let Said::Paused { outcome, .. } = agent.say("ada", "1 + 2?").await.unwrap() else { panic!() };
    let question = outcome.questions().remove(0);
    drop(outcome);
    agent.answer("ada", &question.id, Verdict::Allow).await.unwrap();
    drop(agent);
    assert_eq!(
        all(seen).await,
        [
            "agent: run started",
            "agent: model scripted started",
            "agent: model scripted ended",
            "agent: run paused",
            "agent: run started",
            "agent: tool add started",
            "agent: tool add ended",
            "agent: model scripted started",
            "agent: model scripted ended",
            "agent: run finished",
        ]
    );
}

#[tokio::test]
async fn what_is_inside_is_told_with_its_agent_between_the_start_and_end_of_its_run() {
    let (observer, seen) = lines();
    let inner = ReActAutoma::new(ScriptedModel::new().named("small").text("It is 3."));
    let inner = inner.name("mathematician").into_tool("mathematician", "Knows sums.").unwrap();
    let call = ToolCall::new("o", "mathematician", json!({ "task": "1 + 2?" }));
    let model = ScriptedModel::new().calls([call]).text("3");
    let agent = ReActAutoma::new(model).name("host").observer(observer);
    let agent = agent.tools(Toolbox::builder().with(inner).build().unwrap()).build().unwrap();
    agent.run(args!("1 + 2?")).await.unwrap();
    drop(agent);
    assert_eq!(
        all(seen).await,
        [
            "host: run started",
            "host: model scripted started",
            "host: model scripted ended",
            "host: tool mathematician started",
            "host/mathematician: run started",
            "host/mathematician: model small started",
            "host/mathematician: model small ended",
            "host/mathematician: run finished",
            "host: tool mathematician ended",
            "host: model scripted started",
            "host: model scripted ended",
            "host: run finished",
        ]
    );
}

/// Fails in each way, and hangs at last.
struct Bad(Arc<Mutex<u32>>);

impl Observer for Bad {
    async fn observe(&self, moment: Moment) -> Result<(), WorkerError> {
        let n = {
            let mut n = self.0.lock().unwrap();
            *n += 1;
            *n
        };
        match n {
            1 => Err(WorkerError::msg("no")),
            2 => panic!("oh"),
            _ if matches!(moment.kind, MomentKind::RunEnded { .. }) => Ok(()),
            _ => std::future::pending().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_fails_panics_or_hangs_costs_the_run_nothing() {
    let n_moments = Arc::default();
    let (observer, seen) = lines();
    let model = ScriptedModel::new().text("One.").text("Two.");
    let agent = ReActAutoma::new(model).observer(Bad(Arc::clone(&n_moments))).observer(observer);
    let agent = Agent::new(agent).unwrap();
    let begun = tokio::time::Instant::now();
    agent.run("ada", "One?").await.unwrap();
    // The conversation is free at once.
    agent.run("ada", "Two?").await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    drop(agent);
    assert_eq!(all(seen).await.len(), 8);
    // Each moment is given up at its time, so the observer gets all that follow.
    tokio::time::sleep(Moment::LONGEST * 10).await;
    assert_eq!(*n_moments.lock().unwrap(), 8);
}
