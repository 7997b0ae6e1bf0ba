//! What people, models and tools say to each other.

mod image;
mod tool_call;
mod usage;

use ddg_core::Value;
use serde::{Deserialize, Serialize};

pub use image::Image;
pub use tool_call::{ToolArguments, ToolCall};
pub use usage::Usage;

/// One message of a conversation.
///
/// It is plain data: it travels between workers, into snapshots, stores and events. At rest it is a
/// JSON object with its `role`.
///
/// ```
/// use ddg_agentic::Message;
/// use ddg_agentic::message::ToolCall;
/// use serde_json::json;
///
/// let call = ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }));
/// let transcript = [
///     Message::system("You plan trips."),
///     Message::user("How is the weather in Tokyo?"),
///     Message::calls([call.clone()]),
///     Message::tool_result(&call, "sunny, 24 °C"),
///     Message::assistant("It is sunny in Tokyo."),
/// ];
/// assert_eq!(transcript[2].tool_calls()[0].name, "weather");
/// assert_eq!(
///     serde_json::to_value(&transcript[1]).unwrap(),
///     json!({ "role": "user", "content": [{ "type": "text", "text": "How is the weather in Tokyo?" }] }),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Message {
    /// What the model is told before the conversation.
    System {
        /// The text.
        text: String,
    },
    /// What a person says.
    User {
        /// In the order in which it is said.
        content: Vec<ContentPart>,
    },
    /// What the model says.
    Assistant(AssistantMessage),
    /// What a tool gave for a call of the model.
    Tool(ToolMessage),
}

/// A part of what a person says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentPart {
    /// A text.
    Text {
        /// The text.
        text: String,
    },
    /// An image.
    Image {
        /// The image.
        image: Image,
    },
}

/// What a model says: a text, calls of tools, or both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AssistantMessage {
    /// The text; empty if it only calls tools.
    pub text: String,
    /// The calls, in the order in which it asks for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
}

/// What a tool gave for a call of the model, or why it gave nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolMessage {
    /// The id of the call.
    pub call_id: String,
    /// The name of the tool.
    pub name: String,
    /// What the model reads.
    pub content: String,
    /// Whether the call failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
}

impl Message {
    /// What the model is told before the conversation.
    pub fn system(text: impl Into<String>) -> Self {
        Self::System { text: text.into() }
    }

    /// What a person says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { content: vec![ContentPart::Text { text: text.into() }] }
    }

    /// What a person says, with an image.
    pub fn user_with_image(text: impl Into<String>, image: Image) -> Self {
        Self::User {
            content: vec![ContentPart::Text { text: text.into() }, ContentPart::Image { image }],
        }
    }

    /// What a model says in words alone.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::Assistant(AssistantMessage { text: text.into(), tool_calls: Vec::new() })
    }

    /// A model's calls of tools without a word.
    pub fn calls(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        let tool_calls = calls.into_iter().collect();
        Self::Assistant(AssistantMessage { text: String::new(), tool_calls })
    }

    /// What a tool gave for a call.
    pub fn tool_result(call: &ToolCall, content: impl Into<String>) -> Self {
        Self::Tool(ToolMessage::new(call, content))
    }

    /// Why a tool gave nothing for a call.
    pub fn tool_error(call: &ToolCall, content: impl Into<String>) -> Self {
        Self::Tool(ToolMessage::error(call, content))
    }

    /// What is said, in any of the forms that stand for messages: a text, a message, or a list.
    pub(crate) fn several(said: &Value) -> Option<Vec<Self>> {
        if let Ok(text) = said.get::<String>() {
            return Some(vec![text.into()]);
        }
        match said.get::<Self>() {
            Ok(message) => Some(vec![message]),
            Err(_) => said.get().ok(),
        }
    }

    /// All its text; parts are joined by line breaks, images left out.
    pub fn text(&self) -> String {
        match self {
            Self::System { text } => text.clone(),
            Self::User { content } => {
                let texts = content.iter().filter_map(|part| match part {
                    ContentPart::Text { text } => Some(text.as_str()),
                    ContentPart::Image { .. } => None,
                });
                texts.collect::<Vec<_>>().join("\n")
            }
            Self::Assistant(message) => message.text.clone(),
            Self::Tool(message) => message.content.clone(),
        }
    }

    /// The calls of tools that it asks for; none unless a model says it.
    pub fn tool_calls(&self) -> &[ToolCall] {
        match self {
            Self::Assistant(message) => &message.tool_calls,
            _ => &[],
        }
    }

    /// Whether it is what the model is told before the conversation.
    pub fn is_system(&self) -> bool {
        matches!(self, Self::System { .. })
    }
}

impl AssistantMessage {
    /// Whether there is nothing in it that anybody could read or do.
    pub(crate) fn says_nothing(&self) -> bool {
        self.text.trim().is_empty() && self.tool_calls.is_empty()
    }
}

impl AssistantMessage {
    /// What a model says, and the tools that it calls.
    pub fn new(text: impl Into<String>, tool_calls: impl IntoIterator<Item = ToolCall>) -> Self {
        Self { text: text.into(), tool_calls: tool_calls.into_iter().collect() }
    }
}

impl ToolMessage {
    /// What a tool gave for a call.
    pub fn new(call: &ToolCall, content: impl Into<String>) -> Self {
        let (call_id, name) = (call.id.clone(), call.name.clone());
        Self { call_id, name, content: content.into(), is_error: false }
    }

    /// Why a tool gave nothing for a call.
    pub fn error(call: &ToolCall, content: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::new(call, content) }
    }
}

impl From<AssistantMessage> for Message {
    fn from(message: AssistantMessage) -> Self {
        Self::Assistant(message)
    }
}

impl From<ToolMessage> for Message {
    fn from(message: ToolMessage) -> Self {
        Self::Tool(message)
    }
}

impl From<&str> for Message {
    /// A person's text.
    fn from(text: &str) -> Self {
        Self::user(text)
    }
}

impl From<String> for Message {
    /// A person's text.
    fn from(text: String) -> Self {
        Self::user(text)
    }
}
