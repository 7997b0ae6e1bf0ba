//! Models that stand in for each other.

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::{Capabilities, ChatModel, ChatReply, ChatRequest, ChatStream, ModelError};

/// A model, and those that are asked in its place when it fails, one after the other.
///
/// It can do what all of them can. The next is asked whatever the error: a key that is refused here
/// may be right there. A stream goes over to the next only before its first piece. Which of them
/// replied is said in [`ChatReply::model`]. Give each its own [`retries`](super::ChatModelExt::retrying);
/// then the next is asked once they are used up.
///
/// ```
/// use ddg_agentic::ChatModel;
/// use ddg_agentic::model::{ChatRequest, Fallback, ModelError, ScriptedModel};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ModelError> {
/// let away = ModelError::Connection { model: "first".into(), message: "it is away".into() };
/// let first = ScriptedModel::new().named("first").fails(away);
/// let second = ScriptedModel::new().named("second").text("I am here.");
///
/// let model = Fallback::new(first).or(second);
/// let reply = model.chat(ChatRequest::new(["Anybody there?"])).await?;
/// assert_eq!((reply.message.text.as_str(), reply.model.as_deref()), ("I am here.", Some("second")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Fallback {
    name: String,
    /// At least one.
    models: Vec<Arc<dyn ChatModel>>,
}

impl Fallback {
    /// The model that is asked first.
    pub fn new(model: impl ChatModel) -> Self {
        Self { name: model.name().to_owned(), models: vec![Arc::new(model)] }
    }

    /// Adds one that is asked when those before it have failed.
    #[must_use]
    pub fn or(mut self, model: impl ChatModel) -> Self {
        self.name = format!("{} or {}", self.name, model.name());
        self.models.push(Arc::new(model));
        self
    }

    /// What the first that succeeds gives, or why none did.
    async fn first<'a, T, F>(
        &'a self,
        ask: impl Fn(&'a dyn ChatModel) -> F,
    ) -> Result<T, ModelError>
    where
        F: Future<Output = Result<T, ModelError>>,
    {
        let mut failures = Vec::new();
        for model in &self.models {
            match ask(&**model).await {
                Ok(reply) => return Ok(reply),
                Err(error) => {
                    tracing::warn!(model = model.name(), %error, "a model failed; is there another?");
                    failures.push(error);
                }
            }
        }
        Err(ModelError::AllFailed { failures })
    }
}

impl ChatModel for Fallback {
    /// All names, as "first or second".
    fn name(&self) -> &str {
        &self.name
    }

    /// What all of them can do.
    fn capabilities(&self) -> Capabilities {
        let all = self.models.iter().map(ChatModel::capabilities);
        all.reduce(Capabilities::common).unwrap_or_default()
    }

    /// The first of them that can.
    fn switched(&self, model: &str) -> Option<Arc<dyn ChatModel>> {
        self.models.iter().find_map(|candidate| candidate.switched(model))
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            self.first(|model| {
                let reply = model.chat(request.clone());
                async move {
                    let mut reply = reply.await?;
                    reply.model.get_or_insert_with(|| model.name().to_owned());
                    Ok(reply)
                }
            })
            .await
        })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        Box::pin(async move {
            self.first(|model| {
                let stream = model.stream(request.clone());
                async move { Ok(stream.await?.begun().await?.said_by(model.name())) }
            })
            .await
        })
    }
}
