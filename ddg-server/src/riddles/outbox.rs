//! Requests that are sent until they are acknowledged.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde::Serialize;
use tokio::time::sleep;

use super::secret::Secret;

/// The first pause before a request is sent again; each is twice the one before, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends requests to one server.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    client: Client,
    base: Url,
    secret: Option<Secret>,
}

/// Why a request was not taken.
#[derive(Debug)]
pub(super) struct NotTaken {
    pub(super) status: Option<StatusCode>,
    pub(super) message: String,
}

impl Outbox {
    /// Requests to the server at this URL.
    pub(super) fn new(url: &str, secret: Option<Secret>) -> Result<Self, String> {
        let base: Url = url.parse().map_err(|error| {
            format!("`{url}` is no URL ({error}); write one such as http://127.0.0.1:8090")
        })?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(format!(
                "`{url}` is no URL of a server; write one such as http://127.0.0.1:8090"
            ));
        }
        let client = crate::tls::client().timeout(TIMEOUT).build();
        let client = client.map_err(|error| format!("no HTTP client: {error}"))?;
        Ok(Self { client, base, secret })
    }

    /// The URL of a path of the server.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// Sends a request once, and returns the body of the reply.
    pub(super) async fn post<T: Serialize>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<String, NotTaken> {
        let body = serde_json::to_vec(body)
            .map_err(|error| NotTaken { status: None, message: error.to_string() })?;
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        self.reply(request.body(body)).await
    }

    /// Reads a path, with the parameters of its query.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<String, NotTaken> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.reply(self.client.get(url)).await
    }

    async fn reply(&self, mut request: reqwest::RequestBuilder) -> Result<String, NotTaken> {
        if let Some(secret) = &self.secret {
            request = request.header("authorization", secret.header());
        }
        let failed = |error: reqwest::Error| NotTaken {
            status: None,
            // Without the URL, which may have a password.
            message: causes(&error.without_url()),
        };
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let text = response.text().await.map_err(failed)?;
        if status.is_success() {
            return Ok(text);
        }
        let text: String = text.chars().take(500).collect();
        Err(NotTaken { status: Some(status), message: format!("{status}: {text}") })
    }

    /// Sends a request until it is taken. A refusal that trying again cannot mend is an error.
    pub(super) async fn post_until_taken<T: Serialize>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<String, NotTaken> {
        let mut pause = FIRST_PAUSE;
        loop {
            let refused = match self.post(path, body).await {
                Ok(reply) => return Ok(reply),
                Err(refused) => refused,
            };
            let is_final = |status: &StatusCode| {
                status.is_client_error()
                    && !matches!(
                        *status,
                        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
                    )
            };
            if refused.status.as_ref().is_some_and(is_final) {
                return Err(refused);
            }
            tracing::warn!(
                path,
                why = refused.message,
                "a request was not taken; it is sent again"
            );
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// An error with its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
