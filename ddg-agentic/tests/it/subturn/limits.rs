//! Limits of children: slots, time, tokens and history; and the checks before a child waits for a
//! slot.

use std::time::Duration;

use ddg_agentic::model::{Fallback, ModelError, Usage};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{ChildStatus, SubTurn, SubTurnError, SubTurns, Turn};
use serde_json::json;
use tokio::time::Instant;

use super::setup::{Player, agent, calls};

/// Spawns children with a model, an agent and tools.
#[tool]
async fn begin(
    tasks: Vec<String>,
    model: Option<String>,
    agent: Option<String>,
    tools: Option<Vec<String>>,
    turn: Turn,
) -> Result<String, SubTurnError> {
    let since = Instant::now();
    for task in tasks {
        let mut child = SubTurn::new(task);
        if let Some(model) = &model {
            child = child.model(model);
        }
        if let Some(agent) = &agent {
            child = child.agent(agent);
        }
        if let Some(tools) = &tools {
            child = child.tools(tools.clone());
        }
        if let Err(error) = turn.spawn(child).await {
            return Ok(format!("{error} after {:?}", since.elapsed()));
        }
    }
    Ok("all begun".to_owned())
}

fn tools() -> Toolbox {
    Toolbox::builder().with(begin::tool()).build().unwrap()
}

/// [subturn 1] A sixth child waits for 30 s and is then refused with the number of taken slots. A
/// slot that is released just before is in time.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_slot_ends_exactly_at_its_limit() {
    for (first_ends_after, told) in [
        (Duration::from_millis(30_001), "all 5 child agents of this turn were busy for 30s"),
        (Duration::from_millis(29_999), "all begun"),
    ] {
        let model = Player::new(move |first: String, n| async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("begin", json!({ "tasks": ["1", "2", "3", "4", "5", "6"] })),
                ("1", _) => {
                    tokio::time::sleep(first_ends_after).await;
                    ChatReply::text("first")
                }
                ("Root", _) => ChatReply::text("done"),
                _ => std::future::pending().await,
            }
        });
        let (agent, heard) = agent(&model, tools(), SubTurns::new());
        let outcome = agent.run(args!("Root")).await.unwrap();
        let result = &outcome.steps()[0].result.content;
        assert!(result.starts_with(told), "{result}");
        let refused = told.starts_with("all 5");
        assert_eq!(result.ends_with("after 30s"), refused, "{result}");
        let n_spawned = heard.words().iter().filter(|it| it.contains("spawned")).count();
        assert_eq!((n_spawned, outcome.children().len()), if refused { (5, 5) } else { (6, 6) });
    }
}

/// [subturn 1] The configuration of a child is checked before it waits for a slot, and the error
/// lists the known names.
#[tokio::test(start_paused = true)]
async fn unknown_names_are_refused_at_once() {
    let known = ReActAutoma::new(OfflineModel::new());
    let subturns = || SubTurns::new().slots(1).model("small", OfflineModel::new());
    for (arguments, told) in [
        (json!({ "model": "huge" }), "there is no model `huge`; there are: small"),
        (json!({ "agent": "cook" }), "there is no agent `cook`; there are: librarian"),
        (json!({ "tools": ["drill"] }), "there is no tool `drill`; there are: begin"),
    ] {
        let asked = arguments.clone();
        let model = Player::new(move |first: String, n| {
            let mut asked = asked.clone();
            async move {
                match (first.as_str(), n) {
                    ("Root", 0) => calls("begin", json!({ "tasks": ["for ever"] })),
                    ("Root", 1) => {
                        asked["tasks"] = json!(["x"]);
                        calls("begin", asked)
                    }
                    ("Root", _) => ChatReply::text("done"),
                    _ => std::future::pending().await,
                }
            }
        });
        let subturns = subturns().agent("librarian", "Finds books.", known.clone());
        let (agent, heard) = agent(&model, tools(), subturns);
        let outcome = agent.run(args!("Root")).await.unwrap();
        let result = &outcome.steps()[1].result.content;
        assert!(result.contains(told) && result.ends_with("after 0ns"), "{result}");
        assert_eq!(heard.words().len(), 1);
    }
}

