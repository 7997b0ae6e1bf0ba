//! Races of what ends a turn: stopping, finishing, interrupting and closing, against each other,
//! against turns that end by themselves, and against children that begin. The nightly job runs a
//! thousand rounds, the gate runs a few.

use std::sync::Arc;
use std::time::Duration;

use ddg_agentic::AgentError;
use ddg_agentic::ConversationState;
use ddg_agentic::memory::{ConversationId, ConversationStore, MemoryConversations};
use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurn, SubTurnError, SubTurnEvent, SubTurns, Turn};
use futures::future::BoxFuture;
use serde_json::json;

use super::races::{check_order, dawdle};
use super::setup::{Heard, Player, calls};
use crate::files::rounds;

/// Spawns children, one of them critical.
#[tool]
async fn spawn_some(n: u32, turn: Turn) -> Result<u32, SubTurnError> {
    for _ in 0..n {
        turn.spawn(SubTurn::new("child")).await?;
        tokio::task::yield_now().await;
    }
    turn.spawn(SubTurn::new("child").critical()).await?;
    Ok(n)
}

/// Does nothing.
#[tool]
async fn nothing() {}

/// A model that answers requests without tools, as that after an interrupt is.
#[derive(Debug)]
struct Brief(Player);

impl ChatModel for Brief {
    fn name(&self) -> &str {
        "brief"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        match request.tools.is_empty() {
            true => Box::pin(async { Ok(ChatReply::text("in short")) }),
            false => self.0.chat(request),
        }
    }
}

/// A turn of some steps, and children of some steps, which differ from round to round.
fn model(round: usize) -> Brief {
    Brief(Player::new(move |first: String, n| async move {
        dawdle((round * 7 + n * 5) % 11).await;
        match (first.as_str(), n) {
            ("Root", 0) => calls("spawn_some", json!({ "n": round % 4 })),
            ("child", n) if n < round % 3 => calls("nothing", json!({})),
            ("Root", n) if n < 2 + round % 4 => calls("nothing", json!({})),
            _ => ChatReply::text("x"),
        }
    }))
}

fn tools() -> Toolbox {
    Toolbox::builder().with(spawn_some::tool()).with(nothing::tool()).build().unwrap()
}

/// What has stopped the turn: at most one caller.
#[derive(Default)]
struct Stops {
    n: usize,
    /// Requests that were answered in another way than they may be.
    wrong: Vec<String>,
}

/// Makes the requests that the round calls for, all at once.
async fn end_it(agent: &Agent, round: usize) -> Stops {
    let mut tasks = Vec::new();
    for kind in 0..8 {
        if round >> (kind % 4) & 1 == 0 && kind != round % 8 {
            continue;
        }
        let agent = agent.clone();
        tasks.push(tokio::spawn(async move {
            dawdle((round * 3 + kind * 13) % 50).await;
            let fine = |result: Result<(), AgentError>| match result {
                Ok(()) | Err(AgentError::NotRunning { .. } | AgentError::Stopped { .. }) => None,
                Err(error) => Some(error.to_string()),
            };
            match kind {
                0 | 4 => match agent.stop("c").await {
                    Ok(stopped) => (usize::from(stopped.turn), None),
                    Err(AgentError::Unknown { .. }) => (0, None),
                    Err(error) => (0, Some(error.to_string())),
                },
                1 | 5 => (0, fine(agent.finish("c"))),
                2 | 6 => (0, fine(agent.interrupt("c", "Be brief."))),
                _ => (agent.close(Duration::from_millis(round as u64 % 2)).await.turns.len(), None),
            }
        }));
    }
    let mut stops = Stops::default();
    for task in tasks {
        let (n, wrong) = task.await.unwrap();
        stops.n += n;
        stops.wrong.extend(wrong);
    }
    stops
}

/// [subturn 11] [subturn 12] [subturn 13] [subturn 15] Whatever comes together: a turn ends once, as
/// its caller and at most one that stopped it say; each child ends once; and after closing nothing is
/// active.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_ends_once_whatever_ends_it() {
    for round in 0..rounds(1_000, 64) {
        let heard = Heard::default();
        let store = Arc::new(MemoryConversations::new());
        let agent = ReActAutoma::new(model(round)).tools(tools());
        let agent = Agent::new(agent.subturns(heard.listen(SubTurns::new()))).unwrap();
        let agent = agent.conversations(Arc::clone(&store));
        let running = agent.clone();
        let said = tokio::spawn(async move { running.say("c", "Root").await });
        let mut stops = end_it(&agent, round).await;
        let said = said.await.unwrap();
        // Children may continue after their turn has ended.
        stops.n += agent.close(Duration::ZERO).await.turns.len();

        assert_eq!(stops.wrong, Vec::<String>::new(), "round {round}");
        let id = ConversationId::new("c").unwrap();
        let kept = store.load(&id).await.unwrap().conversation.messages;
        match &said {
            Ok(Said::Ended(outcome)) => {
                assert_eq!(stops.n, 0, "round {round}: it ended by itself");
                assert_eq!(kept, outcome.conversation.messages, "round {round}");
                let n_calls: usize = kept.iter().map(|message| message.tool_calls().len()).sum();
                let results = kept.iter().filter(|message| matches!(message, Message::Tool(_)));
                assert_eq!(n_calls, results.count(), "round {round}: each call has a result");
            }
            Err(AgentError::Stopped { .. }) => {
                assert_eq!(stops.n, 1, "round {round}: one request has stopped it");
                assert!(kept.is_empty(), "round {round}: {kept:?}");
            }
            Err(AgentError::Closed) => assert_eq!((stops.n, kept.len()), (0, 0), "round {round}"),
            other => panic!("round {round}: {other:?}"),
        }
        let events = heard.events();
        check_order(&events);
        let count = |is: fn(&SubTurnEvent) -> bool| events.iter().filter(|event| is(event)).count();
        let spawned = count(|event| matches!(event, SubTurnEvent::Spawned { .. }));
        let ended = count(|event| matches!(event, SubTurnEvent::Ended { .. }));
        assert_eq!(spawned, ended, "round {round}: {:?}", heard.words());
        let started = count(|event| matches!(event, SubTurnEvent::TurnStarted { .. }));
        let over = count(|event| matches!(event, SubTurnEvent::TurnEnded { .. }));
        assert_eq!(started, over, "round {round}");
        assert_eq!(agent.state("c").unwrap(), ConversationState::Idle, "round {round}");
        assert!(matches!(agent.say("c", "More").await, Err(AgentError::Closed)), "round {round}");
    }
}
