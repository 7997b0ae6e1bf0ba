//! An automa as a tool.

mod call;

use std::sync::Arc;

use ddg_core::{Args, Context, Data, GraphAutoma, IntoArgs, Value, WorkerError};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde_json::Value as Json;

pub(super) use call::call_automa;

use super::spec::parameters_of;
use super::{Tool, ToolError, ToolOutput, ToolSpec};

/// An automa as a tool: it runs with what a model gives as arguments, and what it gives the model
/// reads.
///
/// In an agent it runs as a nested automa: it is seen and watched there, its questions pause the
/// agent's run, and it is saved with it.
///
/// ```
/// use ddg_agentic::schemars::{self, JsonSchema};
/// use ddg_agentic::{AutomaTool, ToolCall, ToolResult, Toolbox};
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
}

/// With what the automa is run.
type Read = dyn Fn(Json) -> Result<Args, serde_json::Error> + Send + Sync;

/// What the model reads of an output.
type Write = dyn Fn(&Value) -> Result<ToolOutput, WorkerError> + Send + Sync;

impl AutomaTool {
    /// The tool `name`, which gives each field of an `Input` to the automa by its name, as an input of
    /// the run.
    ///
    /// Of a [`TypedAutoma`](ddg_core::TypedAutoma) give the
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
            let input: Input = serde_json::from_value(json)?;
            Ok(serde_json::to_value(input)?.into_args())
        })
    }

    /// The tool `name`, which gives an `Input` to the start workers of the automa, as their one
    /// argument.
    pub fn of_one<Input: Data + JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
        automa: GraphAutoma,
    ) -> Self {
        Self::with(name, description, parameters_of::<Input>(), automa, |json| {
            let input: Input = serde_json::from_value(json)?;
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
        let spec = ToolSpec::new(name, description, parameters);
        Self { spec, automa, read: Arc::new(read), write: Arc::new(as_json) }
    }

    /// Sets what the model reads of the automa's output, and what that took of models: the text of a
    /// string or else the output as JSON, unless this is set.
    #[must_use]
    pub fn output<T: Data>(
        mut self,
        write: impl Fn(T) -> ToolOutput + Send + Sync + 'static,
    ) -> Self {
        self.write = Arc::new(move |output| Ok(write(output.get::<T>()?)));
        self
    }

    /// With what the automa is run.
    fn arguments(&self, arguments: Json) -> Result<Args, ToolError> {
        (self.read)(arguments).map_err(|error| ToolError::unreadable(&self.spec.name, &error))
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

    /// Runs the automa on its own.
    fn call<'a>(
        &'a self,
        arguments: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async move {
            let outcome = self.automa.run(self.arguments(arguments)?).outcome().await?;
            (self.write)(&outcome.into_output()?)
        })
    }

    fn as_automa(&self) -> Option<&AutomaTool> {
        Some(self)
    }
}

fn as_json(output: &Value) -> Result<ToolOutput, WorkerError> {
    match output.downcast_ref::<ToolOutput>() {
        Some(output) => Ok(output.clone()),
        None => Ok(ToolOutput::of_json(output.to_json()?)),
    }
}
