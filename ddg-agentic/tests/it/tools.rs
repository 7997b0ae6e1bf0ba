//! Tools: their descriptions for the model, and the results of calls.

mod approval;
mod automata;
mod bad_calls;
mod functions;
mod inputs;
mod limits;
mod policies;
mod schemas;
mod sources;
mod states;
mod toolboxes;
mod workers;

use std::collections::BTreeMap;

use ddg_agentic::Toolbox;
use ddg_agentic::message::{ToolCall, ToolMessage};
use ddg_agentic::tool::ToolResult;
use ddg_core::prelude::*;
use serde_json::Value as Json;

/// JSON as it is written whether or not objects keep the order of their entries.
fn written(json: Json) -> String {
    serde_json::to_string_pretty(&sorted(json)).unwrap()
}

fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let map: BTreeMap<_, _> =
                map.into_iter().map(|(key, json)| (key, sorted(json))).collect();
            map.into_iter().collect()
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

/// An automa of one worker, which makes calls of `tool`.
fn caller(tools: &Toolbox, tool: &str) -> GraphAutoma {
    let mut automa = GraphAutoma::new("agent");
    automa.add_worker("call", tools.call_worker(tool), start().output()).unwrap();
    tools.register_in(&mut automa).unwrap();
    automa
}

/// The message to the model after the call `tool(arguments)`.
async fn told(tools: &Toolbox, tool: &str, arguments: Json) -> ToolMessage {
    let call = ToolCall::new("call_1", tool, arguments);
    caller(tools, tool).run((call,)).output::<ToolResult>().await.unwrap().message
}

/// The text that a model reads of a call that goes well.
async fn given(tools: &Toolbox, tool: &str, arguments: Json) -> String {
    let message = told(tools, tool, arguments).await;
    assert!(!message.is_error, "{}", message.content);
    message.content
}

/// The text that a model reads of a call that does not.
async fn error(tools: &Toolbox, tool: &str, arguments: Json) -> String {
    let message = told(tools, tool, arguments).await;
    assert!(message.is_error, "{}", message.content);
    message.content
}
