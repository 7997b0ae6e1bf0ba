//! Toolboxes: the tools of an agent.

mod builder;
mod entry;
mod error;
mod files;
mod gate;
mod sourced;
mod subset;

use std::fmt;
use std::sync::Arc;

use ddg_core::graph::BuildError;
use ddg_core::worker::AnyWorker;
use ddg_core::{Context, GraphAutoma, WorkerError, free};
use indexmap::IndexMap;

pub use builder::ToolboxBuilder;
pub(super) use entry::{Admission, Admitted, Entry};
pub use error::{ToolboxError, ToolboxFault};
use sourced::{Entries, Pick, Source};

use super::error::Halt;
use super::run_tools::Registered;
use super::worker::{CallWorker, ToolWorker};
use super::{
    States, ToolError, ToolInput, ToolList, ToolOptions, ToolOutput, ToolResult, ToolRun, ToolSpec,
};
use crate::files::File;
use crate::message::ToolCall;
use crate::message::cut;

/// Tools in an order, with the options of each. Cheap to clone.
///
/// All calls go through a toolbox ([`call`](Self::call), or its workers): it checks arguments, asks
/// people for approval, and turns errors into messages that a model can react to.
///
/// ```
/// use ddg_agentic::{Toolbox, tool};
/// use ddg_agentic::message::ToolCall;
/// use ddg_agentic::tool::ToolResult;
/// use ddg_core::prelude::*;
/// use serde_json::json;
///
/// /// Tells the weather of the next days.
/// #[tool]
/// async fn weather(
///     /// The city, in English.
///     city: String,
///     #[default = 3] days: u32,
/// ) -> String {
///     format!("sunny in {city} for {days} days")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tools = Toolbox::builder().with(weather::tool()).build()?;
///
/// let mut automa = GraphAutoma::new("one call");
/// let options = start().output();
/// automa.add_worker("call", tools.call_worker("weather"), options)?;
///
/// let call = ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }));
/// let result: ToolResult = automa.run((call,)).output().await?;
/// assert_eq!(result.message.content, "sunny in Tokyo for 3 days");
///
/// let call = ToolCall::new("call_2", "weather", json!({ "town": "Tokyo" }));
/// let result: ToolResult = automa.run((call,)).output().await?;
/// assert!(result.message.is_error);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Toolbox(Arc<Tools>);

#[derive(Default)]
struct Tools {
    offered: IndexMap<String, Offered>,
    specs: Arc<[ToolSpec]>,
    states: States,
    sources: Vec<Arc<Source>>,
    /// The choices among the tools of the sources.
    picks: Vec<Pick>,
    /// The tools that the sources had when they were asked.
    sourced: Entries,
    /// Whether the sources were asked.
    is_asked: bool,
    /// What each source answered, once asked; `None` if it never did.
    lists: Vec<Option<ToolList>>,
}

/// A tool and, if it is an automa, the automa in which it is called.
#[derive(Clone)]
struct Offered {
    entry: Arc<Entry>,
    automa: Option<AnyWorker>,
}

/// The name under which snapshots resolve tool calls.
const CALL: &str = "tool_call";

/// The name under which snapshots resolve tools.
const TOOL: &str = "tool";

impl Toolbox {
    /// Creates an empty builder.
    pub fn builder() -> ToolboxBuilder {
        ToolboxBuilder::default()
    }

    /// The descriptions of the tools for a model, in order. Tools of a
    /// [source](super::ToolSource) are among them after [`now`](Self::now), here and in all methods
    /// that are not async; calls find them always.
    pub fn specs(&self) -> Arc<[ToolSpec]> {
        Arc::clone(&self.0.specs)
    }

    /// Whether the tool `name` exists.
    pub fn contains(&self, name: &str) -> bool {
        self.0.offered.contains_key(name) || self.0.sourced.contains_key(name)
    }

