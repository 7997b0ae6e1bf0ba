//! Our tools as an MCP server for the reference client, over both transports, with and without the
//! handshake of earlier protocols.

use std::sync::Arc;

use expect_test::expect;
use tokio::process::Command;

use super::ours::{SERVES, over_http, program, service};
use super::reference::{python, script};

const CALLS: &str = r#"[["add", {"a": 2, "b": 40}], ["add", {"a": "two"}], ["hotel", {"nights": 3}],
    ["fail", {}], ["nothing", {}]]"#;

async fn hears(mode: &str, server: &[&str]) -> String {
    let mut client = Command::new(python());
    client.arg(script("client.py")).args([mode, CALLS]).args(server).env(SERVES, "1");
    let output = client.output().await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_reference_client_over_stdio_and_http() {
    let (this, args) = program();
    let stdio = [&[&*this], &args[..]].concat();
    let heard = hears("legacy", &stdio).await;
    expect![[r#"
        version: 2025-11-25
        server: ours 1.2.3
        instructions: Add before you divide.
        tool: add - Adds two numbers. {"additionalProperties": false, "properties": {"a": {"description": "The first.", "type": "integer"}, "b": {"default": 1, "type": "integer"}}, "required": ["a"], "type": "object"}
        tool: divide - Divides one number by another. {"additionalProperties": false, "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"], "type": "object"}
        tool: fail - Fails. {"additionalProperties": false, "properties": {}, "type": "object"}
        tool: ask - Asks a person. {"additionalProperties": false, "properties": {}, "type": "object"}
        tool: pay - Pays. {"additionalProperties": false, "properties": {"euros": {"minimum": 0, "type": "integer"}}, "required": ["euros"], "type": "object"}
        tool: wait - Waits until nobody waits for it. {"additionalProperties": false, "properties": {}, "type": "object"}
        tool: hotel - What a stay costs. {"properties": {"nights": {"minimum": 0, "type": "integer"}}, "required": ["nights"], "type": "object"}
        add: gave 42
        add: FAILED the arguments of `add` are wrong: a: "two" is not of type "integer"
        hotel: gave 240 euros
        fail: FAILED `fail` failed: the disk is full
        nothing: FAILED there is no tool `nothing`; the tools are: `add`, `divide`, `fail`, `ask`, `pay`, `wait`, `hotel`
    "#]].assert_eq(&heard);
    let url = over_http(service(Arc::default())).await;
    assert_eq!(hears("legacy", &[&url]).await, heard);

    let modern = heard.replace("version: 2025-11-25", "version: 2026-07-28");
    assert_eq!(hears("auto", &stdio).await, modern);
    assert_eq!(hears("auto", &[&url]).await, modern);
}
