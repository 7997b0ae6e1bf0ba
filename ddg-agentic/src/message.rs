//! Messages between people, models and tools.

mod audio;
mod cut;
mod document;
mod image;
mod media;
mod messages;
mod tool_call;
mod usage;

use ddg_core::Value;
use serde::{Deserialize, Serialize};

pub use audio::Audio;
pub(crate) use cut::cut;
pub use document::Document;
pub use image::{Image, ImageDetail};
#[cfg(feature = "mcp")]
pub(crate) use media::n_bytes;
pub use media::{Attachment, MediaSource};
pub(crate) use messages::Chunk;
pub use messages::Messages;
pub use tool_call::{ToolArguments, ToolCall};
pub use usage::Usage;

/// A message of a conversation.
///
/// Messages are plain data: they travel between workers, and into snapshots, stores and events. A
/// message serialises to a JSON object with its `role`.
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
    /// Instructions for the model, before the conversation.
    System {
        /// The text.
        text: String,
    },
    /// A message of a person.
    User {
        /// The parts of the message, in order.
        content: Vec<ContentPart>,
    },
    /// A message of the model.
    Assistant(AssistantMessage),
    /// The result of a tool call.
    Tool(ToolMessage),
}

/// A part of a person's message.
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
        /// How closely the model looks at it; as its provider likes if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<ImageDetail>,
    },
    /// A document, such as a PDF.
    Document {
        /// The document.
        document: Document,
    },
    /// A recording.
    Audio {
        /// The recording.
        audio: Audio,
    },
}

impl ContentPart {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// An image, in the detail that the provider likes.
    pub fn image(image: Image) -> Self {
        Self::Image { image, detail: None }
    }

    /// A document.
    pub fn document(document: Document) -> Self {
        Self::Document { document }
    }

    /// A recording.
    pub fn audio(audio: Audio) -> Self {
        Self::Audio { audio }
    }

    /// The text, if the part is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Image { .. } | Self::Document { .. } | Self::Audio { .. } => None,
        }
    }

    /// The number of bytes of what is not text.
    #[cfg(feature = "providers")]
    pub(crate) fn n_media_bytes(&self) -> usize {
        match self {
            Self::Text { .. } => 0,
            Self::Image { image, .. } => image.n_bytes(),
            Self::Document { document } => document.source.n_bytes(),
            Self::Audio { audio } => audio.source.n_bytes(),
        }
    }
}

/// A message of a model: text, tool calls, or both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AssistantMessage {
    /// The text; empty if the message consists of tool calls.
    pub text: String,
    /// The tool calls, in the order in which the model asks for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// What it has thought before, where the provider shows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasoning: Vec<Reasoning>,
}

/// The reasoning of a model before its reply. It is kept with the message, because some providers
/// require it in the next request, and is sent to no model but its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reasoning {
    /// In words, if the provider shows any.
    pub text: String,
    /// The provider and its model, as `anthropic/claude-opus-4`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// What the provider wants back beside the words, as a signature: nobody else's to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<serde_json::Value>,
}

impl Reasoning {
    /// Words.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// The result of a tool call, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolMessage {
    /// The id of the call.
    pub call_id: String,
    /// The name of the tool.
    pub name: String,
    /// The text for the model.
    pub content: String,
    /// The images for the model. A model that cannot see them gets a note in their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// The documents and recordings for the model. A model that cannot take one gets a note in its
    /// place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether the call failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
}

impl Message {
    /// Creates instructions for the model.
    pub fn system(text: impl Into<String>) -> Self {
        Self::System { text: text.into() }
    }

