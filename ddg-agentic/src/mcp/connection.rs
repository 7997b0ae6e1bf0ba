//! Connections to MCP servers, shared by a client and its tools.
//!
//! A connection that has ended is opened again by the next request, so that a server that was
//! restarted, or whose program has crashed, is usable again. The request during which it ended is
//! not repeated, because the server may have acted on it.

use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

use rmcp::ServiceExt;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, JsonObject, PaginatedRequestParams,
    Tool as Offered,
};
use rmcp::service::{ClientInitializeError, Peer, RoleClient, RunningService, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use rmcp::transport::{DynamicTransportError, IntoTransport};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::McpError;
use super::listener::Listener;
use super::redacted::Redact;
use super::server::Settings;
use super::stderr::Stderr;

/// Maximum number of tools and pages of a list, which bounds endless lists.
const MOST_TOOLS: usize = 10_000;
const MOST_PAGES: usize = 1_000;

/// Maximum number of times that a connection is opened again within [`RESTARTS_WITHIN`].
const MOST_RESTARTS: usize = 5;
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);

/// A connection to an MCP server. It is closed when dropped, which ends the server's program.
pub(super) struct Connection {
    pub(super) settings: Settings,
    pub(super) listener: Listener,
    open: Box<Opening>,
    live: Lock<Arc<Live>>,
    /// Held while the connection is opened again, with the times when it was.
    reopened: Mutex<VecDeque<Instant>>,
    is_closed: AtomicBool,
    redact: Redact,
}

/// Connects to the server, and performs the handshake.
type Opening = dyn Fn(Listener) -> BoxFuture<'static, Result<Live, McpError>> + Send + Sync;

/// A connection that is open, or has ended.
pub(super) struct Live {
    peer: Peer<RoleClient>,
    running: Mutex<RunningService<RoleClient, Listener>>,
    stderr: Stderr,
}

impl Live {
    /// Performs the handshake with the server at the other end of `transport`.
    pub(super) async fn greet<T, E, A>(
        settings: &Settings,
        listener: Listener,
        transport: T,
        stderr: Stderr,
        redact: &Redact,
    ) -> Result<Self, McpError>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: Error + Send + Sync + 'static,
    {
        let greeted = timeout(settings.connect_timeout, listener.serve(transport)).await;
        let reason = match greeted {
            Ok(Ok(running)) => {
                let (peer, running) = (running.peer().clone(), Mutex::new(running));
                return Ok(Self { peer, running, stderr });
            }
            Ok(Err(error)) => redact(no_greeting(&error)),
            Err(_) => {
                format!("it did not complete the handshake within {:?}", settings.connect_timeout)
            }
        };
        let stderr = stderr.last_words().await;
        Err(McpError::Connect { server: settings.name.clone(), reason, stderr })
    }
}

impl Connection {
    /// Opens a connection with `open`. `redact` makes text safe to show.
    pub(super) async fn open(
        settings: Settings,
        redact: Redact,
        open: impl Fn(Listener) -> BoxFuture<'static, Result<Live, McpError>> + Send + Sync + 'static,
    ) -> Result<Self, McpError> {
        let listener = Listener::default();
        let live = open(listener.clone()).await?;
        Ok(Self {
            settings,
            listener,
            open: Box::new(open),
            live: Lock::new(Arc::new(live)),
            reopened: Mutex::default(),
            is_closed: AtomicBool::new(false),
            redact,
        })
    }

