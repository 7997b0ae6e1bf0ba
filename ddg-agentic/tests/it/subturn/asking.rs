//! Children that ask a person: their questions pause the run of their parent.

use std::sync::{Arc, Mutex};

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{
    AgentTools, ChildStatus, Disposition, OrphanReason, SubTurn, SubTurnError, SubTurns, Turn,
};
use ddg_agentic::tool::Approval;
use ddg_core::checkpoint::{CheckpointPolicy, MemoryStore, StoredRuns};
use ddg_core::run::Question;
use ddg_core::snapshot::Snapshot;
use serde_json::json;
use tokio::sync::Semaphore;

use super::setup::{Heard, Player, agent, calls};

/// The payments of all tests.
static PAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn n_paid(to: &str) -> usize {
    PAID.lock().unwrap().iter().filter(|paid| *paid == to).count()
}

/// Pays, after a person has allowed it.
#[tool]
async fn pay(to: String) -> String {
    PAID.lock().unwrap().push(to.clone());
    format!("paid {to}")
}

/// Spawns a child for each task.
#[tool]
async fn spawn(tasks: Vec<String>, turn: Turn) -> Result<u32, SubTurnError> {
    for task in &tasks {
        turn.spawn(SubTurn::new(task.as_str())).await?;
    }
    Ok(tasks.len() as u32)
}

/// Spawns a critical child.
#[tool]
async fn spawn_critical(task: String, turn: Turn) -> Result<String, SubTurnError> {
    Ok(turn.spawn(SubTurn::new(task).critical()).await?.id().to_owned())
}

/// Spawns a child, and waits for its result.
#[tool]
async fn spawn_and_wait(task: String, turn: Turn) -> Result<String, SubTurnError> {
    let known = !turn.children().is_empty();
    if !known {
        turn.spawn(SubTurn::new(task)).await?;
    }
    Ok(turn.next_result().await?.map_or_else(String::new, |result| result.text()))
}

/// Calls two children at once.
#[tool]
async fn call_both(one: String, other: String, turn: Turn) -> Result<String, SubTurnError> {
    let call = |task| turn.call(SubTurn::new(task));
    let (one, other) = futures::future::try_join(call(one), call(other)).await?;
    Ok(format!("{}, {}", one.text(), other.text()))
}

/// Spawns a child, and stops it when it asks a person.
#[tool]
async fn spawn_and_stop(task: String, turn: Turn) -> Result<String, SubTurnError> {
    let child = turn.spawn(SubTurn::new(task)).await?;
    while turn.children()[0].status != ChildStatus::Waiting {
        tokio::task::yield_now().await;
    }
    child.stop();
    Ok("stopped".to_owned())
}

fn tools() -> Toolbox {
    let tools = Toolbox::builder()
        .with(spawn::tool())
        .with(spawn_critical::tool())
        .with(spawn_and_wait::tool())
        .with(spawn_and_stop::tool())
        .with(call_both::tool())
        .with_all(AgentTools::new().build())
        .with_options(pay::tool(), ToolOptions::new().approval());
    tools.build().unwrap()
}

/// As another process would read it.
fn elsewhere(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

/// The recipient of the payment that a question is about.
fn to(question: &Question) -> String {
    let approval: Approval = question.content.get().unwrap();
    approval.arguments["to"].as_str().unwrap().to_owned()
}

/// A child whose task is `pay NAME` pays, and then says so.
fn payer(first: &str, n: usize) -> ChatReply {
    let to = first.strip_prefix("pay ").unwrap();
    match n {
        0 => calls("pay", json!({ "to": to })),
        _ => ChatReply::text(format!("{to} is paid")),
    }
}

/// A root that makes one call, and pays nobody itself.
fn caller(tool: &'static str, arguments: serde_json::Value) -> Player {
    Player::new(move |first: String, n| {
        let arguments = arguments.clone();
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls(tool, arguments),
                ("Root", _) => ChatReply::text("done"),
                (task, n) => payer(task, n),
            }
        }
    })
}

/// The results of the calls of the outcome.
fn results(outcome: &AgentOutcome) -> Vec<String> {
    outcome.steps().into_iter().map(|step| step.result.content).collect()
}

