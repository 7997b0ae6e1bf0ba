//! An HTTP client whose errors contain no secrets.
//!
//! The library of the protocol logs what a server answers, and a server may repeat the token that
//! it was sent. So the secrets are removed before the library sees the answer.

use std::fmt;
use std::sync::Arc;

use futures::stream::BoxStream;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::{Error as SseError, Sse};

use super::shown::Secrets;

/// A client that removes secrets from the errors of `client`.
#[derive(Clone)]
pub(super) struct Redacted {
    client: reqwest::Client,
    secrets: Secrets,
}

type Failure = StreamableHttpError<reqwest::Error>;
#[expect(
    clippy::disallowed_types,
    reason = "the trait of the library takes them; their order does not matter"
)]
type Headers = std::collections::HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

impl Redacted {
    pub(super) fn new(client: reqwest::Client, secrets: Secrets) -> Self {
        Self { client, secrets }
    }

    fn clean(&self, failure: Failure) -> Failure {
        match failure {
            StreamableHttpError::UnexpectedServerResponse(text) => {
                let text = self.secrets.shown(text.into_owned());
                StreamableHttpError::UnexpectedServerResponse(text.into())
            }
            StreamableHttpError::UnexpectedContentType(Some(text)) => {
                StreamableHttpError::UnexpectedContentType(Some(self.secrets.shown(text)))
            }
            StreamableHttpError::ReinitializationFailed(mut error) => {
                error.message = self.secrets.shown(error.message.into_owned()).into();
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
        let sent =
            self.client.post_message(uri, message, session_id, auth_header, custom_headers).await;
        sent.map_err(|failure| self.clean(failure))
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
        let sent = self.client.post_message_with_max_sse_event_size(
            uri,
            message,
            session_id,
            auth_header,
            custom_headers,
            max_size,
        );
        sent.await.map_err(|failure| self.clean(failure))
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

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redacted")
    }
}
