//! Requests with the client library rig, whose types are used only in this module.

mod answer;
mod ask;
mod bounded;
mod call_ids;
mod client;
mod extras;
mod failure;
mod media;
mod not_a_stream;
mod pieces;
mod signature;
mod tidy;

use std::sync::Arc;

use futures::StreamExt;
use rig_core::DynModel;
use rig_core::completion::{CompletionRequest, ReplayTarget};
use rig_core::driver::Model;
use rig_core::operation::Completion;
use rig_core::providers::anthropic::wire::AnthropicConfig;
use rig_core::providers::gemini::GeminiConfig;
use rig_core::providers::ollama::OllamaConfig;
use rig_core::providers::openai::OpenAIConfig;
use rig_core::providers::openai::responses_api::wire::Responses;
use rig_core::providers::openai::wire::{Auth, BodyRewrite, OPENAI};
use tracing::Dispatch;
use tracing::instrument::{WithDispatch, WithSubscriber};

use super::api::Provider;
use super::settings::Settings;
use crate::message::Message;
use crate::model::{Capabilities, ChatReply, ChatRequest, ChatStream, ModelError};
use ask::Ask;
use call_ids::CallIds;
use client::Client;
use extras::Extras;
use failure::Failures;
pub(crate) use failure::{chain, told};
use pieces::Pieces;

/// Maximum number of tokens of a reply, for providers that require one, if none is set.
const MAX_OUTPUT_TOKENS: u64 = 4096;

/// A connection to a provider, which is kept between requests.
pub(super) struct Connection {
    model: DynModel<Completion>,
    /// The model for requests with files or recordings, if it is another one.
    with_media: Option<DynModel<Completion>>,
    target: Arc<dyn ReplayTarget + Send>,
    capabilities: Capabilities,
    max_media_bytes: usize,
    failures: Failures,
}

