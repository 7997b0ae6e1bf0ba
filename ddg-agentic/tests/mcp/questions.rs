//! Questions of servers to people pause the run of the tool call, whichever protocol the server
//! speaks; or the program answers them; or they are declined.

use ddg_agentic::Toolbox;
use ddg_agentic::mcp::{McpAnswer, McpClient, McpEndpoint, McpQuestion, McpStdio};
use ddg_agentic::message::ToolCall;
use ddg_agentic::tool::{Tool, ToolResult};
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;
use serde_json::{Value as Json, json};

use super::call::{call, named};
use super::reference::{everything, python, script};

/// A server of the newest protocol whose tool asks twice.
fn asking() -> McpEndpoint<McpStdio> {
    McpEndpoint::stdio(python(), [&*script("server.py"), "asks"]).name("agency")
}

/// The reference server, of an earlier protocol.
fn reference() -> McpEndpoint<McpStdio> {
    McpEndpoint::stdio("node", [everything()]).name("everything")
}

/// An automa that calls the tool.
async fn automa(client: &McpClient, tool: &str) -> GraphAutoma {
    let tools = client.tools().await.unwrap();
    let tools = Toolbox::builder().with(named(&tools, tool).clone()).build().unwrap();
    let mut automa = GraphAutoma::new("call");
    automa.add_worker("call", tools.call_worker(tool), start().output()).unwrap();
    automa
}

/// Answers the only question of a paused run, which another process resumes.
fn answered(paused: &Outcome, message: &str, answer: McpAnswer) -> Snapshot {
    let [question] = &paused.questions()[..] else { panic!("{:?}", paused.questions()) };
    let asked: McpQuestion = question.content.get().unwrap();
    assert_eq!(asked.message, message);
    let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    let mut snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    snapshot.answer(&question.id, answer).unwrap();
    snapshot
}

fn accept(content: Json) -> McpAnswer {
    McpAnswer::Accept { content }
}

#[tokio::test]
async fn a_run_pauses_for_each_question_and_the_server_continues_where_it_was() {
    let client = asking().may_ask_people().connect().await.unwrap();
    let automa = automa(&client, "book").await;
    let paused = automa.run((ToolCall::new("1", "book", json!({})),)).await.unwrap();
    let snapshot = answered(&paused, "Under which name?", accept(json!({ "name": "Ada" })));
    let paused = automa.resume(snapshot).await.unwrap();
    let snapshot = answered(&paused, "Really?", accept(json!({ "sure": true })));
    let result: ToolResult = automa.resume(snapshot).await.unwrap().into_output().unwrap();
    // One call for each round: nothing is asked or done twice.
    assert_eq!(result.message.content, "booked for Ada: True, in 3 calls");
}

#[tokio::test]
async fn a_call_of_an_earlier_protocol_is_made_again_with_the_answer() {
    let client = reference().may_ask_people().connect().await.unwrap();
    let automa = automa(&client, "trigger-elicitation-request").await;
    let task = ToolCall::new("1", "trigger-elicitation-request", json!({}));
    let paused = automa.run((task,)).await.unwrap();
    let message = "Please provide inputs for the following fields:";
    let content = json!({ "name": "Ada", "check": true });
    let snapshot = answered(&paused, message, accept(content));
    let result: ToolResult = automa.resume(snapshot).await.unwrap().into_output().unwrap();
    let said = result.message.content;
    assert!(said.contains("- Name: Ada\n- Agreed to terms: true"), "{said}");

    let paused = automa.run((ToolCall::new("2", "trigger-elicitation-request", json!({})),));
    let snapshot = answered(&paused.await.unwrap(), message, McpAnswer::Decline);
    let result: ToolResult = automa.resume(snapshot).await.unwrap().into_output().unwrap();
    let said = result.message.content;
    assert!(said.contains("declined"), "{said}");
}

#[tokio::test]
async fn the_program_answers_at_once() {
    let answer = async |question: McpQuestion| {
        assert!(question.schema.is_some(), "{question:?}");
        match question.message.as_str() {
            "Really?" => accept(json!({ "sure": true })),
            _ => accept(json!({ "name": "Ada", "check": true })),
        }
    };
    let client = asking().on_question(answer).connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let booked = call(named(&tools, "book"), json!({})).await.unwrap();
    assert_eq!(booked, "booked for Ada: True, in 3 calls");

    let client = reference().on_question(answer).connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let said = call(named(&tools, "trigger-elicitation-request"), json!({})).await.unwrap();
    assert!(said.contains("- Name: Ada"), "{said}");
}

#[tokio::test]
async fn without_leave_nobody_is_asked() {
    let client = reference().connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    // The server offers the tool only to clients that can ask.
    assert!(tools.iter().all(|tool| tool.spec().name != "trigger-elicitation-request"));
    let client = asking().connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let error = call(named(&tools, "book"), json!({})).await.unwrap_err();
    expect!["MCP server `agency` refuses `tools/call book`: Internal server error"]
        .assert_eq(&error);
}
