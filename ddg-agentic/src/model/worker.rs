//! A model as a worker.

use ddg_core::args::Args;
use ddg_core::worker::Signature;
use ddg_core::{Context, Value, Worker, WorkerError};

use super::{ChatModel, ChatReply, ChatRequest, ask};
use crate::message::Message;

/// A worker that asks a model: it takes `messages` (a `Vec<Message>`, a [`Message`], or a `String`
/// that a person says) and gives the [`ChatReply`].
///
/// The pieces of the reply are [chunks](Context::emit_chunk) of type [`ChatChunk`](super::ChatChunk)
/// for who watches the run, and what it took is posted as [`ModelCalled`](super::ModelCalled).
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
    /// A worker that asks `model`.
    pub fn new(model: M) -> Self {
        Self { model, request: ChatRequest::default() }
    }

    /// Sets what every request begins with: messages, to which those of the call are added, tools,
    /// and all else that a request says.
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
        Ok(ask(&self.model, with_messages(&self.request, &args)?, cx).await?)
    }
}

/// What a worker that asks a model takes.
pub(super) fn signature() -> Signature {
    Signature::new().param::<Value>("messages")
}

/// What `request` begins with, and the messages that a worker of that signature was called with.
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
