//! Spawned children: they run on their own, and their results are delivered.

use std::sync::Arc;

use ddg_agentic::model::FinishReason;
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{
    ChildStatus, Delivery, Disposition, OrphanReason, SubTurn, SubTurnError, SubTurns, Turn,
    WhenFull,
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::setup::{Player, agent, calls};

/// Spawns children, and returns when the given number of results has arrived.
#[tool]
async fn spawn(
    tasks: Vec<String>,
    #[default = 0] wait: u32,
    turn: Turn,
) -> Result<String, SubTurnError> {
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(turn.spawn(child(&task)).await?.id().to_owned());
    }
    for _ in 0..wait {
        turn.next_result().await?;
    }
    Ok(ids.join(" "))
}

/// The child that a task describes.
fn child(task: &str) -> SubTurn {
    let child = SubTurn::new(task);
    let child = if task.contains("critical") { child.critical() } else { child };
    match task {
        _ if task.contains("user") => child.delivery(Delivery::User),
        _ if task.contains("both") => child.delivery(Delivery::Both),
        _ => child,
    }
}

/// Waits until all children have ended.
#[tool]
async fn wait(turn: Turn) -> String {
    while turn.children().iter().any(|child| child.status == ChildStatus::Running) {
        tokio::task::yield_now().await;
    }
    "waited".to_owned()
}

/// Stops a child.
#[tool]
async fn halt(id: String, turn: Turn) -> Result<String, SubTurnError> {
    turn.stop(&id)?;
    Ok("stopped".to_owned())
}

fn tools() -> Toolbox {
    let tools = Toolbox::builder().with(spawn::tool()).with(wait::tool()).with(halt::tool());
    tools.build().unwrap()
}

/// [subturn 3] [subturn 9] The result of a child is one message that names it, before the next call
/// of the model.
#[tokio::test]
async fn a_spawned_child_is_delivered_and_read_once() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn", json!({ "tasks": ["tea", "coffee"] })),
        ("Root", 1) => calls("wait", json!({})),
        ("Root", _) => ChatReply::text("done"),
        (drink, _) => ChatReply::text(format!("{drink} is hot")),
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    let told = |id: &str| {
        let messages = &outcome.conversation.messages;
        messages.iter().filter(|message| message.text().starts_with(id)).count()
    };
    assert_eq!((told("[subturn-1 (agent) finished] tea is hot"), told("[subturn-")), (1, 2));
    let consumed = Some(Disposition::Consumed);
    assert!(outcome.children().iter().all(|child| child.disposition == consumed));
    let of_first: Vec<_> =
        heard.words().into_iter().filter(|it| it.starts_with("subturn-1")).collect();
    assert_eq!(
        of_first,
        ["subturn-1 spawned at 1", "subturn-1 delivered: tea is hot", "subturn-1 ended: finished"]
    );
}

/// [subturn 9] A turn may be set to wait for its children before it finishes. It then reads the
/// result of the last one, too.
#[tokio::test]
async fn a_turn_can_wait_for_its_children() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let model = Player::new(move |first: String, n| {
        let gate = Arc::clone(&opened);
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn", json!({ "tasks": ["tea"] })),
                ("Root", 1) => {
                    gate.add_permits(1);
                    ChatReply::text("not yet")
                }
                ("Root", _) => ChatReply::text("done"),
                _ => {
                    gate.acquire().await.unwrap().forget();
                    ChatReply::text("hot")
                }
            }
        }
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new().wait_for_results());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(outcome.text(), "done");
    assert_eq!(outcome.children()[0].disposition, Some(Disposition::Consumed));
}

/// [subturn 7] [subturn 11] The result of a child that is active when its parent finishes is an
/// orphan. It is published and never enters the conversation.
#[tokio::test]
async fn a_late_result_is_an_orphan() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let model = Player::new(move |first: String, n| {
        let gate = Arc::clone(&opened);
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn", json!({ "tasks": ["late"] })),
                ("Root", _) => ChatReply::text("done"),
                _ => {
                    gate.acquire().await.unwrap().forget();
                    ChatReply::text("late")
                }
            }
        }
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    let [late] = outcome.children() else { panic!() };
    assert_eq!(late.status, ChildStatus::Running);
    let orphaned = Some(Disposition::Orphaned(OrphanReason::ParentFinished));
    assert_eq!(late.disposition, orphaned);
    gate.add_permits(1);
    heard.until("subturn-1 ended: finished").await;
    assert_eq!(
        heard.words(),
        [
            "subturn-1 spawned at 1",
            "subturn-1 orphaned: ParentFinished",
            "subturn-1 ended: finished"
        ]
    );
}

