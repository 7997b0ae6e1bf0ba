//! Tools of the reference server over stdio and HTTP: all are listed, and their results (texts,
//! structured content, images, resources, failures) are readable.

use std::process::Stdio;
use std::time::Duration;

use ddg_agentic::mcp::{McpClient, McpEndpoint};
use ddg_agentic::tool::Tool;
use expect_test::expect;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::call::{call, named, sorted};
use super::reference::everything;

async fn over_stdio() -> McpClient {
    McpEndpoint::stdio("node", [everything()]).name("everything").connect().await.unwrap()
}

/// The reference server on a port of its own; it ends with the child.
async fn over_http() -> (Child, McpClient) {
    let (child, port) = loop {
        // Somebody may take the port before the server does.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("node")
            .args([everything(), "streamableHttp"])
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut says = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        while let Some(line) = says.next_line().await.unwrap() {
            said += &line;
            if line.contains("listening on port") {
                break;
            }
        }
        if said.contains("listening on port") {
            tokio::spawn(async move { while let Ok(Some(_)) = says.next_line().await {} });
            break (child, port);
        }
        assert!(said.contains("already in use"), "{said}");
    };
    let server = McpEndpoint::http(format!("http://127.0.0.1:{port}/mcp"));
    (child, server.bearer("secret-token").name("everything").connect().await.unwrap())
}

/// What each call gives, one after the other.
async fn said(client: &McpClient) -> String {
    let tools = client.tools().await.unwrap();
    let mut said = tools.iter().map(|tool| &*tool.spec().name).collect::<Vec<_>>().join(" ");
    for (name, arguments) in [
        ("echo", json!({ "message": "hello" })),
        ("get-sum", json!({ "a": 2, "b": 40 })),
        ("get-sum", json!({ "a": "two" })),
        ("get-structured-content", json!({ "location": "Chicago" })),
        ("get-tiny-image", json!({})),
        ("get-resource-links", json!({ "count": 2 })),
        ("get-resource-reference", json!({ "resourceType": "Blob", "resourceId": 1 })),
    ] {
        let result = call(named(&tools, name), arguments).await;
        said += &format!("\n{name}: {}", result.unwrap_or_else(|error| format!("FAILED {error}")));
    }
    // The resource tells the time, in one or two digits for the hours.
    let said = said.replace("text/plain, 56 bytes", "text/plain, 55 bytes");
    let (before, _time) = said.split_once(" created at ").unwrap();
    before.to_owned()
}

#[tokio::test]
async fn every_kind_of_tool_over_stdio_and_http() {
    let stdio = over_stdio().await;
    let over_stdio = said(&stdio).await;
    expect![[r#"
        echo get-annotated-message get-env get-resource-links get-resource-reference get-structured-content get-sum get-tiny-image gzip-file-as-resource toggle-simulated-logging toggle-subscriber-updates trigger-long-running-operation simulate-research-query
        echo: Echo: hello
        get-sum: The sum of 2 and 40 is 42.
        get-sum: FAILED MCP error -32602: Input validation error: Invalid arguments for tool get-sum: Invalid input: expected number, received string at a
        Invalid input: expected number, received undefined at b
        get-structured-content: {"temperature":36,"conditions":"Light rain / drizzle","humidity":82}
        get-tiny-image: Here's the image you requested:
        [image: image/png, 4033 bytes]
        The image above is the MCP logo.
        get-resource-links: Here are 2 resource links to resources available in this server:
        [resource demo://resource/dynamic/blob/1: Resource 1: plaintext resource]
        [resource demo://resource/dynamic/text/2: Resource 2: plaintext resource]
        get-resource-reference: Returning resource reference for Resource 1:
        [resource demo://resource/dynamic/blob/1: text/plain, 55 bytes]
        You can access this resource using the URI: demo://resource/dynamic/blob/1
        [document 1: text/plain]
        Resource 1: This is a base64 blob"#]].assert_eq(&over_stdio);
    stdio.close().await;
    let (_server, http) = over_http().await;
    assert_eq!(said(&http).await, over_stdio);
    http.close().await;
}

#[tokio::test]
async fn the_schema_is_the_servers_own() {
    let client = over_stdio().await;
    let tools = client.tools().await.unwrap();
    let spec = named(&tools, "get-sum").spec();
    expect![[r#"
        Returns the sum of two numbers
        {
          "$schema": "http://json-schema.org/draft-07/schema#",
          "properties": {
            "a": {
              "description": "First number",
              "type": "number"
            },
            "b": {
              "description": "Second number",
              "type": "number"
            }
          },
          "required": [
            "a",
            "b"
          ],
          "type": "object"
        }"#]]
    .assert_eq(&format!("{}\n{:#}", spec.description, sorted(&spec.parameters)));
    assert!(client.instructions().unwrap().contains("Everything"), "{:?}", client.instructions());
}

#[tokio::test]
async fn a_server_program_sees_what_it_is_given_and_no_more() {
    let server = McpEndpoint::stdio("node", [everything()]).env("GIVEN", "this");
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let env = call(named(&tools, "get-env"), json!({})).await.unwrap();
    assert!(env.contains(r#""GIVEN": "this""#), "{env}");
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "we have something to hide");
    assert!(!env.contains("CARGO_MANIFEST_DIR"), "{env}");
}

#[tokio::test]
async fn a_slow_call_is_not_waited_for_longer_than_allowed() {
    let server = McpEndpoint::stdio("node", [everything()]).name("everything");
    let client = server.timeout(Duration::from_millis(200)).connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let slow = named(&tools, "trigger-long-running-operation");
    let error = call(slow, json!({ "duration": 600, "steps": 1 })).await.unwrap_err();
    expect!["MCP server `everything` did not answer `tools/call trigger-long-running-operation` within 200ms"].assert_eq(&error);
    let echoed = call(named(&tools, "echo"), json!({ "message": "still here" })).await;
    assert_eq!(echoed, Ok("Echo: still here".to_owned()));
}