    /// The names of the tools, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.offered.keys().chain(self.0.sourced.keys()).map(String::as_str)
    }

    /// The instructions of the tool `name` for a run, besides its description.
    pub fn instructions(&self, name: &str, run: &ToolRun) -> Option<String> {
        self.entry(name)?.tool.instructions(run)
    }

    /// The inputs of a run that the tools read, in the order of the tools.
    pub fn inputs(&self) -> impl Iterator<Item = &ToolInput> {
        let own = self.0.offered.values().map(|offered| &offered.entry);
        own.chain(self.0.sourced.values()).flat_map(|entry| entry.tool.inputs())
    }

    /// Makes a tool call of a model, in the worker of `cx`.
    ///
    /// Make one call per execution of a worker, because the worker runs again from the top after a
    /// person has answered. An automa that is a tool runs on its own here and cannot ask people;
    /// [`call_worker`](Self::call_worker) nests it.
    ///
    /// # Errors
    /// If a person is asked: pass the error on, and the run pauses. Also if the tool fails and its
    /// options say that the run fails. All other errors are in the result, for the model.
    ///
    /// # Cancel safety
    /// Dropping the future drops that of the tool, and frees its place among the concurrent calls.
    pub async fn call(&self, call: &ToolCall, cx: &Context) -> Result<ToolResult, WorkerError> {
        let entry = match self.found(&call.name).await {
            Ok(entry) => entry,
            Err(error) => {
                let told = cut(error.to_string(), ToolOptions::MAX_OUTPUT_BYTES);
                return Ok(ToolResult::error(call, told));
            }
        };
        let mut input = Vec::new();
        let mut result = match entry.output(call, cx, &mut input).await {
            Ok(output) => ToolResult::new(call, output),
            Err(Halt::Tell(error)) => {
                ToolResult::error(call, cut(error.to_string(), entry.options.max_output_bytes))
            }
            Err(Halt::Fail(error)) => return Err(error),
        };
        result.files.input = input;
        if let Some(finder) = &entry.finder {
            finder.say_ended(call, result.message.is_error, &result.files.output, cx);
        }
        Ok(result)
    }

    /// A worker that makes calls of the tool `name`, as [`call`](Self::call) does: it takes a
    /// [`ToolCall`] and gives a [`ToolResult`]. If the tool does not exist, the result says so.
    ///
    /// Add it under any key, and ferry to it: `cx.ferry_to(key, (call,))`. For an automa that is a
    /// tool the worker is an automa with that one nested in it.
    pub fn call_worker(&self, name: &str) -> AnyWorker {
        match self.0.offered.get(name) {
            Some(Offered { automa: Some(automa), .. }) => automa.clone(),
            _ => AnyWorker::new(CallWorker::new(self.clone(), name)),
        }
    }

    /// The tool `name` as a worker of any automa. It takes the arguments as one JSON object, or
    /// each by name, with missing ones from the run's inputs, and returns a [`ToolOutput`]. Checks,
    /// approval and retries are as for a model, but errors fail the worker.
    ///
    /// # Errors
    /// If the tool does not exist.
    pub fn worker(&self, name: &str) -> Result<AnyWorker, ToolError> {
        self.unknown(name).map_or(Ok(()), Err)?;
        Ok(AnyWorker::new(ToolWorker::new(self.clone(), name)))
    }

    /// The names of the arguments of a tool.
    pub(super) fn parameters_of(&self, name: &str) -> impl Iterator<Item = &str> {
        let properties =
            self.entry(name).and_then(|entry| entry.spec.parameters["properties"].as_object());
        properties.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Lets snapshots of runs of `automa` find the workers of this toolbox again, by the names of
    /// their tools, and [tools that are values](super::RunTools), too. An automa can have one
    /// toolbox so; one that is nested in it can have another.
    ///
    /// # Errors
    /// If the names `tool`, `tool_call` or `tool_call:` with the name of a tool are taken.
    pub fn register_in(&self, automa: &mut GraphAutoma) -> Result<(), BuildError> {
        let tools = self.clone();
        automa.register_worker_with(
            CALL,
            |worker: &CallWorker| worker.tool().to_owned(),
            move |name: String| CallWorker::new(tools.clone(), &name),
        )?;
        let tools = self.clone();
        automa.register_worker_with(
            TOOL,
            |worker: &ToolWorker| worker.tool().to_owned(),
            move |name: String| ToolWorker::new(tools.clone(), &name),
        )?;
        let tools = self.clone();
        automa.attach(move |_| Registered(tools.clone()));
        for (name, offered) in &self.0.offered {
            if let Some(call) = &offered.automa {
                automa.declare_worker(format!("{CALL}:{name}"), call.clone(), free())?;
            }
        }
        Ok(())
    }

    /// Calls the tool. The files that the call names are put into `input` first.
    pub(super) async fn output(
        &self,
        call: &ToolCall,
        cx: &Context,
        input: &mut Vec<File>,
    ) -> Result<ToolOutput, Halt> {
        self.found(&call.name).await?.output(call, cx, input).await
    }

    /// The error that there is no tool `name`; `None` if there is, or a source that was not asked
    /// may have it.
    pub(crate) fn unknown(&self, name: &str) -> Option<ToolError> {
        let is_known = self.contains(name) || !self.0.is_asked && self.may_have(name);
        let known = || self.names().map(str::to_owned).collect();
        (!is_known).then(|| ToolError::unknown(name, known()))
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let own = self.0.offered.get(name).map(|offered| &offered.entry);
        own.or_else(|| self.0.sourced.get(name)).map(|entry| &**entry)
    }
}

impl Tools {
    /// The same tools with the same sources.
    fn shared(&self) -> Self {
        Self {
            offered: self.offered.clone(),
            specs: Arc::clone(&self.specs),
            states: self.states.clone(),
            sources: self.sources.clone(),
            picks: self.picks.clone(),
            sourced: self.sourced.clone(),
            is_asked: self.is_asked,
            lists: self.lists.clone(),
        }
    }
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Toolbox")?;
        let sources = self.0.sources.iter().map(|source| format!("those of {}", source.name()));
        f.debug_list().entries(self.names()).entries(sources).finish()
    }
}
