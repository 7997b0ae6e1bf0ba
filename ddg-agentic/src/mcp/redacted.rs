//! An HTTP client whose errors contain no secrets.
//!
//! The library of the protocol logs what a server answers, and a server may repeat the token that
//! it was sent. So the secrets are removed before the library sees the answer.
//!
//! The client adds the token to each request if the server is used by OAuth. It also notices when
//! the library begins a new session, because the server has forgotten the old one: the server may
//! be another version of itself.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::BoxStream;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, InsufficientScopeError, StreamableHttpClient, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::{Error as SseError, Sse};

use super::listener::Listener;
use super::live::causes;
use super::oauth::Authority;
use super::shown::silent;

/// A client that removes secrets from the errors of `client`.
#[derive(Clone)]
pub(super) struct Redacted {
    client: reqwest::Client,
    /// Gets tokens, if the server is used by OAuth.
    authority: Option<Arc<Authority>>,
    listener: Listener,
    /// Whether a session has begun.
    has_session: Arc<AtomicBool>,
}

type Failure = StreamableHttpError<reqwest::Error>;
#[expect(
    clippy::disallowed_types,
    reason = "the trait of the library takes them; their order does not matter"
)]
type Headers = std::collections::HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

impl Redacted {
    pub(super) fn new(
        client: reqwest::Client,
        authority: Option<Arc<Authority>>,
        listener: Listener,
    ) -> Self {
        Self { client, authority, listener, has_session: Arc::default() }
    }

    /// Makes a request with the token that there is. If the server refuses it, it is refreshed, and
    /// the request is made again, once.
    async fn authorised<T, Fut>(
        &self,
        request: impl Fn(Option<String>) -> Fut + Send,
    ) -> Result<T, Failure>
    where
        Fut: Future<Output = Result<T, Failure>> + Send,
    {
        let Some(authority) = &self.authority else {
            return request(None).await.map_err(|failure| self.clean(failure));
        };
        let asked = async {
            let token = authority.token().await?;
            let refused = match request(token.clone()).await {
                Err(StreamableHttpError::AuthRequired(refused)) => refused,
                Err(StreamableHttpError::InsufficientScope(refused)) => {
                    authority.challenged(&refused.www_authenticate_header);
                    return Err(StreamableHttpError::InsufficientScope(refused));
                }
                answered => return answered,
            };
            authority.challenged(&refused.www_authenticate_header);
            match authority.renewed(token.as_deref()).await? {
                Some(token) => request(Some(token)).await,
                None => Err(StreamableHttpError::AuthRequired(refused)),
            }
        };
        silent(asked).await.map_err(|failure| self.clean(failure))
    }

    /// Hears that a message was sent.
    fn hears(&self, begins_session: bool) {
        if begins_session && self.has_session.swap(true, Ordering::AcqRel) {
            self.listener.begins_another_session();
        }
    }

    fn clean(&self, failure: Failure) -> Failure {
        match failure {
            StreamableHttpError::UnexpectedServerResponse(text) => {
                let text = self.listener.secrets().shown(text.into_owned());
                StreamableHttpError::UnexpectedServerResponse(text.into())
            }
            StreamableHttpError::UnexpectedContentType(Some(text)) => {
                StreamableHttpError::UnexpectedContentType(Some(
                    self.listener.secrets().shown(text),
                ))
            }
            StreamableHttpError::ReinitializationFailed(mut error) => {
                error.message = self.listener.secrets().shown(error.message.into_owned()).into();
                StreamableHttpError::ReinitializationFailed(error)
            }
            StreamableHttpError::AuthRequired(error) => {
                let header = self.listener.secrets().shown(error.www_authenticate_header);
                StreamableHttpError::AuthRequired(AuthRequiredError::new(header))
            }
            StreamableHttpError::InsufficientScope(error) => {
                let header = self.listener.secrets().shown(error.www_authenticate_header);
                let scope = error.required_scope;
                StreamableHttpError::InsufficientScope(InsufficientScopeError::new(header, scope))
            }
            StreamableHttpError::Auth(error) => {
                let text = self.listener.secrets().shown(causes(&error));
                StreamableHttpError::UnexpectedServerResponse(text.into())
            }
            other => other,
        }
    }
}

impl StreamableHttpClient for Redacted {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let begins_session = begins_session(&message);
        let sent = self.authorised(|token| {
            let (uri, message) = (Arc::clone(&uri), message.clone());
            self.client.post_message(uri, message, session_id.clone(), token, headers.clone())
        });
        sent.await.inspect(|_| self.hears(begins_session))
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _: Option<String>,
        headers: Headers,
        max_size: usize,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let begins_session = begins_session(&message);
        let sent = self.authorised(|token| {
            let (uri, message) = (Arc::clone(&uri), message.clone());
            let (session_id, headers) = (session_id.clone(), headers.clone());
            self.client.post_message_with_max_sse_event_size(
                uri, message, session_id, token, headers, max_size,
            )
        });
        sent.await.inspect(|_| self.hears(begins_session))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        _: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        let sent = self.authorised(|token| {
            let (uri, session_id) = (Arc::clone(&uri), Arc::clone(&session_id));
            self.client.delete_session(uri, session_id, token, headers.clone())
        });
        sent.await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _: Option<String>,
        headers: Headers,
    ) -> Result<Events, Failure> {
        let asked = self.authorised(|token| {
            let (uri, session_id) = (Arc::clone(&uri), session_id.clone());
            let (last_event_id, headers) = (last_event_id.clone(), headers.clone());
            self.client.get_stream(uri, session_id, last_event_id, token, headers)
        });
        asked.await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _: Option<String>,
        headers: Headers,
        max_size: usize,
    ) -> Result<Events, Failure> {
        let asked = self.authorised(|token| {
            let (uri, session_id) = (Arc::clone(&uri), session_id.clone());
            let (last_event_id, headers) = (last_event_id.clone(), headers.clone());
            self.client.get_stream_with_max_sse_event_size(
                uri,
                session_id,
                last_event_id,
                token,
                headers,
                max_size,
            )
        });
        asked.await
    }
}

fn begins_session(message: &ClientJsonRpcMessage) -> bool {
    let JsonRpcMessage::Request(request) = message else { return false };
    matches!(request.request, ClientRequest::InitializeRequest(_))
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redacted")
    }
}
