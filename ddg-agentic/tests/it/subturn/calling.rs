//! Called children: their parent waits and receives their result.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{ChildStatus, SubTurn, SubTurnError, SubTurns, Turn};
use ddg_agentic::tool::ToolOutput;
use serde_json::json;

use super::setup::{Player, agent, calls};

/// Calls a child.
#[tool]
async fn delegate(task: String, turn: Turn) -> Result<String, SubTurnError> {
    Ok(turn.call(SubTurn::new(task)).await?.text)
}

/// Calls a child from a synchronous tool.
#[tool(name = "delegate_blocking")]
fn blocking(task: String, turn: &Turn) -> Result<String, SubTurnError> {
    Ok(turn.call_blocking(SubTurn::new(task))?.text)
}

fn tools() -> Toolbox {
    Toolbox::builder().with(delegate::tool()).with(blocking::tool()).build().unwrap()
}

/// [subturn 2] [subturn 3] A called child has its own conversation and its parent's tools. Its
/// result is returned and not delivered.
#[tokio::test]
async fn a_called_child_has_its_own_conversation_and_its_result_is_returned() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate", json!({ "task": "Child" })),
        ("Child", 0) => ChatReply::text("found"),
        ("Root", 1) => ChatReply::text("done"),
        other => panic!("{other:?}"),
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(outcome.text(), "done");
    assert_eq!(outcome.conversation.messages.len(), 4);
    assert_eq!(outcome.steps()[0].result.content, "found");
    assert_eq!(heard.words(), ["subturn-1 spawned at 1", "subturn-1 ended: finished"]);
    let [child] = outcome.children() else { panic!("{:?}", outcome.children()) };
    assert_eq!((child.status.clone(), child.disposition), (ChildStatus::Finished, None));
    let requests = model.requests();
    assert_eq!(requests[1].messages, [Message::user("Child")]);
    assert_eq!(requests[1].tools, requests[0].tools);
}

/// [subturn 6] A synchronous tool can call a child, because it may block.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_tool_has_a_blocking_form() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate_blocking", json!({ "task": "Child" })),
        ("Child", 0) => ChatReply::text("found"),
        _ => ChatReply::text("done"),
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(outcome.steps()[0].result.content, "found");
}

/// [subturn 1] A turn at depth 3 has no children, whatever its model says. A refused attempt leaves
/// no trace.
#[tokio::test]
async fn a_turn_that_is_too_deep_is_refused_before_anything_else() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("3", 0) => calls("delegate", json!({ "task": "4" })),
        ("3", 1) => ChatReply::text("too deep"),
        (depth, 0) => {
            let deeper = depth.parse::<u32>().unwrap() + 1;
            calls("delegate", json!({ "task": deeper.to_string() }))
        }
        _ => ChatReply::text("back"),
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    agent.run(args!("0")).await.unwrap();
    let spawned: Vec<_> = heard.words().into_iter().filter(|it| it.contains("spawned")).collect();
    assert_eq!(
        spawned,
        ["subturn-1 spawned at 1", "subturn-1 spawned at 2", "subturn-1 spawned at 3"]
    );
    let told =
        model.requests().iter().flat_map(|request| request.messages.clone()).any(|message| {
            message.text().contains("a turn at depth 3 cannot have child agents: 3 is the deepest")
        });
    assert!(told);
}

/// Gives its turn to the test.
#[tool]
async fn keep(kept: State<Mutex<Option<Turn>>>, turn: Turn) {
    kept.lock().unwrap().replace(turn);
}

/// [subturn 1] [subturn 6] Beginning a child outside a turn, or after its end, is an error that says
/// so.
#[tokio::test]
async fn children_belong_to_a_turn() {
    let mut plain = GraphAutoma::new("plain");
    let outside = async |cx: Context| Turn::of(&cx).map(|_| ()).unwrap_err().to_string();
    plain.add_func_as_worker("w", outside, start().output()).unwrap();
    let error: String = plain.run(()).output().await.unwrap();
    assert!(error.starts_with("a child agent belongs to the turn of an agent"), "{error}");

    let kept = Arc::new(Mutex::<Option<Turn>>::default());
    let tools = Toolbox::builder().with(keep::tool()).shared_state(Arc::clone(&kept));
    let model = ScriptedModel::new().calls([ToolCall::new("c", "keep", json!({}))]).text("done");
    let agent = ReActAutoma::new(model).tools(tools.build().unwrap()).build().unwrap();
    let outcome = agent.run(args!("Root")).await.unwrap();
    let turn = kept.lock().unwrap().clone().unwrap();
    assert_eq!(turn.call(SubTurn::new("x")).await, Err(SubTurnError::OutsideTurn));
    assert!(matches!(turn.spawn(SubTurn::new("x")).await, Err(SubTurnError::OutsideTurn)));
    assert_eq!(turn.results().map(|it| it.len()), Err(SubTurnError::OutsideTurn));
    assert_eq!(turn.next_result().await, Err(SubTurnError::OutsideTurn));
    assert!(outcome.children().is_empty());
}

/// [subturn 5] A child that fails, panics or times out is an error that says so.
#[tokio::test(start_paused = true)]
async fn the_failure_of_a_called_child_is_its_callers_error() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("slow", 0) => std::future::pending().await,
        ("panics", 0) => panic!("boom"),
        ("empty", 0) => ChatReply::text(""),
        (task, 0) => calls("delegate", json!({ "task": &task[5..] })),
        _ => ChatReply::text("done"),
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new().timeout(Duration::from_secs(7)));
    for (task, told) in [
        ("Root slow", "`delegate` failed: the child agent did not end within 7s"),
        ("Root panics", "`delegate` failed: the child agent panicked: boom"),
        ("Root empty", ""),
    ] {
        let outcome = agent.run(args!(task)).await.unwrap();
        assert_eq!(outcome.steps()[0].result.content, told);
    }
    assert_eq!(heard.words()[1], "subturn-1 ended: timed out");
    assert_eq!(heard.words()[3], "subturn-1 ended: panicked");
}

/// [subturn 2] A child's usage of models counts as its parent's.
#[tokio::test]
async fn usage_adds_up_through_children() {
    let model = Player::new(async |first: String, n| {
        let usage = ddg_agentic::model::Usage::new(10, 1);
        match (first.as_str(), n) {
            ("Root", 0) => calls("delegate", json!({ "task": "Child" })),
            ("Child", 0) => calls("delegate", json!({ "task": "Grandchild" })),
            _ => ChatReply::text("done"),
        }
        .usage(usage)
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(model.requests().len(), 5);
    assert_eq!(outcome.usage.total(), 55);
    assert_eq!(outcome.children()[0].usage.total(), 33);
}

/// [subturn 6] A test of a tool needs no agent, because a turn can be a script.
#[tokio::test]
async fn a_tool_can_be_tested_without_an_agent() {
    use ddg_agentic::subturn::ScriptedChildren;
    let mut automa = GraphAutoma::new("test");
    automa.add_worker("call", tools().worker("delegate").unwrap(), start().output()).unwrap();
    automa.attach(|_| Turn::by(ScriptedChildren::new(["found"])));
    let output: ToolOutput = automa.run((json!({ "task": "x" }),)).output().await.unwrap();
    assert_eq!(output.content, "found");
}
