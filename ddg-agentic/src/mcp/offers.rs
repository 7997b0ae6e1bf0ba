//! What a program offers to a server that it uses: answers of people, roots, a model.
#![expect(
    deprecated,
    reason = "servers ask for roots and samples until a later revision removes it"
)]

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use rmcp::model::{
    ClientCapabilities, CreateMessageRequestParams, CreateMessageResult, ElicitationCapability,
    ErrorData, FormElicitationCapability, ListRootsResult, Role, Root, RootsCapabilities,
    SamplingCapability, SamplingMessage, SamplingMessageContentBlock as Block,
    UrlElicitationCapability,
};

use super::log::{McpLog, McpLogLevel};
use super::question::{McpAnswer, McpQuestion};
use super::shown::Secrets;
use crate::message::{Audio, ContentPart, Image, MediaSource, Message};
use crate::model::{ChatModel, ChatRequest, FinishReason};

/// What a program offers to a server.
#[derive(Clone, Default)]
pub(super) struct Offers {
    pub(super) questions: Questions,
    pub(super) roots: Option<Vec<(String, String)>>,
    pub(super) sampling: Option<(Arc<dyn ChatModel>, u64)>,
    /// The least severe messages that the server shall log.
    pub(super) log_level: Option<McpLogLevel>,
    pub(super) on_log: Option<OnLog>,
}

/// A function that gets the log messages of a server.
pub(super) type OnLog = Arc<dyn Fn(&McpLog) + Send + Sync>;

/// A function that answers a question of a server.
pub(super) type OnQuestion =
    Arc<dyn Fn(McpQuestion) -> BoxFuture<'static, McpAnswer> + Send + Sync>;

/// Addressee of questions of a server to people.
#[derive(Clone, Default)]
pub(super) enum Questions {
    /// Nobody: they are declined.
    #[default]
    Declined,
    /// The person whose run calls the tool; the run pauses.
    Pause,
    /// The program.
    Program(OnQuestion),
}

impl Offers {
    pub(super) fn capabilities(&self) -> ClientCapabilities {
        let mut capabilities = ClientCapabilities::default();
        if !matches!(self.questions, Questions::Declined) {
            capabilities.elicitation = Some(
                ElicitationCapability::new()
                    .with_form(FormElicitationCapability::new())
                    .with_url(UrlElicitationCapability::default()),
            );
        }
        capabilities.roots = self.roots.as_ref().map(|_| RootsCapabilities::default());
        capabilities.sampling = self.sampling.as_ref().map(|_| SamplingCapability::default());
        capabilities
    }

    pub(super) fn listed_roots(&self) -> ListRootsResult {
        let roots = self.roots.iter().flatten();
        ListRootsResult::new(
            roots.map(|(uri, name)| Root::new(uri.clone()).with_name(name.clone())).collect(),
        )
    }

    /// Lets the program's model write a message for the server.
    pub(super) async fn sample(
        &self,
        params: CreateMessageRequestParams,
        secrets: &Secrets,
    ) -> Result<CreateMessageResult, ErrorData> {
        let Some((model, most_tokens)) = &self.sampling else {
            let why = "this client lets servers use no model: do without";
            return Err(ErrorData::invalid_request(why, None));
        };
        if params.tools.as_ref().is_some_and(|tools| !tools.is_empty()) {
            let why = "this client's model calls no tools of servers: ask without tools";
            return Err(ErrorData::invalid_params(why, None));
        }
        let system = params.system_prompt.into_iter().map(Message::system);
        let said = params.messages.into_iter().map(message_of).collect::<Result<Vec<_>, _>>()?;
        let mut request = ChatRequest::new(system.chain(said));
        request.max_output_tokens = Some(u64::from(params.max_tokens).min(*most_tokens));
        request.temperature = params.temperature.map(f64::from);
        request.stop = params.stop_sequences.unwrap_or_default();
        let reply = model.chat(request).await.map_err(|error| {
            // The server learns that there is no reply, and the program's log why.
            tracing::warn!(
                error = secrets.shown(error.to_string()),
                "a sample for a server failed"
            );
            ErrorData::internal_error("the model of this client failed", None)
        })?;
        let message = SamplingMessage::new(Role::Assistant, Block::text(reply.message.text));
        let result = CreateMessageResult::new(message, model.name().to_owned());
        Ok(result.with_stop_reason(match reply.finish {
            FinishReason::Length => CreateMessageResult::STOP_REASON_END_MAX_TOKEN,
            _ => CreateMessageResult::STOP_REASON_END_TURN,
        }))
    }
}

/// A message that a server gives to the model.
fn message_of(message: SamplingMessage) -> Result<Message, ErrorData> {
    let role = message.role.clone();
    let mut content = Vec::new();
    for block in message.content.into_vec() {
        content.push(match block {
            Block::Text(text) => ContentPart::Text { text: text.text },
            Block::Image(image) if role == Role::User => {
                let image = Image::Data { media_type: image.mime_type, base64: image.data };
                ContentPart::image(image)
            }
            Block::Audio(audio) if role == Role::User => {
                let source = MediaSource::Base64(audio.data);
                ContentPart::audio(Audio::new(audio.mime_type, source))
            }
            _ => {
                let why = "this client's model reads texts, and images and recordings of users";
                return Err(ErrorData::invalid_params(why, None));
            }
        });
    }
    let message = Message::User { content };
    Ok(match role {
        Role::Assistant => Message::assistant(message.text()),
        _ => message,
    })
}

impl fmt::Debug for Offers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let questions = match &self.questions {
            Questions::Declined => "declined",
            Questions::Pause => "pause the run",
            Questions::Program(_) => "answered by the program",
        };
        f.debug_struct("Offers")
            .field("questions", &questions)
            .field("roots", &self.roots)
            .field("sampling", &self.sampling.as_ref().map(|(model, _)| model.name()))
            .field("log_level", &self.log_level)
            .finish_non_exhaustive()
    }
}