/// [subturn 8] When the inbox is full, a result is an orphan unless it may wait.
#[tokio::test]
async fn a_full_inbox_refuses_or_lets_wait() {
    for (when_full, n_read) in [(WhenFull::Orphan, 1), (WhenFull::Wait, 3)] {
        let model = Player::new(async |first: String, n| match (first.as_str(), n) {
            ("Root", 0) => calls("spawn", json!({ "tasks": ["a", "b", "c"] })),
            ("Root", 1) => {
                tokio::task::yield_now().await;
                calls("spawn", json!({ "tasks": [] }))
            }
            ("Root", _) => ChatReply::text("done"),
            _ => ChatReply::text("x"),
        });
        let subturns = SubTurns::new().inbox(1).when_full(when_full).wait_for_results();
        let (agent, heard) = agent(&model, tools(), subturns);
        let outcome = agent.run(args!("Root")).await.unwrap();
        let consumed = Some(Disposition::Consumed);
        let read = outcome.children().iter().filter(|child| child.disposition == consumed);
        let read = read.count();
        assert!(if n_read == 3 { read == 3 } else { read >= 1 }, "{:?}", heard.words());
        let full = Some(Disposition::Orphaned(OrphanReason::QueueFull));
        let refused = outcome.children().iter().filter(|child| child.disposition == full).count();
        assert_eq!(read + refused, 3, "{:?}", outcome.children());
    }
}

/// [subturn 10] A result is for the parent, the user, or both. Each receives it once.
#[tokio::test]
async fn a_result_reaches_the_parent_the_user_or_both() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn", json!({ "tasks": ["to parent", "to user", "to both"] })),
        ("Root", 1) => calls("wait", json!({})),
        ("Root", _) => ChatReply::text("done"),
        (task, _) => ChatReply::text(task),
    });
    let shown = Arc::new(std::sync::Mutex::new(Vec::new()));
    let show = Arc::clone(&shown);
    let subturns = SubTurns::new().to_user(move |result| show.lock().unwrap().push(result.text()));
    let (agent, _) = agent(&model, tools(), subturns.wait_for_results());
    let outcome = agent.run(args!("Root")).await.unwrap();
    shown.lock().unwrap().sort_unstable();
    assert_eq!(*shown.lock().unwrap(), ["to both", "to user"]);
    let told = |text: &str| {
        let messages = outcome.conversation.messages.iter();
        messages.filter(|message| message.text().contains(&format!("] {text}"))).count()
    };
    assert_eq!((told("to parent"), told("to user"), told("to both")), (1, 0, 1));
}

/// [subturn 7] A child that is stopped alone gives a failed result that says so.
#[tokio::test]
async fn a_stopped_child_is_delivered_as_stopped() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn", json!({ "tasks": ["for ever"] })),
        ("Root", 1) => calls("halt", json!({ "id": "subturn-1" })),
        ("Root", 2) => calls("wait", json!({})),
        ("Root", 3) => calls("halt", json!({ "id": "subturn-9" })),
        ("Root", _) => ChatReply::text("done"),
        _ => std::future::pending().await,
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(outcome.children()[0].status, ChildStatus::Stopped);
    assert_eq!(outcome.children()[0].disposition, Some(Disposition::Consumed));
    assert_eq!(heard.words()[1], "subturn-1 delivered: the child agent was stopped");
    let told =
        "`halt` failed: this turn has no child agent `subturn-9`: its children are subturn-1";
    assert_eq!(outcome.steps()[3].result.content, told);
}

/// [subturn 7] A result that is delivered and unread at the end of the turn is undrained. The event
/// for that comes after the child's end.
#[tokio::test]
async fn an_unread_result_is_undrained() {
    let heard = super::setup::Heard::default();
    let hears = heard.clone();
    let model = Player::new(move |first: String, n| {
        let heard = hears.clone();
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn", json!({ "tasks": ["tea"] })),
                ("Root", _) => {
                    heard.until("subturn-1 ended: finished").await;
                    // A refusal ends the turn before the inbox is read again.
                    let mut reply = ChatReply::text("I may not say.");
                    reply.finish = FinishReason::Refusal;
                    reply
                }
                _ => ChatReply::text("hot"),
            }
        }
    });
    let agent = ReActAutoma::new(model).tools(tools());
    let agent = agent.subturns(heard.listen(SubTurns::new())).build().unwrap();
    let error = agent.run(args!("Root")).await.unwrap_err();
    let outcome = &error.downcast_ref::<AgentFailed>().unwrap().outcome;
    let undrained = Disposition::Orphaned(OrphanReason::Undrained);
    assert_eq!(outcome.children()[0].disposition, Some(undrained));
    assert_eq!(outcome.children()[0].status, ChildStatus::Finished);
    assert_eq!(
        heard.words(),
        [
            "subturn-1 spawned at 1",
            "subturn-1 delivered: hot",
            "subturn-1 ended: finished",
            "subturn-1 orphaned: Undrained"
        ]
    );
    assert!(!format!("{:?}", outcome.conversation).contains("[subturn-1"), "it is not written");
}

