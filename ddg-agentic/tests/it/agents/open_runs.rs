//! A run that asks a person is kept with its conversation, and continued once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ddg_agentic::AgentError;
use ddg_agentic::memory::{ConversationStore, MemoryConversations};
use ddg_agentic::prelude::*;
use ddg_core::checkpoint::MemoryStore;
use ddg_core::run::Question;
use expect_test::expect;
use serde_json::json;
use tokio::sync::Notify;

/// Counts payments.
#[derive(Clone, Default)]
struct Till(Arc<AtomicU32>);

impl Till {
    fn n_paid(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Pays.
#[tool]
async fn pay(till: State<Till>, euros: u32) -> String {
    till.0.0.fetch_add(1, Ordering::SeqCst);
    format!("paid {euros}")
}

fn call(id: &str, euros: u32) -> ToolCall {
    ToolCall::new(id, "pay", json!({ "euros": euros }))
}

fn automa(model: &ScriptedModel, till: &Till) -> ReActAutoma {
    let tools = Toolbox::builder()
        .with_options(pay::tool(), ToolOptions::new().approval())
        .state(till.clone())
        .build()
        .unwrap();
    ReActAutoma::new(model.clone()).tools(tools)
}

fn agent(model: &ScriptedModel, till: &Till) -> Agent {
    Agent::new(automa(model, till)).unwrap()
}

/// Sends a message that makes the run ask. Returns the question, and the snapshot with the answer.
async fn paused(agent: &Agent, conversation: &str) -> (Question, ddg_core::snapshot::Snapshot) {
    let Said::Paused { outcome, .. } = agent.say(conversation, "Pay.").await.unwrap() else {
        panic!("it asks")
    };
    let question = outcome.questions().remove(0);
    let mut snapshot = outcome.snapshot().unwrap();
    snapshot.answer(&question.id, Verdict::Allow).unwrap();
    (question, snapshot)
}

fn text(said: Said) -> String {
    let Said::Ended(outcome) = said else { panic!("{said:?}") };
    outcome.text()
}

#[tokio::test]
async fn an_answer_counts_once_also_if_it_comes_twice_at_once() {
    let (model, till) =
        (ScriptedModel::new().calls([call("a", 30)]).text("Done."), Till::default());
    let agent = agent(&model, &till);
    let (question, _) = paused(&agent, "ada").await;
    assert_eq!(agent.questions("ada").await.unwrap().len(), 1);
    let (one, other) = tokio::join!(
        agent.answer("ada", &question.id, Verdict::Allow).into_future(),
        agent.answer("ada", &question.id, Verdict::Allow).into_future(),
    );
    assert_eq!(text(one.unwrap()), "Done.");
    expect!["conversation `ada`: question `tool_pay_1_1#2.1` cannot be answered: the run is not paused and asks no question"]
        .assert_eq(&other.unwrap_err().to_string());
    assert_eq!(till.n_paid(), 1);
    assert_eq!(agent.questions("ada").await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_snapshot_counts_once_and_only_for_its_conversation() {
    let model = ScriptedModel::new().calls([call("a", 30)]).calls([call("b", 40)]).text("Done.");
    let till = Till::default();
    let agent = agent(&model, &till);
    let (_, of_ada) = paused(&agent, "ada").await;
    let (_, of_bob) = paused(&agent, "bob").await;
    let error = agent.resume("bob", of_ada.clone()).await.unwrap_err();
    expect!["conversation `bob` has no run that can be resumed from here: it has continued since then, or the snapshot belongs to another conversation"].assert_eq(&error.to_string());
    let other = agent.resume("eve", of_ada.clone()).await.unwrap_err();
    assert!(matches!(other, AgentError::NotPaused { .. }), "{other}");
    assert_eq!(text(agent.resume("ada", of_ada.clone()).await.unwrap()), "Done.");
    let twice = agent.resume("ada", of_ada).await.unwrap_err();
    assert!(matches!(twice, AgentError::NotPaused { .. }), "{twice}");
    assert_eq!(till.n_paid(), 1);
    drop(of_bob);
}

#[tokio::test]
async fn an_old_question_is_not_one_of_the_next_run() {
    let model = ScriptedModel::new().calls([call("a", 30)]).text("Done.").calls([call("b", 40)]);
    let till = Till::default();
    let agent = agent(&model, &till);
    let (old, _) = paused(&agent, "ada").await;
    agent.answer("ada", &old.id, Verdict::Allow).await.unwrap();
    let (new, snapshot) = paused(&agent, "ada").await;
    assert_ne!(new.id, old.id);
    // A person answers the first question again.
    let late = agent.answer("ada", &old.id, Verdict::Allow).await.unwrap_err();
    assert!(matches!(late, AgentError::NotAsked { .. }), "{late}");
    assert_eq!(till.n_paid(), 1);
    assert_eq!(snapshot.questions().len(), 0);
}

#[tokio::test]
async fn messages_to_a_waiting_run_are_refused_before_anything_acts() {
    let (model, till) =
        (ScriptedModel::new().calls([call("a", 30)]).text("Done."), Till::default());
    let agent = agent(&model, &till);
    let (question, _) = paused(&agent, "ada").await;
    let error = agent.run("ada", "And tea?").await.unwrap_err();
    expect!["conversation `ada` waits for an answer to tool_pay_1_1#2.1; `answer` first, `give_up` the run, or let the agent queue or steer (`when_busy`)"].assert_eq(&error.to_string());
    assert_eq!(till.n_paid(), 0);
    assert_eq!(text(agent.answer("ada", &question.id, Verdict::Allow).await.unwrap()), "Done.");
    assert_eq!(till.n_paid(), 1);
}

#[tokio::test]
async fn messages_to_a_waiting_run_can_be_delivered_when_it_continues() {
    let heard = async |when_busy| {
        let model = ScriptedModel::new().calls([call("a", 30)]).text("Done.").text("Tea, too.");
        let till = Till::default();
        let agent = agent(&model, &till).when_busy(when_busy);
        let (question, _) = paused(&agent, "ada").await;
        let said = agent.say("ada", "And tea?").await.unwrap();
        let said = format!("{said:?}");
        let Said::Ended(outcome) = agent.answer("ada", &question.id, Verdict::Allow).await.unwrap()
        else {
            panic!("nothing else is asked")
        };
        let messages = outcome.conversation.messages;
        let messages: Vec<_> = messages.iter().map(Message::text).collect();
        format!("{said}: {}", messages.join(" | "))
    };
    expect!["Steered: Pay. |  | paid 30 | And tea? | Done."]
        .assert_eq(&heard(WhenBusy::Steer).await);
    expect!["Queued: Pay. |  | paid 30 | Done. | And tea? | Tea, too."]
        .assert_eq(&heard(WhenBusy::Queue).await);
}

#[tokio::test]
async fn some_of_several_questions_can_be_answered_in_any_order() {
    let model = ScriptedModel::new().calls([call("a", 30), call("b", 40)]).text("Done.");
    let till = Till::default();
    let agent = agent(&model, &till);
    paused(&agent, "ada").await;
    let questions = agent.questions("ada").await.unwrap();
    let said = agent.answer("ada", &questions[1].id, Verdict::Allow).await.unwrap();
    assert!(matches!(said, Said::Paused { .. }), "{said:?}");
    assert_eq!(till.n_paid(), 1);
    let twice = agent.answer("ada", &questions[1].id, Verdict::Allow).await.unwrap_err();
    assert!(matches!(twice, AgentError::NotAsked { .. }), "{twice}");
    assert_eq!(text(agent.answer("ada", &questions[0].id, Verdict::Allow).await.unwrap()), "Done.");
    assert_eq!(till.n_paid(), 2);
}

#[tokio::test]
async fn a_run_that_waits_can_be_given_up() {
    let (model, till) =
        (ScriptedModel::new().calls([call("a", 30)]).text("Hello."), Till::default());
    let agent = agent(&model, &till);
    let (question, _) = paused(&agent, "ada").await;
    assert!(agent.give_up("ada").await.unwrap());
    assert!(!agent.give_up("ada").await.unwrap());
    let late = agent.answer("ada", &question.id, Verdict::Allow).await.unwrap_err();
    assert!(matches!(late, AgentError::NotAsked { .. }), "{late}");
    assert_eq!(agent.run("ada", "Hello?").await.unwrap().conversation.messages.len(), 2);
    assert_eq!(till.n_paid(), 0);
}

#[tokio::test]
async fn an_invalid_answer_fails_the_run_and_frees_the_conversation() {
    let (model, till) =
        (ScriptedModel::new().calls([call("a", 30)]).text("Hello."), Till::default());
    let agent = agent(&model, &till);
    let (question, _) = paused(&agent, "ada").await;
    let error = agent.answer("ada", &question.id, true).await.unwrap_err();
    assert!(matches!(error, AgentError::Run { .. }), "{error}");
    assert_eq!((till.n_paid(), agent.run("ada", "Hello?").await.unwrap().turns), (0, 1));
}

/// Waits until it is told to go on.
#[tool]
async fn wait(gate: State<Arc<Notify>>, till: State<Till>) -> String {
    till.0.0.fetch_add(1, Ordering::SeqCst);
    gate.0.notified().await;
    "waited".to_owned()
}

#[tokio::test]
async fn an_interrupted_stored_run_is_continued_by_another_process() {
    let (runs, conversations) = (MemoryStore::new(), MemoryConversations::new());
    let (gate, till) = (Arc::new(Notify::new()), Till::default());
    let model = ScriptedModel::new()
        .calls([ToolCall::new("w", "wait", json!({}))])
        .text("Done.")
        .text("Yes.");
    let process = || {
        let tools = Toolbox::builder()
            .with(wait::tool())
            .state(Arc::clone(&gate))
            .state(till.clone())
            .build()
            .unwrap();
        let agent = Agent::new(ReActAutoma::new(model.clone()).tools(tools)).unwrap();
        agent.conversations(conversations.clone()).stored_in(&runs)
    };
    let first = process();
    let run = tokio::spawn(first.say("ada", "Wait.").into_future());
    while till.n_paid() == 0 {
        tokio::task::yield_now().await;
    }
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());

    let second = process();
    let error = second.run("ada", "Hello?").await.unwrap_err();
    expect!["conversation `ada`: its run was interrupted; `recover` it, `give_up`, or let the agent queue or steer (`when_busy`)"].assert_eq(&error.to_string());
    gate.notify_one();
    let mut recovered = second.recover_all().await.unwrap();
    let (id, said) = recovered.remove(0);
    assert_eq!((id.as_str(), recovered.len()), ("ada", 0));
    let Said::Ended(outcome) = said.unwrap() else { panic!() };
    assert_eq!((outcome.text().as_str(), outcome.turns), ("Done.", 2));
    assert_eq!(till.n_paid(), 2, "what was under way happens again, and nothing else");
    assert_eq!(model.requests().len(), 2);
    assert!(matches!(second.recover("ada").await, Err(AgentError::NotPaused { .. })));
    assert_eq!(second.run("ada", "Well?").await.unwrap().text(), "Yes.");
}

#[tokio::test]
async fn an_answer_to_a_stored_run_counts_once() {
    let (runs, conversations) = (MemoryStore::new(), Arc::new(MemoryConversations::new()));
    let (model, till) =
        (ScriptedModel::new().calls([call("a", 30)]).text("Done."), Till::default());
    let process =
        || agent(&model, &till).conversations(Arc::clone(&conversations)).stored_in(&runs);
    let (first, second) = (process(), process());
    let Said::Paused { outcome, .. } = first.say("ada", "Pay.").await.unwrap() else { panic!() };
    let question = second.questions("ada").await.unwrap().remove(0);
    assert_eq!(question.id, outcome.questions()[0].id);
    drop(outcome);
    let (one, other) = tokio::join!(
        first.answer("ada", &question.id, Verdict::Allow).into_future(),
        second.answer("ada", &question.id, Verdict::Allow).into_future(),
    );
    assert_eq!(one.is_ok() as u8 + other.is_ok() as u8, 1, "{one:?} {other:?}");
    assert_eq!(till.n_paid(), 1);
    let stored = conversations.load(&"ada".parse().unwrap()).await.unwrap();
    assert_eq!((stored.conversation.messages.len(), stored.run), (4, None));
}
