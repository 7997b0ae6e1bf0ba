//! Sources change their tools while an agent runs. The model sees the current tools, and no change
//! lets a call get around its guards.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ddg_agentic::hook::{BeforeModel, BeforeTool, Hook, HookRun, ToolUse};
use ddg_agentic::model::ChatRequest;
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurn, SubTurns, Turn};
use ddg_agentic::tool::{Tool, ToolList, ToolOutput, ToolSource, ToolSpec};
use ddg_core::snapshot::Snapshot;
use expect_test::expect;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};

/// A tool that gives its own name and its version.
struct Named(ToolSpec, &'static str);

fn named(name: &str) -> Arc<dyn Tool> {
    version(name, "1")
}

fn version(name: &str, version: &'static str) -> Arc<dyn Tool> {
    let schema = json!({ "type": "object", "properties": {} });
    Arc::new(Named(ToolSpec::new(name, format!("Is {name}."), schema), version))
}

impl Tool for Named {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn call<'a>(
        &'a self,
        _: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async move { Ok(format!("{} {}", self.0.name, self.1).into()) })
    }
}

/// A source whose list the test sets, or which fails.
#[derive(Clone)]
struct Set(Arc<Mutex<Result<ToolList, &'static str>>>);

impl Set {
    fn of(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        Self(Arc::new(Mutex::new(Ok(tools.into_iter().collect()))))
    }

    fn set(&self, tools: impl IntoIterator<Item = Arc<dyn Tool>>) {
        *self.0.lock().unwrap() = Ok(tools.into_iter().collect());
    }

    fn fail(&self) {
        *self.0.lock().unwrap() = Err("away");
    }
}

impl ToolSource for Set {
    fn name(&self) -> &str {
        "set"
    }

    fn tools(&self) -> BoxFuture<'_, Result<ToolList, WorkerError>> {
        Box::pin(async { self.0.lock().unwrap().clone().map_err(WorkerError::msg) })
    }
}

/// Changes the list of the source of the same toolbox, as an installation would.
#[tool]
async fn install(steps: State<Steps>) -> &'static str {
    let (source, steps) = &*steps;
    let tools = steps.lock().unwrap().pop_front().unwrap_or_default();
    source.set(tools);
    "installed"
}

type Steps = (Set, Mutex<VecDeque<Vec<Arc<dyn Tool>>>>);

fn installing(source: &Set, steps: impl Into<VecDeque<Vec<Arc<dyn Tool>>>>) -> Toolbox {
    let state: Steps = (source.clone(), Mutex::new(steps.into()));
    let tools = Toolbox::builder().with(install::tool()).source(source.clone()).state(state);
    tools.build().unwrap()
}

fn calling(id: &str, tool: &str) -> ToolCall {
    ToolCall::new(id, tool, json!({}))
}

fn results(outcome: &AgentOutcome) -> Vec<String> {
    outcome.steps().into_iter().map(|step| step.result.content).collect()
}

#[tokio::test]
async fn the_next_request_has_the_tools_of_its_moment() {
    let source = Set::of([named("old")]);
    let tools = installing(&source, [vec![named("new"), version("old", "2")], vec![]]);
    let model = ScriptedModel::new()
        .calls([calling("1", "install")])
        .expects_tools(["install", "old"])
        .calls([calling("2", "new"), calling("3", "old")])
        .expects_tools(["install", "new", "old"])
        .calls([calling("4", "install")])
        .expects_tools(["install", "new", "old"])
        .text("Done.")
        .expects_tools(["install"]);
    let agent = ReActAutoma::new(model.clone()).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Go.")).await.unwrap();
    assert_eq!(results(&outcome), ["installed", "new 1", "old 2", "installed"]);
    model.assert_finished();
}

