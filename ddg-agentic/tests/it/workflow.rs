//! Workflows with an agent behind them: the agent does what a step could not, within its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ddg_agentic::compose::{DoneBy, Step, Workflow, WorkflowEnd, WorkflowFailed, WorkflowOutcome};
use ddg_agentic::prelude::*;
use ddg_agentic::schemars::{self, JsonSchema};
use expect_test::expect;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Offer {
    shop: String,
    euros: u32,
}

/// Looks for an offer in another shop.
#[tool]
async fn look(shop: String) -> String {
    format!("tea at {shop} for 7 euros")
}

fn find(page: &str) -> Result<Offer, String> {
    let (shop, euros) = page.split_once(' ').ok_or(format!("`{page}` has no price"))?;
    let euros = euros.parse().map_err(|_| format!("`{euros}` is no price"))?;
    Ok(Offer { shop: shop.to_owned(), euros })
}

fn pay(offer: &Offer) -> Result<u32, String> {
    match offer.shop.as_str() {
        "closed" => Err("the shop is closed".to_owned()),
        _ => Ok(offer.euros),
    }
}

fn receipt(paid: u32) -> Result<String, String> {
    match paid {
        0 => Err("nothing was paid".to_owned()),
        paid => Ok(format!("{paid} euros, thank you")),
    }
}

fn workflow(model: ScriptedModel) -> Workflow {
    let tools = Toolbox::builder().with(look::tool()).build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools).limits(Limits::turns(3));
    Workflow::new("shop", agent)
        .then_func(Step::giving::<Offer>("find", "Finds an offer on the page."), find)
        .then_func(Step::giving::<u32>("pay", "Pays the offer; gives the euros."), pay)
        .then_func(Step::giving::<String>("receipt", "Writes a receipt."), receipt)
}

/// Who has done each step.
fn done_by(outcome: &WorkflowOutcome) -> String {
    let by = |by: &DoneBy| match by {
        DoneBy::Agent { error, answer, turns } => format!("agent ({error}) {answer} {turns}"),
        _ => "step".to_owned(),
    };
    let steps = outcome.steps.iter().map(|step| format!("{}: {}\n", step.key, by(&step.by)));
    steps.collect::<String>() + &format!("{:?}", outcome.end)
}

