//! Sources of tools that may change while an agent runs.

use std::sync::Arc;

use ddg_core::WorkerError;
use futures::future::BoxFuture;

use super::Tool;

/// The tools of a [`ToolSource`], in order.
pub type ToolList = Arc<[Arc<dyn Tool>]>;

/// A source of tools that may change while an agent runs, such as an MCP server.
///
/// [`ToolboxBuilder::source`](super::ToolboxBuilder::source) adds it to a toolbox. The source is
/// asked before each request of an agent to its model, which then sees the tools of that moment,
/// and before each call of one of its tools. A call of a tool that the source does not have any
/// more is an error for the model.
///
/// A tool is left out with a warning in the log if models could not use it (see
/// [`ToolboxFault`](super::ToolboxFault)), if another tool of the toolbox has its name, or if it is
/// an automa, which a resumed run could not find. A source that fails keeps the tools that it had
/// before.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use ddg_agentic::prelude::*;
/// use ddg_agentic::tool::{Tool, ToolList, ToolSource};
/// use futures::future::BoxFuture;
///
/// /// The weather forecast of a city.
/// #[tool]
/// async fn weather(city: String) -> String {
///     format!("sunny in {city}")
/// }
///
/// /// Tools that people switch on.
/// #[derive(Clone, Default)]
/// struct Switched(Arc<Mutex<ToolList>>);
///
/// impl Switched {
///     fn switch_on(&self, tool: impl Tool) {
///         let mut tools = self.0.lock().expect("nobody panics with it");
///         *tools = tools.iter().cloned().chain([Arc::new(tool) as Arc<dyn Tool>]).collect();
///     }
/// }
///
/// impl ToolSource for Switched {
///     fn name(&self) -> &str {
///         "switched"
///     }
///
///     fn tools(&self) -> BoxFuture<'_, Result<ToolList, WorkerError>> {
///         Box::pin(async { Ok(Arc::clone(&self.0.lock().expect("nobody panics with it"))) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let switched = Switched::default();
/// let tools = Toolbox::builder().source(switched.clone()).build()?;
/// let model = ScriptedModel::new().text("No idea.").expects_tools::<&str>([]).text("Sunny.").expects_tools(["weather"]);
/// let agent = ReActAutoma::new(model).tools(tools).build()?;
/// agent.run(args!("How is the weather?")).await?;
/// switched.switch_on(weather::tool());
/// agent.run(args!("And now?")).await?;
/// # Ok(())
/// # }
/// ```
pub trait ToolSource: Send + Sync + 'static {
    /// The name, for logs.
    fn name(&self) -> &str;

    /// The tools that there are now. Return clones of one list until something changes: the tools
    /// are then not checked again.
    ///
    /// # Errors
    /// If the source cannot tell. The error is logged.
    ///
    /// # Cancel safety
    /// The future is dropped at any `await` when a run is cancelled.
    fn tools(&self) -> BoxFuture<'_, Result<ToolList, WorkerError>>;

    /// Waits until the tools may be others than those of `since`, which is the list that
    /// [`tools`](Self::tools) has given, or an earlier one. An MCP server with the tools tells its
    /// clients of the change then. The default waits for ever: changes are found when somebody
    /// needs the tools.
    ///
    /// # Cancel safety
    /// The future is dropped at any `await`.
    fn changed<'a>(&'a self, since: &'a ToolList) -> BoxFuture<'a, ()> {
        let _never = since;
        Box::pin(std::future::pending())
    }
}

impl<T: ToolSource + ?Sized> ToolSource for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn tools(&self) -> BoxFuture<'_, Result<ToolList, WorkerError>> {
        (**self).tools()
    }

    fn changed<'a>(&'a self, since: &'a ToolList) -> BoxFuture<'a, ()> {
        (**self).changed(since)
    }
}
