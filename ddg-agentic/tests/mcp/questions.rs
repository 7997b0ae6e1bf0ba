//! Questions of servers to people pause the run of the tool call, whichever protocol the server
//! speaks; or the program answers them; or they are declined.

use ddg_agentic::Toolbox;
use ddg_agentic::mcp::{
    McpAnswer, McpClient, McpContents, McpData, McpEndpoint, McpQuestion, McpStdio,
};
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
    expect!["MCP server `agency` refuses `tools/call book`: Internal server error; it asked `Under which name?`, and this client asks no people: see `may_ask_people`"]
        .assert_eq(&error);
}

/// A server of an earlier protocol whose resource asks.
fn odd() -> McpEndpoint<McpStdio> {
    McpEndpoint::stdio("python3", [script("odd_server.py")]).name("odd")
}

const URI: &str = "safe://letter";

/// An automa that reads the resource.
fn reading(client: &McpClient) -> GraphAutoma {
    let client = client.clone();
    let mut automa = GraphAutoma::new("read");
    let read = move |cx: Context| {
        let client = client.clone();
        async move {
            let contents = client.read_resource_in(URI, &cx).await?;
            Ok::<_, WorkerError>(text_of(&contents))
        }
    };
    automa.add_func_as_worker("read", read, start().output()).unwrap();
    automa
}

fn text_of(contents: &[McpContents]) -> String {
    let [McpContents { data: McpData::Text(text), .. }] = contents else { panic!("{contents:?}") };
    text.clone()
}

#[tokio::test]
async fn a_question_while_a_resource_is_read_pauses_the_run() {
    for (server, text) in [(asking(), "1234"), (odd(), "opened with 1234")] {
        let client = server.may_ask_people().connect().await.unwrap();
        let automa = reading(&client);
        let paused = automa.run(()).await.unwrap();
        let snapshot = answered(&paused, "Which PIN?", accept(json!({ "pin": "1234" })));
        let read: String = automa.resume(snapshot).await.unwrap().into_output().unwrap();
        assert_eq!(read, text);
    }
}

#[tokio::test]
async fn a_model_that_reads_a_resource_waits_for_the_person() {
    let client = asking().may_ask_people().connect().await.unwrap();
    let tools = Toolbox::builder().with_all(client.resource_tools()).build().unwrap();
    let mut automa = GraphAutoma::new("call");
    automa.add_worker("call", tools.call_worker("read_resource"), start().output()).unwrap();
    let call = ToolCall::new("1", "read_resource", json!({ "uri": URI }));
    let paused = automa.run((call,)).await.unwrap();
    let snapshot = answered(&paused, "Which PIN?", accept(json!({ "pin": "1234" })));
    let result: ToolResult = automa.resume(snapshot).await.unwrap().into_output().unwrap();
    assert_eq!(result.message.content, "1234");
}

#[tokio::test]
async fn a_question_about_a_prompt_pauses_the_run() {
    let client = asking().may_ask_people().connect().await.unwrap();
    let mut automa = GraphAutoma::new("prompt");
    let write = move |cx: Context| {
        let client = client.clone();
        async move {
            let messages = client.prompt_in("plan", [("days", "1")], &cx).await?;
            Ok::<_, WorkerError>(messages[0].text())
        }
    };
    automa.add_func_as_worker("prompt", write, start().output()).unwrap();
    let paused = automa.run(()).await.unwrap();
    let snapshot = answered(&paused, "Which city?", accept(json!({ "city": "Delft" })));
    let prompt: String = automa.resume(snapshot).await.unwrap().into_output().unwrap();
    assert_eq!(prompt, "Plan a day in Delft.");
}

#[tokio::test]
async fn the_program_answers_questions_about_resources_and_prompts() {
    let answer = async |question: McpQuestion| match question.message.as_str() {
        "Which city?" => accept(json!({ "city": "Delft" })),
        _ => accept(json!({ "pin": "1234" })),
    };
    let client = asking().on_question(answer).connect().await.unwrap();
    assert_eq!(text_of(&client.read_resource(URI).await.unwrap()), "1234");
    let prompt = client.prompt("plan", [("days", "1")]).await.unwrap();
    assert_eq!(prompt[0].text(), "Plan a day in Delft.");
    let client = odd().on_question(answer).connect().await.unwrap();
    assert_eq!(text_of(&client.read_resource(URI).await.unwrap()), "opened with 1234");
}

#[tokio::test]
async fn a_question_that_reaches_nobody_is_named_in_the_error() {
    let error = |server: McpEndpoint<McpStdio>| async move {
        let client = server.connect().await.unwrap();
        client.read_resource(URI).await.unwrap_err().to_string()
    };
    expect!["MCP server `agency` refuses `resources/read safe://letter`: no pin, nothing to read; it asked `Which PIN?`, and this client asks no people: see `may_ask_people`"].assert_eq(&error(asking()).await);
    expect!["MCP server `agency` refuses `resources/read safe://letter`: no pin, nothing to read; it asked `Which PIN?`, and outside of a run nobody can be asked"].assert_eq(&error(asking().may_ask_people()).await);
    expect!["MCP server `odd` refuses `resources/read safe://letter`: no PIN, nothing to read; it asked `Which PIN?`, and outside of a run nobody can be asked"].assert_eq(&error(odd().may_ask_people()).await);
    expect!["MCP server `odd` refuses `resources/read safe://letter`: no PIN, nothing to read"]
        .assert_eq(&error(odd()).await);
}
