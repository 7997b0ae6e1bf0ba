//! Converts requests to rig.

use rig_core::completion::{
    AssistantContent, AssistantMessage as RigAssistant, CacheRetention, CompletionRequest, Effort,
    Media, Message as RigMessage, Place, Reasoning, ReplayTarget, ServiceTier as RigTier,
    ToolDefinition,
};
use rig_core::message::{
    Api, CallId, DocumentSourceKind, Image as RigImage, ImageDetail as RigDetail, ImageMediaType,
    MimeType, Origin, Reasoning as RigReasoning, Text, ToolCall, ToolChoice as RigChoice,
    ToolFunction, ToolName, ToolResult, ToolResultContent, UserContent,
};
use rig_core::schemars::Schema;
use serde_json::{Value as Json, json};

use super::media::{MediaForms, SentMedia};
use super::signature::Signature;
use crate::message::{
    AssistantMessage, Attachment, ContentPart, Image, ImageDetail, Message, Messages,
    ToolArguments, ToolMessage,
};
use crate::model::{
    Capabilities, ChatRequest, ModelError, OutputSchema, PromptCache, ReasoningEffort, ServiceTier,
    ToolChoice,
};
use crate::tool::ToolSpec;

/// The provider that must be asked to cache prompts.
pub(super) const ANTHROPIC: &str = "anthropic";

/// The Responses API of OpenAI.
pub(super) const RESPONSES: Api = Api::from_static("openai.responses");

/// Converts requests for `target`.
pub(super) struct Ask<'a> {
    target: &'a dyn ReplayTarget,
    capabilities: Capabilities,
}

impl<'a> Ask<'a> {
    pub(super) fn new(target: &'a dyn ReplayTarget, capabilities: Capabilities) -> Self {
        Self { target, capabilities }
    }

    /// The request in rig's form, and its documents and recordings.
    pub(super) fn request(
        &self,
        request: ChatRequest,
    ) -> Result<(CompletionRequest, SentMedia), ModelError> {
        if !self.capabilities.tools && !request.tools.is_empty() {
            return Err(self.unsupported("call tools"));
        }
        if !self.capabilities.output_schema && request.output_schema.is_some() {
            return Err(self.unsupported("follow a schema"));
        }
        // Built directly, because `.message(..)` would put a message before the last one.
        let mut media = SentMedia::default();
        let mut asked = CompletionRequest::from(self.messages(request.messages, &mut media)?);
        let tools = request.tools.iter().map(|tool| self.tool(tool));
        asked.tools = tools.collect::<Result<_, _>>()?;
        asked.tool_choice = match request.tool_choice {
            ToolChoice::Auto => None,
            ToolChoice::None => Some(RigChoice::None),
            ToolChoice::Required => Some(RigChoice::Required),
            ToolChoice::Named(name) => {
                let function_names = vec![self.tool_name(&name)?];
                Some(RigChoice::Specific { function_names })
            }
        };
        asked.output_schema =
            request.output_schema.map(|schema| self.schema(schema)).transpose()?;
        asked.temperature = request.temperature;
        asked.max_tokens = request.max_output_tokens;
        let options = &mut asked.options;
        options.reasoning = request.reasoning_effort.map(reasoning);
        options.service_tier = request.service_tier.map(service_tier);
        options.parallel_tool_calls = request.parallel_tool_calls;
        (options.top_p, options.seed) = (request.top_p, request.seed);
        options.stop = request.stop;
        let asks = |_: &PromptCache| self.target.provider() == ANTHROPIC;
        options.cache = request.prompt_cache.filter(asks).map(cache);
        let mut extra_body = request.extra_body;
        if self.target.api() == RESPONSES {
            // Nothing is kept at the provider, so it gives the reasoning back in a form that goes
            // with the next request.
            extra_body.entry("store").or_insert(Json::Bool(false));
        }
        if !extra_body.is_empty() {
            asked.additional_params = Some(Json::Object(extra_body));
        }
        Ok((asked, media))
    }

    /// Converts the conversation, without empty messages of the model, which no provider accepts.
    fn messages(
        &self,
        messages: Messages,
        media: &mut SentMedia,
    ) -> Result<Vec<RigMessage>, ModelError> {
        let mut asked = Vec::with_capacity(messages.len());
        // Images and attachments of results that this API has no place for, in a message of the
        // person after the results.
        let mut following = Vec::new();
        for message in messages {
            if !matches!(message, Message::Tool(_)) {
                asked.extend(shown(&mut following));
            }
            asked.push(match message {
                Message::System { text } => RigMessage::system(text),
                Message::User { content } => {
                    let content = content.into_iter().map(|part| self.part(part, media));
                    RigMessage::User { content: content.collect::<Result<_, _>>()? }
                }
                Message::Assistant(message) => match self.said(message) {
                    said if said.is_empty() => continue,
                    said => RigMessage::Assistant(self.turn(said)),
                },
                Message::Tool(message) => {
                    let result = self.result(message, &mut following, media);
                    RigMessage::User { content: vec![UserContent::ToolResult(result)] }
                }
            });
        }
        asked.extend(shown(&mut following));
        Ok(asked)
    }

