//! Resumed runs with children. Killed processes are in `tests/subturn_crash.rs`.

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{ChildStatus, Disposition, SubTurn, SubTurnError, SubTurns, Turn};
use ddg_core::snapshot::Snapshot;
use serde_json::json;

use super::setup::{Player, agent};

/// Spawns a child.
#[tool]
async fn side(turn: Turn) -> Result<String, SubTurnError> {
    Ok(turn.spawn(SubTurn::new("child")).await?.id().to_owned())
}

/// Pays.
#[tool]
async fn pay() -> String {
    "paid".to_owned()
}

/// [subturn 16] A run waits for a person while a child is active. When the run is resumed, the
/// child continues under its id and counts once.
#[tokio::test]
async fn a_child_continues_when_its_paused_parent_is_resumed() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => {
            let call = |tool: &str| ToolCall::new(tool, tool, json!({}));
            ChatReply::calls([call("side"), call("pay")])
        }
        ("Root", _) => ChatReply::text("done"),
        _ => {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            ChatReply::text("hot")
        }
    });
    let tools = Toolbox::builder()
        .with(side::tool())
        .with_options(pay::tool(), ToolOptions::new().approval())
        .build()
        .unwrap();
    let (agent, heard) = agent(&model, tools, SubTurns::new().wait_for_results());
    let paused = agent.run(args!("Root")).outcome().await.unwrap();
    assert!(paused.is_paused());
    let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    let question = paused.questions().remove(0);
    drop(paused);
    heard.until("subturn-1 ended: stopped").await;

    let mut snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    snapshot.answer(&question.id, Verdict::Allow).unwrap();
    let outcome = agent.resume(snapshot).await.unwrap();
    let [child] = outcome.children() else { panic!("{:?}", outcome.children()) };
    assert_eq!((child.id.as_str(), &child.status), ("subturn-1", &ChildStatus::Finished));
    assert_eq!(child.disposition, Some(Disposition::Consumed));
    let told = outcome.conversation.messages.iter();
    assert_eq!(told.filter(|message| message.text().starts_with("[subturn-1")).count(), 1);
}
