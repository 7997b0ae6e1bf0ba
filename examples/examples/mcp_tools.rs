//! Lists and calls tools of an MCP server. The server is this program itself in a second process,
//! or any command:
//!
//! ```text
//! cargo run -p examples --features mcp --example mcp_tools
//! cargo run -p examples --features mcp --example mcp_tools -- npx -y @modelcontextprotocol/server-everything
//! ```

use std::error::Error;

use ddg_agentic::mcp::{McpEndpoint, McpService};
use ddg_agentic::message::ToolCall;
use ddg_agentic::tool::ToolResult;
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use ddg_core::printable;
use serde_json::{Value as Json, json};

/// The argument that starts this program as the server.
const SERVE: &str = "--serve";

/// Adds two numbers.
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Tells the weather of the next days.
#[tool]
async fn weather(
    /// The city, in English.
    city: String,
    #[default = 3] days: u32,
) -> String {
    format!("sunny in {city} for {days} days")
}

/// Calls all tools concurrently, with one worker for each call.
async fn call(tools: &Toolbox, calls: &[(&str, Json)]) -> Result<Vec<ToolResult>, RunError> {
    let mut automa = GraphAutoma::new("calls");
    let mut keys = Vec::new();
    for (n, (name, arguments)) in calls.iter().enumerate() {
        let (key, call) = (format!("{name}_{n}"), format!("call {name} {n}"));
        let asked = ToolCall::new(key.clone(), *name, arguments.clone());
        automa.add_func_as_worker(call.clone(), move || asked.clone(), start())?;
        automa.add_worker(key.clone(), tools.call_worker(name), after([call]))?;
        keys.push(key);
    }
    let collect = async |results: Vec<ToolResult>| results;
    automa.add_func_as_worker("collect", collect, after(keys).merge().output())?;
    automa.run(()).output().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (server, itself) = match args.next() {
        Some(serve) if serve == SERVE => {
            let tools = Toolbox::builder().with(add::tool()).with(weather::tool()).build()?;
            return Ok(McpService::new("example", tools).serve_stdio().await?);
        }
        Some(command) => (McpEndpoint::stdio(command, args), false),
        None => (McpEndpoint::stdio(std::env::current_exe()?, [SERVE]).prefix("example_"), true),
    };

    let client = server.connect().await?;
    let tools = Toolbox::builder().with_all(client.tools().await?).build()?;
    for spec in tools.specs().iter() {
        println!("{}", printable::lines(&format!("{}: {}", spec.name, spec.description)));
    }
    if itself {
        let asked = [
            ("example_add", json!({ "a": 2, "b": 40 })),
            ("example_weather", json!({ "city": "Tokyo" })),
            ("example_weather", json!({ "town": "Tokyo" })),
        ];
        for ToolResult { message, .. } in call(&tools, &asked).await? {
            let ended = if message.is_error { "failed" } else { "gave" };
            let told = format!("{} {ended}: {}", message.name, message.content);
            println!("{}", printable::lines(&told));
        }
    }
    client.close().await;
    Ok(())
}