    /// Converts the result of a call. An image goes into the result or, if the API has no place for
    /// it there, to `following`, where attachments go. A model that cannot take it is told what it
    /// is.
    fn result(
        &self,
        message: ToolMessage,
        following: &mut Vec<UserContent>,
        media: &mut SentMedia,
    ) -> ToolResult {
        let accepts = self.target.accepts(self.target.model());
        let mut content = Vec::with_capacity(1 + message.images.len());
        if !message.content.is_empty() || message.images.is_empty() {
            content.push(ToolResultContent::Text(Text::new(message.content)));
        }
        for image in message.images {
            let sent = image_of(&image);
            let encodes = |place| {
                self.target.encodes(self.target.model(), Media::Image(&sent, place))
                    && self.capabilities.images
            };
            if accepts.tool_result_images && encodes(Place::ToolResult) {
                content.push(ToolResultContent::Image(sent));
            } else if accepts.user_images && encodes(Place::User) {
                let told = format!("[{image}: it follows]");
                content.push(ToolResultContent::Text(Text::new(told)));
                let told = format!("The image of the result of call {}:", message.call_id);
                following.extend([UserContent::text(told), UserContent::Image(sent)]);
            } else {
                let told = format!("[{image}: you cannot see images]");
                content.push(ToolResultContent::Text(Text::new(told)));
            }
        }
        for attachment in message.attachments {
            let what = match attachment {
                Attachment::Document(_) => "document",
                Attachment::Audio(_) => "recording",
            };
            let told = match self.forms().attachment(&attachment, media) {
                Ok(UserContent::Text(text)) => text.text,
                Ok(sent) => {
                    let told = format!("The {what} of the result of call {}:", message.call_id);
                    following.extend([UserContent::text(told), sent]);
                    format!("[{attachment}: it follows]")
                }
                Err(cannot) => format!("[{attachment}: you cannot {cannot}]"),
            };
            content.push(ToolResultContent::Text(Text::new(told)));
        }
        ToolResult {
            call: CallId::from_wire(message.call_id),
            name: name_said(&message.name),
            content,
            is_error: message.is_error,
        }
    }

    /// A turn of the model. It is known to be its own if it has something that only it can read.
    fn turn(&self, said: Vec<AssistantContent>) -> RigAssistant {
        let is_own = said.iter().any(|said| {
            matches!(said, AssistantContent::Reasoning(_)) || said.native_item().is_some()
        });
        let mut turn = RigAssistant::new(said);
        let Self { target, .. } = self;
        turn.origin = is_own.then(|| Origin::new(target.api(), target.provider(), target.model()));
        turn
    }

    /// The message of the model without empty parts, and its reasoning if it is the model that is
    /// asked: no other can read it.
    fn said(&self, message: AssistantMessage) -> Vec<AssistantContent> {
        let AssistantMessage { text, tool_calls, reasoning } = message;
        let text = Some(text).filter(|text| !text.trim().is_empty());
        let text = text.map(|text| AssistantContent::Text(Text::new(text)));
        let calls = tool_calls.into_iter().map(|call| {
            let name = name_said(&call.name);
            let function = match call.arguments {
                ToolArguments::Json(json) => ToolFunction::new(name, json),
                ToolArguments::Malformed(text) => ToolFunction::parse(name, &text),
            };
            AssistantContent::ToolCall(ToolCall::from_wire(call.id, function))
        });
        let said: Vec<_> = text.into_iter().chain(calls).collect();
        if said.is_empty() {
            return said;
        }
        let own = named(self.target);
        let own = reasoning.into_iter().filter(|thought| thought.model == own);
        let (signatures, own): (Vec<_>, Vec<_>) =
            own.map(|thought| Signature::kept_as(&thought).ok_or(thought)).partition(Result::is_ok);
        let signatures: Vec<_> = signatures.into_iter().flatten().collect();
        let said = said.into_iter();
        let said = said.map(|said| signatures.iter().fold(said, |said, signed| signed.sign(said)));
        let thought = own.into_iter().filter_map(Result::err).map(|thought| {
            let known = thought.opaque.and_then(|opaque| serde_json::from_value(opaque).ok());
            AssistantContent::Reasoning(known.unwrap_or_else(|| RigReasoning::new(thought.text)))
        });
        let thought: Vec<_> = thought.collect();
        let is_paired = self.target.api() == RESPONSES && !thought.is_empty();
        let said = said.map(|said| match is_paired {
            true => as_item(said),
            false => said,
        });
        thought.into_iter().chain(said).collect()
    }