impl Connection {
    pub(super) fn new(settings: &Settings) -> Result<Self, ModelError> {
        settings.check()?;
        let client = Client::new(settings)?;
        let base_url = settings.base_url.trim_end_matches('/');
        let name = &settings.model;
        let failures = Failures::new(settings);
        let mut with_media = None;
        let (model, target): (_, Arc<dyn ReplayTarget + Send>) = match settings.provider {
            Provider::OpenAi => {
                let mut dialect = OPENAI;
                dialect.quirks.auth = Auth::OptionalBearer;
                // Sends texts as plain strings, which every server accepts, rather than lists of
                // parts.
                dialect.quirks.rewrite = BodyRewrite::Perplexity;
                // Some gateways omit the finish reason, but still mark the end of a complete
                // stream.
                dialect.quirks.done_without_finish_reason = true;
                let config = OpenAIConfig::with_key(&dialect, "").with_base_url(base_url);
                let model = config.connect(client.clone()).chat(name).erase();
                // With that rewriting the library sends no files.
                dialect.quirks.rewrite = BodyRewrite::None;
                let config = OpenAIConfig::with_key(&dialect, "").with_base_url(base_url);
                let plain = config.connect(client).chat(name);
                with_media = Some(plain.clone().erase());
                (model, Arc::new(plain.wire))
            }
            Provider::OpenAiResponses => {
                let mut dialect = OPENAI;
                dialect.quirks.auth = Auth::OptionalBearer;
                let config = OpenAIConfig::with_key(&dialect, "").with_base_url(base_url);
                let model = Model::new(Responses::new(config, name), client);
                (model.clone().erase(), Arc::new(model.wire))
            }
            Provider::Anthropic => {
                let config = AnthropicConfig::new("").with_base_url(base_url);
                let mut model = config.connect(client).completion(name);
                model.wire.default_max_tokens.get_or_insert(MAX_OUTPUT_TOKENS);
                (model.clone().erase(), Arc::new(model.wire))
            }
            Provider::Gemini => {
                let config = GeminiConfig::new("").with_base_url(base_url);
                let model = config.connect(client).completion(name);
                (model.clone().erase(), Arc::new(model.wire))
            }
            Provider::Ollama => {
                let config = OllamaConfig::new().with_base_url(base_url);
                let model = config.connect(client).completion(name);
                (model.clone().erase(), Arc::new(model.wire))
            }
        };
        let sees = target.accepts(name).user_images;
        let by_name = Capabilities::default().images(sees);
        let by_name = match settings.provider {
            // The pages of a PDF are images for these models.
            Provider::OpenAi => by_name.documents(sees).audio(media::may_hear(name)),
            Provider::OpenAiResponses => by_name.documents(sees),
            Provider::Anthropic => by_name.documents(true),
            Provider::Gemini => by_name.documents(true).audio(true),
            Provider::Ollama => by_name,
        };
        let capabilities = settings.capabilities.unwrap_or(by_name);
        let max_media_bytes = settings.max_media_bytes;
        Ok(Self { model, with_media, target, capabilities, max_media_bytes, failures })
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    pub(super) async fn chat(&self, request: ChatRequest) -> Result<ChatReply, ModelError> {
        let mut ids = CallIds::new(&request);
        let failures = self.failures.of_request(&request);
        let (model, asked, extras) = self.asked(request)?;
        let limit = failures.reply_timeout;
        let asking = extras.scope(async { silent(model.call(asked)).await });
        let reply = tokio::time::timeout(limit, asking).await;
        let reply = reply.map_err(|_| failures.timed_out(limit))?;
        let reply = reply.map_err(|error| failures.of_whole(&error))?;
        failures.ended(answer::reply(reply, &ask::named(&*self.target), &mut ids))
    }

    pub(super) async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ModelError> {
        if !self.capabilities.streaming {
            return Ok(ChatStream::of_reply(self.chat(request).await?));
        }
        let ids = CallIds::new(&request);
        let failures = self.failures.of_request(&request);
        let (model, asked, extras) = self.asked(request)?;
        let stream = silent(async { model.stream(asked) }).await;
        let stream = stream.map_err(|error| failures.of(&error))?;
        let mut pieces = Box::pin(
            Pieces::new(stream, ids, extras, failures, &ask::named(&*self.target)).chunks(),
        );
        // Nothing is sent before the first piece is polled, so errors of the whole request show
        // here.
        let first = pieces.next().await.transpose()?;
        let chunks = futures::stream::iter(first.map(Ok)).chain(pieces);
        Ok(ChatStream::new(self.target.model(), chunks))
    }

    /// The request in the form of the library, the model for it, and what the library cannot say.
    fn asked(
        &self,
        request: ChatRequest,
    ) -> Result<(&DynModel<Completion>, CompletionRequest, Arc<Extras>), ModelError> {
        self.check_size(&request)?;
        let (headers, query) = (&request.extra_headers, &request.extra_query);
        let extras = Extras::new(self.target.model(), headers, query)?;
        let extras = extras.with_strict(&request.tools);
        let (asked, media) = Ask::new(&*self.target, self.capabilities).request(request)?;
        let model = self.with_media.as_ref().filter(|_| !media.is_empty()).unwrap_or(&self.model);
        Ok((model, asked, Arc::new(extras.with_media(media))))
    }

    /// Checks the size of images, documents and recordings, which a provider would read as a whole
    /// before it refuses them.
    fn check_size(&self, request: &ChatRequest) -> Result<(), ModelError> {
        let n_bytes = request.messages.iter().map(Message::n_media_bytes).sum();
        let max_bytes = self.max_media_bytes;
        if n_bytes > max_bytes {
            let model = self.target.model().to_owned();
            return Err(ModelError::TooMuchMedia { model, n_bytes, max_bytes });
        }
        Ok(())
    }
}

/// Silences rig's log, which contains whole conversations and provider messages about keys.
fn silent<F: Future>(asking: F) -> WithDispatch<F> {
    asking.with_subscriber(Dispatch::none())
}