/// [subturn 17] The question of a called child pauses the run. It has the path of the child, and its
/// answer goes to the child, in another process, too. Nothing is repeated.
#[tokio::test]
async fn a_called_child_asks_a_person() {
    let model = caller("call_agent", json!({ "task": "pay called" }));
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let paused = agent.run(args!("Root")).outcome().await.unwrap();
    let questions = paused.questions();
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].worker, "subturn-1/tool_pay_1_1");
    assert_eq!(to(&questions[0]), "called");

    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer(&questions[0].id, Verdict::Allow).unwrap();
    let outcome = agent.resume(elsewhere(&snapshot)).await.unwrap();
    assert_eq!(
        (outcome.text().as_str(), results(&outcome)),
        ("done", vec!["called is paid".into()])
    );
    let [child] = outcome.children() else { panic!("{:?}", outcome.children()) };
    assert_eq!((&child.status, child.disposition), (&ChildStatus::Finished, None));
    assert_eq!((n_paid("called"), model.requests().len()), (1, 4));
    assert_eq!(
        heard.words(),
        [
            "subturn-1 spawned at 1",
            "subturn-1 paused",
            "subturn-1 spawned at 1",
            "subturn-1 ended: finished"
        ]
    );
}

/// [subturn 17] A spawned child asks while its parent works on. The run pauses when the step of the
/// parent has settled, also if that would have been the last. The parent's reply is not asked for
/// again.
#[tokio::test]
async fn a_spawned_child_asks_while_its_parent_works_on() {
    let asks = Arc::new(Semaphore::new(0));
    let waits = Arc::clone(&asks);
    let model = Player::new(move |first: String, n| {
        let asks = Arc::clone(&waits);
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn", json!({ "tasks": ["pay spawned"] })),
                ("Root", 1) => {
                    asks.acquire().await.unwrap().forget();
                    ChatReply::text("done")
                }
                ("Root", _) => ChatReply::text("all done"),
                (task, n) => payer(task, n),
            }
        }
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new().wait_for_results());
    let run = agent.run(args!("Root")).spawn();
    heard.until("subturn-1 paused").await;
    asks.add_permits(1);
    let paused = run.outcome().await.unwrap();
    assert_eq!(paused.questions()[0].worker, "subturn-1/tool_pay_1_1");
    let answered = elsewhere(&paused.answer_with(|_| Verdict::Allow).unwrap());
    let outcome = agent.resume(answered).await.unwrap();
    assert_eq!(outcome.text(), "all done");
    assert_eq!(outcome.children()[0].disposition, Some(Disposition::Consumed));
    let texts: Vec<_> = outcome.conversation.messages.iter().map(Message::text).collect();
    let [.., done, told, all] = &texts[..] else { panic!("{texts:?}") };
    assert_eq!((done.as_str(), all.as_str()), ("done", "all done"));
    assert!(told.starts_with("[subturn-1 (agent) finished] spawned is paid"), "{told}");
    assert_eq!((n_paid("spawned"), model.requests().len()), (1, 5));
}

/// [subturn 17] At any depth: the path of the question leads through all children.
#[tokio::test]
async fn a_child_of_a_child_asks_a_person() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("call_agent", json!({ "task": "middle" })),
        ("middle", 0) => calls("spawn", json!({ "tasks": ["pay deep"] })),
        ("middle", 1) => calls("call_agent", json!({ "task": "pay deeper" })),
        ("Root" | "middle", _) => ChatReply::text("done"),
        (task, n) => payer(task, n),
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new().wait_for_results());
    let mut snapshot = None;
    let mut asked = Vec::new();
    let outcome = loop {
        let run = match snapshot.take() {
            None => agent.run(args!("Root")),
            Some(snapshot) => agent.resume(snapshot),
        };
        let paused = run.outcome().await.unwrap();
        if !paused.is_paused() {
            break paused.into_output::<AgentOutcome>().unwrap();
        }
        asked.extend(paused.questions().into_iter().map(|question| question.worker));
        snapshot = Some(elsewhere(&paused.answer_with(|_| Verdict::Allow).unwrap()));
    };
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked, ["subturn-1/subturn-1/tool_pay_1_1", "subturn-1/subturn-2/tool_pay_1_1"]);
    assert_eq!(outcome.text(), "done");
    assert_eq!((n_paid("deep"), n_paid("deeper")), (1, 1));
}

