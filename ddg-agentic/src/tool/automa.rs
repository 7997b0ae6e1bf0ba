//! An automa as a tool.

mod call;

use std::sync::Arc;

use ddg_core::args::{Args, IntoArgs};
use ddg_core::graph::BuildError;
use ddg_core::{Context, Data, GraphAutoma, RunError, Value, WorkerError};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde_json::Value as Json;
use tracing::Span;

pub(super) use call::call_automa;

use super::spec::parameters_of;
use super::{FileUse, MissingState, States, Tool, ToolError, ToolInput, ToolOutput, ToolSpec};
use crate::files::{FileManager, has_files, reading, with_records};
use crate::scope::Scope;

/// An automa as a tool: it runs with the arguments of the model, and the model reads its output.
///
/// In an agent it runs as a nested automa: it publishes events there, its questions pause the
/// agent's run, and it is saved with that run.
///
/// ```
/// use ddg_agentic::schemars::{self, JsonSchema};
/// use ddg_agentic::Toolbox;
/// use ddg_agentic::message::ToolCall;
/// use ddg_agentic::tool::{AutomaTool, ToolResult};
/// use ddg_core::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
///
/// #[derive(Clone, Serialize, Deserialize, JsonSchema)]
/// struct Stay {
///     /// The city, in English.
///     city: String,
///     nights: u32,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut hotel = GraphAutoma::new("hotel");
/// hotel.add_func_as_worker("price", async |nights: u32| nights * 80, start().params(["nights"]))?;
/// hotel.add_func_as_worker(
///     "offer",
///     async |price: u32, city: String| format!("{price} euros in {city}"),
///     after(["price"]).params(["price", "city"]).output(),
/// )?;
/// let hotel = AutomaTool::new::<Stay>("hotel", "What a stay at a hotel costs.", hotel);
/// let tools = Toolbox::builder().with(hotel).build()?;
///
/// let mut agent = GraphAutoma::new("agent");
/// agent.add_worker("call", tools.call_worker("hotel"), start().output())?;
/// let call = ToolCall::new("call_1", "hotel", json!({ "city": "Tokyo", "nights": 3 }));
/// let result: ToolResult = agent.run((call,)).output().await?;
/// assert_eq!(result.message.content, "240 euros in Tokyo");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AutomaTool {
    spec: ToolSpec,
    automa: GraphAutoma,
    read: Arc<Read>,
    write: Arc<Write>,
    explain: Option<Arc<Explain>>,
    /// The file manager that resolves ids of files in the arguments.
    files: Option<FileManager>,
    /// Creates the same agent with a file manager, if the automa is an agent without one.
    rebuild: Option<Arc<Rebuild>>,
    needs_manager: bool,
    /// The inputs that the tools of an agent read.
    inputs: Vec<ToolInput>,
}

/// Creates the same agent with a file manager.
type Rebuild = dyn Fn(&FileManager) -> Result<AutomaTool, BuildError> + Send + Sync;

/// Converts the arguments of the model into those of the run.
type Read = dyn Fn(Json) -> Result<Args, serde_json::Error> + Send + Sync;

/// Converts the output of the run into text for the model.
type Write = dyn Fn(&Value) -> Result<ToolOutput, WorkerError> + Send + Sync;

/// Converts an error of the run into text for the model, with the usage until then.
type Explain = dyn Fn(&RunError) -> Option<ToolOutput> + Send + Sync;

