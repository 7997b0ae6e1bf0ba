//! Calls a tool as an agent does: in a worker of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use ddg_agentic::mcp::McpTool;
use ddg_agentic::tool::Tool;
use ddg_core::prelude::*;
use serde_json::Value as Json;

/// What `tool` gives, or what it says of its failure.
pub(crate) async fn call(tool: &McpTool, arguments: Json) -> Result<String, String> {
    let (tool, failed) = (tool.clone(), Arc::new(std::sync::Mutex::new(String::new())));
    let says = Arc::clone(&failed);
    let mut automa = GraphAutoma::new("call");
    let worker = move |cx: Context| {
        let (tool, arguments, says) = (tool.clone(), arguments.clone(), Arc::clone(&says));
        async move {
            tool.call(arguments, &cx).await.map(|output| output.content).inspect_err(|error| {
                *says.lock().unwrap() = error.to_string();
            })
        }
    };
    automa.add_func_as_worker("tool", worker, start().output()).unwrap();
    automa.run(()).output::<String>().await.map_err(|_| failed.lock().unwrap().clone())
}

/// `json` with its keys in order: whether JSON keeps the order that it came in differs between builds.
pub(crate) fn sorted(json: &Json) -> Json {
    match json {
        Json::Array(items) => items.iter().map(sorted).collect(),
        Json::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().collect();
            fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        plain => plain.clone(),
    }
}

/// The tool of that name.
pub(crate) fn named<'a>(tools: &'a [McpTool], name: &str) -> &'a McpTool {
    let names: Vec<_> = tools.iter().map(|tool| &tool.spec().name).collect();
    tools
        .iter()
        .find(|tool| tool.spec().name == name)
        .unwrap_or_else(|| panic!("no tool {name} among {names:?}"))
}
