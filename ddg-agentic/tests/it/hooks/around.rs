//! The hooks of an agent hold for everything inside its runs: there is no way around them.

use ddg_agentic::hook::{OnAnswer, Redact};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurn, SubTurnError, SubTurns, Turn};
use ddg_agentic::tool::{AutomaTool, ToolResult};
use serde_json::json;

use super::{Guard, Paid, at_most_100, bank, paying, stops_above_100};

const NONE: [u64; 0] = [];

fn helping(id: &str) -> ToolCall {
    ToolCall::new(id, "helper", json!({ "task": "Pay." }))
}

/// An agent that pays 500 euros and says what came of it.
fn helper(paid: &Paid) -> ReActAutoma {
    let model = ScriptedModel::new().calls([paying("i", 500)]).text("I have tried.");
    ReActAutoma::new(model).name("helper").tools(bank(paid))
}

fn stop_name(error: &RunError) -> String {
    let failed: &AgentFailed = error.downcast_ref().unwrap();
    match &failed.outcome.end {
        AgentEnd::StoppedByHook { stop } => stop.name.clone(),
        end => panic!("{end:?}"),
    }
}

#[tokio::test]
async fn concurrent_calls() {
    let paid = Paid::default();
    let model =
        ScriptedModel::new().calls((0..200).map(|n| paying(&format!("c{n}"), n))).text("Done.");
    let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(at_most_100()).build().unwrap();
    agent.run(args!("Pay.")).await.unwrap();
    assert_eq!(paid.all(), (0..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn agents_among_the_tools() {
    let paid = Paid::default();
    let tool = helper(&paid).into_tool("helper", "Helps.").unwrap();
    let model =
        ScriptedModel::new().calls([helping("o")]).text("Done.").expects_last("I have tried.");
    let tools = Toolbox::builder().with(tool).build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools).hook(at_most_100()).build().unwrap();
    assert_eq!(agent.run(args!("Pay.")).await.unwrap().text(), "Done.");
    assert_eq!(paid.all(), NONE);
}

/// A stop is for the agent of the hook, however deep inside it the hook decides.
#[tokio::test]
async fn a_stop_inside_an_agent_among_the_tools_stops_the_agent_of_the_hook() {
    let paid = Paid::default();
    let outer = |model: ScriptedModel, inner: ReActAutoma| {
        let tool = inner.into_tool("helper", "Helps.").unwrap();
        ReActAutoma::new(model).tools(Toolbox::builder().with(tool).build().unwrap())
    };
    let model = ScriptedModel::new().calls([helping("o")]);
    let agent = outer(model.clone(), helper(&paid)).hook(stops_above_100()).build().unwrap();
    assert_eq!(stop_name(&agent.run(args!("Pay.")).await.unwrap_err()), "too_much");
    model.assert_finished();

    // The hook of the inner agent stops that one only; the outer agent is told.
    let model = ScriptedModel::new().calls([helping("o")]).text("It was stopped.");
    let agent = outer(model, helper(&paid).hook(stops_above_100())).build().unwrap();
    assert_eq!(agent.run(args!("Pay.")).await.unwrap().text(), "It was stopped.");
    assert_eq!(paid.all(), NONE);
}

/// Hooks of an inner agent come first, so the outer agent has the last word.
#[tokio::test]
async fn the_agent_around_has_the_last_word() {
    let paid = Paid::default();
    let raise = |_: &ddg_agentic::hook::ToolUse| {
        ddg_agentic::hook::BeforeTool::Change(json!({ "euros": 900 }))
    };
    let model = ScriptedModel::new().calls([paying("i", 5)]).text("I have tried.");
    let inner = ReActAutoma::new(model).tools(bank(&paid));
    let inner = inner.hook(Guard { name: "raises", tool: Some(raise), ..Guard::default() });
    let tool = inner.into_tool("helper", "Helps.").unwrap();
    let model = ScriptedModel::new().calls([helping("o")]).text("Done.");
    let agent = ReActAutoma::new(model).tools(Toolbox::builder().with(tool).build().unwrap());
    agent.hook(at_most_100()).build().unwrap().run(args!("Pay.")).await.unwrap();
    assert_eq!(paid.all(), NONE);
}

#[tokio::test]
async fn tools_in_an_automa_among_the_tools() {
    let paid = Paid::default();
    let mut automa = GraphAutoma::new("pays");
    let worker = bank(&paid).worker("pay").unwrap();
    automa.add_worker("pay", worker, start().output()).unwrap();
    automa.declare_input("euros");
    #[derive(Clone, serde::Serialize, serde::Deserialize, ddg_agentic::schemars::JsonSchema)]
    #[schemars(crate = "ddg_agentic::schemars")]
    struct Sum {
        euros: u64,
    }
    let tool = AutomaTool::new::<Sum>("transfer", "Pays.", automa);
    let call = |id: &str, euros: u64| ToolCall::new(id, "transfer", json!({ "euros": euros }));
    let model = ScriptedModel::new().calls([call("a", 5), call("b", 500)]).text("Done.");
    let agent = ReActAutoma::new(model).tools(Toolbox::builder().with(tool).build().unwrap());
    agent.hook(at_most_100()).build().unwrap().run(args!("Pay.")).await.unwrap();
    assert_eq!(paid.all(), [5]);
}

/// Calls another toolbox by hand, with an agent in it that runs on its own.
#[tool]
async fn by_hand(tools: State<Toolbox>, cx: &Context) -> Result<String, WorkerError> {
    let ToolResult { message, .. } = tools.call(&helping("h"), cx).await?;
    let direct = tools.call(&paying("d", 700), cx).await?;
    Ok(format!("{} / {}", message.content, direct.message.content))
}

#[tokio::test]
async fn a_toolbox_that_a_tool_calls_by_hand() {
    let paid = Paid::default();
    let tool = helper(&paid).into_tool("helper", "Helps.").unwrap();
    let inside = Toolbox::builder().with(super::pay::tool()).with(tool).state(paid.clone());
    let tools = Toolbox::builder().with(by_hand::tool()).state(inside.build().unwrap());
    let call = ToolCall::new("o", "by_hand", json!({}));
    let model = ScriptedModel::new()
        .calls([call])
        .text("Done.")
        .expects_last("I have tried. / `pay` was refused by `at_most_100`: at most 100 euros");
    let agent = ReActAutoma::new(model).tools(tools.build().unwrap()).hook(at_most_100());
    agent.build().unwrap().run(args!("Pay.")).await.unwrap();
    assert_eq!(paid.all(), NONE);
}

/// Lets a child pay.
#[tool]
async fn delegate(turn: Turn) -> Result<String, SubTurnError> {
    turn.spawn(SubTurn::new("Pay 500 euros.")).await?;
    turn.spawn(SubTurn::new("Pay 500 euros.").agent("payer")).await?;
    let mut told = Vec::new();
    while let Some(result) = turn.next_result().await? {
        told.push(result.text());
    }
    told.sort();
    Ok(told.join(" / "))
}

#[tokio::test]
async fn child_agents_of_its_own_kind_and_others_each_hook_once() {
    let paid = Paid::default();
    let tools = Toolbox::builder()
        .with(super::pay::tool())
        .with(delegate::tool())
        .state(paid.clone())
        .build()
        .unwrap();
    // The model of the agent itself serves its child of its own kind, too.
    let model = ScriptedModel::new()
        .calls([ToolCall::new("o", "delegate", json!({}))])
        .calls([paying("i", 500)])
        .text("a secret")
        .text("Done.")
        .expects_last("I have tried.! / a ***!");
    let marks = |answer: &str| OnAnswer::Change(format!("{answer}!"));
    let once = Guard { name: "once", answer: Some(marks), ..Guard::default() };
    let subturns = SubTurns::new().slots(1).agent("payer", "Pays.", helper(&paid));
    let agent = ReActAutoma::new(model)
        .tools(tools)
        .subturns(subturns)
        .hook(at_most_100())
        .hook(Redact::new("secrets", |text| text.replace("secret", "***")))
        .hook(once);
    let outcome = agent.build().unwrap().run(args!("Pay.")).await.unwrap();
    assert_eq!(outcome.text(), "Done.!");
    assert_eq!(paid.all(), NONE);
}

/// A stop in a child ends the run of the agent around it, also if the child was only spawned.
#[tokio::test]
async fn a_stop_in_a_child_stops_the_agent_of_the_hook() {
    let paid = Paid::default();
    let tools = Toolbox::builder()
        .with(super::pay::tool())
        .with(delegate::tool())
        .state(paid.clone())
        .build()
        .unwrap();
    let model = ScriptedModel::new().calls([ToolCall::new("o", "delegate", json!({}))]);
    let small = ScriptedModel::new().named("small").calls([paying("i", 500)]);
    let payer = ReActAutoma::new(small).name("payer").tools(bank(&paid));
    let agent = ReActAutoma::new(model.calls([paying("j", 500)]))
        .tools(tools)
        .subturns(SubTurns::new().slots(1).agent("payer", "Pays.", payer))
        .hook(stops_above_100());
    let error = agent.build().unwrap().run(args!("Pay.")).await.unwrap_err();
    assert_eq!(stop_name(&error), "too_much");
    assert_eq!(paid.all(), NONE);
}
