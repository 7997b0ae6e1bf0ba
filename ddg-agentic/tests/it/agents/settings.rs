//! Settings of an agent and options of its runs reach the model, tools and subscribers.

use std::time::Duration;

use ddg_agentic::AgentError;
use ddg_agentic::model::{ReasoningEffort, ServiceTier, ToolChoice};
use ddg_agentic::prelude::*;
use ddg_core::event::EventFilter;
use serde_json::json;

/// Says who is speaking.
#[tool]
async fn who(cx: &Context) -> Result<String, WorkerError> {
    Ok(cx.input::<String>("user")?.unwrap_or_else(|| "nobody".to_owned()))
}

fn tools() -> Toolbox {
    Toolbox::builder().with(who::tool()).build().unwrap()
}

#[tokio::test]
async fn every_request_has_the_settings_of_the_agent() {
    let model = ScriptedModel::new().text("Hello.");
    let agent = ReActAutoma::new(model.clone())
        .temperature(0.5)
        .top_p(0.9)
        .max_output_tokens(200)
        .stop(["END"])
        .seed(7)
        .parallel_tool_calls(false)
        .reasoning_effort(ReasoningEffort::Low)
        .service_tier(ServiceTier::Flex)
        .extra_body("user", "ada")
        .extra_header("x-tenant", "secret")
        .extra_query("api-version", "2026-01-01");
    agent.build().unwrap().run(args!("Hello?")).await.unwrap();
    let asked = &model.requests()[0];
    assert_eq!((asked.temperature, asked.top_p, asked.seed), (Some(0.5), Some(0.9), Some(7)));
    assert_eq!((asked.max_output_tokens, &asked.stop[..]), (Some(200), &["END".to_owned()][..]));
    assert_eq!(asked.parallel_tool_calls, Some(false));
    assert_eq!(asked.reasoning_effort, Some(ReasoningEffort::Low));
    assert_eq!(asked.service_tier, Some(ServiceTier::Flex));
    assert_eq!(asked.extra_body["user"], "ada");
    assert_eq!(asked.extra_headers.iter().collect::<Vec<_>>(), [("x-tenant", "secret")]);
    assert_eq!(asked.extra_query.iter().collect::<Vec<_>>(), [("api-version", "2026-01-01")]);
    assert!(!format!("{asked:?}").contains("secret"), "{asked:?}");
}

#[tokio::test]
async fn a_required_tool_is_called_once() {
    let model =
        ScriptedModel::new().calls([ToolCall::new("a", "who", json!({}))]).text("Hello nobody.");
    let agent = ReActAutoma::new(model.clone()).tools(tools()).tool_choice(ToolChoice::Required);
    agent.build().unwrap().run(args!("Hello?")).await.unwrap();
    let choices: Vec<_> = model.requests().into_iter().map(|asked| asked.tool_choice).collect();
    assert_eq!(choices, [ToolChoice::Required, ToolChoice::Auto]);
}

#[tokio::test]
async fn tools_know_who_is_speaking_in_each_conversation() {
    let call = || [ToolCall::new("a", "who", json!({}))];
    let model = ScriptedModel::new()
        .calls(call())
        .text("1")
        .expects_last("ada")
        .calls(call())
        .text("2")
        .expects_last("bob");
    let agent = ReActAutoma::new(model.clone()).tools(tools()).declare_input("user");
    let agent = Agent::new(agent).unwrap();
    agent.run("a", "Who am I?").input("user", "ada").await.unwrap();
    agent.run("b", "Who am I?").input("user", "bob").await.unwrap();
    model.assert_finished();
    let error = agent.run("b", "Hello?").input("usr", "bob").await.unwrap_err();
    assert!(error.to_string().contains("no worker has a parameter `usr`"), "{error}");
}

#[tokio::test]
async fn events_of_an_agents_run_can_be_subscribed_to() {
    let agent = Agent::new(ReActAutoma::new(ScriptedModel::new().text("It rains."))).unwrap();
    let run = agent.say("a", "Weather?");
    let mut events = run.events(EventFilter::messages());
    let said = tokio::spawn(run.into_future());
    let mut n_events = 0;
    while let Some(event) = events.next().await {
        event.unwrap();
        n_events += 1;
    }
    assert!(n_events > 0);
    assert!(matches!(said.await.unwrap(), Ok(Said::Ended(_))));
}

#[tokio::test(start_paused = true)]
async fn an_agents_run_can_have_a_deadline() {
    let model = ScriptedModel::new().text("too late").after(std::future::pending::<()>()).text("b");
    let agent = Agent::new(ReActAutoma::new(model)).unwrap();
    let error = agent.run("a", "Hello?").deadline(Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(&error, AgentError::Run { .. }), "{error}");
    assert_eq!(agent.run("a", "Hello?").await.unwrap().text(), "b");
}
