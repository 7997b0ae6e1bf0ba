//! An HTTP client whose errors contain no secrets.
//!
//! The library of the protocol logs what a server answers, and a server may repeat the token that
//! it was sent. So the secrets are removed before the library sees the answer.
//!
//! The client also notices when the library begins a new session, because the server has forgotten
//! the old one: the server may be another version of itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::BoxStream;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::{Error as SseError, Sse};

use super::listener::Listener;

/// A client that removes secrets from the errors of `client`.
#[derive(Clone)]
pub(super) struct Redacted {
    client: reqwest::Client,
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
    pub(super) fn new(client: reqwest::Client, listener: Listener) -> Self {
        Self { client, listener, has_session: Arc::default() }
    }

    /// Hears that a message was sent.
    fn hears(&self, begins_session: bool) {
        if begins_session && self.has_session.swap(true, Ordering::AcqRel) {
            self.listener.all_may_have_changed();
        }
    }

    fn clean(&self, failure: Failure) -> Failure {
        match failure {
            StreamableHttpError::UnexpectedServerResponse(text) => {
                let text = self.listener.secrets().shown(text.into_owned());
                StreamableHttpError::UnexpectedServerResponse(text.into())
            }
            StreamableHttpError::UnexpectedContentType(Some(text)) => {
                StreamableHttpError::UnexpectedContentType(Some(self.listener.secrets().shown(text)))
            }
            StreamableHttpError::ReinitializationFailed(mut error) => {
                error.message = self.listener.secrets().shown(error.message.into_owned()).into();
                StreamableHttpError::ReinitializationFailed(error)
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
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let begins_session = begins_session(&message);
        let sent =
            self.client.post_message(uri, message, session_id, auth_header, custom_headers).await;
        sent.inspect(|_| self.hears(begins_session)).map_err(|failure| self.clean(failure))
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
        max_size: usize,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let begins_session = begins_session(&message);
        let sent = self.client.post_message_with_max_sse_event_size(
            uri,
            message,
            session_id,
            auth_header,
            custom_headers,
            max_size,
        );
        let sent = sent.await.inspect(|_| self.hears(begins_session));
        sent.map_err(|failure| self.clean(failure))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<(), Failure> {
        let sent = self.client.delete_session(uri, session_id, auth_header, custom_headers).await;
        sent.map_err(|failure| self.clean(failure))
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<Events, Failure> {
        let asked =
            self.client.get_stream(uri, session_id, last_event_id, auth_header, custom_headers);
        asked.await.map_err(|failure| self.clean(failure))
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
        max_size: usize,
    ) -> Result<Events, Failure> {
        let asked = self.client.get_stream_with_max_sse_event_size(
            uri,
            session_id,
            last_event_id,
            auth_header,
            custom_headers,
            max_size,
        );
        asked.await.map_err(|failure| self.clean(failure))
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