/// [subturn 1] A name of a model may stand for a chain of candidates.
#[tokio::test]
async fn a_model_by_name_may_stand_for_several() {
    let away = ModelError::Connection { model: "first".into(), message: "away".into() };
    let first = ScriptedModel::new().named("first").fails(away);
    let chain = Fallback::new(first).or(ScriptedModel::new().named("second").text("here"));
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("begin", json!({ "tasks": ["x"], "model": "chain" })),
        _ => ChatReply::text("done"),
    });
    let subturns = SubTurns::new().model("chain", chain).wait_for_results();
    let (agent, _) = agent(&model, tools(), subturns);
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(outcome.children()[0].model, "first or second");
    assert_eq!(outcome.children()[0].status, ChildStatus::Finished);
}

/// [subturn 2] [subturn 5] The timeout of a child is its own: 300 s, whatever its parent does
/// meanwhile.
#[tokio::test(start_paused = true)]
async fn a_child_has_five_minutes() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("begin", json!({ "tasks": ["in time", "late"] })),
        ("in time", _) => {
            tokio::time::sleep(Duration::from_millis(299_999)).await;
            ChatReply::text("in time")
        }
        ("late", _) => {
            tokio::time::sleep(Duration::from_millis(300_001)).await;
            ChatReply::text("late")
        }
        _ => ChatReply::text("done"),
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new().wait_for_results());
    agent.run(args!("Root")).await.unwrap();
    let delivered: Vec<_> =
        heard.words().into_iter().filter(|it| it.contains("delivered")).collect();
    assert_eq!(
        delivered,
        [
            "subturn-1 delivered: in time",
            "subturn-2 delivered: the child agent did not end within 300s"
        ]
    );
}

/// [subturn 4] A deadlock that must not be: all slots are held by children that wait for room in
/// the inbox of a parent that waits for a slot.
#[tokio::test(start_paused = true)]
async fn a_slot_is_free_before_its_result_is_delivered() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("begin", json!({ "tasks": ["1", "2", "3", "4"] })),
        ("Root", _) => ChatReply::text("done"),
        (task, _) => ChatReply::text(task),
    });
    let subturns = SubTurns::new().slots(1).inbox(1).slot_wait(None);
    let subturns = subturns.when_full(ddg_agentic::subturn::WhenFull::Wait).wait_for_results();
    let (agent, _) = agent(&model, tools(), subturns);
    let run = tokio::time::timeout(Duration::from_secs(60), agent.run(args!("Root")).outcome());
    let outcome: AgentOutcome = run.await.unwrap().unwrap().into_output().unwrap();
    assert_eq!(
        (outcome.steps()[0].result.content.as_str(), outcome.children().len()),
        ("all begun", 4)
    );
}

/// [subturn 2] A child's model is shown the last messages of its conversation, and no result
/// without its call.
#[tokio::test]
async fn a_childs_history_is_bounded() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("begin", json!({ "tasks": ["long"] })),
        ("long", 0..=9) => calls("begin", json!({ "tasks": [] })),
        _ => ChatReply::text("done"),
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new().history(4).wait_for_results());
    agent.run(args!("Root")).await.unwrap();
    let requests = model.requests();
    let lengths = requests.iter().filter(|it| it.messages[0].text() != "Root");
    let lengths: Vec<_> = lengths.map(|it| it.messages.len()).collect();
    assert!(lengths.len() > 4 && lengths.iter().all(|length| *length <= 4), "{lengths:?}");
    for request in requests {
        let messages = &request.messages;
        let after_cut = messages.iter().position(|message| matches!(message, Message::Tool(_)));
        if let Some(at) = after_cut {
            assert!(matches!(messages[at - 1], Message::Assistant(_)), "{messages:?}");
        }
    }
}

