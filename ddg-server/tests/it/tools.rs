//! Tools of the server: those of MCP servers, by `--tools`, and those of a program.

use std::fs;

use ddg_agentic::Toolbox;
use ddg_agentic::mcp::McpService;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::fixture::{Client, Ddg, Local, Upstream, calls, run, text};

/// Returns the current weather in a city.
#[ddg_agentic::tool]
async fn weather(city: String) -> String {
    format!("It is sunny in {city}.")
}

fn script() -> [crate::fixture::Turn; 2] {
    [calls(&[("call_1", "weather", "{\"city\":\"Oslo\"}")]), text(&["Sunny."])]
}

/// Runs an assistant with the tool, and checks its steps and what the model saw.
async fn check(client: &Client, upstream: &Upstream) {
    let assistant = json!({ "model": "scripted", "tools": [{ "type": "weather" }] });
    let assistant = client.post("/v1/assistants", &assistant).await.ok();
    assert_eq!(assistant["tools"], json!([{ "type": "weather" }]));
    let run = json!({
        "assistant_id": assistant["id"],
        "thread": { "messages": [{ "role": "user", "content": "Weather?" }] },
    });
    let run = client.post("/v1/threads/runs", &run).await.ok();
    let at = format!(
        "/v1/threads/{}/runs/{}",
        run["thread_id"].as_str().unwrap(),
        run["id"].as_str().unwrap()
    );
    let ended = loop {
        let run = client.get(&at).await.ok();
        if !["queued", "in_progress"].contains(&run["status"].as_str().unwrap()) {
            break run;
        }
    };
    assert_eq!(ended["status"], "completed", "{ended}");
    let steps = client.get(&format!("{at}/steps?order=asc")).await.ok();
    let call: &Value = &steps["data"][0]["step_details"]["tool_calls"][0];
    assert_eq!(call["function"]["output"], "It is sunny in Oslo.", "{steps}");
    let asked = upstream.asked();
    assert!(asked[1].body["messages"].to_string().contains("It is sunny in Oslo."));
}

/// [assistants run 5.8] A tool of the program is named by its type, and its result goes to the model.
#[tokio::test]
async fn tools_of_a_program_are_called() {
    let upstream = Upstream::start(script()).await;
    let tools = Toolbox::builder().with(weather::tool()).build().unwrap();
    let local =
        Local::with(|builder| builder.model("scripted").base_url(upstream.base_url()).tools(tools))
            .await;
    check(&local.client(), &upstream).await;
}

/// [assistants command line 3] [assistants run 2.2] A tool of an MCP server of `--tools` is called.
#[tokio::test]
async fn tools_of_mcp_servers_are_called() {
    let upstream = Upstream::start(script()).await;
    let tools = Toolbox::builder().with(weather::tool()).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let service = McpService::new("weather", tools).instructions("Ask for one city at a time.");
    let serving = tokio::spawn(service.serve_http(listener));
    let folder = TempDir::new().unwrap();
    let file = json!({ "mcpServers": { "weather": { "url": url } } });
    fs::write(folder.path().join("tools.json"), file.to_string()).unwrap();
    let ddg = Ddg::on(&upstream, &folder, &["--tools", "tools.json"]).await;
    check(&ddg.client(), &upstream).await;
    // The instructions of the server are among those of the run.
    for asked in upstream.asked() {
        let first = &asked.body["messages"][0];
        assert_eq!(
            (&first["role"], &first["content"]),
            (&json!("system"), &json!("Ask for one city at a time."))
        );
    }
    serving.abort();
}

/// [assistants command line 3] A wrong file of tools stops the start, and its values are not shown.
#[tokio::test]
async fn wrong_files_of_tools_are_refused() {
    let folder = TempDir::new().unwrap();
    let secret = "sk-secret";
    for (text, expected) in [
        ("{".to_owned(), "--tools tools.json: EOF"),
        ("{}".to_owned(), "missing field `mcpServers`"),
        (
            json!({ "mcpServers": { "a": { "url": 1, "env": { "KEY": secret } } } }).to_string(),
            "the server `a` is wrong: write {\"command\"",
        ),
        (
            json!({ "mcpServers": { "a": { "command": "no-such-program" } } }).to_string(),
            "the server `a`: ",
        ),
    ] {
        fs::write(folder.path().join("tools.json"), text).unwrap();
        let arguments =
            ["serve", "--listen", "127.0.0.1:0", "--log", "error", "--tools", "tools.json"];
        let output = run(&folder, &arguments, &[]).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(expected) && !error.contains(secret), "{error}");
    }
}