    fn part(&self, part: ContentPart, media: &mut SentMedia) -> Result<UserContent, ModelError> {
        let image = match part {
            ContentPart::Text { text } => return Ok(UserContent::text(text)),
            ContentPart::Image { image, detail } => {
                RigImage { detail: detail.map(detail_of), ..image_of(&image) }
            }
            ContentPart::Document { document } => {
                let sent = self.forms().document(&document, media);
                return sent.map_err(|what| self.unsupported(what));
            }
            ContentPart::Audio { audio } => {
                return self.forms().audio(&audio, media).map_err(|what| self.unsupported(what));
            }
        };
        let model = self.target.model();
        if !self.capabilities.images || !self.target.accepts(model).user_images {
            return Err(self.unsupported("see images"));
        }
        if !self.target.encodes(model, Media::Image(&image, Place::User)) {
            return Err(self.unsupported(match image.data {
                DocumentSourceKind::Url(_) => "see images by address",
                _ => "see images of this media type",
            }));
        }
        Ok(UserContent::Image(image))
    }

    fn forms(&self) -> MediaForms<'a> {
        MediaForms { target: self.target, capabilities: self.capabilities }
    }

    fn tool(&self, tool: &ToolSpec) -> Result<ToolDefinition, ModelError> {
        let (description, parameters) = (tool.description.clone(), tool.parameters.clone());
        Ok(ToolDefinition::new(self.tool_name(&tool.name)?, description, parameters))
    }

    fn tool_name(&self, name: &str) -> Result<ToolName, ModelError> {
        ToolName::new(name).map_err(|_| self.wrong("a tool has no name; give it one"))
    }

    fn schema(&self, OutputSchema { name, schema }: OutputSchema) -> Result<Schema, ModelError> {
        let Json::Object(mut schema) = schema else {
            return Err(self.wrong("the schema of its reply is no object; give one that is"));
        };
        schema.insert("title".to_owned(), json!(name));
        Ok(Schema::from(schema))
    }

    fn unsupported(&self, what: &'static str) -> ModelError {
        ModelError::Unsupported { model: self.target.model().to_owned(), what }
    }

    fn wrong(&self, what: &str) -> ModelError {
        ModelError::Setup { message: format!("model `{}`: {what}", self.target.model()) }
    }
}

/// A provider's model by both their names.
pub(super) fn named(target: &dyn ReplayTarget) -> String {
    format!("{}/{}", target.provider(), target.model())
}

fn reasoning(effort: ReasoningEffort) -> Reasoning {
    match effort {
        ReasoningEffort::Off => Reasoning::Off,
        ReasoningEffort::Minimal => Effort::Minimal.into(),
        ReasoningEffort::Low => Effort::Low.into(),
        ReasoningEffort::Medium => Effort::Medium.into(),
        ReasoningEffort::High => Effort::High.into(),
        ReasoningEffort::Max => Effort::Max.into(),
        ReasoningEffort::Tokens(tokens) => Reasoning::Budget { tokens },
    }
}

fn cache(cache: PromptCache) -> CacheRetention {
    match cache {
        PromptCache::Off => CacheRetention::None,
        PromptCache::Short => CacheRetention::Short,
        PromptCache::Long => CacheRetention::Long,
    }
}

fn service_tier(tier: ServiceTier) -> RigTier {
    match tier {
        ServiceTier::Auto => RigTier::Auto,
        ServiceTier::Default => RigTier::Default,
        ServiceTier::Flex => RigTier::Flex,
        ServiceTier::Priority => RigTier::Priority,
    }
}

/// A text or a call as an item of the Responses API. Reasoning goes back only before an item of the
/// provider, which is this one.
fn as_item(said: AssistantContent) -> AssistantContent {
    let item = match &said {
        AssistantContent::Text(text) => {
            json!({ "type": "message", "role": "assistant", "content": text.text })
        }
        AssistantContent::ToolCall(call) => {
            let Some(id) = call.id.provider() else { return said };
            json!({
                "type": "function_call",
                "call_id": id.as_str(),
                "name": call.function.name.as_str(),
                "arguments": call.function.arguments_value().to_string(),
            })
        }
        _ => return said,
    };
    said.with_native(item)
}

/// The message that shows what follows the results, if there is anything.
fn shown(following: &mut Vec<UserContent>) -> Option<RigMessage> {
    let content = std::mem::take(following);
    (!content.is_empty()).then_some(RigMessage::User { content })
}

fn image_of(image: &Image) -> RigImage {
    match image {
        Image::Url(url) => {
            RigImage { data: DocumentSourceKind::Url(url.clone()), ..RigImage::default() }
        }
        Image::Data { media_type, base64 } => RigImage {
            data: DocumentSourceKind::Base64(base64.clone()),
            media_type: ImageMediaType::from_mime_type(media_type),
            ..RigImage::default()
        },
    }
}

fn detail_of(detail: ImageDetail) -> RigDetail {
    match detail {
        ImageDetail::Low => RigDetail::Low,
        ImageDetail::High => RigDetail::High,
        ImageDetail::Auto => RigDetail::Auto,
    }
}

/// The name of a called tool, which may be empty in the message of a model.
fn name_said(name: &str) -> ToolName {
    let unnamed = || ToolName::new("unnamed").expect("it is not empty");
    ToolName::new(name).unwrap_or_else(|_| unnamed())
}
