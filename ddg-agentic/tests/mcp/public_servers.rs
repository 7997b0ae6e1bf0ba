//! Public servers from npm and PyPI, and the inspector's command line as a client of ours. They run in
//! the nightly tests, which set `DDG_NIGHTLY`; the reference server and client run always.

use std::process::Stdio;
use std::sync::Arc;

use ddg_agentic::mcp::{McpClient, McpEndpoint};
use serde_json::{Value as Json, json};
use tokio::process::Command;

use super::call::{call, named};
use super::ours::{SERVES, over_http, program, service};
use super::reference::{npm, pypi};

/// Whether it is night. Says so if it is not.
fn is_night() -> bool {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some();
    if !is_night {
        eprintln!("skipped: DDG_NIGHTLY is not set");
    }
    is_night
}

/// What a call of the tool gives.
async fn given(client: &McpClient, tool: &str, arguments: Json) -> String {
    let tools = client.tools().await.unwrap();
    call(named(&tools, tool), arguments).await.unwrap()
}

/// A server from npm, by the script of its package.
async fn node(name: &str, args: &[&str]) -> McpClient {
    let package = format!("@modelcontextprotocol/server-{name}");
    let script = npm(&package, "2026.8.31", "dist/index.js");
    McpEndpoint::stdio("node", [&[&*script], args].concat()).name(name).connect().await.unwrap()
}

/// A server from PyPI, by its module.
async fn module(package: &str, args: &[&str]) -> McpClient {
    let python = pypi(package, "2026.10.19");
    let module = package.replace('-', "_");
    let args = [&["-m", &*module], args].concat();
    McpEndpoint::stdio(python, args).name(package).connect().await.unwrap()
}

#[tokio::test]
async fn the_filesystem_server_gives_each_file_once() {
    if !is_night() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().canonicalize().unwrap();
    std::fs::write(path.join("note.txt"), "hello\n").unwrap();
    let client = node("filesystem", &[path.to_str().unwrap()]).await;
    let read = given(&client, "read_text_file", json!({ "path": path.join("note.txt") })).await;
    assert_eq!(read, "hello\n");
}

#[tokio::test]
async fn the_memory_server_remembers() {
    if !is_night() {
        return;
    }
    let client = node("memory", &[]).await;
    let ada = json!({ "name": "Ada", "entityType": "person", "observations": ["likes tea"] });
    given(&client, "create_entities", json!({ "entities": [ada] })).await;
    let found = given(&client, "search_nodes", json!({ "query": "tea" })).await;
    assert!(found.contains("Ada"), "{found}");
    given(&client, "delete_entities", json!({ "entityNames": ["Ada"] })).await;
}

#[tokio::test]
async fn the_sequential_thinking_server_counts_thoughts() {
    if !is_night() {
        return;
    }
    let client = node("sequential-thinking", &[]).await;
    let thought = json!({
        "thought": "First.", "nextThoughtNeeded": true, "thoughtNumber": 1, "totalThoughts": 3,
    });
    let given = given(&client, "sequentialthinking", thought).await;
    let given: Json = serde_json::from_str(&given).unwrap();
    assert_eq!(given["thoughtHistoryLength"], 1);
}

#[tokio::test]
async fn the_time_server_converts_times() {
    if !is_night() {
        return;
    }
    let client = module("mcp-server-time", &["--local-timezone", "UTC"]).await;
    let asked = json!({
        "source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo",
    });
    let given = given(&client, "convert_time", asked).await;
    assert!(given.contains("T21:00:00+09:00"), "{given}");
}

#[tokio::test]
async fn the_git_server_tells_the_status() {
    if !is_night() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().to_str().unwrap();
    let made = Command::new("git").args(["init", "--quiet", path]).status().await.unwrap();
    assert!(made.success());
    std::fs::write(home.path().join("new.txt"), "").unwrap();
    let client = module("mcp-server-git", &["--repository", path]).await;
    let status = given(&client, "git_status", json!({ "repo_path": path })).await;
    assert!(status.contains("new.txt"), "{status}");
}

/// What the inspector's command line says of our server.
async fn inspected(server: &[&str], asked: &[&str]) -> Json {
    let cli = npm("@modelcontextprotocol/inspector", "2.12.0", "clients/launcher/build/index.js");
    let mut inspector = Command::new("node");
    let serves = format!("{SERVES}=1");
    inspector.arg(cli).args(["--cli", "-e", &serves]).args(asked).arg("--").args(server);
    inspector.stdin(Stdio::null());
    let output = inspector.output().await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {stderr}", String::from_utf8_lossy(&output.stdout))
    })
}

#[tokio::test]
async fn the_inspector_lists_and_calls_our_tools() {
    if !is_night() {
        return;
    }
    let (this, args) = program();
    let stdio = [&[&*this], &args[..]].concat();
    let url = over_http(service(Arc::default())).await;
    for (server, transport) in [(&stdio[..], "stdio"), (&[&url], "http")] {
        let list = ["--transport", transport, "--method", "tools/list"];
        let listed = inspected(server, &list).await;
        let names: Vec<_> =
            listed["tools"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
        assert!(names.contains(&&json!("add")), "{names:?}");
        let add = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=2", "b=40"];
        let call = [&["--transport", transport], &add[..]].concat();
        let called = inspected(server, &call).await;
        assert_eq!(called["structuredContent"], json!({ "result": 42 }), "{called}");
    }
}