    /// The connection, also if it has ended.
    fn last(&self) -> Arc<Live> {
        Arc::clone(&self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connection, which is opened again if it has ended.
    async fn live(&self) -> Result<Arc<Live>, McpError> {
        let has_ended = |live: &Live| {
            live.peer.is_transport_closed() && !self.is_closed.load(Ordering::Acquire)
        };
        let live = self.last();
        if !has_ended(&live) {
            return Ok(live);
        }
        let mut reopened = self.reopened.lock().await;
        let live = self.last();
        if !has_ended(&live) {
            return Ok(live);
        }
        let now = Instant::now();
        reopened.retain(|then| now.duration_since(*then) < RESTARTS_WITHIN);
        if reopened.len() >= MOST_RESTARTS {
            let reason = format!("it ended {MOST_RESTARTS} times within {RESTARTS_WITHIN:?}");
            let (server, stderr) = (self.settings.name.clone(), live.stderr.last_words().await);
            return Err(McpError::Gone { server, reason, stderr });
        }
        reopened.push_back(now);
        let live = Arc::new((self.open)(self.listener.clone()).await?);
        // The server may be another version of itself.
        self.listener.has_restarted();
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&live);
        Ok(live)
    }

    /// The server's instructions on how to use it.
    pub(super) fn instructions(&self) -> Option<String> {
        self.last().peer.peer_info()?.instructions.clone()
    }

    /// Lists all tools of the server, page by page.
    pub(super) async fn list_tools(&self) -> Result<Vec<Offered>, McpError> {
        const REQUEST: &str = "tools/list";
        self.listener.will_list();
        let mut tools = Vec::new();
        let (mut cursor, mut n_pages) = (None, 0);
        loop {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let list = async |peer: Peer<RoleClient>| peer.list_tools(Some(params)).await;
            let page = self.request(REQUEST, list).await?;
            tools.extend(page.tools);
            if tools.len() > MOST_TOOLS {
                let message = format!("it lists more than {MOST_TOOLS} tools");
                return Err(self.malformed(REQUEST, message));
            }
            n_pages += 1;
            if n_pages > MOST_PAGES {
                let message = format!("its tools are on more than {MOST_PAGES} pages");
                return Err(self.malformed(REQUEST, message));
            }
            if page.next_cursor.is_none() {
                return Ok(tools);
            }
            if page.next_cursor == cursor {
                let message = "a page of its tools is followed by the same page".to_owned();
                return Err(self.malformed(REQUEST, message));
            }
            cursor = page.next_cursor;
        }
    }

    /// Calls the tool that the server calls `name`.
    ///
    /// # Cancel safety
    /// If the future is dropped, the server is told that the call is cancelled.
    pub(super) async fn call_tool(
        &self,
        name: &str,
        arguments: JsonObject,
    ) -> Result<CallToolResult, McpError> {
        let request = format!("tools/call {name}");
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let call = async |peer: Peer<RoleClient>| peer.call_tool_once(params).await;
        match self.request(&request, call).await? {
            CallToolResponse::Complete(result) => Ok(result),
            _ => Err(self.malformed(&request, "it gives no result yet".to_owned())),
        }
    }

    /// Closes the connection, and waits until the server's program has ended.
    pub(super) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        // An error means that the task of the connection has panicked, so the connection is closed
        // as well.
        let _quit = self.last().running.lock().await.close().await;
    }

    async fn request<T>(
        &self,
        request: &str,
        ask: impl AsyncFnOnce(Peer<RoleClient>) -> Result<T, ServiceError>,
    ) -> Result<T, McpError> {
        let after = self.settings.timeout;
        let live = self.live().await?;
        match timeout(after, ask(live.peer.clone())).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failure(request, error, &live).await),
            Err(_) => {
                let server = self.settings.name.clone();
                Err(McpError::TimedOut { server, request: request.to_owned(), after })
            }
        }
    }

    async fn failure(&self, request: &str, error: ServiceError, live: &Live) -> McpError {
        let server = self.settings.name.clone();
        let reason = match error {
            ServiceError::McpError(error) => {
                let (request, message) = (request.to_owned(), error.message.into_owned());
                return McpError::Refused { server, request, message };
            }
            ServiceError::TransportClosed => "the connection has ended".to_owned(),
            ServiceError::TransportSend(error) if is_closed(&error) => {
                "the connection has ended".to_owned()
            }
            ServiceError::TransportSend(error) => (self.redact)(causes(&*error.error)),
            other => return self.malformed(request, other.to_string()),
        };
        McpError::Gone { server, reason, stderr: live.stderr.last_words().await }
    }

    fn malformed(&self, request: &str, message: String) -> McpError {
        let server = self.settings.name.clone();
        McpError::Malformed { server, request: request.to_owned(), message }
    }
}

/// The reason why there is no connection.
fn no_greeting(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::ConnectionClosed(_) => {
            "it ended before the handshake was complete".to_owned()
        }
        ClientInitializeError::TransportError { error, .. } if is_closed(error) => {
            "it ended before the handshake was complete".to_owned()
        }
        ClientInitializeError::TransportError { error, .. } => causes(&*error.error),
        ClientInitializeError::JsonRpcError(error) => error.message.to_string(),
        other => causes(other),
    }
}

/// Whether the program ended while the client was writing to it.
fn is_closed(error: &DynamicTransportError) -> bool {
    let error = error.error.downcast_ref::<io::Error>();
    error.is_some_and(|error| matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected))
}

/// An error with its causes. A cause that is in the message already is not repeated.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = cause_of(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = cause_of(error);
    }
    text
}

fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref() {
        // Its message does not contain that of the client's error.
        Some(StreamableHttpError::<reqwest::Error>::Client(error)) => Some(error),
        _ => error.source(),
    }
}