impl AutomaTool {
    /// Creates the tool `name`, which passes each field of an `Input` to the automa as a run input
    /// of that name.
    ///
    /// For a [`TypedAutoma`](ddg_core::TypedAutoma), pass its
    /// [graph](ddg_core::TypedAutoma::into_graph).
    pub fn new<Input: Data + JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
        mut automa: GraphAutoma,
    ) -> Self {
        let parameters = parameters_of::<Input>();
        for (name, _) in parameters["properties"].as_object().into_iter().flatten() {
            automa.declare_input(name);
        }
        Self::with(name, description, parameters, automa, |json| {
            let input = Input::deserialize(json)?;
            Ok(with_records(|| serde_json::to_value(input))?.into_args())
        })
    }

    /// Creates the tool `name`, which passes an `Input` to the start workers of the automa as their
    /// only argument.
    pub fn of_one<Input: Data + JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
        automa: GraphAutoma,
    ) -> Self {
        Self::with(name, description, parameters_of::<Input>(), automa, |json| {
            let input = Input::deserialize(json)?;
            Ok((input,).into_args())
        })
    }

    fn with(
        name: impl Into<String>,
        description: impl Into<String>,
        parameters: Json,
        automa: GraphAutoma,
        read: impl Fn(Json) -> Result<Args, serde_json::Error> + Send + Sync + 'static,
    ) -> Self {
        let needs_manager = has_files(&parameters);
        Self {
            spec: ToolSpec::new(name, description, parameters),
            automa,
            read: Arc::new(read),
            write: Arc::new(as_json),
            explain: None,
            files: None,
            rebuild: None,
            needs_manager,
            inputs: Vec::new(),
        }
    }

    /// Sets the inputs that the tools of an agent read.
    pub(crate) fn reading(mut self, inputs: Vec<ToolInput>) -> Self {
        self.inputs = inputs;
        self
    }

    /// Sets how the tool is created with another file manager, and whether it needs one.
    pub(crate) fn rebuilt(
        mut self,
        needs_manager: bool,
        rebuild: impl Fn(&FileManager) -> Result<Self, BuildError> + Send + Sync + 'static,
    ) -> Self {
        self.needs_manager |= needs_manager;
        self.rebuild = Some(Arc::new(rebuild));
        self
    }

    /// Sets the text for the model and the usage of models, from the automa's output. The default
    /// is the text of a string, or the output as JSON.
    #[must_use]
    pub fn output<T: Data>(
        mut self,
        write: impl Fn(T) -> ToolOutput + Send + Sync + 'static,
    ) -> Self {
        self.write = Arc::new(move |output| Ok(write(output.get::<T>()?)));
        self
    }

    /// Sets the text for the model of errors that carry more than their message.
    pub(crate) fn failure(
        mut self,
        explain: impl Fn(&RunError) -> Option<ToolOutput> + Send + Sync + 'static,
    ) -> Self {
        self.explain = Some(Arc::new(explain));
        self
    }

    /// The text for the model of an error of the automa, and the usage until then.
    fn told(&self, error: &WorkerError) -> ToolOutput {
        let of_run = self.explain.as_ref().zip(error.downcast_ref());
        match of_run.and_then(|(explain, error)| explain(error)) {
            Some(mut output) => {
                let why = WorkerError::msg(output.content);
                output.content = ToolError::told(&self.spec.name, &why);
                output
            }
            None => ToolOutput::text(ToolError::told(&self.spec.name, error)),
        }
    }

    /// The arguments of the run.
    fn arguments(&self, arguments: Json) -> Result<Args, ToolError> {
        let read = || (self.read)(arguments);
        reading(self.files.as_ref(), read)
            .map_err(|error| ToolError::unreadable(&self.spec.name, &error))
    }

    /// The automa.
    pub fn automa(&self) -> &GraphAutoma {
        &self.automa
    }
}

impl Tool for AutomaTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    /// Runs the automa on its own, inside the run of the caller as far as hooks are concerned.
    fn call<'a>(
        &'a self,
        arguments: Json,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async move {
            let scope = Scope::of(cx).map(|scope| scope.of_begun(Span::current()));
            let args = self.arguments(arguments)?;
            let run = scope.unwrap_or_default().in_scope(|| self.automa.run(args));
            let outcome = run.outcome().await?;
            (self.write)(&outcome.into_output()?)
        })
    }

    fn inputs(&self) -> &[ToolInput] {
        &self.inputs
    }

    fn as_automa(&self) -> Option<&AutomaTool> {
        Some(self)
    }

    fn with_states(&self, states: &States) -> Result<Option<Arc<dyn Tool>>, MissingState> {
        let Some(files) = states.files() else { return Ok(None) };
        let rebuilt = self.rebuild.as_ref().map(|rebuild| rebuild(&files)).transpose();
        let mut tool = rebuilt.unwrap_or_else(|error| {
            // It was built before with the same settings, so this is not expected.
            tracing::warn!(%error, "an agent among the tools keeps its own files");
            None
        });
        let tool = tool.take().unwrap_or_else(|| self.clone());
        Ok(Some(Arc::new(Self { files: Some(files), ..tool })))
    }

    fn file_use(&self) -> FileUse {
        FileUse { typed: false, needs_manager: self.needs_manager }
    }
}

fn as_json(output: &Value) -> Result<ToolOutput, WorkerError> {
    match output.downcast_ref::<ToolOutput>() {
        Some(output) => Ok(output.clone()),
        None => Ok(ToolOutput::of_json(output.to_json()?)),
    }
}
