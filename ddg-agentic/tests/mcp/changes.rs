//! Our server tells its clients when the tools of its sources change.

use std::sync::Arc;

use ddg_agentic::mcp::{McpEndpoint, McpService};
use ddg_agentic::prelude::*;
use ddg_agentic::tool::{Tool, ToolList, ToolSource};
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use super::call::{call, named};
use super::ours::over_http;

/// The weather forecast of a city.
#[tool]
async fn weather(city: String) -> String {
    format!("sunny in {city}")
}

/// Adds two numbers.
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Tools that a program switches on and off.
#[derive(Clone)]
struct Switched(Arc<watch::Sender<ToolList>>);

impl Switched {
    fn off() -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new([]))))
    }

    fn switch_on(&self, tool: impl Tool) {
        self.0.send_replace(Arc::new([Arc::new(tool) as Arc<dyn Tool>]));
    }
}

impl ToolSource for Switched {
    fn name(&self) -> &str {
        "switched"
    }

    fn tools(&self) -> BoxFuture<'_, Result<ToolList, WorkerError>> {
        let list = Arc::clone(&self.0.borrow());
        Box::pin(async { Ok(list) })
    }

    fn changed<'a>(&'a self, since: &'a ToolList) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let mut lists = self.0.subscribe();
            let _changed = lists.wait_for(|list| !Arc::ptr_eq(list, since)).await;
        })
    }
}

fn service(switched: &Switched) -> McpService {
    let tools = Toolbox::builder().with(add::tool()).source(switched.clone()).build().unwrap();
    McpService::new("ours", tools)
}

/// The whole way: a source changes, the server says so, the client lists anew, the model is offered
/// the tool, and calls it.
#[tokio::test]
async fn a_new_tool_reaches_the_model_of_a_client() {
    let switched = Switched::off();
    let client = McpEndpoint::http(over_http(service(&switched)).await).connect().await.unwrap();
    let tools = Toolbox::builder().source(client.clone()).build().unwrap();
    let model = ScriptedModel::new()
        .text("I cannot tell.")
        .expects_tools(["add"])
        .calls([ToolCall::new("1", "weather", json!({ "city": "Tokyo" }))])
        .expects_tools(["add", "weather"])
        .text("Sunny.");
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    agent.run(args!("How is the weather?")).await.unwrap();
    assert!(!client.tools_changed());
    switched.switch_on(weather::tool());
    client.tools_change().await;
    let outcome = agent.run(args!("And now?")).await.unwrap();
    assert_eq!(outcome.steps()[0].result.content, "sunny in Tokyo");
}

/// Servers behind each other: what the farthest one announces reaches the nearest client.
#[tokio::test]
async fn a_change_is_passed_on_by_a_server_of_servers() {
    let switched = Switched::off();
    let far = McpEndpoint::http(over_http(service(&switched)).await).connect().await.unwrap();
    let tools = Toolbox::builder().source(far).build().unwrap();
    let near = over_http(McpService::new("near", tools)).await;
    let [one, other] = [(); 2].map(|()| McpEndpoint::http(&*near));
    let (one, other) = (one.connect().await.unwrap(), other.connect().await.unwrap());
    for client in [&one, &other] {
        assert_eq!(client.tools().await.unwrap().len(), 1);
    }
    switched.switch_on(weather::tool());
    for client in [&one, &other] {
        client.tools_change().await;
        let tools = client.tools().await.unwrap();
        let said = call(named(&tools, "weather"), json!({ "city": "Kyoto" })).await;
        assert_eq!(said, Ok("sunny in Kyoto".to_owned()));
    }
}

/// A client of an earlier protocol.
struct Earlier {
    http: reqwest::Client,
    url: String,
    session: Option<String>,
}

impl Earlier {
    /// Sends a message; returns the answer, and the session that it begins.
    async fn post(&self, message: Json) -> (String, Option<String>) {
        let post = self.http.post(&self.url).body(message.to_string());
        let post = post.header("content-type", "application/json");
        let mut post = post.header("accept", "application/json, text/event-stream");
        if let Some(session) = &self.session {
            post = post.header("mcp-session-id", session);
        }
        let answer = post.send().await.unwrap();
        let session = answer.headers().get("mcp-session-id");
        let session = session.map(|session| session.to_str().unwrap().to_owned());
        (answer.text().await.unwrap(), session)
    }

    /// Connects, and returns what the server says of itself.
    async fn greet(service: McpService) -> (Self, String) {
        // It fails if another test has chosen the same already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let (http, url) = (reqwest::Client::new(), over_http(service).await);
        let mut this = Self { http, url, session: None };
        let hello = json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" },
            },
        });
        let answer;
        (answer, this.session) = this.post(hello).await;
        this.post(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        (this, answer)
    }
}

/// As the specification of 2025-11-25 has it: a capability, and a notification on the stream of the
/// session.
#[tokio::test]
async fn clients_of_earlier_protocols_are_told_unasked() {
    let switched = Switched::off();
    let (client, answer) = Earlier::greet(service(&switched)).await;
    assert!(answer.contains(r#""tools":{"listChanged":true}"#), "{answer}");
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let (listed, _) = client.post(list).await;
    assert!(listed.contains("\"add\"") && !listed.contains("weather"), "{listed}");
    let stream = client.http.get(&client.url).header("accept", "text/event-stream");
    let stream = stream.header("mcp-session-id", client.session.unwrap());
    let mut stream = stream.send().await.unwrap();
    switched.switch_on(weather::tool());
    let mut heard = String::new();
    while !heard.contains("notifications/tools/list_changed") {
        let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
        heard += std::str::from_utf8(&chunk).unwrap();
    }
}

#[tokio::test]
async fn a_list_that_cannot_change_is_not_said_to() {
    let tools = Toolbox::builder().with(add::tool()).build().unwrap();
    let (_, answer) = Earlier::greet(McpService::new("ours", tools)).await;
    assert!(answer.contains(r#""tools":{}"#) && !answer.contains("listChanged"), "{answer}");
}
