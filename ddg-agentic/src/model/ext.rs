//! What can be done with any model.

use std::future::Future;
use std::sync::Arc;

use ddg_core::worker::Retry;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::select_tools::select_tools;
use super::{ChatModel, ChatRequest, Extraction, ModelError, Retrying, ToolChoice, ToolSelection};
use crate::message::Message;
use crate::tool::ToolSpec;

/// What can be done with any [`ChatModel`].
pub trait ChatModelExt: ChatModel {
    /// Asks again when it may help, after the waits of `retry`; see [`Retrying`].
    fn retrying(self, retry: Retry) -> Retrying<Self>
    where
        Self: Sized,
    {
        Retrying::new(self, retry)
    }

    /// Asks for a `T` in place of words; see [`Extraction`], which is awaited.
    fn extract<T: DeserializeOwned + JsonSchema>(
        &self,
        request: ChatRequest,
    ) -> Extraction<'_, Self, T> {
        Extraction::new(self, request)
    }

    /// Asks which of `tools` are to be called, and with what, without calling any.
    ///
    /// With [`ToolChoice::Auto`] there may be none; with [`ToolChoice::Required`] and
    /// [`ToolChoice::Named`] there is at least one. Names and arguments are as the model wrote them:
    /// nothing says that they fit the tools.
    ///
    /// ```
    /// use ddg_agentic::Message;
    /// use ddg_agentic::model::{ChatModelExt, OfflineModel, ToolChoice};
    /// use ddg_agentic::tool::ToolSpec;
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ddg_agentic::model::ModelError> {
    /// let parameters = json!({
    ///     "type": "object",
    ///     "properties": { "city": { "type": "string" } },
    ///     "required": ["city"],
    /// });
    /// let tools = [ToolSpec::new("weather", "The weather in a city.", parameters)];
    /// let messages = vec![Message::user("How is the weather in Tokyo?")];
    ///
    /// let selected = OfflineModel::new().select_tools(messages, tools, ToolChoice::Auto).await?;
    /// assert_eq!(selected.calls[0].name, "weather");
    /// assert_eq!(selected.calls[0].arguments, json!({ "city": "Tokyo" }).into());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The model's; it cannot call tools; it was to call one and called none.
    ///
    /// # Cancel safety
    /// Dropping the future gives the request up.
    fn select_tools(
        &self,
        messages: Vec<Message>,
        tools: impl Into<Arc<[ToolSpec]>>,
        choice: ToolChoice,
    ) -> impl Future<Output = Result<ToolSelection, ModelError>> + Send {
        let request = ChatRequest::new(messages).tools(tools).tool_choice(choice);
        select_tools(self, request)
    }
}

impl<M: ChatModel + ?Sized> ChatModelExt for M {}
