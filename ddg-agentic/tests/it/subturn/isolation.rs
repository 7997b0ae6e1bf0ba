//! Two conversations of one agent: neither sees the children of the other, through the tools of
//! models or through a turn, and a child works for its own conversation only.

use std::sync::Arc;

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{AgentTools, ChildStatus, SubTurn, SubTurnError, SubTurns, Turn};
use ddg_core::checkpoint::MemoryStore;
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;

use super::setup::{Player, calls};

/// All that a turn tells of its children, and whether it can stop the first one.
#[tool]
async fn look(turn: Turn) -> Result<String, SubTurnError> {
    let children: Vec<_> = turn.children().into_iter().map(|child| child.id).collect();
    let results = turn.results()?.len();
    let next = turn.next_result().await?.map(|result| result.text());
    let stopped = turn.stop("subturn-1").map_err(|error| error.to_string());
    Ok(format!("{children:?} {results} {next:?} {stopped:?}"))
}

/// Spawns a child for a topic, and waits for its result.
#[tool]
async fn research(topic: String, turn: Turn) -> Result<String, SubTurnError> {
    let child = turn.spawn(SubTurn::new(topic)).await?;
    let result = turn.next_result().await?.map(|result| result.text());
    Ok(format!("{} {}", child.id(), result.unwrap_or_default()))
}

fn tools() -> Toolbox {
    let tools = Toolbox::builder().with_all(AgentTools::new().build());
    tools.with(look::tool()).with(research::tool()).build().unwrap()
}

/// The agent, with its runs stored or not.
fn agent(model: &Player, is_stored: bool) -> Agent {
    let agent = ReActAutoma::new(model.clone()).tools(tools()).subturns(SubTurns::new());
    let agent = Agent::new(agent).unwrap();
    if is_stored { agent.stored_in(&MemoryStore::new()) } else { agent }
}

/// The results of the tools of a run.
fn results(outcome: &AgentOutcome) -> Vec<String> {
    outcome.steps().into_iter().map(|step| step.result.content).collect()
}

/// [subturn 6] One conversation has an active child, while another asks for children in every way
/// there is. It finds none and stops none, and the child goes on.
#[tokio::test]
async fn a_conversation_sees_no_child_of_another() {
    for is_stored in [false, true] {
        let (begun, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (has_begun, opened) = (Arc::clone(&begun), Arc::clone(&gate));
        let model = Player::new(move |first: String, n| {
            let (begun, gate) = (Arc::clone(&has_begun), Arc::clone(&opened));
            async move {
                match (first.as_str(), n) {
                    ("Mine", 0) => calls("spawn_agent", json!({ "task": "child" })),
                    ("Mine", 1) => {
                        gate.acquire().await.unwrap().forget();
                        calls("list_agents", json!({}))
                    }
                    ("Theirs", 0) => calls("list_agents", json!({})),
                    ("Theirs", 1) => calls("stop_agent", json!({ "id": "subturn-1" })),
                    ("Theirs", 2) => calls("stop_agent", json!({ "id": "mine/subturn-1" })),
                    ("Theirs", 3) => calls("look", json!({})),
                    ("child", _) => {
                        begun.add_permits(1);
                        std::future::pending().await
                    }
                    _ => ChatReply::text("done"),
                }
            }
        });
        let agent = agent(&model, is_stored);
        let first = agent.clone();
        let mine = tokio::spawn(async move { first.run("mine", "Mine").await });
        begun.acquire().await.unwrap().forget();

        let theirs = agent.run("theirs", "Theirs").await.unwrap();
        assert!(theirs.children().is_empty());
        let results_of_theirs = results(&theirs);
        let listed: Json = serde_json::from_str(&results_of_theirs[0]).unwrap();
        assert_eq!(listed, json!({ "agents": [], "begun": [] }));
        for (n, id) in [(1, "subturn-1"), (2, "mine/subturn-1")] {
            let told = format!("this turn has no child agent `{id}`: it has none");
            assert!(results_of_theirs[n].contains(&told), "{}", results_of_theirs[n]);
        }
        let stopped = "Err(\"this turn has no child agent `subturn-1`: it has none\")";
        assert_eq!(results_of_theirs[3], format!("[] 0 None {stopped}"));

        gate.add_permits(1);
        let mine = mine.await.unwrap().unwrap();
        let listed: Json = serde_json::from_str(&results(&mine)[1]).unwrap();
        assert_eq!(listed["begun"][0]["state"], json!("running"), "nobody has stopped it");
        assert_eq!(mine.children()[0].status, ChildStatus::Running);
        agent.close(std::time::Duration::ZERO).await;
    }
}

/// [subturn 7] Children of several conversations at once have the same ids, and each conversation
/// gets the results of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_conversation_gets_the_results_of_its_own_children() {
    for is_stored in [false, true] {
        let model = Player::new(async |first: String, n| match (first.strip_prefix("Root "), n) {
            (Some(topic), 0) => calls("research", json!({ "topic": topic })),
            (Some(_), _) => ChatReply::text("done"),
            (None, _) => {
                super::races::dawdle(first.len() % 5).await;
                ChatReply::text(format!("about {first}"))
            }
        });
        let agent = agent(&model, is_stored);
        let runs = (0..20).map(|n| {
            let agent = agent.clone();
            tokio::spawn(async move { agent.run(format!("c{n}"), format!("Root {n}")).await })
        });
        for (n, run) in futures::future::join_all(runs).await.into_iter().enumerate() {
            let outcome = run.unwrap().unwrap();
            assert_eq!(results(&outcome), [format!("subturn-1 about {n}")]);
            assert_eq!(outcome.children().len(), 1);
        }
    }
}

/// [subturn 12] Stopping one conversation leaves the children of another alone.
#[tokio::test]
async fn stopping_a_conversation_leaves_the_children_of_another() {
    let (begun, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (has_begun, opened) = (Arc::clone(&begun), Arc::clone(&gate));
    let model = Player::new(move |first: String, n| {
        let (begun, gate) = (Arc::clone(&has_begun), Arc::clone(&opened));
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("research", json!({ "topic": "tea" })),
                ("Root", _) => ChatReply::text("done"),
                _ => {
                    begun.add_permits(1);
                    gate.acquire().await.unwrap().forget();
                    ChatReply::text("hot")
                }
            }
        }
    });
    let agent = agent(&model, false);
    let say = |conversation: &'static str| {
        let agent = agent.clone();
        tokio::spawn(async move { agent.run(conversation, "Root").await })
    };
    let (one, other) = (say("one"), say("other"));
    begun.acquire_many(2).await.unwrap().forget();
    let stopped = agent.stop("one").await.unwrap();
    assert_eq!(stopped.children, ["subturn-1"]);
    assert!(one.await.unwrap().is_err());
    gate.add_permits(1);
    assert_eq!(results(&other.await.unwrap().unwrap()), ["subturn-1 hot"]);
}
