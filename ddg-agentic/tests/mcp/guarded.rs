//! Hooks hold for the tools of an MCP server.

use ddg_agentic::Toolbox;
use ddg_agentic::hook::{AfterTool, BeforeTool, Hook, HookRun, ToolUse};
use ddg_agentic::mcp::McpEndpoint;
use ddg_agentic::message::ToolMessage;
use ddg_agentic::prelude::*;
use serde_json::json;

use super::ours::{SERVES, program};

/// Lets nobody add more than 10, and hides results.
struct Small;

impl Hook for Small {
    fn name(&self) -> &str {
        "small"
    }

    async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        Ok(match call.arguments["a"].as_i64() {
            Some(11..) => BeforeTool::refuse("at most 10"),
            _ => BeforeTool::Go,
        })
    }

    async fn after_tool(
        &self,
        _: &ToolUse,
        result: &ToolMessage,
        _: &HookRun,
    ) -> Result<AfterTool, WorkerError> {
        let mut result = result.clone();
        result.content = result.content.replace("disk", "***");
        Ok(AfterTool::change(result))
    }
}

#[tokio::test]
async fn calls_and_results_of_a_server() {
    let (this, args) = program();
    let client = McpEndpoint::stdio(this, args).env(SERVES, "1").connect().await.unwrap();
    let tools = Toolbox::builder().with_all(client.tools().await.unwrap()).build().unwrap();
    let add = |id: &str, a: i64| ToolCall::new(id, "add", json!({ "a": a, "b": 1 }));
    let fail = ToolCall::new("c", "fail", json!({}));
    let model = ScriptedModel::new().calls([add("a", 5), add("b", 50), fail]).text("Done.");
    let agent = ReActAutoma::new(model).tools(tools).hook(Small).build().unwrap();
    let outcome = agent.run(args!("Add.")).await.unwrap();
    let results: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    assert_eq!(results[0], "6");
    assert_eq!(results[1], "`add` was refused by `small`: at most 10");
    assert!(results[2].contains("the *** is full"), "{results:?}");
    client.close().await;
}
