//! The HTTP client: connects, adds the key to the headers, and detects silent streams.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use rig_core::http_client::{
    BoxedStream, Error, HttpClientExt, LazyBody, MultipartForm, Request, Response, Result,
    StreamingResponse, Uri,
};
use rig_reqwest::ReqwestClient;
use tokio::time::Instant;

use super::super::api::Provider;
use super::super::http::http_client;
use super::super::settings::Settings;
use super::bounded;
use super::extras::Extras;
use super::failure::chain;
use super::not_a_stream::as_stream;
use super::tidy;
use crate::model::ModelError;

/// A client for one provider. The library that writes the requests never sees the key.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// The same client in the form of the library, for what is not bounded here.
    library: ReqwestClient,
    key: Option<(HeaderName, HeaderValue)>,
    extras: Arc<Extras>,
    stall_timeout: Duration,
    stream_timeout: Duration,
    /// Whether the API is that of OpenAI's chat completions.
    is_chat: bool,
    /// Whether the API is one of OpenAI's.
    is_of_openai: bool,
}

/// A stream has been silent for too long.
#[derive(Debug, thiserror::Error)]
#[error("nothing came within {after:?}")]
pub(super) struct Stalled {
    pub(super) after: Duration,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> std::result::Result<Self, ModelError> {
        let http = http_client(settings.connect_timeout, &settings.base_url);
        let setup = |what: String| ModelError::Setup {
            message: format!("model `{}`: {what}", settings.model),
        };
        let http =
            http.map_err(|error| setup(format!("there is no HTTP client: {}", chain(&error))))?;
        let key = settings.api_key.as_ref().map(|key| {
            let (header, before) = settings.provider.key_header();
            let mut value = HeaderValue::try_from(format!("{before}{}", key.expose()))
                .map_err(|_| setup("its key cannot be sent; set another".to_owned()))?;
            value.set_sensitive(true);
            Ok((HeaderName::from_static(header), value))
        });
        let (headers, query) = (&settings.extra_headers, &settings.extra_query);
        let extras = Arc::new(Extras::new(&settings.model, headers, query)?);
        let Settings { stall_timeout, stream_timeout, .. } = *settings;
        let (library, key) = (http.clone().into(), key.transpose()?);
        let is_chat = matches!(settings.provider, Provider::OpenAi | Provider::Ollama);
        let is_of_openai = is_chat || matches!(settings.provider, Provider::OpenAiResponses);
        Ok(Self {
            http,
            library,
            key,
            extras,
            stall_timeout,
            stream_timeout,
            is_chat,
            is_of_openai,
        })
    }

    /// Writes what the library has no words for, for the APIs of OpenAI.
    fn completed<T: Into<Bytes>>(&self, request: Request<T>) -> Request<Bytes> {
        if self.is_of_openai { Extras::complete(request) } else { request.map(Into::into) }
    }

    /// Adds the key to the headers. Rig puts Gemini's key into the URL; the empty parameter that it
    /// leaves there is removed.
    fn with_key<T>(&self, mut request: Request<T>) -> Request<T> {
        let uri = request.uri().to_string();
        if let Some((address, query)) = uri.split_once('?') {
            let rest: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("key=")).collect();
            let query =
                if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
            *request.uri_mut() = Uri::try_from(format!("{address}{query}"))
                .expect("an address is one without a part of its query");
        }
        if let Some((name, value)) = &self.key {
            request.headers_mut().insert(name, value.clone());
        }
        self.extras.add_to(&mut request);
        request
    }
}

impl HttpClientExt for Client {
    fn send<T, U>(
        &self,
        request: Request<T>,
    ) -> impl Future<Output = Result<Response<LazyBody<U>>>> + Send + 'static
    where
        T: Into<Bytes> + Send,
        U: From<Bytes> + Send + 'static,
    {
        let sent = bounded::sent(self.http.clone(), self.with_key(self.completed(request)));
        async move {
            let response = sent.await?;
            match response.headers().get(CONTENT_TYPE) {
                Some(found) if found.as_bytes().starts_with(b"text/html") => {
                    Err(Error::InvalidContentType(found.clone()))
                }
                _ => Ok(response.map(|body| {
                    let body = async move { Ok(U::from(tidy::whole(bounded::whole(body).await?))) };
                    Box::pin(body) as LazyBody<U>
                })),
            }
        }
    }

    fn send_multipart<U>(
        &self,
        request: Request<MultipartForm>,
    ) -> impl Future<Output = Result<Response<LazyBody<U>>>> + Send + 'static
    where
        U: From<Bytes> + Send + 'static,
    {
        self.library.send_multipart(self.with_key(request))
    }

    async fn send_streaming<T>(&self, request: Request<T>) -> Result<StreamingResponse>
    where
        T: Into<Bytes> + Send,
    {
        let (after, whole) = (self.stall_timeout, self.stream_timeout);
        let sent = bounded::sent(self.http.clone(), self.with_key(self.completed(request)));
        let response = tokio::time::timeout(after, sent).await;
        let response = response.map_err(|_| Error::instance(Stalled { after }))??;
        let end = Instant::now().checked_add(whole);
        let stream = as_stream(response.map(|body| watched(body, after, (end, whole)))).await?;
        Ok(stream.map(|body| tidy::events(body, self.is_chat)))
    }
}

/// The same body, with an error when it has been silent for `after`, or when the time of the whole
/// reply is up: some servers send comments for as long as the connection is open.
fn watched(
    body: BoxedStream,
    after: Duration,
    (end, whole): (Option<Instant>, Duration),
) -> BoxedStream {
    let next = move |mut body: BoxedStream| async move {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let (patience, after) = match left {
            Some(left) if left < after => (left, whole),
            _ => (after, after),
        };
        let chunk = tokio::time::timeout(patience, body.next()).await;
        let chunk = chunk.unwrap_or_else(|_| Some(Err(Error::instance(Stalled { after }))))?;
        Some((chunk, body))
    };
    Box::pin(futures::stream::unfold(body, next))
}