    /// Creates a message of a person.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { content: vec![ContentPart::text(text)] }
    }

    /// Creates a message of a person with an image.
    pub fn user_with_image(text: impl Into<String>, image: Image) -> Self {
        Self::User { content: vec![ContentPart::text(text), ContentPart::image(image)] }
    }

    /// Creates a message of a person with a document.
    pub fn user_with_document(text: impl Into<String>, document: Document) -> Self {
        Self::User { content: vec![ContentPart::text(text), ContentPart::document(document)] }
    }

    /// Creates a message of a person with a recording.
    pub fn user_with_audio(text: impl Into<String>, audio: Audio) -> Self {
        Self::User { content: vec![ContentPart::text(text), ContentPart::audio(audio)] }
    }

    /// Creates a message of a model that is only text.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::Assistant(AssistantMessage::new(text, []))
    }

    /// Creates a message of a model that is only tool calls.
    pub fn calls(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        Self::Assistant(AssistantMessage::new("", calls))
    }

    /// Creates the result of a tool call.
    pub fn tool_result(call: &ToolCall, content: impl Into<String>) -> Self {
        Self::Tool(ToolMessage::new(call, content))
    }

    /// Creates the error of a tool call.
    pub fn tool_error(call: &ToolCall, content: impl Into<String>) -> Self {
        Self::Tool(ToolMessage::error(call, content))
    }

    /// Converts a value that stands for messages: text, a message, or a list of messages.
    pub(crate) fn several(said: &Value) -> Option<Vec<Self>> {
        if let Ok(text) = said.get::<String>() {
            return Some(vec![text.into()]);
        }
        match said.get::<Self>() {
            Ok(message) => Some(vec![message]),
            Err(_) => said.get().ok(),
        }
    }

    /// The text of the message. Parts are joined with line breaks; images, documents and
    /// recordings are left out.
    pub fn text(&self) -> String {
        match self {
            Self::System { text } => text.clone(),
            Self::User { content } => {
                content.iter().filter_map(ContentPart::as_text).collect::<Vec<_>>().join("\n")
            }
            Self::Assistant(message) => message.text.clone(),
            Self::Tool(message) => message.content.clone(),
        }
    }

    /// The number of bytes of images, documents and recordings.
    #[cfg(feature = "providers")]
    pub(crate) fn n_media_bytes(&self) -> usize {
        match self {
            Self::User { content } => content.iter().map(ContentPart::n_media_bytes).sum(),
            Self::Tool(message) => {
                let images = message.images.iter().map(Image::n_bytes);
                images.chain(message.attachments.iter().map(Attachment::n_bytes)).sum()
            }
            Self::System { .. } | Self::Assistant(_) => 0,
        }
    }

    /// The tool calls. Only messages of models have any.
    pub fn tool_calls(&self) -> &[ToolCall] {
        match self {
            Self::Assistant(message) => &message.tool_calls,
            _ => &[],
        }
    }

    /// Whether these are instructions for the model.
    pub fn is_system(&self) -> bool {
        matches!(self, Self::System { .. })
    }
}

impl AssistantMessage {
    /// Whether the message has neither text nor tool calls nor images.
    pub(crate) fn says_nothing(&self) -> bool {
        self.text.trim().is_empty() && self.tool_calls.is_empty()
    }
}

impl AssistantMessage {
    /// Creates a message of a model.
    pub fn new(text: impl Into<String>, tool_calls: impl IntoIterator<Item = ToolCall>) -> Self {
        let tool_calls = tool_calls.into_iter().collect();
        Self { text: text.into(), tool_calls, reasoning: Vec::new() }
    }
}

impl ToolMessage {
    /// Creates the result of a tool call.
    pub fn new(call: &ToolCall, content: impl Into<String>) -> Self {
        let (call_id, name) = (call.id.clone(), call.name.clone());
        let (images, attachments) = (Vec::new(), Vec::new());
        Self { call_id, name, content: content.into(), images, attachments, is_error: false }
    }

    /// Creates the error of a tool call.
    pub fn error(call: &ToolCall, content: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::new(call, content) }
    }

    /// Adds images.
    #[must_use]
    pub fn with_images(mut self, images: impl IntoIterator<Item = Image>) -> Self {
        self.images.extend(images);
        self
    }

    /// Adds documents and recordings.
    #[must_use]
    pub fn with_attachments<A: Into<Attachment>>(
        mut self,
        attachments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.attachments.extend(attachments.into_iter().map(Into::into));
        self
    }

    /// Cuts the text to at most `max_bytes`, and replaces images and attachments beyond
    /// `max_media_bytes` by notes. Returns the number of bytes of those that are left.
    pub(crate) fn cap(&mut self, max_bytes: usize, max_media_bytes: usize) -> usize {
        if self.content.len() > max_bytes {
            self.content = cut(std::mem::take(&mut self.content), max_bytes);
        }
        let mut left = max_media_bytes;
        let Self { content, images, attachments, .. } = self;
        let mut fits = |n_bytes: usize, what: &dyn std::fmt::Display| {
            let fits = n_bytes <= left;
            if fits {
                left -= n_bytes;
            } else {
                content.push_str(&format!("\n[{what}: left out, the results are too large]"));
            }
            fits
        };
        images.retain(|image| fits(image.n_bytes(), image));
        attachments.retain(|attachment| fits(attachment.n_bytes(), attachment));
        max_media_bytes - left
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
    /// Creates a message of a person.
    fn from(text: &str) -> Self {
        Self::user(text)
    }
}

impl From<String> for Message {
    /// Creates a message of a person.
    fn from(text: String) -> Self {
        Self::user(text)
    }
}
