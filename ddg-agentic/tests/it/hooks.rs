//! Hooks: what each may decide, and that none can be got around.

mod around;
mod asking;
mod begun;
mod decisions;
mod resumed;

use std::sync::{Arc, Mutex};

use ddg_agentic::hook::{
    AfterModel, AfterTool, BeforeModel, BeforeTool, Hook, HookRun, OnAnswer, OnInput, ToolUse,
};
use ddg_agentic::message::ToolMessage;
use ddg_agentic::prelude::*;
use serde_json::json;

/// The payments that were made.
#[derive(Clone, Default)]
pub(crate) struct Paid(Arc<Mutex<Vec<u64>>>);

impl Paid {
    pub(crate) fn all(&self) -> Vec<u64> {
        let mut all = self.0.lock().unwrap().clone();
        all.sort_unstable();
        all
    }
}

/// Pays.
#[tool]
pub(crate) async fn pay(euros: u64, paid: State<Paid>) -> String {
    paid.0.0.lock().unwrap().push(euros);
    format!("paid {euros}")
}

pub(crate) fn paying(id: &str, euros: u64) -> ToolCall {
    ToolCall::new(id, "pay", json!({ "euros": euros }))
}

pub(crate) fn bank(paid: &Paid) -> Toolbox {
    let options = ToolOptions::new().category("money");
    Toolbox::builder().with_options(pay::tool(), options).state(paid.clone()).build().unwrap()
}

/// A hook of one method each, given as a function.
#[derive(Default)]
pub(crate) struct Guard {
    pub(crate) name: &'static str,
    pub(crate) passes_pieces: bool,
    pub(crate) input: Option<fn(&Message) -> OnInput>,
    pub(crate) before: Option<fn(&ChatRequest) -> BeforeModel>,
    pub(crate) after: Option<fn(&ChatReply) -> AfterModel>,
    pub(crate) tool: Option<fn(&ToolUse) -> BeforeTool>,
    pub(crate) result: Option<fn(&ToolMessage) -> AfterTool>,
    pub(crate) answer: Option<fn(&str) -> OnAnswer>,
}

impl Hook for Guard {
    fn name(&self) -> &str {
        self.name
    }

    fn passes_pieces(&self) -> bool {
        self.passes_pieces
    }

    async fn on_input(&self, message: &Message, _: &HookRun) -> Result<OnInput, WorkerError> {
        Ok(self.input.map_or(OnInput::Go, |decide| decide(message)))
    }

    async fn before_model(
        &self,
        request: &ChatRequest,
        _: &HookRun,
    ) -> Result<BeforeModel, WorkerError> {
        Ok(self.before.map_or(BeforeModel::Go, |decide| decide(request)))
    }

    async fn after_model(&self, reply: &ChatReply, _: &HookRun) -> Result<AfterModel, WorkerError> {
        Ok(self.after.map_or(AfterModel::Go, |decide| decide(reply)))
    }

    async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        Ok(self.tool.map_or(BeforeTool::Go, |decide| decide(call)))
    }

    async fn after_tool(
        &self,
        _: &ToolUse,
        result: &ToolMessage,
        _: &HookRun,
    ) -> Result<AfterTool, WorkerError> {
        Ok(self.result.map_or(AfterTool::Go, |decide| decide(result)))
    }

    async fn on_answer(&self, answer: &str, _: &HookRun) -> Result<OnAnswer, WorkerError> {
        Ok(self.answer.map_or(OnAnswer::Go, |decide| decide(answer)))
    }
}

/// Refuses payments of more than 100 euros.
pub(crate) fn at_most_100() -> Guard {
    let tool = |call: &ToolUse| match call.arguments["euros"].as_u64() {
        Some(101..) => BeforeTool::refuse("at most 100 euros"),
        _ => BeforeTool::Go,
    };
    Guard { name: "at_most_100", tool: Some(tool), ..Guard::default() }
}

/// Stops the run at payments of more than 100 euros.
pub(crate) fn stops_above_100() -> Guard {
    let tool = |call: &ToolUse| match call.arguments["euros"].as_u64() {
        Some(101..) => BeforeTool::stop("too_much", "more than 100 euros"),
        _ => BeforeTool::Go,
    };
    Guard { name: "stops_above_100", tool: Some(tool), ..Guard::default() }
}
