//! Prompts of servers: listed, and turned into messages.

use std::collections::BTreeMap;

use ddg_core::{Context, WorkerError};
use rmcp::model::{
    ClientRequest, ContentBlock, GetPromptRequest, GetPromptRequestParams, ListPromptsRequest,
    Prompt, Role,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::connection::Connection;
use super::content;
use super::exchange::NoAnswer;
use super::lists::{List, json_of};
use crate::message::{Audio, ContentPart, Image, MediaSource, Message};

/// The prompts of a server.
pub(super) const PROMPTS: List = List {
    method: "prompts/list",
    field: "prompts",
    request: |page| ClientRequest::ListPromptsRequest(ListPromptsRequest::with_param(page)),
};

/// A prompt that a server offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpPrompt {
    /// The name.
    pub name: String,
    /// The description, or the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The arguments, which are texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<McpPromptArgument>,
}

/// An argument of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpPromptArgument {
    /// The name.
    pub name: String,
    /// The description, or the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
}

impl McpPrompt {
    /// A prompt for [`McpService::prompt`](super::McpService::prompt).
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), description: None, arguments: Vec::new() }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, name: impl Into<String>, required: bool) -> Self {
        let name = name.into();
        self.arguments.push(McpPromptArgument { name, description: None, required });
        self
    }
}

impl From<Prompt> for McpPrompt {
    fn from(prompt: Prompt) -> Self {
        let Prompt { name, title, description, arguments, .. } = prompt;
        let arguments = arguments.unwrap_or_default().into_iter();
        let arguments = arguments.map(|argument| McpPromptArgument {
            name: argument.name,
            description: argument.description.or(argument.title),
            required: argument.required.unwrap_or(false),
        });
        Self { name, description: description.or(title), arguments: arguments.collect() }
    }
}

/// A message of a prompt as it was sent.
#[derive(Deserialize)]
struct Said {
    role: Role,
    content: Json,
}

impl Connection {
    /// The messages of the prompt `name`.
    pub(super) async fn prompt(
        &self,
        name: &str,
        arguments: BTreeMap<String, String>,
        cx: Option<&Context>,
    ) -> Result<Vec<Message>, NoAnswer<WorkerError>> {
        let request = format!("prompts/get {name}");
        let arguments: Map<String, Json> =
            arguments.into_iter().map(|(name, value)| (name, value.into())).collect();
        let answer = self.in_rounds(&request, cx, |state, responses| {
            let mut params = GetPromptRequestParams::new(name);
            params.arguments = Some(arguments.clone()).filter(|arguments| !arguments.is_empty());
            (params.request_state, params.input_responses) = (state, responses);
            ClientRequest::GetPromptRequest(GetPromptRequest::new(params))
        });
        let result = json_of(answer.await?);
        let Some(Json::Array(messages)) = result.get("messages") else {
            return Err(self.malformed(&request, "it gives no messages".to_owned()).into());
        };
        let messages = messages.iter().filter_map(|message| self.read::<Said>(&request, message));
        Ok(messages.map(|said| message_of(&said)).collect())
    }
}

fn message_of(said: &Said) -> Message {
    let part = match ContentBlock::deserialize(&said.content) {
        Ok(ContentBlock::Image(image)) if said.role == Role::User => {
            let image = Image::Data { media_type: image.mime_type, base64: image.data };
            ContentPart::image(image)
        }
        Ok(ContentBlock::Audio(audio)) if said.role == Role::User => {
            ContentPart::audio(Audio::new(audio.mime_type, MediaSource::Base64(audio.data)))
        }
        Ok(ContentBlock::Resource(embedded)) if said.role == Role::User => {
            content::part_of(&embedded.resource)
        }
        Ok(block) => ContentPart::Text { text: content::block(&block) },
        Err(_) => ContentPart::Text { text: content::unknown(&said.content) },
    };
    let message = Message::User { content: vec![part] };
    match said.role {
        Role::Assistant => Message::assistant(message.text()),
        _ => message,
    }
}
