//! Tools as workers: for calls of a model, and on their own.

use ddg_core::args::Args;
use ddg_core::worker::Signature;
use ddg_core::{Context, Worker, WorkerError};
use serde_json::{Map, Value as Json};

use super::{ToolOutput, ToolResult, Toolbox};
use crate::message::ToolCall;

/// Makes calls of a tool.
pub(super) struct CallWorker {
    tools: Toolbox,
    tool: String,
}

/// A tool with its arguments, whoever gives them.
pub(super) struct ToolWorker {
    tools: Toolbox,
    tool: String,
}

impl CallWorker {
    pub(super) fn new(tools: Toolbox, tool: &str) -> Self {
        Self { tools, tool: tool.to_owned() }
    }

    pub(super) fn tool(&self) -> &str {
        &self.tool
    }
}

impl Worker for CallWorker {
    type Output = ToolResult;

    fn signature(&self) -> Signature {
        Signature::new().param::<ToolCall>("call")
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<ToolResult, WorkerError> {
        self.tools.call(&args.get::<ToolCall>(0)?, cx).await
    }
}

impl ToolWorker {
    pub(super) fn new(tools: Toolbox, tool: &str) -> Self {
        Self { tools, tool: tool.to_owned() }
    }

    pub(super) fn tool(&self) -> &str {
        &self.tool
    }
}

impl Worker for ToolWorker {
    type Output = ToolOutput;

    async fn run(&self, args: Args, cx: &Context) -> Result<ToolOutput, WorkerError> {
        let call = ToolCall::new("", &self.tool, arguments(&args)?);
        Ok(self.tools.output(&call, cx, &mut Vec::new()).await?)
    }
}

/// The one argument by position, or an object of those by name.
fn arguments(args: &Args) -> Result<Json, WorkerError> {
    let named = || args.by_name().map(|(name, value)| Ok((name.to_owned(), value.to_json()?)));
    match args.positional() {
        [] => named().collect::<Result<Map<_, _>, WorkerError>>().map(Json::Object),
        [arguments] if named().next().is_none() => Ok(arguments.to_json()?),
        _ => Err(WorkerError::msg(
            "a tool takes its arguments as one JSON object, or each of them by name",
        )),
    }
}
