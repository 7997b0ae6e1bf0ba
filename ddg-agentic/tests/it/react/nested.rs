//! Agents among the tools of agents, and agents as workers of other automata.

use ddg_agentic::model::Usage;
use ddg_agentic::prelude::*;
use ddg_agentic::react::Limit;
use expect_test::expect;
use serde_json::json;

use super::{adding, lines, tools};

fn asking(id: &str, task: &str) -> ToolCall {
    ToolCall::new(id, "mathematician", json!({ "task": task }))
}

#[tokio::test]
async fn the_usage_of_an_agent_among_the_tools_counts() {
    let inner = ScriptedModel::new()
        .reply(ChatReply::calls([adding("i", 1, 2)]).usage(Usage::new(20, 2)))
        .expects_last("1 + 2?")
        .reply(ChatReply::text("It is 3.").usage(Usage::new(30, 3)));
    let mathematician = ReActAutoma::new(inner).tools(tools());
    let tool = mathematician.into_tool("mathematician", "Knows sums.").unwrap();
    let outer = ScriptedModel::new()
        .reply(ChatReply::calls([asking("o", "1 + 2?")]).usage(Usage::new(100, 10)))
        .reply(ChatReply::text("They say 3.").usage(Usage::new(200, 20)));
    let tools = Toolbox::builder().with(tool).build().unwrap();
    let mut agent = ReActAutoma::new(outer).tools(tools).build().unwrap();
    let meter = UsageMeter::new();
    meter.watch(&mut agent);
    let outcome = agent.run(args!("What is 1 + 2?")).await.unwrap();
    expect![[r#"
        user: What is 1 + 2?
        model: [mathematician#o]
        result of mathematician#o: It is 3.
        model: They say 3."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(outcome.usage, Usage::new(350, 35));
    assert_eq!(meter.usage(), outcome.usage);
}

#[tokio::test]
async fn a_question_in_an_agent_among_the_tools_pauses_all_of_it() {
    let agent = || {
        let inner = ScriptedModel::new().calls([adding("i", 1, 2)]).text("It is 3.");
        let asks = Toolbox::builder()
            .with_options(super::add::tool(), ToolOptions::new().approval())
            .build()
            .unwrap();
        let tool = ReActAutoma::new(inner).tools(asks).into_tool("mathematician", "Knows sums.");
        let outer = ScriptedModel::new().calls([asking("o", "1 + 2?")]).text("They say 3.");
        let tools = Toolbox::builder().with(tool.unwrap()).build().unwrap();
        ReActAutoma::new(outer).tools(tools).build().unwrap()
    };
    let agent = agent();
    let paused = agent.run(args!("What is 1 + 2?")).outcome().await.unwrap();
    let questions = paused.questions();
    expect!["tool_mathematician_1_1/automa/tool_add_1_1"].assert_eq(&questions[0].worker);
    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer(&questions[0].id, Verdict::Allow).unwrap();
    let outcome: AgentOutcome =
        agent.resume(snapshot).outcome().await.unwrap().into_output().unwrap();
    assert_eq!(outcome.text(), "They say 3.");
}

#[tokio::test]
async fn an_agent_is_a_worker() {
    let agent = ReActAutoma::new(ScriptedModel::new().text("rain")).build().unwrap();
    let mut automa = GraphAutoma::new("report");
    automa.add_worker("forecast", agent, start()).unwrap();
    let shout = async |forecast: AgentOutcome| forecast.text().to_uppercase();
    automa.add_func_as_worker("shout", shout, after(["forecast"]).output()).unwrap();
    assert_eq!(automa.run(args!("Tomorrow?")).output::<String>().await.unwrap(), "RAIN");
}

#[tokio::test]
async fn an_agent_that_fails_fails_the_automa_around_it() {
    let away = ModelError::Setup { message: "no network".into() };
    let agent = ReActAutoma::new(ScriptedModel::new().fails(away)).build().unwrap();
    let mut automa = GraphAutoma::new("report");
    automa.add_worker("forecast", agent, start()).unwrap();
    let never = async |_: AgentOutcome| -> () { panic!("there is no forecast") };
    automa.add_func_as_worker("print", never, after(["forecast"]).output()).unwrap();
    let error = automa.run(args!("Tomorrow?")).output::<()>().await.unwrap_err();
    expect!["automa `report`, step 1: worker `forecast` failed: automa `agent`, step 2: worker `forecast/think` failed: no network"]
        .assert_eq(&error.to_string());
    let AgentFailed { outcome, .. } = error.downcast_ref().unwrap();
    assert_eq!(lines(&outcome.conversation.messages), "user: Tomorrow?");
}

#[tokio::test]
async fn an_agent_among_the_tools_that_fails_is_a_failed_call_and_counts() {
    let inner = ScriptedModel::new()
        .reply(ChatReply::calls([adding("i", 1, 2)]).usage(Usage::new(20, 2)))
        .text("never");
    let mathematician = ReActAutoma::new(inner).tools(tools()).limits(Limits::turns(1));
    let tool = mathematician.into_tool("mathematician", "Knows sums.").unwrap();
    let outer = ScriptedModel::new()
        .reply(ChatReply::calls([asking("o", "1 + 2?")]).usage(Usage::new(100, 10)))
        .reply(ChatReply::text("Nobody knows.").usage(Usage::new(200, 20)));
    let tools = Toolbox::builder().with(tool).build().unwrap();
    let agent = ReActAutoma::new(outer).tools(tools).build().unwrap();
    let outcome = agent.run(args!("What is 1 + 2?")).await.unwrap();
    expect![[r#"
        user: What is 1 + 2?
        model: [mathematician#o]
        error of mathematician#o: `mathematician` failed: stopped without an answer after 1 turn
        model: Nobody knows."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(outcome.usage, Usage::new(320, 32));
}

#[tokio::test]
async fn an_agent_among_the_tools_can_fail_the_run() {
    let inner = ScriptedModel::new().calls([adding("i", 1, 2)]).text("never");
    let mathematician = ReActAutoma::new(inner).tools(tools()).limits(Limits::turns(1));
    let tool = mathematician.into_tool("mathematician", "Knows sums.").unwrap();
    let fails = ToolOptions::new().on_failure(ddg_agentic::tool::OnFailure::FailRun);
    let tools = Toolbox::builder().with_options(tool, fails).build().unwrap();
    let outer = ScriptedModel::new().calls([asking("o", "1 + 2?")]);
    let agent = ReActAutoma::new(outer).tools(tools).build().unwrap();
    let error = agent.run(args!("What is 1 + 2?")).await.unwrap_err();
    let AgentFailed { outcome, .. } = error.downcast_ref().unwrap();
    assert_eq!(
        outcome.end,
        AgentEnd::StoppedByLimit { limit: Limit::Turns, reached: "1 turn".into() }
    );
    assert_eq!(outcome.turns, 1, "that of the inner one");
}