#[tokio::test]
async fn a_call_of_a_tool_that_is_gone_is_an_error_for_the_model() {
    let source = Set::of([named("old")]);
    let tools = installing(&source, [vec![named("new")]]);
    let model = ScriptedModel::new()
        .calls([calling("1", "install"), calling("2", "old")])
        .text("A pity.")
        .expects_tools(["install", "new"]);
    let agent = ReActAutoma::new(model).tools(tools).tool_calls(ToolCallMode::Sequential);
    let outcome = agent.build().unwrap().run(args!("Go.")).await.unwrap();
    expect!["there is no tool `old` now: it may have been removed meanwhile; the tools are: `install`, `new`"].assert_eq(&results(&outcome)[1]);
}

#[tokio::test]
async fn a_tool_that_the_request_did_not_offer_is_not_called() {
    let source = Set::of([named("old")]);
    let (tools, appears) = (installing(&source, []), source.clone());
    let model = ScriptedModel::new()
        .calls([calling("1", "new")])
        .expects(move |_| appears.set([named("old"), named("new")]))
        .text("Done.")
        .expects_tools(["install", "old", "new"]);
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Go.")).await.unwrap();
    let told = &outcome.conversation.messages[2];
    expect!["there is no tool `new`; the tools are: `install`, `old`"].assert_eq(&told.text());
}

#[tokio::test]
async fn bad_tools_are_left_out_and_take_no_name() {
    let odd = ToolSpec::new("odd", "Is odd.", json!({ "type": "string" }));
    let automa = ReActAutoma::new(ScriptedModel::new()).into_tool("automa", "Is one.").unwrap();
    let source = Set::of([
        named("good"),
        named("a b"),
        version("install", "of the source"),
        version("ask_the_person", "of the source"),
        version("transfer_to_desk", "of the source"),
        version("good", "2"),
        Arc::new(Named(odd, "")),
        Arc::new(automa) as Arc<dyn Tool>,
    ]);
    let model = ScriptedModel::new()
        .calls([calling("1", "good"), calling("2", "install")])
        .expects_tools(["install", "transfer_to_desk", "ask_the_person", "good"])
        .text("Done.");
    let desk = ReActAutoma::new(ScriptedModel::new()).name("desk");
    let agent = ReActAutoma::new(model)
        .tools(installing(&source, []))
        .handoff(ddg_agentic::react::Handoff::to(desk))
        .may_ask_back();
    let outcome = agent.build().unwrap().run(args!("Go.")).await.unwrap();
    assert_eq!(results(&outcome), ["good 1", "installed"]);
}

#[tokio::test]
async fn a_source_that_fails_keeps_its_last_tools() {
    let source = Set::of([named("old")]);
    let (tools, away) = (installing(&source, []), source.clone());
    let model = ScriptedModel::new()
        .calls([calling("1", "old")])
        .expects(move |_| away.fail())
        .text("Done.")
        .expects_tools(["install", "old"]);
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Go.")).await.unwrap();
    assert_eq!(results(&outcome), ["old 1"]);

    source.fail();
    let tools = Toolbox::builder().source(source).build().unwrap();
    assert_eq!(tools.now().await.names().count(), 0);
}

/// An agent whose calls of a source are approved, as a program starts it anew.
fn approving(source: &Set) -> TypedAutoma<AgentOutcome> {
    let options = ToolOptions::new().approval();
    let tools = Toolbox::builder().source_with_options(source.clone(), options).build().unwrap();
    let model = ScriptedModel::new().calls([calling("1", "pay")]).text("Done.");
    ReActAutoma::new(model).tools(tools).build().unwrap()
}

async fn paused() -> Snapshot {
    let paused = approving(&Set::of([named("pay")])).run(args!("Pay.")).outcome().await.unwrap();
    let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    let mut snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    snapshot.answer(&paused.questions()[0].id, Verdict::Allow).unwrap();
    snapshot
}

/// An agent that continues after the approval: its model has one reply left.
fn continuing(source: &Set, expected: &'static [&'static str]) -> TypedAutoma<AgentOutcome> {
    let options = ToolOptions::new().approval();
    let tools = Toolbox::builder().source_with_options(source.clone(), options).build().unwrap();
    let model = ScriptedModel::new().text("Done.").expects_tools(expected.iter().copied());
    ReActAutoma::new(model).tools(tools).build().unwrap()
}

