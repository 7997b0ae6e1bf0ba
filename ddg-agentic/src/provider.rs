//! Models of providers, asked over HTTP.

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

/// A model of OpenAI, or of any server that speaks its Chat Completions: vLLM, llama.cpp, LM Studio,
/// OpenRouter, Groq and many more, by their [`base_url`](HttpModel::base_url).
///
/// From the environment: `OPENAI_MODEL`; `OPENAI_API_KEY`, which a server named by `OPENAI_BASE_URL`
/// may do without.
pub type OpenAi = HttpModel<api::OpenAi>;

/// A model of Anthropic, by its Messages.
///
/// From the environment: `ANTHROPIC_MODEL`, `ANTHROPIC_API_KEY`, and, if not the provider's own,
/// `ANTHROPIC_BASE_URL`. Checked against what its documentation says it sends, not against the
/// service.
pub type Anthropic = HttpModel<api::Anthropic>;

/// A model of Google's Gemini, by its `generateContent`.
///
/// From the environment: `GEMINI_MODEL`, `GEMINI_API_KEY`, and, if not the provider's own,
/// `GEMINI_BASE_URL`. Checked against what its documentation says it sends, not against the
/// service.
pub type Gemini = HttpModel<api::Gemini>;

/// A model that Ollama runs, on this machine unless the address says otherwise, by its
/// OpenAI-compatible API.
///
/// From the environment: `OLLAMA_MODEL`, and, if not the usual, `OLLAMA_BASE_URL` (as
/// `http://localhost:11434`) and `OLLAMA_API_KEY`. Checked against what its documentation says it
/// sends, not against the service.
pub type Ollama = HttpModel<api::Ollama>;

/// A model that is asked over HTTP: one of [`OpenAi`], [`Anthropic`], [`Gemini`] and [`Ollama`].
///
/// Clones share connections. The key goes into the requests' headers, and into nothing else: not into
/// addresses, errors, logs or the `Debug` text. Redirects are not followed, as they would carry the
/// key elsewhere.
///
/// It needs a tokio runtime with I/O and time. A request is sent once; ask again on
/// [`ModelError::is_retryable`]. A wrong address and a missing key are a [`ModelError::Setup`] of the
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
    /// The provider's model of this name, at the provider's own address, without a key.
    pub fn new(model: impl Into<String>) -> Self {
        Self::with(Settings::new(A::PROVIDER, model.into()))
    }

    /// The model that the environment names; see [`OpenAi`], [`Anthropic`], [`Gemini`] and [`Ollama`]
    /// for the variables. An empty variable is as one that is not set.
    ///
    /// # Errors
    /// [`ModelError::Setup`], which names the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ModelError> {
        let model = Self::with(environment::settings(A::PROVIDER)?);
        model.connection()?;
        Ok(model)
    }

    /// Sets where the provider is, as `http://localhost:8000/v1`.
    #[must_use]
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self::with(Settings { base_url: base_url.into(), ..self.settings })
    }

    /// Sets the key.
    #[must_use]
    pub fn api_key(self, key: impl Into<ApiKey>) -> Self {
        Self::with(Settings { api_key: Some(key.into()), ..self.settings })
    }

    /// Sets what the model can do, where its name does not tell. Without, it can do all, and sees images
    /// unless it is known not to.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Capabilities) -> Self {
        Self::with(Settings { capabilities: Some(capabilities), ..self.settings })
    }

    /// Adds a header to every request. Its value is in no `Debug` text and no log.
    #[must_use]
    pub fn extra_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.extra_headers.push(name, value);
        Self::with(self.settings)
    }

    /// Adds a parameter to the query of every request, as Azure's `api-version`.
    #[must_use]
    pub fn extra_query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.extra_query.push(name, value);
        Self::with(self.settings)
    }

    /// Sets how long connecting may take; 10 seconds unless set.
    #[must_use]
    pub fn connect_timeout(self, time: Duration) -> Self {
        Self::with(Settings { connect_timeout: time, ..self.settings })
    }

    /// Sets how long a stream may be silent; 2 minutes unless set.
    #[must_use]
    pub fn stall_timeout(self, time: Duration) -> Self {
        Self::with(Settings { stall_timeout: time, ..self.settings })
    }

    /// Sets how long a reply that is no stream may take; 10 minutes unless set. A stream may take as
    /// long as it goes on.
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