#[tokio::test]
async fn nothing_is_asked_of_the_agent_while_the_steps_succeed() {
    let model = ScriptedModel::new();
    let workflow = workflow(model.clone()).build().unwrap();
    let outcome: WorkflowOutcome = workflow.run(args!("corner 5")).output().await.unwrap();
    assert_eq!(outcome.output::<String>().unwrap(), "5 euros, thank you");
    assert_eq!(model.requests().len(), 0);
    expect![[r#"
        find: step
        pay: step
        receipt: step
        Steps"#]]
    .assert_eq(&done_by(&outcome));
}

#[tokio::test]
async fn a_step_that_fails_is_done_by_the_agent_with_its_tools() {
    let model = ScriptedModel::new()
        .calls([ToolCall::new("1", "look", json!({ "shop": "harbour" }))])
        .text(r#"{ "shop": "harbour", "euros": 7 }"#)
        .expects_last("tea at harbour for 7 euros");
    let workflow = workflow(model.clone()).build().unwrap();
    let outcome: WorkflowOutcome = workflow.run(args!("corner dear")).output().await.unwrap();
    assert_eq!(outcome.output::<String>().unwrap(), "7 euros, thank you");
    expect![[r#"
        find: agent (`dear` is no price) {"shop":"harbour","euros":7} 2
        pay: step
        receipt: step
        Steps"#]]
    .assert_eq(&done_by(&outcome));
    let asked = &model.requests()[0];
    let task = asked.messages.iter().find(|message| matches!(message, Message::User { .. }));
    expect![[r#"
        You stand behind the workflow `shop`: you do what its program cannot.
        Its step `find` has failed. What the step does: Finds an offer on the page.

        Its input:
        "corner dear"

        Its error:
        `dear` is no price

        Do this one step, with your tools if they help. Answer with the output of the step."#]]
    .assert_eq(&task.unwrap().text());
}

#[tokio::test]
async fn after_some_steps_in_a_row_the_rest_is_the_agents() {
    let model = ScriptedModel::new()
        .text(r#"{ "shop": "closed", "euros": 9 }"#)
        .text("{ \"value\": 9 }")
        .text("{ \"value\": \"paid by hand\" }")
        .expects(|asked| {
            let task = asked.messages.last().unwrap().text();
            assert!(task.contains("1. `receipt`: Writes a receipt."), "{task}");
            assert!(
                task.contains("- `find` gave {\"euros\":9,\"shop\":\"closed\"}")
                    || task.contains("- `find` gave {\"shop\":\"closed\",\"euros\":9}"),
                "{task}"
            );
        });
    let workflow = workflow(model).in_a_row(2).build().unwrap();
    let outcome: WorkflowOutcome = workflow.run(args!("nothing")).output().await.unwrap();
    assert_eq!(outcome.output::<String>().unwrap(), "paid by hand");
    assert_eq!(outcome.end, WorkflowEnd::Agent);
    expect![[r#"
        find: agent (`nothing` has no price) {"shop":"closed","euros":9} 1
        pay: agent (the shop is closed) 9 1
        receipt: agent () "paid by hand" 1
        Agent"#]]
    .assert_eq(&done_by(&outcome));
}

#[tokio::test]
async fn steps_that_succeed_in_between_start_the_count_anew() {
    let model = ScriptedModel::new()
        .text(r#"{ "shop": "harbour", "euros": 0 }"#)
        .text(r#"{ "value": "free" }"#);
    let workflow = workflow(model).in_a_row(2).build().unwrap();
    let outcome: WorkflowOutcome = workflow.run(args!("nothing")).output().await.unwrap();
    expect![[r#"
        find: agent (`nothing` has no price) {"shop":"harbour","euros":0} 1
        pay: step
        receipt: agent (nothing was paid) "free" 1
        Steps"#]]
    .assert_eq(&done_by(&outcome));
}

#[tokio::test]
async fn an_agent_that_fails_ends_the_run_with_both_causes() {
    let again = || ChatReply::calls([ToolCall::new("1", "look", json!({ "shop": "harbour" }))]);
    let model = ScriptedModel::new().reply(again()).reply(again()).reply(again());
    let workflow = workflow(model.clone()).build().unwrap();
    let error = workflow.run(args!("nothing")).output::<WorkflowOutcome>().await.unwrap_err();
    let failed = error.downcast_ref::<WorkflowFailed>().unwrap();
    assert_eq!((failed.step.as_str(), failed.error.as_str()), ("find", "`nothing` has no price"));
    assert!(failed.agent.contains("3 turns") || failed.agent.contains("limit"), "{}", failed.agent);
    assert_eq!(model.requests().len(), 3, "the agent is bounded");
}

#[tokio::test]
async fn a_workflow_that_pauses_continues_and_repeats_nothing() {
    let counted = Arc::new(AtomicU32::new(0));
    let tools = Toolbox::builder()
        .with_options(look::tool(), ToolOptions::new().approval())
        .build()
        .unwrap();
    let build = |model: ScriptedModel| {
        let counted = Arc::clone(&counted);
        let count = move |page: String| {
            counted.fetch_add(1, Ordering::Relaxed);
            page
        };
        Workflow::new("shop", ReActAutoma::new(model).tools(tools.clone()))
            .then_func(Step::giving::<String>("count", "Counts."), count)
            .then_func(Step::giving::<Offer>("find", "Finds an offer."), find)
            .then_func(Step::giving::<u32>("pay", "Pays."), pay)
            .build()
            .unwrap()
    };
    let call = ToolCall::new("1", "look", json!({ "shop": "harbour" }));
    let paused = build(ScriptedModel::new().calls([call])).run(args!("nothing")).await.unwrap();
    let question = paused.questions()[0].clone();
    assert!(question.worker.contains("agent:find"), "{}", question.worker);
    let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();

    let mut snapshot: ddg_core::snapshot::Snapshot = serde_json::from_str(&json).unwrap();
    snapshot.answer(&question.id, Verdict::Allow).unwrap();
    let model = ScriptedModel::new().text(r#"{ "shop": "harbour", "euros": 7 }"#);
    let outcome = build(model).resume(snapshot).await.unwrap();
    let outcome: WorkflowOutcome = outcome.into_output().unwrap();
    assert_eq!(outcome.output::<u32>().unwrap(), 7);
    assert_eq!(counted.load(Ordering::Relaxed), 1, "a step that has ended is not repeated");
}

#[test]
fn a_workflow_with_faults_is_not_built() {
    let model = ScriptedModel::new;
    let empty = Workflow::new("shop", ReActAutoma::new(model())).build().unwrap_err().to_string();
    assert!(empty.contains("a workflow needs a step"), "{empty}");
    let step = || Step::giving::<String>("lead", "Leads.");
    let reserved = Workflow::new("shop", ReActAutoma::new(model())).then_func(step(), receipt);
    let error = reserved.build().unwrap_err().to_string();
    assert!(error.contains("a step is named `lead`"), "{error}");
    let twice = workflow(model()).then_func(Step::giving::<u32>("pay", "Pays."), pay);
    let error = twice.build().unwrap_err().to_string();
    assert!(error.contains("two steps are named `pay`"), "{error}");
}
