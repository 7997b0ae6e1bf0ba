//! What a model can have done.

mod approval;
mod automa;
mod error;
mod files;
mod func;
mod options;
mod output;
mod result;
mod spec;
mod state;
mod toolbox;
mod worker;

use std::sync::Arc;

use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use serde_json::Value as Json;

pub use approval::{Approval, Verdict};
pub use automa::AutomaTool;
pub use error::ToolError;
pub use files::{CallFiles, FileUse, ToolCalled, ToolEnded};
pub use func::{FuncTool, Given, blocking, output, result};
pub use options::{OnFailure, ToolOptions};
pub use output::{IntoToolOutput, ToolOutput};
pub use result::ToolResult;
pub use spec::ToolSpec;
pub(crate) use spec::parameters_of;
pub use state::{MissingState, State, States};
pub use toolbox::{Toolbox, ToolboxBuilder, ToolboxError, ToolboxFault};

/// Something that a model can have done: a function, an automa, what an MCP server offers, or a type
/// of one's own.
///
/// ```
/// use ddg_agentic::tool::{Tool, ToolOutput, ToolSpec};
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    label = "not a tool",
    note = "a function with `#[tool]` is a module that makes its tool: for `fn weather` write `weather::tool()`",
    note = "another async function becomes one by `FuncTool`, an automa by `AutomaTool`; for a type of yours implement `Tool`"
)]
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

    /// The same tool with the states of a toolbox, if it needs any; `None` if not, as unless this is
    /// overridden. A [`Toolbox`] asks for it when it is built.
    ///
    /// # Errors
    /// The toolbox has not what the tool needs.
    fn with_states(&self, states: &States) -> Result<Option<Arc<dyn Tool>>, MissingState> {
        let _ = states;
        Ok(None)
    }

    /// The automa that it is, if it is one: it is nested in the run of whoever calls it then, so that
    /// it can be watched, pauses, and is saved with that run. `None` unless this is overridden.
    fn as_automa(&self) -> Option<&AutomaTool> {
        None
    }

    /// What it has to do with files. Not for people: a tool of one's own names them in its schema, or in
    /// its arguments and results.
    #[doc(hidden)]
    fn file_use(&self) -> FileUse {
        let needs_manager = crate::files::has_files(&self.spec().parameters);
        FileUse { typed: false, needs_manager }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tool + ?Sized> Tool for Arc<T> {
    fn spec(&self) -> &ToolSpec {
        (**self).spec()
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        (**self).call(arguments, cx)
    }

    fn with_states(&self, states: &States) -> Result<Option<Arc<dyn Tool>>, MissingState> {
        (**self).with_states(states)
    }

    fn as_automa(&self) -> Option<&AutomaTool> {
        (**self).as_automa()
    }

    fn file_use(&self) -> FileUse {
        (**self).file_use()
    }
}
