//! Our tools as an MCP server for our own client, over both transports: schemas, checked arguments,
//! automata, and messages of errors.

use std::sync::Arc;

use ddg_agentic::Toolbox;
use ddg_agentic::mcp::{McpClient, McpEndpoint, McpService};
use ddg_agentic::tool::Tool;
use expect_test::expect;
use serde_json::json;

use super::call::{call, named, sorted};
use super::ours::{SERVES, Waits, over_http, program, service};

async fn said(client: &McpClient) -> String {
    let tools = client.tools().await.unwrap();
    let mut said = String::new();
    for tool in &tools {
        let spec = tool.spec();
        said += &format!("{}: {} {}\n", spec.name, spec.description, sorted(&spec.parameters));
    }
    for (name, arguments) in [
        ("add", json!({ "a": 2, "b": 40 })),
        ("add", json!({ "a": 2 })),
        ("add", json!({ "a": "two" })),
        ("hotel", json!({ "nights": 3 })),
        ("fail", json!({})),
        ("divide", json!({ "a": 1, "b": 0 })),
        ("ask", json!({})),
    ] {
        let result = call(named(&tools, name), arguments).await;
        said += &format!("\n{name}: {}", result.unwrap_or_else(|error| format!("FAILED {error}")));
    }
    said
}

#[tokio::test]
async fn over_stdio_and_http_by_several_clients_at_once() {
    let (this, args) = program();
    let client = McpEndpoint::stdio(this, args).env(SERVES, "1").connect().await.unwrap();
    let over_stdio = said(&client).await;
    expect![[r#"
        add: Adds two numbers. {"additionalProperties":false,"properties":{"a":{"description":"The first.","type":"integer"},"b":{"default":1,"type":"integer"}},"required":["a"],"type":"object"}
        divide: Divides one number by another. {"additionalProperties":false,"properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a","b"],"type":"object"}
        fail: Fails. {"additionalProperties":false,"properties":{},"type":"object"}
        ask: Asks a person. {"additionalProperties":false,"properties":{},"type":"object"}
        pay: Pays. {"additionalProperties":false,"properties":{"euros":{"minimum":0,"type":"integer"}},"required":["euros"],"type":"object"}
        wait: Waits until nobody waits for it. {"additionalProperties":false,"properties":{},"type":"object"}
        hotel: What a stay costs. {"properties":{"nights":{"minimum":0,"type":"integer"}},"required":["nights"],"type":"object"}
        count: Counts to three, and tells how far it is. {"additionalProperties":false,"properties":{},"type":"object"}
        payer: Pays for you. {"description":"Parameters of an agent that is used as a tool.","properties":{"task":{"description":"What to do, with all that one has to know to do it.","type":"string"}},"required":["task"],"type":"object"}

        add: 42
        add: 3
        add: FAILED the arguments of `add` are wrong: a: "two" is not of type "integer"
        hotel: 240 euros
        fail: FAILED `fail` failed: the disk is full
        divide: FAILED `divide` panicked: attempt to divide by zero
        ask: FAILED `ask` asks a person, and this client cannot ask one (it offers no elicitation of forms); the question is "Really?""#]].assert_eq(&over_stdio);
    assert_eq!(client.instructions().as_deref(), Some("Add before you divide."));
    client.close().await;

    let url = over_http(service(Arc::default())).await;
    let over_http = async || {
        let client = McpEndpoint::http(&*url).connect().await.unwrap();
        let said = said(&client).await;
        client.close().await;
        said
    };
    let (one, two, three) = tokio::join!(over_http(), over_http(), over_http());
    for said in [one, two, three] {
        assert_eq!(said, over_stdio);
    }
}

#[tokio::test]
async fn a_call_that_needs_approval_fails() {
    let client =
        McpEndpoint::http(over_http(service(Arc::default())).await).connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let error = call(named(&tools, "pay"), json!({ "euros": 5 })).await.unwrap_err();
    let (says, question) = error.split_once(';').unwrap();
    expect![
        "`pay` asks a person, and this client cannot ask one (it offers no elicitation of forms)"
    ]
    .assert_eq(says);
    assert!(question.contains(r#""tool":"pay""#), "{question}");
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_and_the_others_continue() {
    let waits = Arc::new(Waits::default());
    let url = over_http(service(Arc::clone(&waits))).await;
    let client = McpEndpoint::http(url).connect().await.unwrap();
    let tools = client.tools().await.unwrap();

    let wait = named(&tools, "wait").clone();
    let waiting = tokio::spawn(async move { call(&wait, json!({})).await });
    waits.begun.notified().await;
    let added = call(named(&tools, "add"), json!({ "a": 1 })).await;
    assert_eq!(added, Ok("2".to_owned()), "calls go on beside each other");
    waiting.abort();
    waits.dropped.notified().await;
    let added = call(named(&tools, "add"), json!({ "a": 2 })).await;
    assert_eq!(added, Ok("3".to_owned()));
}

#[tokio::test]
async fn a_server_that_is_dropped_drops_its_calls() {
    let waits = Arc::new(Waits::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(service(Arc::clone(&waits)).serve_http(listener));
    let client =
        McpEndpoint::http(format!("http://{address}/mcp")).name("ours").connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let wait = named(&tools, "wait").clone();
    let waiting = tokio::spawn(async move { call(&wait, json!({})).await });
    waits.begun.notified().await;
    server.abort();
    waits.dropped.notified().await;
    let error = waiting.await.unwrap().unwrap_err();
    expect!["MCP server `ours` is gone (HTTP 500): connect to it again"]
        .assert_eq(&error.replace(&address.to_string(), "ADDRESS"));
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_reach_it_unless_allowed() {
    let ours = |service: McpService| async { over_http(service).await };
    let tools = || Toolbox::builder().build().unwrap();
    let page = "https://app.example.com";
    let connect = async |url: &str, header: (&str, &str)| {
        let server = McpEndpoint::http(url).name("ours").header(header.0, header.1);
        server.connect().await.map(|_| ()).map_err(|error| error.to_string())
    };
    let url = ours(McpService::new("ours", tools())).await;
    expect!["MCP server `ours` cannot be connected to: unexpected server response: HTTP 403 Forbidden: Forbidden: Origin header is not allowed"].assert_eq(&connect(&url, ("origin", page)).await.unwrap_err());
    expect!["MCP server `ours` cannot be connected to: unexpected server response: HTTP 403 Forbidden: Forbidden: Host header is not allowed"].assert_eq(&connect(&url, ("host", "tools.example.com")).await.unwrap_err());

    let service = McpService::new("ours", tools()).host("tools.example.com");
    let url = ours(service.origin(format!("{page}:443"))).await;
    assert_eq!(connect(&url, ("origin", page)).await, Ok(()));
    assert_eq!(connect(&url, ("host", "tools.example.com")).await, Ok(()));
    assert_eq!(connect(&url, ("x-other", "header")).await, Ok(()));
}
