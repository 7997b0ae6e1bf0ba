//! MCP servers over streamable HTTP.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use super::connection::Connection;
use super::listener::Listener;
use super::live::Live;
use super::oauth::Authority;
use super::redacted::Redacted;
use super::server::McpEndpoint;
use super::shown::Secrets;
use super::stderr::Stderr;
use super::{McpClient, McpError, McpOAuth};
use crate::tls::choose_crypto;

/// Maximum number of redirects.
const MAX_REDIRECTIONS: usize = 5;

/// An MCP server at a URL, created by [`McpEndpoint::http`].
#[derive(Clone)]
pub struct McpHttp {
    url: String,
    headers: Vec<(String, String)>,
    oauth: Option<McpOAuth>,
}

impl McpHttp {
    pub(super) fn new(url: String) -> Self {
        Self { url, headers: Vec::new(), oauth: None }
    }

    pub(super) fn host(&self) -> String {
        let url = Url::parse(&self.url).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "http".to_owned())
    }

    /// The URL without parts that may be secret.
    fn shown_url(&self) -> String {
        match Url::parse(&self.url) {
            Ok(url) => format!("{}{}", url.origin().ascii_serialization(), url.path()),
            Err(_) => "…".to_owned(),
        }
    }

    /// What is sent only to the server.
    fn secrets(&self) -> Secrets {
        let url = Url::parse(&self.url).ok();
        let in_url = url.iter().flat_map(|url| [url.password(), url.query()]).flatten();
        let in_headers = self.headers.iter().map(|(_, value)| value.trim_start_matches("Bearer "));
        Secrets::new(in_url.chain(in_headers).map(str::to_owned))
    }

    fn url(&self) -> Result<Url, String> {
        let url = Url::parse(&self.url).map_err(|error| {
            format!("its address is invalid ({error}): write one such as `https://example.com/mcp`")
        })?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            other => Err(format!("its address begins with `{other}:`, not `https:`")),
        }
    }

    fn config(&self) -> Result<StreamableHttpClientTransportConfig, String> {
        self.url()?;
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            let header = HeaderName::from_str(name)
                .map_err(|_| format!("`{name}` cannot be the name of a header"))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                format!("the value of its header `{name}` has characters that no header can have")
            })?;
            value.set_sensitive(true);
            headers.push((header, value));
        }
        let mut config = StreamableHttpClientTransportConfig::with_uri(&*self.url);
        config.retry_config = Arc::new(reconnecting());
        Ok(config.custom_headers(headers.into_iter().collect()))
    }
}

impl McpEndpoint<McpHttp> {
    /// Sets a header of every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.transport.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `Authorization: Bearer` and the token with every request.
    #[must_use]
    pub fn bearer(self, token: impl fmt::Display) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Authorises the program by OAuth, if the server wants that. Do not set a
    /// [`bearer`](Self::bearer) token as well.
    #[must_use]
    pub fn oauth(mut self, oauth: McpOAuth) -> Self {
        self.transport.oauth = Some(oauth);
        self
    }

    /// Connects to the server. If it wants authorisation, and there are no tokens that it accepts,
    /// a person is asked by [`oauth`](Self::oauth). Redirects are followed on the same host only.
    ///
    /// # Errors
    /// If the URL or a header is invalid, the server cannot be reached, the handshake fails, or the
    /// server wants authorisation and does not get it.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the connection attempt.
    pub async fn connect(&self) -> Result<McpClient, McpError> {
        let secrets = self.transport.secrets();
        let authority = self.authority(&secrets)?;
        match (self.open(&secrets, authority.clone()).await, authority) {
            (Err(McpError::Unauthorised { .. }), Some(authority)) => {
                authority.authorise().await?;
                self.open(&secrets, Some(authority)).await
            }
            (opened, _) => opened,
        }
    }

    fn authority(&self, secrets: &Secrets) -> Result<Option<Arc<Authority>>, McpError> {
        let Some(oauth) = self.transport.oauth.clone() else { return Ok(None) };
        let is_authorization =
            |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
        if self.transport.headers.iter().any(is_authorization) {
            let message = "it has both `oauth` and an `authorization` header: give one of them";
            return Err(self.setup(message.to_owned()));
        }
        let url = self.transport.url().map_err(|message| self.setup(message))?;
        Ok(Some(Arc::new(Authority::new(&self.settings.name, oauth, &url, secrets.clone()))))
    }

    async fn open(
        &self,
        secrets: &Secrets,
        authority: Option<Arc<Authority>>,
    ) -> Result<McpClient, McpError> {
        let config = self.transport.config().map_err(|message| self.setup(message))?;
        let client = client().map_err(|error| self.setup(error.to_string()))?;
        let settings = self.settings.clone();
        let listener = Listener::new(&settings.name, secrets.clone(), settings.offers.clone());
        let client = Redacted::new(client, authority.clone(), listener.clone());
        let greeted = settings.clone();
        let open = move |listener| {
            let transport =
                StreamableHttpClientTransport::with_client(client.clone(), config.clone());
            let settings = greeted.clone();
            async move { Live::greet(&settings, listener, transport, Stderr::default()).await }
                .boxed()
        };
        let connection = Connection::open(settings, listener, open).await?;
        Ok(McpClient::new(connection.authorised_by(authority)))
    }

    fn setup(&self, message: String) -> McpError {
        McpError::Setup { server: self.settings.name.clone(), message }
    }
}

impl fmt::Debug for McpHttp {
    /// Writes the names of the headers, without their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("McpHttp")
            .field("url", &self.shown_url())
            .field("headers", &headers)
            .field("oauth", &self.oauth)
            .finish()
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    choose_crypto();
    reqwest::Client::builder().redirect(Policy::custom(follow)).build()
}

/// How often a broken response stream is resumed, which is limited so that requests fail soon if
/// the server is gone.
fn reconnecting() -> ExponentialBackoff {
    let mut reconnecting = ExponentialBackoff::default();
    reconnecting.base_duration = Duration::from_millis(250);
    reconnecting.max_times = Some(4);
    reconnecting
}

/// Follows redirects on the same host only, because the headers are meant for that host.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let stays =
        attempt.previous().first().is_some_and(|url| url.origin() == attempt.url().origin());
    if stays && attempt.previous().len() <= MAX_REDIRECTIONS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}
