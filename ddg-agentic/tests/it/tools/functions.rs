//! Parameters and results of functions as tools, async and sync.

use std::thread;

use ddg_agentic::model::Usage;
use ddg_agentic::tool::ToolResult;
use ddg_agentic::tool::{State, Tool, ToolOutput};
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::{error, given};

fn toolbox(tool: impl Tool) -> Toolbox {
    Toolbox::builder().with(tool).build().unwrap()
}

/// Adds.
#[tool]
async fn add(a: i64, #[default = a_hundred()] b: i64, c: Option<i64>) -> i64 {
    a + b + c.unwrap_or_default()
}

fn a_hundred() -> i64 {
    100
}

#[tokio::test]
async fn an_argument_that_a_model_leaves_out_is_the_default() {
    let tools = toolbox(add::tool());
    assert_eq!(given(&tools, "add", json!({ "a": 1 })).await, "101");
    assert_eq!(given(&tools, "add", json!({ "a": 1, "b": 2, "c": 3 })).await, "6");
    assert_eq!(given(&tools, "add", json!({ "a": 1, "c": null })).await, "101");
    assert_eq!(add(1, 2, None).await, 3);
}

#[tokio::test]
async fn arguments_may_be_borrowed_and_the_context_taken() {
    /// Joins.
    #[tool]
    async fn join(cx: &Context, words: &[String], with: &str) -> String {
        tokio::task::yield_now().await;
        format!("{} {} {}", cx.key(), words.join(with), cx.step())
    }
    let tools = toolbox(join::tool());
    let arguments = json!({ "words": ["a", "b"], "with": "-" });
    assert_eq!(given(&tools, "join", arguments).await, "call a-b 1");
}

#[tokio::test]
async fn names_do_not_clash() {
    struct Arguments;
    /// Has parameters that are called like everything else.
    #[tool]
    async fn given(
        given: String,
        arguments: u32,
        tool: &str,
        r#type: Option<u32>,
        output: State<Arguments>,
    ) -> String {
        let Arguments = *output;
        format!("{given} {arguments} {tool} {type:?}")
    }
    let tools = Toolbox::builder().with(given::tool()).state(Arguments).build().unwrap();
    let arguments = json!({ "given": "a", "arguments": 1, "tool": "b", "type": 2 });
    assert_eq!(super::given(&tools, "given", arguments).await, "a 1 b Some(2)");
}

#[derive(Serialize)]
struct Offer {
    price: u32,
}

/// Text.
#[tool]
async fn text() -> &'static str {
    "text"
}

/// A type.
#[tool]
async fn offer() -> Offer {
    Offer { price: 80 }
}

/// Nothing.
#[tool]
async fn nothing() {}

/// With usage.
#[tool]
async fn agent() -> ToolOutput {
    ToolOutput::text("asked").usage(Usage::new(3, 4))
}

#[tokio::test]
async fn texts_are_read_as_they_are_and_other_types_as_json() {
    assert_eq!(given(&toolbox(text::tool()), "text", json!({})).await, "text");
    assert_eq!(given(&toolbox(offer::tool()), "offer", json!({})).await, r#"{"price":80}"#);
    assert_eq!(given(&toolbox(nothing::tool()), "nothing", json!(null)).await, "done");
}

#[tokio::test]
async fn the_usage_of_agents_comes_along() {
    let call = ddg_agentic::message::ToolCall::new("call_1", "agent", json!({}));
    let automa = super::caller(&toolbox(agent::tool()), "agent");
    let result: ToolResult = automa.run((call,)).output().await.unwrap();
    assert_eq!((result.message.content.as_str(), result.usage), ("asked", Usage::new(3, 4)));
}

/// Parses.
#[tool]
async fn parse(text: String) -> Result<i64, std::num::ParseIntError> {
    text.parse()
}

/// Fails with a text.
#[tool]
async fn refuse(why: String) -> Result<(), String> {
    Err(why)
}

/// Fails with what any worker fails with.
#[tool]
async fn fail() -> Result<String, WorkerError> {
    Err(WorkerError::msg("no"))
}

#[tokio::test]
async fn any_error_and_a_text_is_reported() {
    let tools = toolbox(parse::tool());
    assert_eq!(given(&tools, "parse", json!({ "text": "7" })).await, "7");
    assert_eq!(
        error(&tools, "parse", json!({ "text": "x" })).await,
        "`parse` failed: invalid digit found in string"
    );
    let tools = toolbox(refuse::tool());
    assert_eq!(
        error(&tools, "refuse", json!({ "why": "closed" })).await,
        "`refuse` failed: closed"
    );
    assert_eq!(error(&toolbox(fail::tool()), "fail", json!({})).await, "`fail` failed: no");
}

/// Tells its thread.
#[tool]
fn offloaded(cx: &Context) -> String {
    format!("{} {:?}", cx.key(), thread::current().id())
}

/// Tells its thread.
#[tool(inline)]
fn in_place() -> String {
    format!("{:?}", thread::current().id())
}

#[tokio::test]
async fn sync_functions_run_off_the_async_threads_unless_inline() {
    let here = format!("{:?}", thread::current().id());
    assert_ne!(
        given(&toolbox(offloaded::tool()), "offloaded", json!({})).await,
        format!("call {here}")
    );
    assert_eq!(given(&toolbox(in_place::tool()), "in_place", json!({})).await, here);
}
