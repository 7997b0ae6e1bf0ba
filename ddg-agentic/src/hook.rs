//! Hooks: decide about what an agent is about to do, and change or stop it.

mod approve;
mod decision;
mod dynamic;
mod event;
mod moment;
mod redact;
mod stop;
mod tool_use;

pub use approve::Approve;
pub use decision::{AfterModel, AfterTool, BeforeModel, BeforeTool, OnAnswer, OnInput};
pub(crate) use dynamic::{Decides, DynHook};
pub use event::{Decision, HookEvent};
pub use moment::HookRun;
pub use redact::Redact;
pub use stop::HookStop;
pub use tool_use::ToolUse;

use std::future::Future;

use ddg_core::WorkerError;

use crate::message::{Message, ToolMessage};
use crate::model::{ChatReply, ChatRequest};

/// Decides about what an agent is about to do: guardrails, redaction, approval, tool choice.
/// Implement the methods that you need, and add the hook with
/// [`ReActAutoma::hook`](crate::ReActAutoma::hook).
///
/// | method | is called | may |
/// | --- | --- | --- |
/// | [`on_input`](Self::on_input) | for each new message of a person, before the model sees it | change, stop |
/// | [`before_model`](Self::before_model) | before each request to the model | change, reply instead, stop |
/// | [`after_model`](Self::after_model) | after each reply of the model | change, refuse, stop |
/// | [`before_tool`](Self::before_tool) | before each tool call, with checked arguments | change, refuse, ask a person, give a result instead, stop |
/// | [`after_tool`](Self::after_tool) | after each tool call, also a failed one | change, refuse, stop |
/// | [`on_answer`](Self::on_answer) | for the text with which the run ends | change, refuse, stop |
///
/// To refuse is to tell the model why, so that it can do something else. To stop is to end the run
/// with [`AgentEnd::StoppedByHook`](crate::react::AgentEnd::StoppedByHook).
///
/// # What a hook covers
///
/// A hook holds for everything inside the runs of its agent: each of several concurrent calls,
/// tools of MCP servers, automata and agents among the tools, child agents, agents that the
/// conversation is handed over to, and runs that are resumed. What an agent inside it adds are its
/// own hooks: they come first, in the order in which they were added, and the hooks of the agent
/// around it come after them. So the agent around has the last word. A hook that would be called
/// twice, because an agent has a child of its own kind, is called once.
///
/// A run that a tool begins by itself, with `agent.run(..)` in its body, is inside, too, and so are
/// the runs that workers of an automa among the tools begin. It is not if it is created in a task
/// that the tool has spawned, because the task knows nothing of the tool: enter
/// [`RunScope::current`](ddg_core::run::RunScope::current) there. A run that a hook begins is not
/// inside; its hook would decide about itself.
///
/// [`before_model`](Self::before_model) and [`after_model`](Self::after_model) also decide about
/// requests of a [`ModelWorker`](crate::model::ModelWorker) or
/// [`ToolSelector`](crate::model::ToolSelector) in an automa among the tools, and about requests
/// that summarise the conversation. A hook cannot give those other tools or another tool choice. If
/// it refuses or replies itself, the worker fails, or there is no summary.
///
/// # Failure
///
/// A hook that fails or panics stops the run, with the name `hook_failed`: a guard that cannot
/// decide lets nothing pass. To watch without a part in it, use an
/// [`Observer`](crate::observe::Observer).
///
/// # Runs that are resumed
///
/// A tool call that waits for a person, or whose tool does, is not decided about again when the run
/// is resumed: the decisions are saved with the run. A call that was interrupted by the end of its
/// process runs again, and its hooks before it.
///
/// ```
/// use ddg_agentic::hook::{BeforeTool, Hook, HookRun, ToolUse};
/// use ddg_agentic::prelude::*;
/// use serde_json::json;
///
/// /// Lets nobody pay more than 100 euros.
/// struct AtMost100;
///
/// impl Hook for AtMost100 {
///     fn name(&self) -> &str {
///         "at_most_100"
///     }
///
///     async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
///         Ok(match call.arguments["euros"].as_u64() {
///             Some(101..) => BeforeTool::refuse("at most 100 euros"),
///             _ => BeforeTool::Go,
///         })
///     }
/// }
///
/// /// Pays somebody.
/// #[tool]
/// async fn pay(to: String, euros: u64) -> String {
///     format!("paid {euros} euros to {to}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ScriptedModel::new()
///     .calls([ToolCall::new("call_1", "pay", json!({ "to": "Ada", "euros": 900 }))])
///     .text("I may not.")
///     .expects_last("`pay` was refused by `at_most_100`: at most 100 euros");
/// let agent = ReActAutoma::new(model)
///     .tools(Toolbox::builder().with(pay::tool()).build()?)
///     .hook(AtMost100)
///     .build()?;
/// assert_eq!(agent.run(args!("Pay Ada 900 euros.")).await?.text(), "I may not.");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hook",
    label = "not a hook",
    note = "implement `Hook` for a type of yours; its methods are the places where it decides, such as `before_tool`"
)]
pub trait Hook: Send + Sync + 'static {
    /// The name of the hook, in events and in the end of a run that it stops.
    fn name(&self) -> &str;

    /// Whether pieces of replies may be published before [`after_model`](Self::after_model) and
    /// [`on_answer`](Self::on_answer) have decided. By default they may not: subscribers get a
    /// reply as a whole when all hooks have let it pass. A hook that does not read replies returns
    /// `true`.
    fn passes_pieces(&self) -> bool {
        false
    }

    /// Decides about a new message of a person, before the model sees it: the task, a message that
    /// steers the active run, a hint. Also about results that child agents have delivered. A
    /// changed message replaces the message in the conversation. A message that stops the run is
    /// left out of the conversation.
    ///
    /// # Errors
    /// Stops the run.
    fn on_input(
        &self,
        message: &Message,
        run: &HookRun,
    ) -> impl Future<Output = Result<OnInput, WorkerError>> + Send {
        _ = (message, run);
        async { Ok(OnInput::Go) }
    }

    /// Decides about a request to the model. A changed request is for this request only; the
    /// conversation stays as it is. Tools that it leaves out cannot be called.
    ///
    /// # Errors
    /// Stops the run.
    fn before_model(
        &self,
        request: &ChatRequest,
        run: &HookRun,
    ) -> impl Future<Output = Result<BeforeModel, WorkerError>> + Send {
        _ = (request, run);
        async { Ok(BeforeModel::Go) }
    }

    /// Decides about a reply of the model, with or without tool calls, before anything acts on it.
    ///
    /// # Errors
    /// Stops the run.
    fn after_model(
        &self,
        reply: &ChatReply,
        run: &HookRun,
    ) -> impl Future<Output = Result<AfterModel, WorkerError>> + Send {
        _ = (reply, run);
        async { Ok(AfterModel::Go) }
    }

    /// Decides about a tool call. Its arguments fit the schema of the tool, also after a hook
    /// before this one has changed them.
    ///
    /// # Errors
    /// Stops the run.
    fn before_tool(
        &self,
        call: &ToolUse,
        run: &HookRun,
    ) -> impl Future<Output = Result<BeforeTool, WorkerError>> + Send {
        _ = (call, run);
        async { Ok(BeforeTool::Go) }
    }

    /// Decides about the result of a tool call that was made, before the model sees it. Errors of
    /// tools are results, too.
    ///
    /// # Errors
    /// Stops the run. What the tool has done stays done.
    fn after_tool(
        &self,
        call: &ToolUse,
        result: &ToolMessage,
        run: &HookRun,
    ) -> impl Future<Output = Result<AfterTool, WorkerError>> + Send {
        _ = (call, result, run);
        async { Ok(AfterTool::Go) }
    }

    /// Decides about the text with which the run ends: the answer, a question to the person, or the
    /// last text of a run that was asked to finish.
    ///
    /// # Errors
    /// Stops the run.
    fn on_answer(
        &self,
        answer: &str,
        run: &HookRun,
    ) -> impl Future<Output = Result<OnAnswer, WorkerError>> + Send {
        _ = (answer, run);
        async { Ok(OnAnswer::Go) }
    }
}
