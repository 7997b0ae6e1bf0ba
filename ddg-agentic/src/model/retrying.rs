//! A model with retries.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ddg_core::worker::Retry;
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::{Capabilities, ChatModel, ChatReply, ChatRequest, ChatStream, ModelError};

/// A model that is asked again when it [may help](ModelError::is_retryable), after the delays of a
/// [`Retry`] or the time that the provider asks for, whichever is longer. Created by
/// [`retrying`](super::ChatModelExt::retrying).
///
/// A stream that breaks in its middle is requested again as well.
/// [`ChatChunk::Restart`](super::ChatChunk::Restart) tells subscribers that the earlier pieces are void.
///
/// ```
/// use std::time::Duration;
/// use ddg_agentic::ChatModel;
/// use ddg_agentic::model::{ChatModelExt, ChatRequest, ModelError, ScriptedModel};
/// use ddg_core::worker::Retry;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), ModelError> {
/// let busy = ModelError::Status {
///     model: "scripted".into(),
///     status: 429,
///     message: "slow down".into(),
///     retry_after: Some(Duration::from_secs(2)),
/// };
/// let model = ScriptedModel::new().fails(busy).text("Here I am.");
/// let model = model
///     .retrying(Retry::times(4).delay(Duration::from_millis(500)).jitter())
///     .timeout(Duration::from_secs(60));
/// assert_eq!(model.chat(ChatRequest::new(["Hello?"])).await?.message.text, "Here I am.");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Retrying<M> {
    model: Arc<M>,
    retry: Retry,
    timeout: Option<Duration>,
    longest_retry_after: Duration,
}

impl<M: ChatModel> Retrying<M> {
    pub(super) fn new(model: M, retry: Retry) -> Self {
        Self {
            model: Arc::new(model),
            retry,
            timeout: None,
            longest_retry_after: Duration::from_secs(60),
        }
    }

    /// Sets the timeout of each attempt: for the whole reply or, for a stream, for the first piece
    /// and between two pieces. An attempt that takes longer is [`ModelError::TimedOut`], and is
    /// retried.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the maximum time to wait for the provider (60 s by default). If it asks for more, the
    /// model fails.
    #[must_use]
    pub fn longest_retry_after(mut self, longest: Duration) -> Self {
        self.longest_retry_after = longest;
        self
    }

    /// The first success of `attempt`, or the last error.
    async fn until_it_succeeds<T, F>(
        &self,
        waits: &mut Waits,
        attempt: impl Fn() -> F,
    ) -> Result<T, ModelError>
    where
        F: Future<Output = Result<T, ModelError>>,
    {
        loop {
            match self.in_time(attempt()).await {
                Ok(reply) => return Ok(reply),
                Err(error) => self.wait(waits, error).await?,
            }
        }
    }

    /// Waits until the model may be asked again.
    ///
    /// # Errors
    /// It may not.
    async fn wait(&self, waits: &mut Waits, error: ModelError) -> Result<(), ModelError> {
        let asked_for = error.retry_after().unwrap_or_default();
        if !error.is_retryable() || asked_for > self.longest_retry_after {
            return Err(error);
        }
        let Some(wait) = waits.next() else { return Err(error) };
        let wait = wait.max(asked_for);
        tracing::warn!(model = self.name(), %error, ?wait, "a model failed and is asked again");
        sleep(wait).await;
        Ok(())
    }

    /// A stream that has begun.
    async fn begin(
        &self,
        waits: &mut Waits,
        request: &ChatRequest,
    ) -> Result<ChatStream, ModelError> {
        let begin = async || self.model.stream(request.clone()).await?.begun().await;
        let stream = self.until_it_succeeds(waits, begin).await?;
        Ok(match self.timeout {
            Some(after) => stream.paced(after),
            None => stream,
        })
    }

    async fn in_time<T>(
        &self,
        attempt: impl Future<Output = Result<T, ModelError>>,
    ) -> Result<T, ModelError> {
        let Some(after) = self.timeout else { return attempt.await };
        let late = |_| ModelError::TimedOut { model: self.name().to_owned(), after };
        timeout(after, attempt).await.map_err(late)?
    }
}

/// The waits between attempts that are left.
type Waits = Box<dyn Iterator<Item = Duration> + Send>;

impl<M: ChatModel> ChatModel for Retrying<M> {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn provider(&self) -> &str {
        self.model.provider()
    }

    fn capabilities(&self) -> Capabilities {
        self.model.capabilities()
    }

    /// The other model, asked again in the same way.
    fn switched(&self, model: &str) -> Option<Arc<dyn ChatModel>> {
        let Self { retry, timeout, longest_retry_after, .. } = *self;
        let model = Arc::new(self.model.switched(model)?);
        Some(Arc::new(Retrying { model, retry, timeout, longest_retry_after }))
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            let mut waits: Waits = Box::new(self.retry.waits());
            self.until_it_succeeds(&mut waits, || self.model.chat(request.clone())).await
        })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        Box::pin(async move {
            let mut waits: Waits = Box::new(self.retry.waits());
            let stream = self.begin(&mut waits, &request).await?;
            let (this, waits) = (self.clone(), Arc::new(Mutex::new(waits)));
            Ok(stream.restarting(move |error| {
                let (this, request) = (this.clone(), request.clone());
                let waits = Arc::clone(&waits);
                Box::pin(async move {
                    let mut waits = waits.lock().await;
                    this.wait(&mut waits, error).await?;
                    this.begin(&mut waits, &request).await
                })
            }))
        })
    }
}

impl<M> Clone for Retrying<M> {
    fn clone(&self) -> Self {
        let Self { model, retry, timeout, longest_retry_after } = self;
        Self {
            model: Arc::clone(model),
            retry: *retry,
            timeout: *timeout,
            longest_retry_after: *longest_retry_after,
        }
    }
}