#[tokio::test]
async fn a_resumed_run_calls_the_tool_that_is_there_and_sees_the_tools_of_its_moment() {
    let source = Set::of([version("pay", "2"), named("more")]);
    let agent = continuing(&source, &["pay", "more"]);
    let outcome: AgentOutcome = agent.resume(paused().await).await.unwrap();
    assert_eq!(results(&outcome), ["pay 2"]);
}

#[tokio::test]
async fn a_resumed_run_is_told_that_the_tool_is_gone() {
    let source = Set::of([named("more")]);
    let agent = continuing(&source, &["more"]);
    let outcome: AgentOutcome = agent.resume(paused().await).await.unwrap();
    expect![
        "there is no tool `pay` now: it may have been removed meanwhile; the tools are: `more`"
    ]
    .assert_eq(&results(&outcome)[0]);
}

/// Hides `hidden` from the model, and refuses calls of `refused`.
struct Guard;

impl Hook for Guard {
    fn name(&self) -> &str {
        "guard"
    }

    async fn before_model(
        &self,
        request: &ChatRequest,
        _: &HookRun,
    ) -> Result<BeforeModel, WorkerError> {
        let mut request = request.clone();
        request.tools =
            request.tools.iter().filter(|spec| spec.name != "hidden").cloned().collect();
        Ok(BeforeModel::change(request))
    }

    async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        Ok(match call.tool.as_str() {
            "refused" => BeforeTool::refuse("never"),
            _ => BeforeTool::Go,
        })
    }
}

#[tokio::test]
async fn hooks_hold_for_tools_of_sources() {
    let source = Set::of([named("hidden"), named("refused"), named("good")]);
    let model = ScriptedModel::new()
        .calls([calling("1", "hidden"), calling("2", "refused"), calling("3", "good")])
        .expects_tools(["refused", "good"])
        .text("Done.");
    let tools = Toolbox::builder().source(source).build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools).hook(Guard).build().unwrap();
    let outcome = agent.run(args!("Go.")).await.unwrap();
    let told: Vec<_> = outcome.conversation.messages.iter().map(Message::text).collect();
    assert!(told.iter().any(|said| said.contains("there is no tool `hidden`")), "{told:?}");
    assert!(told.contains(&"`refused` was refused by `guard`: never".to_owned()), "{told:?}");
    assert!(told.contains(&"good 1".to_owned()), "{told:?}");
}

/// Lets a child act, with one tool of the source.
#[tool]
async fn delegate(turn: Turn) -> Result<String, WorkerError> {
    Ok(turn.call(SubTurn::new("Act.").tools(["good"]).model("small")).await?.text())
}

#[tokio::test]
async fn a_child_has_the_tools_of_a_source_that_it_is_given() {
    let source = Set::of([named("good"), named("other")]);
    let small = ScriptedModel::new()
        .calls([calling("1", "good"), calling("2", "other")])
        .expects_tools(["good"])
        .text("Acted.")
        .expects(|asked| {
            let told: Vec<_> = asked.messages.iter().map(Message::text).collect();
            assert!(told.contains(&"good 1".to_owned()), "{told:?}");
            assert!(told.iter().any(|said| said.contains("no tool `other`")), "{told:?}");
        });
    let tools = Toolbox::builder().with(delegate::tool()).source(source).build().unwrap();
    let model = ScriptedModel::new().calls([calling("1", "delegate")]).text("Done.");
    let agent =
        ReActAutoma::new(model).tools(tools).subturns(SubTurns::new().model("small", small));
    let outcome = agent.build().unwrap().run(args!("Go.")).await.unwrap();
    assert_eq!(results(&outcome), ["Acted."]);
}

#[tokio::test]
async fn tools_by_function_of_the_run_may_name_tools_that_come_and_go() {
    let source = Set::of([named("good"), named("other")]);
    let tools = Toolbox::builder().source(source).build().unwrap();
    let model = ScriptedModel::new().text("Done.").expects_tools(["good"]);
    let agent = ReActAutoma::new(model).tools(tools).tools_for(async |_| Ok(["good", "later"]));
    agent.build().unwrap().run(args!("Go.")).await.unwrap();
}
