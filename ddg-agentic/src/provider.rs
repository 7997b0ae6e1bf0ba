//! Models of providers over HTTP.

mod api;
mod environment;
mod http;
mod key;
mod retry_after;
mod rig;
mod settings;

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;

pub use api::Api;
pub(crate) use environment::variable;
pub(crate) use http::{http_client, wrong_url};
pub use key::ApiKey;
pub(crate) use retry_after::retry_after_of;
pub(crate) use rig::{chain, told};

use crate::model::{Capabilities, ChatModel, ChatReply, ChatRequest, ChatStream, ModelError};
use rig::Connection;
use settings::Settings;

/// A model of OpenAI, or of any server with its Chat Completions API, such as vLLM, llama.cpp, LM
/// Studio, OpenRouter and Groq, with another [`base_url`](HttpModel::base_url).
///
/// Variables of the environment: `OPENAI_MODEL`, and `OPENAI_API_KEY`, which is optional for a
/// server named by `OPENAI_BASE_URL`.
pub type OpenAi = HttpModel<api::OpenAi>;

/// A model of OpenAI with its Responses API, or of any server with this API.
///
/// Reasoning models should be used with this API: their reasoning goes back with the next request,
/// encrypted, so they continue it across tool calls. Nothing is stored at the provider, unless
/// [`extra_body`](crate::ReActAutoma::extra_body) sets `store`. `stop` and `seed` do not exist
/// in this API. It reads the same variables of the environment as [`OpenAi`]. The tests
/// follow the documentation of the API; the service itself was not asked.
pub type OpenAiResponses = HttpModel<api::OpenAiResponses>;

/// A model of Anthropic, with its Messages API.
///
/// Variables of the environment: `ANTHROPIC_MODEL`, `ANTHROPIC_API_KEY` and, for another server,
/// `ANTHROPIC_BASE_URL`. It was tested against the documentation of the API, not against the
/// service.
pub type Anthropic = HttpModel<api::Anthropic>;

/// A model of Google's Gemini, with its `generateContent` API.
///
/// Variables of the environment: `GEMINI_MODEL`, `GEMINI_API_KEY` and, for another server,
/// `GEMINI_BASE_URL`. It was tested against the documentation of the API, not against the service.
pub type Gemini = HttpModel<api::Gemini>;

/// A model of Ollama, on this machine unless the URL says otherwise, with its OpenAI-compatible
/// API.
///
/// Variables of the environment: `OLLAMA_MODEL` and, optionally, `OLLAMA_BASE_URL` (such as
/// `http://localhost:11434`) and `OLLAMA_API_KEY`. It was tested against the documentation of the
/// API, not against the service.
pub type Ollama = HttpModel<api::Ollama>;

/// A model over HTTP: [`OpenAi`], [`OpenAiResponses`], [`Anthropic`], [`Gemini`] or [`Ollama`].
///
/// Clones share connections. The key is sent only in the headers of requests; it is never part of
/// URLs, errors, logs or the `Debug` text. Redirects are not followed, because they would send the
/// key elsewhere.
///
/// It needs a tokio runtime with I/O and time. A request is sent once; retry on
/// [`ModelError::is_retryable`]. A wrong URL or a missing key is a [`ModelError::Setup`] of the
/// first request.
///
/// ```no_run
/// use std::time::Duration;
///
/// use ddg_agentic::ChatModel;
/// use ddg_agentic::model::{ChatRequest, ModelError};
/// use ddg_agentic::provider::OpenAi;
///
/// # async fn ask() -> Result<(), ModelError> {
/// let model = OpenAi::new("qwen3-8b")
///     .base_url("http://localhost:8000/v1")
///     .stall_timeout(Duration::from_secs(30));
/// let stream = model.stream(ChatRequest::new(["How far is the moon?"])).await?;
/// let reply = stream.reply(|chunk| println!("{chunk:?}")).await?;
/// println!("{} ({} tokens)", reply.message.text, reply.usage.total());
/// # Ok(())
/// # }
/// ```
pub struct HttpModel<A> {
    settings: Settings,
    connection: Arc<OnceLock<Result<Connection, ModelError>>>,
    api: PhantomData<fn() -> A>,
}

impl<A: Api> HttpModel<A> {
    /// Creates the model with this name, at the provider's own URL, without a key.
    pub fn new(model: impl Into<String>) -> Self {
        Self::with(Settings::new(A::PROVIDER, model.into()))
    }

