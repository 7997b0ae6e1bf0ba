//! Connections to MCP servers, shared by a client and its tools.
//!
//! A connection that has ended is opened again by the next request, so that a server that was
//! restarted, or whose program has crashed, is usable again. The request during which it ended is
//! not repeated, because the server may have acted on it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::McpError;
use super::listener::Listener;
use super::live::Live;
use super::oauth::Authority;
use super::reload::Listed;
use super::server::Settings;

/// Maximum number of times that a connection is opened again within [`RESTARTS_WITHIN`].
const MOST_RESTARTS: usize = 5;
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);

/// The pause before the second of these times. It doubles with each further one.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection to an MCP server. It is closed when dropped, which ends the server's program.
pub(super) struct Connection {
    pub(super) settings: Settings,
    pub(super) listener: Listener,
    /// Gets tokens, if the server is used by OAuth.
    pub(super) authority: Option<Arc<Authority>>,
    open: Box<Opening>,
    live: Lock<Arc<Live>>,
    /// Held while the connection is opened again, with the times when it was.
    reopened: Mutex<VecDeque<Instant>>,
    is_closed: AtomicBool,
    /// The tools as a source of a toolbox has them.
    pub(super) listed: Mutex<Listed>,
    /// Held by calls whose questions would not be told apart.
    pub(super) one_at_a_time: Mutex<()>,
}

/// Connects to the server, and performs the handshake.
type Opening = dyn Fn(Listener) -> BoxFuture<'static, Result<Live, McpError>> + Send + Sync;

impl Connection {
    /// Opens a connection with `open`.
    pub(super) async fn open(
        settings: Settings,
        listener: Listener,
        open: impl Fn(Listener) -> BoxFuture<'static, Result<Live, McpError>> + Send + Sync + 'static,
    ) -> Result<Self, McpError> {
        let live = open(listener.clone()).await?;
        Ok(Self {
            settings,
            listener,
            authority: None,
            open: Box::new(open),
            live: Lock::new(Arc::new(live)),
            reopened: Mutex::default(),
            is_closed: AtomicBool::new(false),
            listed: Mutex::default(),
            one_at_a_time: Mutex::default(),
        })
    }

    pub(super) fn authorised_by(self, authority: Option<Arc<Authority>>) -> Self {
        Self { authority, ..self }
    }

    /// The connection, also if it has ended.
    pub(super) fn last(&self) -> Arc<Live> {
        Arc::clone(&self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the connection has ended, and the next request opens it again.
    pub(super) fn has_ended(&self) -> bool {
        self.last().peer.is_transport_closed() && !self.is_closed.load(Ordering::Acquire)
    }

    /// The connection, which is opened again if it has ended.
    pub(super) async fn live(&self) -> Result<Arc<Live>, McpError> {
        if !self.has_ended() {
            return Ok(self.last());
        }
        let mut reopened = self.reopened.lock().await;
        if !self.has_ended() {
            return Ok(self.last());
        }
        let live = self.last();
        let now = Instant::now();
        reopened.retain(|then| now.duration_since(*then) < RESTARTS_WITHIN);
        if reopened.len() >= MOST_RESTARTS {
            let reason = format!("it ended {MOST_RESTARTS} times within {RESTARTS_WITHIN:?}");
            let server = self.settings.name.clone();
            let stderr = live.last_words(&self.listener).await;
            return Err(McpError::Gone { server, reason, stderr });
        }
        if let Some(doubled) = u32::try_from(reopened.len()).ok().and_then(|n| n.checked_sub(1)) {
            sleep(PAUSE * (1 << doubled)).await;
        }
        reopened.push_back(Instant::now());
        let live = Arc::new((self.open)(self.listener.clone()).await?);
        // The server may be another version of itself.
        self.listener.all_may_have_changed();
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&live);
        Ok(live)
    }

    /// The server's instructions on how to use it.
    pub(super) fn instructions(&self) -> Option<String> {
        self.last().peer.peer_info()?.instructions.clone()
    }

    /// Closes the connection, and waits until the server's program has ended.
    pub(super) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        // An error means that the task of the connection has panicked, so the connection is closed
        // as well.
        let _quit = self.last().running.lock().await.close().await;
    }

    /// The error that the server answers against the protocol.
    pub(super) fn malformed(&self, request: &str, message: String) -> McpError {
        let server = self.settings.name.clone();
        McpError::Malformed { server, request: request.to_owned(), message }
    }
}
