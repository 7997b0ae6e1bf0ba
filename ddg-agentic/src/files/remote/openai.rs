//! The Files API of OpenAI over HTTP.

mod answers;
mod failures;
mod requests;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ddg_core::worker::Retry;
use futures::FutureExt;
use tokio::time::sleep;

use super::{FileUpload, RemoteContent, RemoteError, RemoteFile, RemoteFiles, RemoteFuture};
use crate::model::ModelError;
use crate::provider::ApiKey;
use crate::provider::{variable, wrong_url};
use requests::Connection;

const BASE_URL: &str = "https://api.openai.com/v1";

/// The purposes in OpenAI's documentation. Some are only of files that OpenAI creates.
const PURPOSES: [&str; 8] = [
    "assistants",
    "assistants_output",
    "batch",
    "batch_output",
    "evals",
    "fine-tune",
    "user_data",
    "vision",
];

/// Files at OpenAI, or at any server with its Files API and another [`base_url`](Self::base_url).
///
/// As with models over HTTP, clones share connections, the key is sent only in the headers of
/// requests, redirects are not followed, and a wrong URL or a missing key is a
/// [`RemoteError::Setup`] of the first request.
///
/// ```no_run
/// use std::time::Duration;
///
/// use ddg_agentic::files::{FileManager, OpenAiFiles};
/// use ddg_core::worker::Retry;
///
/// # async fn upload() -> Result<(), Box<dyn std::error::Error>> {
/// let client = OpenAiFiles::from_env()? // OPENAI_API_KEY, OPENAI_BASE_URL
///     .retrying(Retry::times(3).delay(Duration::from_millis(500)).jitter());
/// let files = FileManager::builder().remote(client).build().await?;
/// let report = files.create_from_path("report.pdf").purpose("user_data").await?;
/// println!("{}", report.id());
/// files.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OpenAiFiles {
    settings: Settings,
    connection: Arc<OnceLock<Result<Connection, RemoteError>>>,
}

#[derive(Clone, Debug)]
struct Settings {
    base_url: String,
    api_key: Option<ApiKey>,
    connect_timeout: Duration,
    stall_timeout: Duration,
    reply_timeout: Duration,
    retry: Retry,
    longest_retry_after: Duration,
}

impl OpenAiFiles {
    /// Files at OpenAI's own URL, without a key.
    pub fn new() -> Self {
        Self::with(Settings {
            base_url: BASE_URL.to_owned(),
            api_key: None,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(2 * 60),
            reply_timeout: Duration::from_secs(10 * 60),
            retry: Retry::times(0),
            longest_retry_after: Duration::from_secs(60),
        })
    }

    /// Configures the client from the environment: `OPENAI_API_KEY` and, for another server,
    /// `OPENAI_BASE_URL`. An empty variable counts as missing.
    ///
    /// # Errors
    /// [`RemoteError::Setup`] with the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, RemoteError> {
        let variable = |name| match variable(name) {
            Ok(value) => Ok(value),
            Err(ModelError::Setup { message }) => Err(RemoteError::Setup { message }),
            Err(other) => Err(RemoteError::Setup { message: other.to_string() }),
        };
        let mut files = Self::new();
        if let Some(base_url) = variable("OPENAI_BASE_URL")? {
            files = files.base_url(base_url);
        }
        if let Some(key) = variable("OPENAI_API_KEY")? {
            files = files.api_key(key);
        }
        files.connection()?;
        Ok(files)
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

    /// Sets the timeout for connecting (10 seconds by default).
    #[must_use]
    pub fn connect_timeout(self, time: Duration) -> Self {
        Self::with(Settings { connect_timeout: time, ..self.settings })
    }

    /// Sets how long a download may be silent (2 minutes by default).
    #[must_use]
    pub fn stall_timeout(self, time: Duration) -> Self {
        Self::with(Settings { stall_timeout: time, ..self.settings })
    }

    /// Sets the timeout of all other responses, including uploads (10 minutes by default).
    #[must_use]
    pub fn reply_timeout(self, time: Duration) -> Self {
        Self::with(Settings { reply_timeout: time, ..self.settings })
    }

    /// Retries when it [may help](RemoteError::is_retryable), after the delays of `retry` or the
    /// time that the provider asks for, whichever is longer. A download is retried only before its
    /// first piece.
    #[must_use]
    pub fn retrying(self, retry: Retry) -> Self {
        Self::with(Settings { retry, ..self.settings })
    }

    /// Sets the maximum time to wait for the provider (60 s by default). If it asks for more, the
    /// request fails.
    #[must_use]
    pub fn longest_retry_after(self, longest: Duration) -> Self {
        Self::with(Settings { longest_retry_after: longest, ..self.settings })
    }

    fn with(settings: Settings) -> Self {
        Self { settings, connection: Arc::default() }
    }

    fn connection(&self) -> Result<&Connection, RemoteError> {
        let made = self.connection.get_or_init(|| {
            self.settings.check()?;
            Connection::new(&self.settings)
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// Returns the first success of `attempt`, or the last error.
    async fn until_it_succeeds<'a, T, F>(
        &'a self,
        attempt: impl Fn(&'a Connection) -> F,
    ) -> Result<T, RemoteError>
    where
        F: Future<Output = Result<T, RemoteError>>,
    {
        let connection = self.connection()?;
        let mut waits = self.settings.retry.waits();
        loop {
            let error = match attempt(connection).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let asked_for = error.retry_after().unwrap_or_default();
            if !error.is_retryable() || asked_for > self.settings.longest_retry_after {
                return Err(error);
            }
            let Some(wait) = waits.next() else { return Err(error) };
            let wait = wait.max(asked_for);
            tracing::warn!(%error, ?wait, "a provider of files failed and is asked again");
            sleep(wait).await;
        }
    }
}

impl Settings {
    /// Checks the settings.
    fn check(&self) -> Result<(), RemoteError> {
        let wrong = |message: String| Err(RemoteError::Setup { message });
        if let Some(what) = wrong_url(&self.base_url) {
            return wrong(format!(
                "the address of files {what}; set base_url or OPENAI_BASE_URL to one such as \
                 {BASE_URL}"
            ));
        }
        match &self.api_key {
            None if self.base_url == BASE_URL => wrong(format!(
                "there is no key for files at {BASE_URL}; set api_key or OPENAI_API_KEY"
            )),
            Some(key) if !key.fits_header() => wrong(
                "the key of files has characters that a key cannot have, such as line breaks; set \
                 api_key or OPENAI_API_KEY"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

impl RemoteFiles for OpenAiFiles {
    fn name(&self) -> &str {
        "OpenAI"
    }

    fn purposes(&self) -> &[&'static str] {
        &PURPOSES
    }

    fn upload(&self, upload: FileUpload) -> RemoteFuture<'_, RemoteFile> {
        async move {
            let upload = &upload;
            self.until_it_succeeds(|connection| connection.upload(upload.clone())).await
        }
        .boxed()
    }

    fn retrieve<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteFile> {
        self.until_it_succeeds(move |connection| connection.retrieve(id)).boxed()
    }

    fn content<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteContent> {
        self.until_it_succeeds(move |connection| connection.content(id)).boxed()
    }

    fn list(&self) -> RemoteFuture<'_, Vec<RemoteFile>> {
        self.until_it_succeeds(Connection::list).boxed()
    }

    fn delete<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, ()> {
        self.until_it_succeeds(move |connection| connection.delete(id)).boxed()
    }
}

impl Default for OpenAiFiles {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OpenAiFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenAiFiles").field(&self.settings).finish()
    }
}