/// [subturn 17] Several children ask at once, and are answered one after the other. What has been
/// answered is not repeated.
#[tokio::test]
async fn several_children_ask_at_once() {
    let tasks = json!({ "tasks": ["pay Ada", "pay Bob", "pay Cyd"] });
    let model = caller("spawn", tasks);
    let (agent, _) = agent(&model, tools(), SubTurns::new().wait_for_results());
    let mut paused = agent.run(args!("Root")).outcome().await.unwrap();
    let mut n_pauses = 0;
    while paused.is_paused() {
        n_pauses += 1;
        let mut snapshot = elsewhere(&paused.snapshot().unwrap());
        let last = paused.questions().pop().unwrap();
        snapshot.answer(&last.id, Verdict::Allow).unwrap();
        paused = agent.resume(elsewhere(&snapshot)).outcome().await.unwrap();
        assert!(n_pauses < 5);
    }
    let outcome: AgentOutcome = paused.into_output().unwrap();
    assert_eq!(n_pauses, 3);
    for child in outcome.children() {
        assert_eq!(child.disposition, Some(Disposition::Consumed), "{child:?}");
    }
    assert_eq!([n_paid("Ada"), n_paid("Bob"), n_paid("Cyd")], [1, 1, 1]);
}

/// [subturn 17] A tool that calls two children at once gets both questions asked together.
#[tokio::test]
async fn a_tool_that_calls_two_children_asks_for_both() {
    let model = caller("call_both", json!({ "one": "pay one", "other": "pay other" }));
    let (agent, _) = agent(&model, tools(), SubTurns::new());
    let paused = agent.run(args!("Root")).outcome().await.unwrap();
    assert_eq!(paused.questions().iter().map(to).collect::<Vec<_>>(), ["one", "other"]);
    let answered = elsewhere(&paused.answer_with(|_| Verdict::Allow).unwrap());
    let outcome = agent.resume(answered).await.unwrap();
    assert_eq!(results(&outcome), ["one is paid, other is paid"]);
    assert_eq!([n_paid("one"), n_paid("other")], [1, 1]);
}

/// [subturn 17] A tool that waits for the result of a spawned child asks the child's question.
#[tokio::test]
async fn a_tool_that_waits_for_a_result_asks_for_it() {
    let model = caller("spawn_and_wait", json!({ "task": "pay awaited" }));
    let (agent, _) = agent(&model, tools(), SubTurns::new());
    let paused = agent.run(args!("Root")).outcome().await.unwrap();
    assert_eq!(paused.questions()[0].worker, "subturn-1/tool_pay_1_1");
    let answered = elsewhere(&paused.answer_with(|_| Verdict::Allow).unwrap());
    let outcome = agent.resume(answered).await.unwrap();
    assert_eq!(results(&outcome), ["awaited is paid"]);
    assert_eq!(n_paid("awaited"), 1);
}

/// [subturn 17] [subturn 16] In a stored run, whichever policy it is written by: the question is one
/// of the stored run, and each resumed run is as in another process.
#[tokio::test]
async fn a_stored_child_asks_a_person() {
    for policy in
        [CheckpointPolicy::EveryStep, CheckpointPolicy::EveryWorker, CheckpointPolicy::OnPause]
    {
        let name = |which: &str| format!("{which} {policy:?}");
        let (one, other) = (name("stored"), name("also stored"));
        let tasks = json!({ "tasks": [format!("pay {one}"), format!("pay {other}")] });
        let model = caller("spawn", tasks);
        let (agent, _) = agent(&model, tools(), SubTurns::new().wait_for_results());
        let store = MemoryStore::new();
        let runs = StoredRuns::new(&store);
        let run = || agent.run(args!("Root")).stored_in(&store, "r").checkpoints(policy).outcome();
        assert!(run().await.unwrap().is_paused());
        let mut answered = 0;
        let outcome = loop {
            let question = runs.questions("r").await.unwrap().remove(0);
            runs.answer("r", &question.id, Verdict::Allow).await.unwrap();
            answered += 1;
            let outcome = run().await.unwrap();
            if !outcome.is_paused() {
                break outcome.into_output::<AgentOutcome>().unwrap();
            }
        };
        assert_eq!(answered, 2, "{policy:?}");
        assert_eq!((n_paid(&one), n_paid(&other)), (1, 1), "{policy:?}");
        for child in outcome.children() {
            assert_eq!(child.disposition, Some(Disposition::Consumed), "{policy:?}: {child:?}");
        }
    }
}

