//! Our tools as an MCP server for the reference client, over both transports, with and without the
//! handshake of earlier protocols.

use std::sync::Arc;

use expect_test::expect;
use tokio::process::Command;

use super::ours::{SERVES, over_http, program, service};
use super::reference::{python, script};

const CALLS: &str = r#"[["add", {"a": 2, "b": 40}], ["add", {"a": "two"}], ["hotel", {"nights": 3}],
    ["fail", {}], ["count", {}], ["pay", {"euros": 5}], ["nothing", {}]]"#;

/// Calls that need the answers of a person: an approval, a question, an approval within an agent.
const ASKING: &str = r#"[["pay", {"euros": 5}], ["ask", {}], ["payer", {"task": "Pay."}],
    ["pay", {"euros": 6}], ["pay", {"euros": 7}]]"#;
const ANSWERS: &str = r#"[{"decision": "allow"}, {"answer": "true"}, {"decision": "allow"},
    {"decision": "deny", "reason": "too much"}, null]"#;

async fn hears(mode: &str, server: &[&str]) -> String {
    hears_of(mode, CALLS, None, server).await
}

async fn hears_of(mode: &str, calls: &str, answers: Option<&str>, server: &[&str]) -> String {
    let mut client = Command::new(python());
    client.arg(script("client.py")).args([mode, calls]).args(server).env(SERVES, "1");
    client.envs(answers.map(|answers| ("DDG_ANSWERS", answers)));
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
          gives {"properties": {"result": {"title": "int64", "type": "integer"}}, "required": ["result"], "type": "object"}
          is {"read_only_hint": true, "title": "Sum"}
        tool: divide - Divides one number by another. {"additionalProperties": false, "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"], "type": "object"}
        tool: fail - Fails. {"additionalProperties": false, "properties": {}, "type": "object"}
        tool: ask - Asks a person. {"additionalProperties": false, "properties": {}, "type": "object"}
        tool: pay - Pays. {"additionalProperties": false, "properties": {"euros": {"minimum": 0, "type": "integer"}}, "required": ["euros"], "type": "object"}
        tool: wait - Waits until nobody waits for it. {"additionalProperties": false, "properties": {}, "type": "object"}
        tool: hotel - What a stay costs. {"properties": {"nights": {"minimum": 0, "type": "integer"}}, "required": ["nights"], "type": "object"}
        tool: count - Counts to three, and tells how far it is. {"additionalProperties": false, "properties": {}, "type": "object"}
          gives {"description": "What `count` gives.", "properties": {"counted": {"minimum": 0, "type": "integer"}}, "required": ["counted"], "title": "Count", "type": "object"}
        tool: payer - Pays for you. {"description": "Parameters of an agent that is used as a tool.", "properties": {"task": {"description": "What to do, with all that one has to know to do it.", "type": "string"}}, "required": ["task"], "type": "object"}
        resource: ours://menu text/markdown '# Menu'
        prompt: greet - Greets somebody. 'Greet Ada.'
          completes 100 of 250 True A0 of {"title": "Dr."}
        template: ours://teas/{name} ['green tea', 'grey tea'] 'green tea for two'
        add: gave 42 {"result": 42}
        add: FAILED the arguments of `add` are wrong: a: "two" is not of type "integer"
        hotel: gave 240 euros
        fail: FAILED `fail` failed: the disk is full
        progress: 1 of 3, at 1
        progress: 2 of 3, at 2
        progress: 3 of 3, at 3
        count: gave {"counted":3} {"counted": 3}
        pay: FAILED `pay` asks a person, and this client cannot ask one (it offers no elicitation of forms); the question is {"tool":"pay","arguments":{"euros":5}}
        nothing: FAILED there is no tool `nothing`; the tools are: `add`, `divide`, `fail`, `ask`, `pay`, `wait`, `hotel`, `count`, `payer`
    "#]].assert_eq(&heard);
    let url = over_http(service(Arc::default())).await;
    assert_eq!(hears("legacy", &[&url]).await, heard);

    let modern = heard.replace("version: 2025-11-25", "version: 2026-07-28");
    assert_eq!(hears("auto", &stdio).await, modern);
    assert_eq!(hears("auto", &[&url]).await, modern);
}

#[tokio::test]
async fn the_person_at_the_reference_client_is_asked() {
    let url = over_http(service(Arc::default())).await;
    let heard = hears_of("legacy", ASKING, Some(ANSWERS), &[&url]).await;
    expect![[r#"
        version: 2025-11-25
        asked: May `pay` be called with {"euros":5}?
        pay: gave 5 euros paid
        asked: Really?
        ask: gave true
        asked: May `pay` be called with {"euros":7}?
        payer: gave It is paid.
        asked: May `pay` be called with {"euros":6}?
        pay: FAILED a person did not allow this call of `pay`: too much
        asked: May `pay` be called with {"euros":7}?
        pay: FAILED a person did not allow this call of `pay`: the person at the client did not answer
    "#]].assert_eq(&heard);
    let (this, args) = program();
    let stdio = [&[&*this], &args[..]].concat();
    assert_eq!(hears_of("legacy", ASKING, Some(ANSWERS), &stdio).await, heard);

    let modern = heard.replace("version: 2025-11-25", "version: 2026-07-28");
    assert_eq!(hears_of("auto", ASKING, Some(ANSWERS), &stdio).await, modern);
    assert_eq!(hears_of("auto", ASKING, Some(ANSWERS), &[&url]).await, modern);
}
