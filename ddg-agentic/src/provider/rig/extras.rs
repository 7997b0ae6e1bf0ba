//! What is added to the requests that the library in between writes: headers and query parameters
//! of the user, whether tools are strict, and documents.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use rig_core::http_client::{Request, Uri};
use serde_json::Value as Json;

use super::media::SentMedia;
use crate::model::{ExtraPairs, ModelError};
use crate::tool::ToolSpec;

tokio::task_local! {
    /// The extras of the current task's request. A task-local variable, because the library in
    /// between passes nothing on.
    static OF_REQUEST: Arc<Extras>;
}

/// What is added to a request.
#[derive(Debug, Default)]
pub(super) struct Extras {
    headers: Vec<(HeaderName, HeaderValue)>,
    query: ExtraPairs,
    /// The tools that are strict or not, by name; the provider decides about all others.
    strict: Vec<(String, bool)>,
    /// The documents, which are taken when the request is sent.
    media: Mutex<SentMedia>,
}

impl Extras {
    /// Creates the extras of a `model`.
    ///
    /// # Errors
    /// If a header is invalid.
    pub(super) fn new(
        model: &str,
        headers: &ExtraPairs,
        query: &ExtraPairs,
    ) -> Result<Self, ModelError> {
        let header = |(name, value): (&str, &str)| {
            let found = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            let (header, mut value) = found.ok_or_else(|| ModelError::Setup {
                message: format!(
                    "model `{model}`: the extra header {name:?} cannot be sent: a name has letters, \
                     digits and `-`, a value no line breaks"
                ),
            })?;
            value.set_sensitive(true);
            Ok((header, value))
        };
        let headers = headers.iter().map(header).collect::<Result<_, ModelError>>()?;
        Ok(Self { headers, query: query.clone(), ..Self::default() })
    }

    /// Adds which of the tools are strict.
    pub(super) fn with_strict(self, tools: &[ToolSpec]) -> Self {
        let strict = |tool: &ToolSpec| Some((tool.name.clone(), tool.strict?));
        Self { strict: tools.iter().filter_map(strict).collect(), ..self }
    }

    /// Adds the documents of the request.
    pub(super) fn with_media(self, media: SentMedia) -> Self {
        Self { media: media.into(), ..self }
    }

    /// Writes into the body of the task's request, for OpenAI's APIs, which tools are strict, and
    /// the documents.
    pub(super) fn complete<T: Into<Bytes>>(request: Request<T>) -> Request<Bytes> {
        let request = request.map(Into::into);
        let extras = OF_REQUEST.try_with(Arc::clone).unwrap_or_default();
        let media = extras.media.lock().unwrap_or_else(PoisonError::into_inner).take();
        if extras.strict.is_empty() && media.is_empty() {
            return request;
        }
        request.map(|body| match serde_json::from_slice(&body) {
            Ok(json) => {
                let mut json = extras.marked(json);
                media.fill(&mut json);
                Bytes::from(json.to_string())
            }
            // A request that is no JSON has neither tools nor documents.
            Err(_) => body,
        })
    }

    fn marked(&self, mut body: Json) -> Json {
        for tool in body["tools"].as_array_mut().into_iter().flatten() {
            // The chat API has the function inside of the tool, the Responses API has it beside.
            let is_inside = tool["function"].is_object();
            let function = if is_inside { &mut tool["function"] } else { tool };
            let is_it = |(name, _): &&(String, bool)| function["name"] == name.as_str();
            if let Some((_, strict)) = self.strict.iter().find(is_it) {
                function["strict"] = Json::Bool(*strict);
            }
        }
        body
    }

    /// Runs `asking` with these extras for its requests.
    pub(super) async fn scope<F: Future>(self: Arc<Self>, asking: F) -> F::Output {
        OF_REQUEST.scope(self, asking).await
    }

    /// Adds these extras, and those of the task's request, to a request.
    pub(super) fn add_to<T>(&self, request: &mut Request<T>) {
        self.add_own(request);
        // A task without a request has no extras, which is not an error.
        let _ = OF_REQUEST.try_with(|extras| extras.add_own(request));
    }

    fn add_own<T>(&self, request: &mut Request<T>) {
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        if self.query.is_empty() {
            return;
        }
        let mut query = reqwest::Url::parse("http://query").expect("it is a URL");
        query.query_pairs_mut().extend_pairs(self.query.iter());
        let uri = request.uri().to_string();
        let before = if uri.contains('?') { '&' } else { '?' };
        let uri = format!("{uri}{before}{}", query.query().unwrap_or_default());
        *request.uri_mut() = Uri::try_from(uri).expect("a query was encoded as one");
    }
}
