//! Tools as workers: for calls of a model, and on their own.

use ddg_core::args::Args;
use ddg_core::worker::Signature;
use ddg_core::{Context, Value, Worker, WorkerError};
use serde_json::{Map, Value as Json};

use super::{ToolOutput, ToolResult, Toolbox};
use crate::message::{ToolArguments, ToolCall};

/// A worker that makes calls of a tool.
pub(super) struct CallWorker {
    tools: Toolbox,
    tool: String,
}

/// A worker that calls a tool with arguments from any source.
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

impl ToolWorker {
    /// The only argument by position, or an object of arguments by name. Missing ones are filled
    /// from the run's inputs, as for any parameter.
    fn arguments(&self, args: &Args, cx: &Context) -> Result<ToolArguments, WorkerError> {
        let mut named = Map::new();
        for (name, value) in args.by_name() {
            named.insert(name.to_owned(), value.to_json()?);
        }
        match args.positional() {
            [] => {}
            [arguments] if named.is_empty() => {
                return Ok(match arguments.downcast_ref::<ToolArguments>() {
                    Some(arguments) => arguments.clone(),
                    None => arguments.to_json()?.into(),
                });
            }
            _ => {
                return Err(WorkerError::msg(
                    "a tool takes its arguments as one JSON object, or each of them by name",
                ));
            }
        }
        for name in self.tools.parameters_of(&self.tool) {
            if !named.contains_key(name)
                && let Some(input) = cx.input::<Value>(name)?
            {
                named.insert(name.to_owned(), input.to_json()?);
            }
        }
        Ok(Json::Object(named).into())
    }
}

impl Worker for ToolWorker {
    type Output = ToolOutput;

    async fn run(&self, args: Args, cx: &Context) -> Result<ToolOutput, WorkerError> {
        let arguments = self.arguments(&args, cx)?;
        let call = ToolCall::new("", &self.tool, arguments);
        Ok(self.tools.output(&call, cx, &mut Vec::new()).await?)
    }
}
