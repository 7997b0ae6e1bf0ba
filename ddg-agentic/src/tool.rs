//! What a model can have done.

mod output;
mod spec;

use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use serde_json::Value as Json;

pub use output::ToolOutput;
pub use spec::ToolSpec;

/// Something that a model can have done: a function, an automa, what an MCP server offers, or a type
/// of one's own.
///
/// ```
/// use ddg_agentic::{Tool, ToolOutput, ToolSpec};
/// use ddg_core::{Context, WorkerError};
/// use futures::future::BoxFuture;
/// use serde_json::{Value as Json, json};
///
/// /// Rolls a die.
/// struct Die {
///     spec: ToolSpec,
/// }
///
/// impl Die {
///     fn new() -> Self {
///         let parameters = json!({
///             "type": "object",
///             "properties": { "sides": { "type": "integer", "minimum": 2 } },
///             "required": ["sides"],
///         });
///         Self { spec: ToolSpec::new("roll", "Rolls a die.", parameters) }
///     }
/// }
///
/// impl Tool for Die {
///     fn spec(&self) -> &ToolSpec {
///         &self.spec
///     }
///
///     fn call<'a>(
///         &'a self,
///         arguments: Json,
///         _cx: &'a Context,
///     ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
///         Box::pin(async move { Ok(format!("4 of {}", arguments["sides"]).into()) })
///     }
/// }
/// assert_eq!(Die::new().spec().name, "roll");
/// ```
pub trait Tool: Send + Sync + 'static {
    /// What the model is told of it. It stays the same.
    fn spec(&self) -> &ToolSpec;

    /// Does it, with arguments that have been checked against the schema.
    ///
    /// # Errors
    /// Whatever went wrong, in words that a model can act on. What asks a person and has no answer
    /// yet passes the error on with `?`, and the run pauses.
    ///
    /// # Cancel safety
    /// The future is dropped at any `await` when the run is cancelled or the tool times out.
    fn call<'a>(
        &'a self,
        arguments: Json,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>>;
}
