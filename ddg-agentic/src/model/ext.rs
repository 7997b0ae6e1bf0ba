//! Extension methods of models.

use std::future::Future;
use std::sync::Arc;

use ddg_core::worker::Retry;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::select_tools::select_tools;
use super::{ChatModel, ChatRequest, Extraction, ModelError, Retrying, ToolChoice, ToolSelection};
use crate::message::Message;
use crate::tool::ToolSpec;

/// Extension methods of every [`ChatModel`].
pub trait ChatModelExt: ChatModel {
    /// Retries when it may help, with the delays of `retry`. See [`Retrying`].
    fn retrying(self, retry: Retry) -> Retrying<Self>
    where
        Self: Sized,
    {
        Retrying::new(self, retry)
    }

    /// Asks for a `T` instead of text. Await the [`Extraction`].
    fn extract<T: DeserializeOwned + JsonSchema>(
        &self,
        request: ChatRequest,
    ) -> Extraction<'_, Self, T> {
        Extraction::new(self, request)
    }

    /// Asks which of `tools` to call, and with which arguments, without calling any.
    ///
    /// With [`ToolChoice::Auto`] there may be no call; with [`ToolChoice::Required`] and
    /// [`ToolChoice::Named`] there is at least one. Names and arguments are as the model wrote
    /// them, and are not checked.
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
    /// Those of the model, if it cannot call tools, and if it had to call a tool and called none.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the request.
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