/// [subturn 17] A child that asks when its parent's turn is over fails, because nobody can pass its
/// question on.
#[tokio::test]
async fn a_child_without_a_parent_cannot_ask() {
    let over = Arc::new(Semaphore::new(0));
    let waits = Arc::clone(&over);
    let model = Player::new(move |first: String, n| {
        let over = Arc::clone(&waits);
        async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("spawn_critical", json!({ "task": "pay late" })),
                ("Root", _) => ChatReply::text("done"),
                (task, n) => {
                    over.acquire().await.unwrap().forget();
                    payer(task, n)
                }
            }
        }
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    over.add_permits(1);
    heard.until("subturn-1 ended: failed").await;
    let late = Disposition::Orphaned(OrphanReason::ParentFinished);
    assert_eq!(outcome.children()[0].disposition, Some(late));
    assert!(heard.words().contains(&"subturn-1 orphaned: ParentFinished".to_owned()));
    assert_eq!(n_paid("late"), 0);
}

/// [subturn 17] [subturn 7] A child that waits for a person can be stopped, and gives a result that
/// says so.
#[tokio::test]
async fn a_child_that_asks_can_be_stopped() {
    let model = caller("spawn_and_stop", json!({ "task": "pay stopped" }));
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    let [child] = outcome.children() else { panic!("{:?}", outcome.children()) };
    assert_eq!(child.status, ChildStatus::Stopped);
    assert_eq!(child.disposition, Some(Disposition::Consumed));
    let ended = heard.words().iter().filter(|word| word.contains("ended")).count();
    assert_eq!((ended, n_paid("stopped")), (1, 0));
}

/// [subturn 17] The question of a child is one of the conversation, which is answered as any other.
#[tokio::test]
async fn the_question_of_a_child_is_one_of_the_conversation() {
    for is_stored in [false, true] {
        let name = if is_stored { "kept" } else { "said" };
        let model = caller("spawn", json!({ "tasks": [format!("pay {name}")] }));
        let heard = Heard::default();
        let subturns = heard.listen(SubTurns::new().wait_for_results());
        let mut agent =
            Agent::new(ReActAutoma::new(model).tools(tools()).subturns(subturns)).unwrap();
        if is_stored {
            agent = agent.stored_in(&MemoryStore::new());
        }
        assert!(matches!(agent.say("c", "Root").await.unwrap(), Said::Paused { .. }));
        let question = agent.questions("c").await.unwrap().remove(0);
        assert_eq!(question.worker, "subturn-1/tool_pay_1_1");
        let said = agent.answer("c", &question.id, Verdict::Deny { reason: "No.".into() }).await;
        let Said::Ended(outcome) = said.unwrap() else { panic!("it has ended") };
        assert_eq!((outcome.text().as_str(), n_paid(name)), ("done", 0));
        let again = agent.answer("c", &question.id, Verdict::Allow).await;
        assert!(matches!(again, Err(ddg_agentic::AgentError::NotAsked { .. })));
    }
}

/// [subturn 17] Stopping a turn whose child asks ends the child, and rolls the conversation back.
#[tokio::test]
async fn a_turn_whose_child_asks_can_be_stopped() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn", json!({ "tasks": ["pay nobody"] })),
        ("Root", _) => std::future::pending().await,
        (task, n) => payer(task, n),
    });
    let heard = Heard::default();
    let agent = ReActAutoma::new(model).tools(tools());
    let agent = Agent::new(agent.subturns(heard.listen(SubTurns::new()))).unwrap();
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c", "Root").await });
    heard.until("subturn-1 paused").await;
    assert!(agent.stop("c").await.unwrap().turn);
    assert!(said.await.unwrap().is_err());
    let words = heard.words();
    assert_eq!(
        words[words.len() - 2..],
        ["subturn-1 orphaned: Stopped", "subturn-1 ended: stopped"],
        "{words:?}"
    );
}
