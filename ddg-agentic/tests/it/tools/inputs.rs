//! Inputs of a run as parameters of tools.

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{AgentTools, SubTurns};
use ddg_core::checkpoint::MemoryStore;
use ddg_core::snapshot::Snapshot;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Who is speaking.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    name: String,
    tenant: u32,
}

fn ada() -> User {
    User { name: "Ada".to_owned(), tenant: 7 }
}

/// The orders of the person who is speaking.
#[tool]
async fn orders(
    city: String,
    /// Who is speaking.
    #[input]
    user: &User,
    #[input] limit: Option<u32>,
) -> String {
    format!("{} of {} in {city}, at most {limit:?}", user.name, user.tenant)
}

/// The same in a thread of its own.
#[tool]
fn blocking(#[input] user: User) -> String {
    user.name
}

fn tools() -> Toolbox {
    Toolbox::builder().with(orders::tool()).with(blocking::tool()).build().unwrap()
}

/// A model that makes both calls.
fn model() -> ScriptedModel {
    let calls = [
        ToolCall::new("1", "orders", json!({ "city": "Delft" })),
        ToolCall::new("2", "blocking", json!({})),
    ];
    ScriptedModel::new().calls(calls).text("done")
}

fn results(outcome: &AgentOutcome) -> Vec<String> {
    outcome.steps().into_iter().map(|step| step.result.content).collect()
}

#[test]
fn inputs_are_not_in_the_schema() {
    let tools = tools();
    assert_eq!(tools.specs()[0].parameters["required"], json!(["city"]));
    assert!(tools.specs()[0].parameters["properties"].get("user").is_none());
    let inputs: Vec<_> = tools.inputs().map(|input| (input.name(), input.description())).collect();
    assert_eq!(inputs, [("user", "Who is speaking."), ("limit", ""), ("user", "")]);
}

#[tokio::test]
async fn tools_take_inputs_of_the_run() {
    let agent = ReActAutoma::new(model()).tools(tools()).build().unwrap();
    let outcome = agent.run(args!("Orders?", user = ada(), limit = 3u32)).await.unwrap();
    assert_eq!(results(&outcome), ["Ada of 7 in Delft, at most Some(3)", "Ada"]);
}

#[tokio::test]
async fn an_optional_input_may_be_left_out_and_json_is_read() {
    let agent = ReActAutoma::new(model()).tools(tools()).build().unwrap();
    let user = json!({ "name": "Bob", "tenant": 8 });
    let outcome = agent.run(args!("Orders?", user = user)).await.unwrap();
    assert_eq!(results(&outcome), ["Bob of 8 in Delft, at most None", "Bob"]);
}

/// Inputs are checked when the run begins, before the model is asked.
#[tokio::test]
async fn a_missing_or_wrong_input_fails_the_run_before_it_costs_anything() {
    let model = model();
    let agent = ReActAutoma::new(model.clone()).tools(tools()).build().unwrap();
    let missing = agent.run(args!("Orders?")).await.unwrap_err().to_string();
    let wrong = agent.run(args!("Orders?", user = 7)).await.unwrap_err().to_string();
    let unknown = agent.run(args!("Orders?", user = ada(), usr = 7)).await.unwrap_err().to_string();
    expect_test::expect![[r#"
        automa `agent`, step 2: worker `think` failed: the input `user` (`User`: Who is speaking.) is not given to this run: give it as `args!(task, user = ..)`, or in a conversation with `.input("user", ..)`
        automa `agent`, step 2: worker `think` failed: the input `user` (`User`: Who is speaking.) is of another type: expected `User`, found `i32`: give a value that is a `User`
        automa `agent`: no worker has a parameter `usr`; did you mean `user`?"#]].assert_eq(&[missing, wrong, unknown].join("\n"));
    assert_eq!(model.n_left(), 2);
}

#[tokio::test]
async fn conversations_pass_inputs_and_a_paused_run_keeps_them() {
    let tools = Toolbox::builder().with_options(orders::tool(), ToolOptions::new().approval());
    let call = ToolCall::new("1", "orders", json!({ "city": "Delft" }));
    let model = ScriptedModel::new().calls([call]).text("done");
    let agent = ReActAutoma::new(model).tools(tools.build().unwrap());
    let agent = Agent::new(agent).unwrap().stored_in(&MemoryStore::new());
    let said = agent.say("ada", "Orders?").input("user", ada()).await.unwrap();
    let Said::Paused { outcome, .. } = said else { panic!("it asks") };
    let question = outcome.questions().remove(0);
    let said = agent.answer("ada", &question.id, Verdict::Allow).await.unwrap();
    let Said::Ended(outcome) = said else { panic!("it has ended") };
    assert_eq!(results(&outcome), ["Ada of 7 in Delft, at most None"]);
}

#[tokio::test]
async fn a_snapshot_has_the_inputs() {
    let tools = Toolbox::builder().with_options(orders::tool(), ToolOptions::new().approval());
    let call = ToolCall::new("1", "orders", json!({ "city": "Delft" }));
    let model = ScriptedModel::new().calls([call]).text("done");
    let agent = ReActAutoma::new(model).tools(tools.build().unwrap()).build().unwrap();
    let paused = agent.run(args!("Orders?", user = ada())).outcome().await.unwrap();
    let text = serde_json::to_string(&paused.answer_with(|_| Verdict::Allow).unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    let outcome = agent.resume(snapshot).await.unwrap();
    assert_eq!(results(&outcome), ["Ada of 7 in Delft, at most None"]);
}

/// Agents among the tools, and child agents, read the inputs of the run around them.
#[tokio::test]
async fn nested_agents_and_children_read_them() {
    let nested = ReActAutoma::new(model()).tools(tools()).into_tool("nested", "Finds.").unwrap();
    let call = ToolCall::new("n", "nested", json!({ "task": "Orders?" }));
    let outer = ScriptedModel::new().calls([call]).text("done");
    let toolbox = Toolbox::builder().with(nested).build().unwrap();
    let agent = ReActAutoma::new(outer).tools(toolbox).build().unwrap();
    let outcome = agent.run(args!("Orders?", user = ada())).await.unwrap();
    assert_eq!(results(&outcome), ["done"]);

    let found = ReActAutoma::new(model().expects_tools(["orders", "blocking"])).tools(tools());
    let call = ToolCall::new("c", "call_agent", json!({ "task": "Orders?", "agent": "finder" }));
    let outer = ScriptedModel::new().calls([call]).text("done");
    let toolbox = Toolbox::builder().with_all(AgentTools::new().build()).build().unwrap();
    let subturns = SubTurns::new().agent("finder", "Finds.", found);
    let agent = ReActAutoma::new(outer).tools(toolbox).subturns(subturns).build().unwrap();
    let outcome = agent.run(args!("Orders?", user = ada())).await.unwrap();
    assert_eq!(results(&outcome), ["done"]);
}
