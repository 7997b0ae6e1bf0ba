//! The ReAct loop: its messages, its calls of tools, and its outcome.

mod drawn;
mod endings;
mod ends;
mod grows;
mod kept_inside;
mod limits;
mod memory;
mod nested;
mod saved;
mod scripts;
mod views;
mod watched;

use ddg_agentic::message::Messages;
use ddg_agentic::prelude::*;
use serde_json::json;

/// Adds two numbers.
#[tool]
pub(crate) async fn add(
    /// One.
    a: i64,
    /// The other.
    b: i64,
) -> i64 {
    a + b
}

/// Fails, whatever it is told.
#[tool]
pub(crate) async fn broken(
    /// Why.
    why: String,
) -> Result<String, WorkerError> {
    Err(WorkerError::msg(why))
}

pub(crate) fn adding(id: &str, a: i64, b: i64) -> ToolCall {
    ToolCall::new(id, "add", json!({ "a": a, "b": b }))
}

pub(crate) fn tools() -> Toolbox {
    Toolbox::builder().with(add::tool()).with(broken::tool()).build().unwrap()
}

/// A transcript, a line each.
pub(crate) fn lines(messages: &Messages) -> String {
    let line = |message: &Message| match message {
        Message::System { text } => format!("system: {text}"),
        Message::User { .. } => format!("user: {}", message.text()),
        Message::Assistant(said) => {
            let calls = said.tool_calls.iter().map(|call| format!("{}#{}", call.name, call.id));
            let calls: Vec<_> = calls.collect();
            match calls[..] {
                [] => format!("model: {}", said.text),
                _ => format!("model: {}[{}]", said.text, calls.join(", ")),
            }
        }
        Message::Tool(result) => {
            let kind = if result.is_error { "error" } else { "result" };
            format!("{kind} of {}#{}: {}", result.name, result.call_id, result.content)
        }
        other => panic!("{other:?}"),
    };
    messages.iter().map(line).collect::<Vec<_>>().join("\n")
}