/// [subturn 11] All turns share one budget of tokens. When it is used up, each ends with what it
/// has.
#[tokio::test]
async fn a_token_budget_is_shared() {
    let model = Player::new(async |first: String, n| {
        match (first.as_str(), n) {
            ("Root", 0) => calls("begin", json!({ "tasks": ["busy"] })),
            ("busy", _) => calls("begin", json!({ "tasks": [] })),
            _ => ChatReply::text("done"),
        }
        .usage(Usage::new(10, 0))
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new().tokens(100).wait_for_results());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!((model.requests().len(), outcome.usage.total()), (10, 100));
    assert!(heard.words().contains(&"subturn-1 ended: finished".to_owned()), "{:?}", heard.words());
}

/// [subturn 1] The depth is checked first, then the configuration, and both before a slot is waited
/// for. What is refused has no id and no event, and holds no slot.
#[tokio::test(start_paused = true)]
async fn what_is_refused_leaves_no_trace() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("begin", json!({ "tasks": ["x"], "model": "huge" })),
        ("Root", 1) => calls("begin", json!({ "tasks": ["deep"] })),
        ("deep", 0) => calls("begin", json!({ "tasks": ["deeper"], "model": "huge" })),
        _ => ChatReply::text("done"),
    });
    let subturns = SubTurns::new().slots(1).depth(1).wait_for_results();
    let (agent, heard) = agent(&model, tools(), subturns);
    let outcome = agent.run(args!("Root")).await.unwrap();
    let results: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    assert!(results[0].contains("there is no model `huge`"), "{results:?}");
    assert_eq!(results[1], "all begun", "the only slot was free");
    let ids: Vec<_> = outcome.children().iter().map(|child| child.id.as_str()).collect();
    assert_eq!(ids, ["subturn-1"]);
    let spawned: Vec<_> = heard.words().into_iter().filter(|it| it.contains("spawned")).collect();
    assert_eq!(spawned, ["subturn-1 spawned at 1"]);
    let deep = model.requests().into_iter().rfind(|it| it.messages[0].text() == "deep");
    let told = deep.unwrap().messages.last().unwrap().text();
    assert!(told.contains("a turn at depth 1 cannot have child agents"), "{told}");
}

/// What a task beside the turn was told.
type Told = std::sync::Mutex<Vec<Result<(), SubTurnError>>>;

/// Takes the only slot, and lets a task of its own wait for another.
#[tool]
async fn begin_beside(told: State<Told>, turn: Turn) -> Result<String, SubTurnError> {
    turn.spawn(SubTurn::new("for ever").critical()).await?;
    tokio::spawn(async move {
        let spawned = turn.spawn(SubTurn::new("late")).await.map(|_| ());
        told.lock().unwrap().push(spawned);
        told.lock().unwrap().push(turn.results().map(|_| ()));
    });
    Ok("waits".to_owned())
}

/// [subturn 1] Who waits for a slot is told when the turn is stopped. [subturn 6] A turn that is kept
/// beyond its end takes nothing more.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_slot_ends_with_the_turn() {
    for is_stopped in [true, false] {
        let told = std::sync::Arc::new(Told::default());
        let model = Player::new(move |first: String, n| async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("begin_beside", json!({})),
                ("Root", _) if !is_stopped => ChatReply::text("done"),
                _ => std::future::pending().await,
            }
        });
        let tools = Toolbox::builder().with(begin_beside::tool());
        let tools = tools.shared_state(std::sync::Arc::clone(&told)).build().unwrap();
        let agent = ReActAutoma::new(model.clone()).tools(tools).subturns(SubTurns::new().slots(1));
        let agent = Agent::new(agent).unwrap();
        let running = agent.clone();
        let said = tokio::spawn(async move { running.run("c", "Root").await });
        while model.requests().len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if is_stopped {
            agent.stop("c").await.unwrap();
        }
        assert_eq!(said.await.unwrap().is_err(), is_stopped);
        while told.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let cancelled = || Err(SubTurnError::Cancelled);
        let outside = || Err(SubTurnError::OutsideTurn);
        let expected = match is_stopped {
            true => [cancelled(), cancelled()],
            false => [outside(), outside()],
        };
        assert_eq!(*told.lock().unwrap(), expected);
        agent.close(Duration::ZERO).await;
    }
}
