//! A model as a worker.

use ddg_core::args::Args;
use ddg_core::worker::Signature;
use ddg_core::{Context, Value, Worker, WorkerError};

use super::{ChatModel, ChatReply, ChatRequest, ask_guarded};
use crate::message::Message;

/// A worker that asks a model. It takes `messages` (a `Vec<Message>`, a [`Message`], or a `String`
/// as the message of a person) and gives the [`ChatReply`].
///
/// The pieces of the reply are [chunks](Context::emit_chunk) of type
/// [`ChatChunk`](super::ChatChunk) for subscribers of the run. The usage is posted as
/// [`ModelCalled`](super::ModelCalled).
///
/// ```
/// use ddg_agentic::Message;
/// use ddg_agentic::model::{ChatReply, ChatRequest, ModelWorker, ScriptedModel};
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ScriptedModel::new().text("Bonjour !");
/// let translate = ChatRequest::new([Message::system("You translate into French.")]);
///
/// let mut automa = GraphAutoma::new("translate");
/// automa.add_worker("ask", ModelWorker::new(model).request(translate), start())?;
/// let text = async |reply: ChatReply| reply.message.text;
/// automa.add_func_as_worker("text", text, after(["ask"]).output())?;
/// assert_eq!(automa.run(args!("Good morning!")).output::<String>().await?, "Bonjour !");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ModelWorker<M> {
    model: M,
    request: ChatRequest,
}

impl<M: ChatModel> ModelWorker<M> {
    /// Creates a worker that asks `model`.
    pub fn new(model: M) -> Self {
        Self { model, request: ChatRequest::default() }
    }

    /// Sets the request that every call starts from: its messages come first, and its tools and
    /// settings hold for all calls.
    #[must_use]
    pub fn request(mut self, request: ChatRequest) -> Self {
        self.request = request;
        self
    }
}

impl<M: ChatModel> Worker for ModelWorker<M> {
    type Output = ChatReply;

    fn signature(&self) -> Signature {
        signature()
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<ChatReply, WorkerError> {
        Ok(ask_guarded(&self.model, with_messages(&self.request, &args)?, cx).await?)
    }
}

/// The signature of a worker that asks a model.
pub(super) fn signature() -> Signature {
    Signature::new().param::<Value>("messages")
}

/// Returns `request` with the arguments of a worker added as messages.
pub(super) fn with_messages(
    request: &ChatRequest,
    args: &Args,
) -> Result<ChatRequest, WorkerError> {
    let mut request = request.clone();
    let said: Value = args.get(0)?;
    let messages = Message::several(&said).ok_or_else(|| {
        WorkerError::msg(format!(
            "`messages` takes a text, a `Message` or a list of messages; found `{}`",
            said.type_name()
        ))
    })?;
    request.messages.extend(messages);
    Ok(request)
}
