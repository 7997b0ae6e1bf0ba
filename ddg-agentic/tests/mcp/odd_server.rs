//! A server that is not as the protocol wants it: what is bad is left out or told, and spoils nothing
//! else; what is secret reaches neither models nor logs.

use ddg_agentic::mcp::{McpClient, McpEndpoint, McpStdio};
use ddg_agentic::tool::Tool;
use expect_test::expect;
use serde_json::json;

use super::call::{call, named};
use super::reference::script;

const SECRET: &str = "s3cret-value";

fn odd(args: &[&str]) -> McpEndpoint<McpStdio> {
    let script = script("odd_server.py");
    McpEndpoint::stdio("python3", [&[&*script], args].concat()).env("SECRET", SECRET).name("odd")
}

async fn connected() -> McpClient {
    odd(&[]).connect().await.unwrap()
}

#[tokio::test]
async fn bad_tools_are_left_out_and_the_others_work() {
    let client = connected().await;
    let tools = client.tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &*tool.spec().name).collect();
    expect!["good odd_schema blocks leaks refuses large progress logs"].assert_eq(&names.join(" "));
    assert_eq!(named(&tools, "odd_schema").spec().parameters, json!({ "type": "object" }));
    assert_eq!(call(named(&tools, "good"), json!({})).await, Ok("this is good".to_owned()));
    let toolbox = ddg_agentic::Toolbox::builder().with_all(tools).build();
    assert!(toolbox.is_ok(), "{toolbox:?}");
}

#[tokio::test]
async fn a_block_of_an_unknown_kind_is_named() {
    let client = connected().await;
    let tools = client.tools().await.unwrap();
    let said = call(named(&tools, "blocks"), json!({})).await;
    assert_eq!(said, Ok("seen\n[hologram]".to_owned()));
}

#[tokio::test]
async fn secrets_and_escapes_in_errors_are_not_passed_on() {
    let client = connected().await;
    let tools = client.tools().await.unwrap();
    assert_eq!(call(named(&tools, "leaks"), json!({})).await, Err("refused …".to_owned()));
    let refused = call(named(&tools, "refuses"), json!({})).await.unwrap_err();
    expect!["MCP server `odd` refuses `tools/call refuses`: no [31m…"].assert_eq(&refused);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_an_error_at_once_and_the_connection_continues() {
    let client = connected().await;
    let tools = client.tools().await.unwrap();
    let error = call(named(&tools, "large"), json!({})).await.unwrap_err();
    expect!["MCP server `odd` answers `tools/call large` against the protocol: one of its messages is larger than 16 MiB, which is not read; let the tool give less at once"].assert_eq(&error);
    assert_eq!(call(named(&tools, "good"), json!({})).await, Ok("this is good".to_owned()));
}

#[tokio::test]
async fn pages_without_end_are_an_error() {
    let client = odd(&["endless"]).connect().await.unwrap();
    let error = client.tools().await.unwrap_err().to_string();
    expect!["MCP server `odd` answers `tools/list` against the protocol: its tools are on more than 1000 pages"].assert_eq(&error);
}
