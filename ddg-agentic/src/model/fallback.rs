//! Models that replace each other.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::{Capabilities, ChatModel, ChatReply, ChatRequest, ChatStream, ModelError};

/// A model with fallbacks: the next model is asked when those before it have failed.
///
/// It has the capabilities that all models have. The next model is asked after any error, because a
/// key that one provider refuses may be right for another. A stream that breaks in its middle
/// switches to the next model as well, and [restarts](super::ChatChunk::Restart).
/// [`ChatReply::model`] says which model has replied. Give each model its own
/// [`retries`](super::ChatModelExt::retrying); the next one is asked when they are used up.
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
    /// The models; at least one.
    models: Vec<Arc<dyn ChatModel>>,
}

impl Fallback {
    /// Creates a fallback with the model that is asked first.
    pub fn new(model: impl ChatModel) -> Self {
        Self { name: model.name().to_owned(), models: vec![Arc::new(model)] }
    }

    /// Adds a model that is asked when those before it have failed.
    #[must_use]
    pub fn or(mut self, model: impl ChatModel) -> Self {
        self.name = format!("{} or {}", self.name, model.name());
        self.models.push(Arc::new(model));
        self
    }
}

impl ChatModel for Fallback {
    /// The names of all models, as "first or second".
    fn name(&self) -> &str {
        &self.name
    }

    /// The provider of the first of them.
    fn provider(&self) -> &str {
        self.models.first().map_or("_OTHER", ChatModel::provider)
    }

    /// The capabilities that all models have.
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
            let mut failures = Vec::new();
            for model in &self.models {
                match model.chat(request.clone()).await {
                    Ok(mut reply) => {
                        reply.model.get_or_insert_with(|| model.name().to_owned());
                        return Ok(reply);
                    }
                    Err(error) => failed(&**model, error, &mut failures),
                }
            }
            Err(ModelError::AllFailed { failures })
        })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        Box::pin(async move {
            let (next, stream) = begin(&self.models, 0, &request, &mut Vec::new()).await?;
            let state = Arc::new(Mutex::new((next, Vec::new())));
            let models = self.models.clone();
            Ok(stream.restarting(move |error| {
                let (models, request) = (models.clone(), request.clone());
                let state = Arc::clone(&state);
                Box::pin(async move {
                    let mut state = state.lock().await;
                    let (next, failures) = &mut *state;
                    failed(&*models[*next - 1], error, failures);
                    let (after, stream) = begin(&models, *next, &request, failures).await?;
                    *next = after;
                    Ok(stream)
                })
            }))
        })
    }
}

/// The stream of the first model from `next` on that begins, and who comes after it.
async fn begin(
    models: &[Arc<dyn ChatModel>],
    next: usize,
    request: &ChatRequest,
    failures: &mut Vec<ModelError>,
) -> Result<(usize, ChatStream), ModelError> {
    for (nth, model) in models.iter().enumerate().skip(next) {
        let begun = async { model.stream(request.clone()).await?.begun().await };
        match begun.await {
            Ok(stream) => return Ok((nth + 1, stream.said_by(model.name()))),
            Err(error) => failed(&**model, error, failures),
        }
    }
    Err(ModelError::AllFailed { failures: std::mem::take(failures) })
}

/// Notes that a model has failed.
fn failed(model: &dyn ChatModel, error: ModelError, failures: &mut Vec<ModelError>) {
    tracing::warn!(model = model.name(), %error, "a model failed; is there another?");
    failures.push(error);
}
