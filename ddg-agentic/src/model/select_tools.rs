//! Selection of tools by a model.

use std::sync::Arc;

use ddg_core::args::Args;
use ddg_core::worker::Signature;
use ddg_core::{Context, Worker, WorkerError};
use serde::{Deserialize, Serialize};

use super::worker::{signature, with_messages};
use super::{ChatModel, ChatReply, ChatRequest, ModelError, ToolChoice, Usage, ask_guarded};
use crate::message::ToolCall;
use crate::tool::{RunTools, ToolSpec};

/// The tool calls that a model would make, and its text. See
/// [`select_tools`](super::ChatModelExt::select_tools).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolSelection {
    /// The tool calls, in the order in which the model asks for them.
    pub calls: Vec<ToolCall>,
    /// The text; often empty.
    pub text: String,
    /// The usage.
    pub usage: Usage,
}

/// A worker that [selects tools](super::ChatModelExt::select_tools). It takes `messages`, like a
/// [`ModelWorker`](super::ModelWorker), and gives the [`ToolSelection`].
///
/// If the run has an input `tools` of type [`RunTools`], or an earlier worker gives one, the model
/// selects from these tools.
///
/// ```
/// use ddg_agentic::message::ToolCall;
/// use ddg_agentic::model::{OfflineModel, ToolChoice, ToolSelection, ToolSelector};
/// use ddg_agentic::tool::ToolSpec;
/// use ddg_core::prelude::*;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ToolSpec::new("clock", "Tells the time.", json!({ "type": "object" }));
/// let select = ToolSelector::new(OfflineModel::new(), [clock], ToolChoice::Auto);
/// let mut automa = GraphAutoma::new("agent");
/// automa.add_worker("select", select, start().output())?;
/// let selection: ToolSelection = automa.run(args!("What does the clock say?")).output().await?;
/// assert_eq!(selection.calls, [ToolCall::new("call_1", "clock", json!({}))]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ToolSelector<M> {
    model: M,
    request: ChatRequest,
}

impl<M: ChatModel> ToolSelector<M> {
    /// Creates a worker that asks `model` which of `tools` to call.
    pub fn new(model: M, tools: impl Into<Arc<[ToolSpec]>>, choice: ToolChoice) -> Self {
        Self { model, request: ChatRequest::default().tools(tools).tool_choice(choice) }
    }
}

impl<M: ChatModel> Worker for ToolSelector<M> {
    type Output = ToolSelection;

    fn signature(&self) -> Signature {
        signature().param::<Option<RunTools>>("tools")
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<ToolSelection, WorkerError> {
        let mut request = with_messages(&self.request, &args)?;
        if let Some(tools) = args.get::<Option<RunTools>>(1)? {
            request.tools = tools.specs(&request.tools, cx)?;
        }
        check_can(&self.model)?;
        let has_to = has_to_call(&request);
        Ok(selection(&self.model, has_to, ask_guarded(&self.model, request, cx).await?)?)
    }
}

pub(super) async fn select_tools<M: ChatModel + ?Sized>(
    model: &M,
    request: ChatRequest,
) -> Result<ToolSelection, ModelError> {
    check_can(model)?;
    let has_to = has_to_call(&request);
    selection(model, has_to, model.chat(request).await?)
}

fn check_can<M: ChatModel + ?Sized>(model: &M) -> Result<(), ModelError> {
    if model.capabilities().tools {
        return Ok(());
    }
    Err(ModelError::Unsupported { model: model.name().to_owned(), what: "call tools" })
}

fn has_to_call(request: &ChatRequest) -> bool {
    matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_))
}

fn selection<M: ChatModel + ?Sized>(
    model: &M,
    has_to: bool,
    reply: ChatReply,
) -> Result<ToolSelection, ModelError> {
    let ChatReply { message, usage, .. } = reply;
    if has_to && message.tool_calls.is_empty() {
        let message = "it had to call a tool, but called none".to_owned();
        return Err(ModelError::Malformed { model: model.name().to_owned(), message });
    }
    Ok(ToolSelection { calls: message.tool_calls, text: message.text, usage })
}
