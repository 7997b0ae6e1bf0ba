//! Stopping a turn, and the state of its conversation, when its run is stored or waits for a
//! person.

use std::sync::Arc;

use ddg_agentic::prelude::*;
use ddg_agentic::{AgentError, ConversationState};
use ddg_core::checkpoint::MemoryStore;
use serde_json::json;
use tokio::sync::Semaphore;

use super::setup::{Player, calls};

/// Pays.
#[tool]
async fn pay() -> String {
    "paid".to_owned()
}

/// An agent that asks a person before it pays, and then thinks for ever. The semaphore gets a
/// permit when it does.
fn agent() -> (Agent, Arc<Semaphore>) {
    let thinks = Arc::new(Semaphore::new(0));
    let begun = Arc::clone(&thinks);
    let model = Player::new(move |first: String, n| {
        let begun = Arc::clone(&begun);
        async move {
            match (first.as_str(), n) {
                ("Hello", _) => ChatReply::text("Hello."),
                ("Pay", 0) => calls("pay", json!({})),
                _ => {
                    begun.add_permits(1);
                    std::future::pending().await
                }
            }
        }
    });
    let tools = Toolbox::builder().with_options(pay::tool(), ToolOptions::new().approval());
    let agent = ReActAutoma::new(model).tools(tools.build().unwrap());
    (Agent::new(agent).unwrap(), thinks)
}

/// Runs a conversation until it asks a person, and returns the id of the question.
async fn paused(agent: &Agent) -> String {
    let Said::Paused { outcome, .. } = agent.say("c", "Pay").await.unwrap() else {
        panic!("it asks")
    };
    outcome.questions().remove(0).id
}

/// [subturn 12] Stopping a run that is kept in a store gives it up.
#[tokio::test]
async fn a_stored_run_that_is_stopped_is_no_longer_open() {
    let (agent, thinks) = agent();
    let agent = agent.stored_in(&MemoryStore::new());
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c", "Think").await });
    thinks.acquire().await.unwrap().forget();
    assert!(agent.stop("c").await.unwrap().turn);
    assert!(matches!(said.await.unwrap(), Err(AgentError::Stopped { .. })));
    assert!(matches!(agent.recover("c").await, Err(AgentError::NotPaused { .. })));
    let outcome = agent.run("c", "Hello").await.unwrap();
    assert_eq!(outcome.conversation.messages.len(), 2);
}

/// [subturn 12] Stopping a run that was resumed with an answer gives it up, too. Its turn began
/// before it asked.
#[tokio::test]
async fn a_resumed_run_that_is_stopped_leaves_the_conversation_as_before_it_asked() {
    let (agent, thinks) = agent();
    let question = paused(&agent).await;
    let running = agent.clone();
    let said = tokio::spawn(async move { running.answer("c", question, Verdict::Allow).await });
    thinks.acquire().await.unwrap().forget();
    assert!(agent.stop("c").await.unwrap().turn);
    assert!(matches!(said.await.unwrap(), Err(AgentError::Stopped { .. })));
    assert!(agent.questions("c").await.unwrap().is_empty());
    let outcome = agent.run("c", "Hello").await.unwrap();
    assert_eq!(outcome.conversation.messages.len(), 2);
}

/// A conversation waits from its pause until the run is resumed or given up, whatever messages
/// come meanwhile.
#[tokio::test]
async fn a_conversation_waits_until_its_run_is_given_up() {
    let (agent, _) = agent();
    assert_eq!(agent.state("c").unwrap(), ConversationState::Idle);
    paused(&agent).await;
    assert_eq!(agent.state("c").unwrap(), ConversationState::Waiting);
    assert!(matches!(agent.run("c", "Hello").await, Err(AgentError::Waiting { .. })));
    assert_eq!(agent.state("c").unwrap(), ConversationState::Waiting);
    assert!(!agent.stop("c").await.unwrap().turn);
    assert!(agent.give_up("c").await.unwrap());
    assert_eq!(agent.state("c").unwrap(), ConversationState::Idle);
}

/// [subturn 14] A run that waits for a person takes at most ten steering messages, too.
#[tokio::test]
async fn a_run_that_waits_for_a_person_takes_ten_messages() {
    let (agent, _) = agent();
    paused(&agent).await;
    let agent = agent.when_busy(WhenBusy::Steer);
    for n in 0..10 {
        assert!(matches!(agent.say("c", n.to_string()).await, Ok(Said::Steered)));
    }
    assert!(matches!(agent.say("c", "more").await, Err(AgentError::SteeringFull { .. })));
}
