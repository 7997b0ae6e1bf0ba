//! Scripts of skills run only as tools that the program has added: bounded, without its environment.
#![cfg(unix)]

use std::time::Duration;

use ddg_agentic::skill::{SkillScript, Skills};
use ddg_agentic::tool::Tool;
use expect_test::expect;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::call::{call, skill, write};

/// The script as a tool, run by `sh`.
fn script(text: &str) -> (TempDir, SkillScript) {
    let home = skill("forms", "");
    write(home.path(), "forms/scripts/fill.sh", text);
    let skills = Skills::load(home.path()).unwrap();
    let script = skills.skill("forms").unwrap().script("scripts/fill.sh").unwrap().run_with("sh");
    (home, script)
}

#[tokio::test]
async fn a_script_gets_arguments_and_input_and_gives_its_output() {
    let (_home, script) =
        script("echo \"$# $1\"; cat; cat SKILL.md | head -n 2; echo \"[$GIVEN]\"");
    assert_eq!(script.spec().name, "forms_fill");
    let script = script.env("GIVEN", "this");
    expect![[r#"
        2 one; rm -rf /
        in---
        name: forms
        [this]
    "#]]
    .assert_eq(&call(script, json!({ "args": ["one; rm -rf /", "two"], "stdin": "in" })).await);
}

#[tokio::test]
async fn a_script_that_fails_says_why() {
    let (_home, failing) = script("echo half; echo 'no form' >&2; exit 3");
    expect![[r#"
        FAILED `forms_fill` failed: it ended with exit code 3: half
        [stderr]
        no form"#]]
    .assert_eq(&call(failing.clone(), json!({})).await);
    expect!["FAILED `forms_fill` failed: `no-such-shell` does not start (No such file or directory (os error 2))"]
        .assert_eq(&call(failing.run_with("no-such-shell"), json!({})).await);
    let (_home, quiet) = script("true");
    assert_eq!(call(quiet, json!({})).await, "done, without output");
}

#[tokio::test]
async fn a_script_sees_no_keys_of_the_program() {
    let (_home, script) = script("env");
    let env = call(script, json!({})).await;
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "we have something to hide");
    assert!(env.contains("PATH=") && !env.contains("CARGO_MANIFEST_DIR"), "{env}");
}

#[tokio::test]
async fn a_script_that_takes_too_long_is_killed_with_what_it_has_started() {
    // The script holds a connection for as long as it, or its child, lives.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!(
        "python3 -c 'import socket; s = socket.create_connection((\"127.0.0.1\", {port})); s.recv(1); s.recv(1)'; true"
    );
    let (_home, script) = script(&text);
    let called = tokio::spawn(call(script.timeout(Duration::from_secs(2)), json!({})));
    let (mut alive, _) = listener.accept().await.unwrap();
    alive.write_all(b"x").await.unwrap();
    assert_eq!(alive.read(&mut [0]).await.unwrap_or(0), 0, "its end of the connection is closed");
    expect!["FAILED `forms_fill` failed: it did not end within 2s, and was killed"]
        .assert_eq(&called.await.unwrap());
}

#[tokio::test]
async fn an_output_without_end_is_cut() {
    let (_home, script) = script("yes | head -c 5000000");
    let said = call(script, json!({})).await;
    assert!(said.len() < 70_000, "{} bytes", said.len());
}