    /// Configures the model from the environment. The variables are listed at [`OpenAi`],
    /// [`Anthropic`], [`Gemini`] and [`Ollama`]. An empty variable counts as missing.
    ///
    /// # Errors
    /// [`ModelError::Setup`] with the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ModelError> {
        let model = Self::with(environment::settings(A::PROVIDER)?);
        model.connection()?;
        Ok(model)
    }

    /// Sets the URL of the provider, such as `http://localhost:8000/v1`.
    #[must_use]
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self::with(Settings { base_url: base_url.into(), ..self.settings })
    }

    /// Sets the key.
    #[must_use]
    pub fn api_key(self, key: impl Into<ApiKey>) -> Self {
        Self::with(Settings { api_key: Some(key.into()), ..self.settings })
    }

    /// Sets the capabilities, if they do not follow from the name. By default a model can do
    /// everything, except seeing images and hearing recordings if it is known not to.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Capabilities) -> Self {
        Self::with(Settings { capabilities: Some(capabilities), ..self.settings })
    }

    /// Sets the maximum number of bytes of the images, documents and recordings of a request.
    /// Larger requests are a [`ModelError::TooMuchMedia`]. The default follows from the limits that
    /// the providers document: 50 MB for OpenAI, 24 MB for Anthropic, 15 MB for Gemini.
    #[must_use]
    pub fn max_media_bytes(self, max_bytes: usize) -> Self {
        Self::with(Settings { max_media_bytes: max_bytes, ..self.settings })
    }

    /// Adds a header to every request. Its value is in no `Debug` text, no error and no log.
    #[must_use]
    pub fn extra_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.extra_headers.push(name, value);
        Self::with(self.settings)
    }

    /// Adds a query parameter to every request, such as Azure's `api-version`. Its value is in no
    /// `Debug` text and no error.
    #[must_use]
    pub fn extra_query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.extra_query.push(name, value);
        Self::with(self.settings)
    }

    /// Sets the timeout for connecting (10 seconds by default).
    #[must_use]
    pub fn connect_timeout(self, time: Duration) -> Self {
        Self::with(Settings { connect_timeout: time, ..self.settings })
    }

    /// Sets how long a stream may be silent (2 minutes by default).
    #[must_use]
    pub fn stall_timeout(self, time: Duration) -> Self {
        Self::with(Settings { stall_timeout: time, ..self.settings })
    }

    /// Sets the timeout of a whole reply that is streamed (1 hour by default), however long the
    /// provider keeps the connection open.
    #[must_use]
    pub fn stream_timeout(self, time: Duration) -> Self {
        Self::with(Settings { stream_timeout: time, ..self.settings })
    }

    /// Sets the timeout of a reply that is not a stream (10 minutes by default).
    #[must_use]
    pub fn reply_timeout(self, time: Duration) -> Self {
        Self::with(Settings { reply_timeout: time, ..self.settings })
    }

    fn with(settings: Settings) -> Self {
        Self { settings, connection: Arc::default(), api: PhantomData }
    }

    fn connection(&self) -> Result<&Connection, ModelError> {
        let made = self.connection.get_or_init(|| Connection::new(&self.settings));
        made.as_ref().map_err(Clone::clone)
    }
}

impl<A: Api> ChatModel for HttpModel<A> {
    fn name(&self) -> &str {
        &self.settings.model
    }

    fn provider(&self) -> &str {
        A::PROVIDER.convention()
    }

    fn capabilities(&self) -> Capabilities {
        self.connection().map(Connection::capabilities).unwrap_or_default()
    }

    fn switched(&self, model: &str) -> Option<Arc<dyn ChatModel>> {
        // What was said of this model's abilities need not hold for the other.
        let settings =
            Settings { model: model.to_owned(), capabilities: None, ..self.settings.clone() };
        Some(Arc::new(Self::with(settings)))
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        Box::pin(async move { self.connection()?.chat(request).await })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        Box::pin(async move { self.connection()?.stream(request).await })
    }
}

impl<A> Clone for HttpModel<A> {
    fn clone(&self) -> Self {
        let (settings, connection) = (self.settings.clone(), Arc::clone(&self.connection));
        Self { settings, connection, api: PhantomData }
    }
}

impl<A> fmt::Debug for HttpModel<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpModel").field(&self.settings).finish()
    }
}
