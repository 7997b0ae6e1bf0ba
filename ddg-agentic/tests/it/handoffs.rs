//! Handoffs: who has the conversation, what is in force then, and what is kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_agentic::hook::{BeforeTool, OnAnswer, OnInput};
use ddg_agentic::observe::{Moment, Observer};
use ddg_agentic::prelude::*;
use ddg_agentic::react::{Carries, HandedOver, Handoff, Limit};
use ddg_core::checkpoint::{Claim, MemoryStore};
use ddg_core::event::{EventFilter, EventKind};
use ddg_core::snapshot::Snapshot;
use expect_test::expect;
use serde_json::json;
use tokio::sync::Notify;

use crate::hooks::{Guard, Paid, at_most_100, bank, paying};
use crate::react::lines;

fn to(agent: &str, id: &str) -> ToolCall {
    ToolCall::new(id, format!("transfer_to_{agent}"), json!({ "reason": "it knows better" }))
}

fn billing(model: &ScriptedModel) -> ReActAutoma {
    ReActAutoma::new(model.clone()).name("billing").system("You know invoices.")
}

fn desk(model: &ScriptedModel) -> ReActAutoma {
    ReActAutoma::new(model.clone()).name("desk").system("You are the desk.")
}

#[tokio::test]
async fn the_other_agent_answers_with_its_own_instructions_and_tools() {
    let paid = Paid::default();
    let other = ScriptedModel::new()
        .calls([paying("p", 5)])
        .expects(|asked| {
            assert_eq!(asked.messages[0].text(), "You know invoices.");
            let names: Vec<_> = asked.tools.iter().map(|spec| spec.name.as_str()).collect();
            assert_eq!(names, ["pay"]);
        })
        .text("Paid.");
    let first = ScriptedModel::new()
        .calls([to("billing", "t"), paying("x", 900)])
        .expects_tools(["transfer_to_billing"]);
    let handoff = Handoff::to(billing(&other).tools(bank(&paid))).description("Invoices.");
    let agent = desk(&first).handoff(handoff).build().unwrap();
    let run = agent.run(args!("Pay my invoice."));
    let mut events = run.events(EventFilter::all());
    let outcome = run.await.unwrap();
    assert_eq!((outcome.agent.as_str(), outcome.text().as_str()), ("billing", "Paid."));
    assert_eq!(outcome.turns, 3);
    expect![[r#"
        user: Pay my invoice.
        model: [transfer_to_billing#t, pay#x]
        result of transfer_to_billing#t: handed over to billing
        error of pay#x: not called, since the conversation was handed over
        model: [pay#p]
        result of pay#p: paid 5
        model: Paid."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(paid.all(), [5]);
    let mut handed = Vec::new();
    while let Some(event) = events.next().await {
        if let EventKind::Custom { name, data, .. } = event.unwrap().kind.clone()
            && name == HandedOver::NAME
        {
            handed.push(data.get::<HandedOver>().unwrap());
        }
    }
    let [HandedOver { from, to, reason, .. }] = &handed[..] else { panic!("{handed:?}") };
    assert_eq!([from, to, reason], ["desk", "billing", "it knows better"]);
}

#[tokio::test]
async fn what_goes_along_is_a_setting_and_the_conversation_keeps_everything() {
    for (carries, seen) in [
        // The system prompt, the messages before the handoff, the handoff and its result.
        (Carries::Everything, 8),
        (Carries::LastMessages(3), 6),
        (Carries::Nothing, 4),
    ] {
        let other = ScriptedModel::new().text("Done.").expects(move |asked| {
            assert_eq!(asked.messages.len(), seen, "{:?}", asked.messages);
        });
        let first = ScriptedModel::new().text("Hello.").text("Fine.").calls([to("billing", "t")]);
        let agent = desk(&first).handoff(Handoff::to(billing(&other)).carries(carries));
        let agent = Agent::new(agent).unwrap();
        agent.run("ada", "Hi.").await.unwrap();
        agent.run("ada", "How are you?").await.unwrap();
        let outcome = agent.run("ada", "Pay.").await.unwrap();
        assert_eq!(outcome.conversation.messages.len(), 8);
    }
}

#[tokio::test]
async fn a_conversation_stays_with_the_other_agent_until_it_is_handed_back() {
    let other = ScriptedModel::new()
        .text("Paid.")
        .text("In May.")
        .calls([to("desk", "b")])
        .expects_tools(["transfer_to_desk"]);
    let first = ScriptedModel::new().calls([to("billing", "t")]).text("Goodbye.");
    let handoff = Handoff::to(billing(&other)).may_hand_to(["desk"]);
    let agent = Agent::new(desk(&first).handoff(handoff)).unwrap();
    let outcome = agent.run("ada", "Is it paid?").await.unwrap();
    assert_eq!(outcome.conversation.standing.active.as_ref().unwrap().name, "billing");
    assert_eq!(agent.run("ada", "When?").await.unwrap().agent, "billing");
    let outcome = agent.run("ada", "Bye.").await.unwrap();
    assert_eq!((outcome.agent.as_str(), outcome.text().as_str()), ("desk", "Goodbye."));
    assert_eq!(outcome.conversation.standing.active, None);
    first.assert_finished();
    other.assert_finished();
}

#[tokio::test]
async fn handoffs_are_limited() {
    let calls = |agent: &str, n: u32| {
        (0..n)
            .fold(ScriptedModel::new(), |model, n| model.calls([to(agent, &format!("{agent}{n}"))]))
    };
    let (first, other) = (calls("billing", 9), calls("desk", 9));
    let handoff = Handoff::to(billing(&other)).may_hand_to(["desk"]);
    let agent = desk(&first).handoff(handoff).limits(Limits::default().handoffs(3));
    let error = agent.build().unwrap().run(args!("Pay.")).await.unwrap_err();
    let failed: &AgentFailed = error.downcast_ref().unwrap();
    assert!(matches!(failed.outcome.end, AgentEnd::StoppedByLimit { limit: Limit::Handoffs, .. }));
}

#[tokio::test]
async fn hooks_of_the_host_and_of_the_other_agent_hold() {
    let paid = Paid::default();
    let other = ScriptedModel::new()
        .calls([paying("p", 500), paying("q", 50), paying("r", 5)])
        .text("Done.")
        .text("Done again.")
        .expects_last("*** is ***");
    let at_most_10 = |call: &ddg_agentic::hook::ToolUse| match call.arguments["euros"].as_u64() {
        Some(11..) => BeforeTool::refuse("at most 10 euros"),
        _ => BeforeTool::Go,
    };
    let own = Guard { name: "own", tool: Some(at_most_10), ..Guard::default() };
    let input =
        |message: &Message| OnInput::Change(Message::user(message.text().replace("4111", "***")));
    let marks = |answer: &str| OnAnswer::Change(format!("{answer}!"));
    let host = Guard { name: "h", input: Some(input), answer: Some(marks), ..Guard::default() };
    let first = ScriptedModel::new().calls([to("billing", "t")]);
    let other = billing(&other).tools(bank(&paid)).hook(own);
    let agent = desk(&first).hook(at_most_100()).hook(host).handoff(Handoff::to(other));
    let agent = Agent::new(agent).unwrap();
    let outcome = agent.run("ada", "My card is 4111.").await.unwrap();
    assert_eq!(outcome.text(), "Done.!");
    assert_eq!(paid.all(), [5]);
    // Also when the conversation begins with the other agent.
    let outcome = agent.run("ada", "4111 is 4111").await.unwrap();
    assert_eq!(outcome.text(), "Done again.!");
    assert!(!lines(&outcome.conversation.messages).contains("4111"));
}

struct Lines(Arc<Mutex<Vec<String>>>, Arc<Notify>);

impl Observer for Lines {
    async fn observe(&self, moment: Moment) -> Result<(), WorkerError> {
        let line = moment.to_string();
        self.0.lock().unwrap().push(line.clone());
        if line == "desk: run finished" {
            self.1.notify_one();
        }
        Ok(())
    }
}

#[tokio::test]
async fn observers_of_the_host_see_the_other_agent() {
    let (seen, over) = (Arc::default(), Arc::default());
    let other = ScriptedModel::new().named("other").text("Done.");
    let first = ScriptedModel::new().calls([to("billing", "t")]);
    let agent = desk(&first).handoff(Handoff::to(billing(&other)));
    let agent = agent.observer(Lines(Arc::clone(&seen), Arc::clone(&over))).build().unwrap();
    agent.run(args!("Pay.")).await.unwrap();
    over.notified().await;
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "desk: run started",
            "desk: model scripted started",
            "desk: model scripted ended",
            "desk/billing: run started",
            "desk/billing: model other started",
            "desk/billing: model other ended",
            "desk/billing: run finished",
            "desk: run finished",
        ]
    );
}

#[tokio::test]
async fn a_question_of_the_other_agent_pauses_the_run_and_it_continues_elsewhere() {
    let paid = Paid::default();
    let agent = |first: ScriptedModel, other: ScriptedModel| {
        let options = ToolOptions::new().approval();
        let tools = Toolbox::builder().with_options(crate::hooks::pay::tool(), options);
        let other = billing(&other).tools(tools.state(paid.clone()).build().unwrap());
        desk(&first).handoff(Handoff::to(other)).build().unwrap()
    };
    let first = ScriptedModel::new().calls([to("billing", "t")]);
    let paused = agent(first, ScriptedModel::new().calls([paying("p", 5)]));
    let paused = paused.run(args!("Pay.")).outcome().await.unwrap();
    let question = paused.questions().remove(0);
    assert_eq!(question.worker, "agent_billing_1/tool_pay_1_1");
    let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    let mut snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    snapshot.answer(&question.id, Verdict::Allow).unwrap();
    let later = agent(ScriptedModel::new(), ScriptedModel::new().text("Done."));
    let outcome = later.resume(snapshot).await.unwrap();
    assert_eq!((outcome.agent.as_str(), outcome.text().as_str()), ("billing", "Done."));
    assert_eq!(paid.all(), [5]);
}

/// Hangs, as a process that is killed.
#[tool(name = "pay")]
async fn hanging(euros: u64, hangs: State<Notify>) -> String {
    hangs.notify_one();
    std::future::pending::<()>().await;
    format!("{euros}")
}

#[tokio::test]
async fn a_stored_run_that_was_killed_in_the_other_agent_continues_there() {
    let (store, began, paid) = (MemoryStore::new(), Arc::new(Notify::new()), Paid::default());
    let tools = Toolbox::builder().with(hanging::tool()).shared_state(Arc::clone(&began));
    let other = ScriptedModel::new().calls([paying("p", 5)]);
    let other = billing(&other).tools(tools.build().unwrap());
    let first = ScriptedModel::new().calls([to("billing", "t")]);
    let agent = desk(&first).handoff(Handoff::to(other)).build().unwrap();
    let run = agent.run(args!("Pay.")).stored_in(&store, "r").spawn();
    began.notified().await;
    drop(run);
    let other = billing(&ScriptedModel::new().text("Done.")).tools(bank(&paid));
    let agent = desk(&ScriptedModel::new()).handoff(Handoff::to(other)).build().unwrap();
    let takes_over = Claim::this_process(Duration::from_secs(30)).by_force();
    let run = agent.run(args!("Pay.")).stored_in(&store, "r").claim(takes_over);
    let outcome = run.await.unwrap();
    assert_eq!((outcome.agent.as_str(), outcome.text().as_str()), ("billing", "Done."));
    assert_eq!(paid.all(), [5]);
}

#[tokio::test]
async fn a_failure_of_the_other_agent_has_the_whole_conversation() {
    let away = ModelError::Setup { message: "no network".into() };
    let other = ScriptedModel::new().fails(away).text("Here I am.");
    let first = ScriptedModel::new().calls([to("billing", "t")]);
    let agent = Agent::new(desk(&first).handoff(Handoff::to(billing(&other)))).unwrap();
    let error = agent.run("ada", "Pay.").await.unwrap_err();
    assert!(error.to_string().contains("no network"), "{error}");
    // It was saved, and the other agent has the conversation.
    let outcome = agent.run("ada", "Again.").await.unwrap();
    assert_eq!(outcome.agent, "billing");
    expect![[r#"
        user: Pay.
        model: [transfer_to_billing#t]
        result of transfer_to_billing#t: handed over to billing
        user: Again.
        model: Here I am."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
}

#[tokio::test]
async fn faults_of_a_team_are_named() {
    let model = ScriptedModel::new();
    let agent = desk(&model)
        .handoff(Handoff::to(billing(&model)).may_hand_to(["refunds"]))
        .handoff(Handoff::to(billing(&model)));
    let error = agent.build().err().unwrap().to_string();
    assert!(error.contains("two agents of a team are named `billing`"), "{error}");
    assert!(error.contains("may hand over to `refunds`, which is no other agent"), "{error}");
}
