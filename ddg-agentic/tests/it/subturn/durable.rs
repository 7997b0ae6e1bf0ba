//! Resumed runs with children. Killed processes are in `tests/subturn_crash.rs`.

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{ChildStatus, Disposition, SubTurn, SubTurnError, SubTurns, Turn};
use ddg_core::checkpoint::{CheckpointPolicy, MemoryStore};
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

/// [subturn 16] A run waits for a person while a child is active. The child rests after its step.
/// When the run is resumed, the child continues from there under its id, and counts once.
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
    let n_requests = model.requests().len();

    let mut snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    snapshot.answer(&question.id, Verdict::Allow).unwrap();
    let outcome = agent.resume(snapshot).await.unwrap();
    // One of the root; at most one of the child, if it rested before its request.
    assert!(model.requests().len() <= n_requests + 3, "{n_requests}");
    let rests = heard.words().iter().filter(|word| word.contains("ended: stopped")).count();
    assert_eq!(rests, 0);
    let [child] = outcome.children() else { panic!("{:?}", outcome.children()) };
    assert_eq!((child.id.as_str(), &child.status), ("subturn-1", &ChildStatus::Finished));
    assert_eq!(child.disposition, Some(Disposition::Consumed));
    let told = outcome.conversation.messages.iter();
    assert_eq!(told.filter(|message| message.text().starts_with("[subturn-1")).count(), 1);
}

/// Spawns a child with this task, and waits for its result.
#[tool]
async fn ask(task: String, turn: Turn) -> Result<String, SubTurnError> {
    turn.spawn(SubTurn::new(task)).await?;
    Ok(turn.next_result().await?.map_or_else(String::new, |result| result.text()))
}

/// A root that asks a child for this topic. The first attempt never ends.
fn asker(topic: &'static str, ends: bool) -> Player {
    Player::new(move |first: String, n| async move {
        match (first.as_str(), n) {
            ("Root", 0) => super::setup::calls("ask", json!({ "task": topic })),
            ("Root", _) if !ends => std::future::pending().await,
            ("Root", _) => ChatReply::text("done"),
            (topic, _) => ChatReply::text(format!("about {topic}")),
        }
    })
}

/// [subturn 16] With `CheckpointPolicy::OnPause` a run that is left begins again, while the children of
/// the earlier attempt are in the store. The same child is not run again; another one gets a number of
/// its own, and its own result.
#[tokio::test]
async fn a_run_that_begins_again_mistakes_no_child_for_another() {
    for (topic, ids, n_asked) in
        [("tea", vec!["subturn-1"], 0), ("coffee", vec!["subturn-1", "subturn-2"], 1)]
    {
        let store = MemoryStore::new();
        let tools = || Toolbox::builder().with(ask::tool()).build().unwrap();
        let first = asker("tea", false);
        let (left, _) = agent(&first, tools(), SubTurns::new());
        let run = left.run(args!("Root")).stored_in(&store, "r");
        let run = run.checkpoints(CheckpointPolicy::OnPause).spawn();
        while first.requests().len() < 3 {
            tokio::task::yield_now().await;
        }
        run.cancel();
        assert!(run.await.is_err());

        let second = asker(topic, true);
        let (agent, _) = agent(&second, tools(), SubTurns::new());
        let run = agent.run(args!("Root")).stored_in(&store, "r");
        let outcome = run.checkpoints(CheckpointPolicy::OnPause).await.unwrap();
        let step = &outcome.steps()[0];
        assert_eq!(step.result.content, format!("about {topic}"));
        let found: Vec<_> = outcome.children().iter().map(|child| child.id.as_str()).collect();
        assert_eq!(found, ids, "{topic}");
        let asked = second.requests().iter().filter(|it| it.messages[0].text() != "Root").count();
        assert_eq!(asked, n_asked, "{topic}");
    }
}

/// [subturn 16] Several kickoffs of one nested agent in a stored run have children of their own.
#[tokio::test]
async fn each_kickoff_of_a_nested_agent_has_its_own_children() {
    let model = Player::new(async |first: String, n| match (first.strip_prefix("Root "), n) {
        (Some(topic), 0) => super::setup::calls("ask", json!({ "task": topic })),
        (Some(topic), _) => ChatReply::text(format!("done with {topic}")),
        (None, _) => ChatReply::text(format!("about {first}")),
    });
    let tools = Toolbox::builder().with(ask::tool()).build().unwrap();
    let (inner, _) = agent(&model, tools, SubTurns::new());
    let mut outer = GraphAutoma::new("outer");
    outer
        .add_func_as_worker("go", async |cx: Context| cx.ferry_to("agent", ("Root tea",)), start())
        .unwrap();
    outer.add_worker("agent", inner.into_graph(), free()).unwrap();
    let next = async |outcome: AgentOutcome, cx: Context| {
        let found: Vec<String> = cx.local().update("found", |found: &mut Vec<String>| {
            found.push(outcome.steps()[0].result.content.clone());
            found.clone()
        });
        match found.len() {
            1 => cx.ferry_to("agent", ("Root coffee",)),
            _ => cx.ferry_to("end", (found,)),
        }
    };
    outer.add_func_as_worker("next", next, after(["agent"])).unwrap();
    outer.add_func_as_worker("end", async |found: Vec<String>| found, free().output()).unwrap();
    let run = outer.run(()).stored_in(&MemoryStore::new(), "r");
    let found: Vec<String> = run.output().await.unwrap();
    assert_eq!(found, ["about tea", "about coffee"]);
}
