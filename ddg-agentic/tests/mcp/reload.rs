//! Tools that change on a server reach a running agent by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json as Body;
use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ddg_agentic::Toolbox;
use ddg_agentic::mcp::{McpClient, McpEndpoint, McpLogLevel};
use ddg_agentic::prelude::*;
use ddg_agentic::tool::ToolSource;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::reference::{python, script};

async fn growing() -> McpClient {
    let server = McpEndpoint::stdio(python(), [&*script("server.py"), "tools"]);
    server.only(["grow", "die", "grown"]).name("python").connect().await.unwrap()
}

fn calling(id: &str, tool: &str) -> ToolCall {
    ToolCall::new(id, tool, json!({}))
}

fn results(outcome: &AgentOutcome) -> Vec<String> {
    outcome.steps().into_iter().map(|step| step.result.content).collect()
}

#[tokio::test]
async fn a_change_that_the_server_announces_is_in_the_next_request() {
    let client = growing().await;
    let tools = Toolbox::builder().source(client.clone()).build().unwrap();
    let model = ScriptedModel::new()
        .calls([calling("1", "grow")])
        .expects_tools(["grow", "die"])
        .calls([calling("2", "grown")])
        .expects_tools(["grow", "grown", "die"])
        .text("Done.");
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Grow.")).await.unwrap();
    assert_eq!(results(&outcome), ["grown", "this is grown"]);
    client.close().await;
}

#[tokio::test]
async fn a_server_that_was_started_again_has_the_tools_of_its_new_self() {
    let client = growing().await;
    let tools = Toolbox::builder().source(client.clone()).build().unwrap();
    let model = ScriptedModel::new()
        .calls([calling("1", "grow")])
        .calls([calling("2", "die")])
        .expects_tools(["grow", "grown", "die"])
        .calls([calling("3", "grown")])
        .expects_tools(["grow", "die"])
        .text("Done.");
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Grow.")).await.unwrap();
    let told = outcome.conversation.messages.iter().map(Message::text).collect::<Vec<_>>();
    let gone = "there is no tool `grown`; did you mean `grow`? The tools are: `grow`, `die`";
    assert!(told.iter().any(|told| told == gone), "{told:?}");
    client.close().await;
}

#[tokio::test]
async fn a_list_is_not_asked_for_again_while_nothing_changes() {
    let client = growing().await;
    let (first, second) = (ToolSource::tools(&client).await, ToolSource::tools(&client).await);
    assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    // What the program lists itself does not hide a change from the source.
    let before = ToolSource::tools(&client).await.unwrap();
    let grow = Arc::clone(&before[0]);
    assert_eq!(grow.spec().name, "grow");
    let tools = Toolbox::builder().with(grow).build().unwrap();
    let mut automa = GraphAutoma::new("call");
    automa.add_worker("call", tools.call_worker("grow"), start().output()).unwrap();
    automa.run((calling("1", "grow"),)).await.unwrap();
    client.tools_change().await;
    client.tools().await.unwrap();
    assert!(!client.tools_changed());
    let after = ToolSource::tools(&client).await.unwrap();
    assert_eq!(after.len(), before.len() + 1);
    client.close().await;
}

/// An HTTP server of an earlier protocol that forgets its sessions: each has one more tool.
#[derive(Clone)]
struct Forgetful {
    session: Arc<AtomicUsize>,
    /// What it was asked to remember, in which session.
    asked: mpsc::UnboundedSender<(usize, String)>,
}

async fn forgetful() -> (String, Forgetful, mpsc::UnboundedReceiver<(usize, String)>) {
    let (asked, was_asked) = mpsc::unbounded_channel();
    let server = Forgetful { session: Arc::default(), asked };
    let router = Router::new().route("/mcp", post(answer)).with_state(server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, server, was_asked)
}

async fn answer(
    Shared(server): Shared<Forgetful>,
    headers: HeaderMap,
    Body(asked): Body<Json>,
) -> Response {
    let Some(id) = asked.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let number = server.session.load(Ordering::Acquire);
    let result = match asked["method"].as_str().unwrap() {
        "initialize" => {
            let info = json!({ "name": "forgetful", "version": "1" });
            let result = json!({
                "protocolVersion": "2025-11-25", "serverInfo": info,
                "capabilities": { "logging": {}, "resources": { "subscribe": true }, "tools": {} },
            });
            let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
            return ([("mcp-session-id", number.to_string())], Body(answer)).into_response();
        }
        _ if headers.get("mcp-session-id").is_none_or(|of| *of != number.to_string()) => {
            return StatusCode::NOT_FOUND.into_response();
        }
        "tools/list" => {
            let tool =
                |n| json!({ "name": format!("tool_{n}"), "inputSchema": { "type": "object" } });
            json!({ "tools": (0..=number).map(tool).collect::<Vec<_>>() })
        }
        "tools/call" => json!({ "content": [{ "type": "text", "text": "called" }] }),
        "resources/subscribe" => {
            let uri = asked["params"]["uri"].as_str().unwrap();
            server.asked.send((number, uri.to_owned())).unwrap();
            json!({})
        }
        "logging/setLevel" => {
            let level = asked["params"]["level"].as_str().unwrap();
            server.asked.send((number, level.to_owned())).unwrap();
            json!({})
        }
        other => {
            let error = json!({ "code": -32601, "message": format!("no {other}") });
            return Body(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Body(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

#[tokio::test]
async fn a_new_session_over_http_counts_as_a_change() {
    let (url, Forgetful { session, .. }, _asked) = forgetful().await;
    let client = McpEndpoint::http(url).connect().await.unwrap();
    let tools = Toolbox::builder().source(client).build().unwrap();
    let model = ScriptedModel::new()
        .calls([calling("1", "tool_0")])
        .expects_tools(["tool_0"])
        .expects(move |_| session.store(1, Ordering::Release))
        .text("Done.")
        .expects_tools(["tool_0", "tool_1"]);
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Go.")).await.unwrap();
    assert_eq!(results(&outcome), ["called"]);
}

#[tokio::test]
async fn a_new_session_is_asked_for_what_the_one_before_was() {
    let (url, server, mut asked) = forgetful().await;
    let endpoint = McpEndpoint::http(url).log_level(McpLogLevel::Warning);
    let client = endpoint.connect().await.unwrap();
    let mut file = client.subscribe("file:///a").await.unwrap();
    let other = client.subscribe("file:///b").await.unwrap();
    let mut first = Vec::new();
    for _ in 0..3 {
        first.push(asked.recv().await.unwrap());
    }
    let of = |session, what: &str| (session, what.to_owned());
    assert_eq!(first, [of(0, "warning"), of(0, "file:///a"), of(0, "file:///b")]);
    drop(other);
    server.session.store(1, Ordering::Release);
    client.tools().await.unwrap();
    assert_eq!(asked.recv().await.unwrap(), of(1, "warning"));
    assert_eq!(asked.recv().await.unwrap(), of(1, "file:///a"));
    // It may have changed while nobody listened.
    file.changed().await;
    assert!(asked.try_recv().is_err());
}
