//! Agents elsewhere, reached over HTTP.

use ddg_agentic::riddles::{AgentLink, Envelope};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::outbox::Outbox;
use super::secret::Secret;

/// An agent of another process: messages are POSTed to its `/message`.
#[derive(Clone, Debug)]
pub struct HttpAgent {
    outbox: Outbox,
}

impl HttpAgent {
    /// The agent at this URL.
    ///
    /// # Errors
    /// In words, if it is no URL.
    pub fn new(url: &str, secret: Option<Secret>) -> Result<Self, String> {
        Ok(Self { outbox: Outbox::new(url, secret)? })
    }
}

impl AgentLink for HttpAgent {
    fn send<'a>(&'a self, envelope: &'a Envelope) -> BoxFuture<'a, Result<(), String>> {
        let sent = async { self.outbox.post("message", envelope).await };
        sent.map(|taken| taken.map(drop).map_err(|refused| refused.message)).boxed()
    }
}
