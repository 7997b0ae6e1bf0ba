//! Races: spawning against stopping, delivery against the end of a turn, many ends at once. Their
//! laws hold in every round. The nightly job runs more than a thousand rounds, the gate runs a few.

use std::collections::BTreeMap;
use std::sync::Arc;

use ddg_agentic::memory::MemoryConversations;
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{
    ChildStatus, Disposition, OrphanReason, SubTurn, SubTurnError, SubTurnEvent, SubTurns, Turn,
};
use serde_json::json;

use super::setup::{Heard, Player, agent, calls};
use crate::files::rounds;

/// Spawns `n` children.
#[tool]
async fn spawn_many(n: u32, turn: Turn) -> Result<u32, SubTurnError> {
    for _ in 0..n {
        turn.spawn(SubTurn::new("child")).await?;
    }
    Ok(n)
}

fn tools() -> Toolbox {
    Toolbox::builder().with(spawn_many::tool()).build().unwrap()
}

/// Yields to other tasks, a number of times that differs from round to round.
pub(super) async fn dawdle(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// Checks the events of each child: spawned first, at most one disposition before its end, one end,
/// and undrained after it.
pub(super) fn check_order(events: &[SubTurnEvent]) {
    let mut stages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events {
        let Some(child) = event.child() else { continue };
        stages.entry(child).or_default().push(match event {
            SubTurnEvent::Spawned { .. } => "spawned",
            SubTurnEvent::Delivered { .. } => "delivered",
            SubTurnEvent::Orphaned { reason: OrphanReason::Undrained, .. } => "undrained",
            SubTurnEvent::Orphaned { .. } => "orphaned",
            SubTurnEvent::Ended { .. } => "ended",
            other => panic!("{other:?}"),
        });
    }
    for (child, stages) in stages {
        let allowed = [
            vec!["spawned", "delivered", "ended"],
            vec!["spawned", "delivered", "ended", "undrained"],
            vec!["spawned", "orphaned", "ended"],
        ];
        assert!(allowed.contains(&stages), "{child}: {stages:?}");
    }
}

/// [subturn 7] Delivery against the end of the turn. Delivered and refused results add up to those
/// that were sent, consumed and undrained ones to those that were delivered, and each child has one
/// disposition. (Field report: the last child's result is lost.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivery_against_the_end_of_a_turn() {
    for round in 0..rounds(1_200, 60) {
        let model = Player::new(move |first: String, n| async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn_many", json!({ "n": 5 })),
                ("Root", _) => {
                    dawdle(round % 40).await;
                    ChatReply::text("done")
                }
                _ => {
                    dawdle(round % 7).await;
                    ChatReply::text("x")
                }
            }
        });
        let (agent, heard) = agent(&model, tools(), SubTurns::new().inbox(2));
        let outcome = agent.run(args!("Root")).await.unwrap();
        while heard.words().iter().filter(|word| word.contains("ended")).count() < 5 {
            tokio::task::yield_now().await;
        }
        let events = heard.events();
        check_order(&events);
        let told = |is: fn(&SubTurnEvent) -> bool| events.iter().filter(|event| is(event)).count();
        let delivered = told(|event| matches!(event, SubTurnEvent::Delivered { .. }));
        let undrained = |reason: &OrphanReason| *reason == OrphanReason::Undrained;
        let is_undrained = |event: &&SubTurnEvent| matches!(event, SubTurnEvent::Orphaned { reason, .. } if undrained(reason));
        let n_undrained = events.iter().filter(is_undrained).count();
        let refused = told(|event| matches!(event, SubTurnEvent::Orphaned { .. })) - n_undrained;
        let with = |disposition| {
            let is = |child: &&ddg_agentic::subturn::ChildSummary| {
                child.disposition == Some(disposition)
            };
            outcome.children().iter().filter(is).count()
        };
        let consumed = with(Disposition::Consumed);
        assert_eq!(delivered + refused, 5, "round {round}: delivered + refused = sent");
        assert_eq!(consumed + n_undrained, delivered, "round {round}: consumed + undrained");
        assert_eq!(with(Disposition::Orphaned(OrphanReason::Undrained)), n_undrained);
        assert_eq!(
            with(Disposition::Orphaned(OrphanReason::ParentFinished))
                + with(Disposition::Orphaned(OrphanReason::QueueFull)),
            refused
        );
        let read = outcome.conversation.messages.iter();
        let read = read.filter(|message| message.text().starts_with("[subturn-")).count();
        assert_eq!(read, consumed, "round {round}: what is consumed is in the conversation, once");
    }
}

/// [subturn 12] Spawning against stopping. When `stop` returns, no child is active and none is
/// lost, and each spawned child ends once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawning_against_stopping() {
    for round in 0..rounds(1_200, 60) {
        let model = Player::new(move |first: String, n| async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn_many", json!({ "n": 5 })),
                ("Root", _) => std::future::pending().await,
                _ if round % 2 == 0 => std::future::pending().await,
                _ => {
                    dawdle(round % 5).await;
                    ChatReply::text("x")
                }
            }
        });
        let heard = Heard::default();
        let agent = ReActAutoma::new(model).tools(tools());
        let agent = Agent::new(agent.subturns(heard.listen(SubTurns::new()))).unwrap();
        let agent = agent.conversations(Arc::new(MemoryConversations::new()));
        let running = agent.clone();
        let said = tokio::spawn(async move { running.say("c", "Root").await });
        while agent.state("c").unwrap() == ddg_agentic::ConversationState::Idle {
            tokio::task::yield_now().await;
        }
        dawdle(round % 60).await;
        // Ten tasks at once: one stops the turn, the others learn that it is being stopped.
        let stops = (0..10).map(|_| {
            let agent = agent.clone();
            tokio::spawn(async move { agent.stop("c").await })
        });
        let stops = futures::future::join_all(stops).await;
        let stopped = stops.iter().filter(|stop| matches!(stop, Ok(Ok(it)) if it.turn)).count();
        assert_eq!(stopped, 1, "round {round}");
        assert!(said.await.unwrap().is_err());
        let events = heard.events();
        check_order(&events);
        let words = heard.words();
        let count = |word: &str| words.iter().filter(|heard| heard.contains(word)).count();
        assert_eq!(count("spawned"), count("ended"), "round {round}: {words:?}");
    }
}

/// [subturn 7] However a turn and its children end, the outcome lists each child once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_are_listed_in_the_order_in_which_they_began() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0..=3) => calls("spawn_many", json!({ "n": 5 })),
        ("Root", _) => ChatReply::text("done"),
        _ => ChatReply::text("x"),
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new().wait_for_results().inbox(None));
    let outcome = agent.run(args!("Root")).await.unwrap();
    let ids: Vec<_> = outcome.children().iter().map(|child| child.id.clone()).collect();
    let expected: Vec<_> = (1..=20).map(|n| format!("subturn-{n}")).collect();
    assert_eq!(ids, expected);
    assert!(outcome.children().iter().all(|child| child.status == ChildStatus::Finished));
}
