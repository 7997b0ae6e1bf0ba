//! What a program offers to a server: roots, a model, an ear for its log and its progress. The other
//! end is the reference server.

use std::sync::{Arc, Mutex};

use ddg_agentic::Toolbox;
use ddg_agentic::mcp::{McpClient, McpEndpoint, McpLogLevel, McpProgress, McpStdio};
use ddg_agentic::message::ToolCall;
use ddg_agentic::model::ScriptedModel;
use ddg_agentic::tool::{Tool, ToolResult};
use ddg_core::event::{EventFilter, EventKind};
use ddg_core::prelude::*;
use expect_test::expect;
use serde_json::{Value as Json, json};

use super::call::{call, named};
use super::reference::{everything, script};

fn reference() -> McpEndpoint<McpStdio> {
    McpEndpoint::stdio("node", [everything()]).name("everything")
}

/// The data of the events `name` of a call of the tool.
async fn emitted<T: ddg_core::Data>(
    client: &McpClient,
    tool: &str,
    arguments: Json,
    name: &str,
) -> Vec<T> {
    let tools = client.tools().await.unwrap();
    let tools = Toolbox::builder().with(named(&tools, tool).clone()).build().unwrap();
    let mut automa = GraphAutoma::new("call");
    automa.add_worker("call", tools.call_worker(tool), start().output()).unwrap();
    let run = automa.run((ToolCall::new("1", tool, arguments),));
    let mut events = run.events(EventFilter::custom());
    let result: ToolResult = run.output().await.unwrap();
    assert!(!result.message.is_error, "{result:?}");
    let mut emitted = Vec::new();
    while let Some(event) = events.next().await {
        match &event.unwrap().kind {
            EventKind::Custom { name: of, data, .. } if of == name => {
                emitted.push(data.get().unwrap());
            }
            _ => {}
        }
    }
    emitted
}

#[tokio::test]
async fn progress_is_an_event_of_the_run_in_order() {
    let client = reference().connect().await.unwrap();
    let tool = "trigger-long-running-operation";
    let arguments = json!({ "duration": 0.3, "steps": 3 });
    let progress: Vec<McpProgress> = emitted(&client, tool, arguments, "progress").await;
    let told: Vec<_> = progress.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["1 of 3", "2 of 3", "3 of 3"]);
}

#[tokio::test]
async fn the_log_of_a_server_is_filtered_and_has_no_secrets() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let server = McpEndpoint::stdio("python3", [script("odd_server.py")]);
    let server = server.name("odd").env("SECRET", "s3cret-value").log_level(McpLogLevel::Warning);
    let server = server.on_log(move |log| {
        hears.lock().unwrap().push(format!("{:?} {}", log.level, log.message));
    });
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    call(named(&tools, "logs"), json!({})).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["Warning key …", "Error {\"code\":7}"]);
}

#[tokio::test]
async fn roots_are_told() {
    let server = reference().root("file:///work/plans", "Plans");
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let told = call(named(&tools, "get-roots-list"), json!({})).await.unwrap();
    assert!(told.contains("file:///work/plans") && told.contains("Plans"), "{told}");
}

#[tokio::test]
async fn a_server_uses_the_model_that_it_is_given() {
    let model = ScriptedModel::new().named("small").text("It is spring.");
    let client = reference().sampling(model.clone(), 50).connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let sample = named(&tools, "trigger-sampling-request");
    let told = call(sample, json!({ "prompt": "Which season?", "maxTokens": 900 })).await.unwrap();
    assert!(told.contains("It is spring."), "{told}");
    let asked = &model.requests()[0];
    assert_eq!(asked.max_output_tokens, Some(50), "the program's limit counts");
    assert!(asked.messages.last().unwrap().text().contains("Which season?"));
}

#[tokio::test]
async fn tools_are_chosen_by_name_and_tell_what_they_do() {
    let server = reference().only(["echo", "get-sum", "get-env"]).without(["get-env"]);
    let tools = server.prefix("ref_").connect().await.unwrap().tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &*tool.spec().name).collect();
    expect!["ref_echo ref_get-sum"].assert_eq(&names.join(" "));
    assert_eq!(named(&tools, "ref_echo").is_read_only(), Some(true));
    assert_eq!(named(&tools, "ref_echo").is_destructive(), Some(false));
    assert_eq!(named(&tools, "ref_echo").output_schema(), None);
}