/// [subturn 9] The inbox is read once more before the turn finishes, so a result that comes during
/// the last request is not lost.
#[tokio::test]
async fn a_result_that_comes_during_the_last_request_is_read() {
    let heard = super::setup::Heard::default();
    let hears = heard.clone();
    let model = Player::new(move |first: String, n| {
        let heard = hears.clone();
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn", json!({ "tasks": ["tea"] })),
                ("Root", 1) => {
                    heard.until("subturn-1 ended: finished").await;
                    ChatReply::text("without it")
                }
                ("Root", _) => ChatReply::text("with it"),
                _ => {
                    // Only after the inbox has been read for the root's second request.
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                    ChatReply::text("hot")
                }
            }
        }
    });
    let agent = ReActAutoma::new(model.clone()).tools(tools());
    let agent = agent.subturns(heard.listen(SubTurns::new())).build().unwrap();
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(outcome.text(), "with it");
    assert_eq!(outcome.children()[0].disposition, Some(Disposition::Consumed));
    let last = model.requests().pop().unwrap();
    assert_eq!(last.messages.last().unwrap().text(), "[subturn-1 (agent) finished] hot");
}

/// [subturn 5] A spawned child that fails or panics is delivered as a failed result with the reason.
/// (Field report: an aborted child is reported as done.)
#[tokio::test]
async fn a_spawned_child_that_fails_is_delivered_with_the_reason() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn", json!({ "tasks": ["refuses", "panics"], "wait": 0 })),
        ("Root", _) => ChatReply::text("done"),
        ("panics", _) => panic!("no tea"),
        _ => {
            let mut reply = ChatReply::text("I may not.");
            reply.finish = FinishReason::Refusal;
            reply
        }
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new().wait_for_results());
    let outcome = agent.run(args!("Root")).await.unwrap();
    let texts: Vec<_> = outcome.conversation.messages.iter().map(Message::text).collect();
    let told = |start: &str| texts.iter().filter(|text| text.starts_with(start)).count();
    assert_eq!(told("[subturn-1 (agent) failed] "), 1, "{texts:#?}");
    assert_eq!(told("[subturn-2 (agent) panicked] the child agent panicked: no tea"), 1);
    assert!(texts.iter().any(|text| text.contains("failed] ") && text.contains("I may not.")));
    let consumed = Some(Disposition::Consumed);
    assert!(outcome.children().iter().all(|child| child.disposition == consumed));
}

/// [subturn 8] By default 16 results wait for a parent. The seventeenth is an orphan.
#[tokio::test]
async fn sixteen_results_wait_unless_it_is_set() {
    /// Spawns 17 children, and waits until all have ended.
    #[tool]
    async fn spawn_many(turn: Turn) -> Result<usize, SubTurnError> {
        for _ in 0..17 {
            turn.spawn(SubTurn::new("child")).await?;
        }
        while turn.children().iter().any(|child| !child.status.has_ended()) {
            tokio::task::yield_now().await;
        }
        Ok(turn.children().len())
    }

    for (subturns, n_refused) in
        [(SubTurns::new(), 1), (SubTurns::new().inbox(0), 1), (SubTurns::new().inbox(None), 0)]
    {
        let model = Player::new(async |first: String, n| match (first.as_str(), n) {
            ("Root", 0) => calls("spawn_many", json!({})),
            _ => ChatReply::text("done"),
        });
        let tools = Toolbox::builder().with(spawn_many::tool()).build().unwrap();
        let (agent, _) = agent(&model, tools, subturns.slots(None));
        let outcome = agent.run(args!("Root")).await.unwrap();
        let full = Some(Disposition::Orphaned(OrphanReason::QueueFull));
        let refused = outcome.children().iter().filter(|child| child.disposition == full).count();
        assert_eq!((outcome.children().len(), refused), (17, n_refused));
    }
}
