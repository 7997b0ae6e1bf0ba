//! Tools: functions, automata and services that a model can call.

mod approval;
mod automa;
mod error;
mod files;
mod func;
mod input;
mod options;
mod output;
mod result;
mod run;
mod run_tools;
mod source;
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
pub use input::{InputError, ToolInput};
pub use options::{OnFailure, ToolOptions};
pub use output::{IntoToolOutput, ToolOutput};
pub use result::ToolResult;
pub use run::ToolRun;
pub use run_tools::RunTools;
pub use source::{ToolList, ToolSource};
pub use spec::ToolSpec;
pub(crate) use spec::parameters_of;
pub use state::{MissingState, State, States};
pub use toolbox::{Toolbox, ToolboxBuilder, ToolboxError, ToolboxFault};

/// Something that a model can call: a function, an automa, a tool of an MCP server, or an own type.
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
    /// The description for the model. It must not change.
    fn spec(&self) -> &ToolSpec;

    /// Calls the tool with arguments that have been checked against the schema.
    ///
    /// # Errors
    /// Any error, in words that a model can act on. A tool that asks a person and has no answer yet
    /// passes the error on with `?`, and the run pauses.
    ///
    /// # Cancel safety
    /// The future is dropped at any `await` when the run is cancelled or the tool times out.
    fn call<'a>(
        &'a self,
        arguments: Json,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>>;

    /// Instructions for the model on how to use the tool, besides its description. A run of an
    /// assistant asks once for those of each of its tools, and adds them to its own. Equal texts
    /// are added once. Defaults to `None`.
    fn instructions(&self, run: &ToolRun) -> Option<String> {
        let _ = run;
        None
    }

    /// The same tool with the states of a toolbox, if it needs any. Defaults to `None`. A
    /// [`Toolbox`] calls this when it is built.
    ///
    /// # Errors
    /// If the toolbox does not have the state that the tool needs.
    fn with_states(&self, states: &States) -> Result<Option<Arc<dyn Tool>>, MissingState> {
        let _ = states;
        Ok(None)
    }

    /// The inputs of a run that the tool reads. An agent declares and checks them. Defaults to
    /// none.
    fn inputs(&self) -> &[ToolInput] {
        &[]
    }

    /// The automa, if the tool is one. It is then nested in the run of its caller, so that it
    /// publishes events there, pauses with it, and is saved with it. Defaults to `None`.
    fn as_automa(&self) -> Option<&AutomaTool> {
        None
    }

    /// The tool's use of files. Not part of the public API: an own tool names files in its schema,
    /// or in its arguments and results.
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

    fn instructions(&self, run: &ToolRun) -> Option<String> {
        (**self).instructions(run)
    }

    fn with_states(&self, states: &States) -> Result<Option<Arc<dyn Tool>>, MissingState> {
        (**self).with_states(states)
    }

    fn inputs(&self) -> &[ToolInput] {
        (**self).inputs()
    }

    fn as_automa(&self) -> Option<&AutomaTool> {
        (**self).as_automa()
    }

    fn file_use(&self) -> FileUse {
        (**self).file_use()
    }
}
