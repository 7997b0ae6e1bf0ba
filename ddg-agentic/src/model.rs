//! The interface to language models of any provider.

mod ask;
mod capabilities;
mod error;
mod ext;
mod extract;
mod fallback;
mod guarded;
mod meter;
mod offline;
mod partial;
mod price;
mod reply;
mod request;
mod retrying;
mod scripted;
mod select_tools;
pub(crate) mod settings;
mod stream;
mod wanted;
mod worker;

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

pub use crate::message::Usage;
pub use ask::ModelCalled;
pub(crate) use ask::{ask, ask_silently, publish_whole};
pub use capabilities::Capabilities;
pub use error::ModelError;
pub use ext::ChatModelExt;
pub use extract::{ExtractError, Extracted, Extraction};
pub use fallback::Fallback;
pub(crate) use guarded::{ask_for_memory, ask_guarded, within};
pub use meter::UsageMeter;
pub use offline::OfflineModel;
pub use partial::PartialAnswer;
pub use price::{Cost, NoPrice, Price};
pub use reply::{ChatReply, FinishReason};
pub use request::{ChatRequest, OutputSchema, ToolChoice};
pub use retrying::Retrying;
pub use scripted::ScriptedModel;
pub use select_tools::{ToolSelection, ToolSelector};
pub use settings::{ExtraPairs, PromptCache, ReasoningEffort, ServiceTier};
pub use stream::{ChatChunk, ChatStream};
pub(crate) use wanted::Wanted;
pub use worker::ModelWorker;

/// A language model that can chat.
///
/// Implement [`chat`](Self::chat), and [`stream`](Self::stream) if the model can give its reply
/// piece by piece. The [`capabilities`](Self::capabilities) say what the model can do; a request
/// for anything else is a [`ModelError::Unsupported`], never a panic.
///
/// ```
/// use ddg_agentic::ChatModel;
/// use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
/// use futures::future::BoxFuture;
///
/// /// Says again what it was told last.
/// #[derive(Debug)]
/// struct Echo;
///
/// impl ChatModel for Echo {
///     fn name(&self) -> &str {
///         "echo"
///     }
///
///     fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
///         let last = request.messages.last().map(|message| message.text()).unwrap_or_default();
///         Box::pin(async move { Ok(ChatReply::text(last)) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ModelError> {
/// let reply = Echo.chat(ChatRequest::new(["hello"])).await?;
/// assert_eq!(reply.message.text, "hello");
/// # Ok(())
/// # }
/// ```
pub trait ChatModel: fmt::Debug + Send + Sync + 'static {
    /// The name of the model, for people, logs and prices.
    fn name(&self) -> &str;

    /// The provider of the model, as
    /// [`gen_ai.provider.name`](crate::gen_ai::names::PROVIDER_NAME) has it. Defaults to `_OTHER`.
    fn provider(&self) -> &str {
        "_OTHER"
    }

    /// The capabilities of the model, by default everything except seeing images.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// The model of this name at the same provider, with the same key and settings. `None`, the
    /// default, if this model cannot switch.
    fn switched(&self, model: &str) -> Option<Arc<dyn ChatModel>> {
        let _ = model;
        None
    }

    /// Asks for a reply.
    ///
    /// # Errors
    /// If the model cannot be reached, refuses the request, or sends something that is not a reply.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the request; the provider may still charge for it.
    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>>;

    /// Asks for a reply piece by piece. The default gives the reply of [`chat`](Self::chat) as one
    /// piece.
    ///
    /// # Errors
    /// As [`chat`](Self::chat). Errors after the first piece are in the stream.
    ///
    /// # Cancel safety
    /// As [`chat`](Self::chat), for the future and for the stream.
    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        Box::pin(async move { Ok(ChatStream::of_reply(self.chat(request).await?)) })
    }
}

impl<M: ChatModel + ?Sized> ChatModel for Arc<M> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn provider(&self) -> &str {
        (**self).provider()
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn switched(&self, model: &str) -> Option<Arc<dyn ChatModel>> {
        (**self).switched(model)
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        (**self).chat(request)
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        (**self).stream(request)
    }
}
