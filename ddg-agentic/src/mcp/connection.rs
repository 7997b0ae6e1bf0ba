//! Connections to MCP servers, shared by a client and its tools.

use std::error::Error;
use std::future::Future;
use std::io;
use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};

use rmcp::ServiceExt;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, JsonObject, PaginatedRequestParams,
    Tool as Offered,
};
use rmcp::service::{ClientInitializeError, Peer, RoleClient, RunningService, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use rmcp::transport::{DynamicTransportError, IntoTransport};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::McpError;
use super::listener::Listener;
use super::server::Settings;
use super::stderr::Stderr;

/// Maximum number of tools and pages of a list, which bounds endless lists.
const MOST_TOOLS: usize = 10_000;
const MOST_PAGES: usize = 1_000;

/// A connection to an MCP server. It is closed when dropped, which ends the server's program.
pub(super) struct Connection {
    pub(super) settings: Settings,
    pub(super) listener: Listener,
    peer: Peer<RoleClient>,
    running: Mutex<RunningService<RoleClient, Listener>>,
    stderr: Stderr,
    redact: Box<dyn Fn(String) -> String + Send + Sync>,
}

impl Connection {
    /// Performs the handshake with the server at the other end of `transport`. `redact` makes text
    /// safe to show.
    pub(super) async fn open<T, E, A>(
        settings: Settings,
        transport: T,
        stderr: Stderr,
        redact: impl Fn(String) -> String + Send + Sync + 'static,
    ) -> Result<Self, McpError>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: Error + Send + Sync + 'static,
    {
        let listener = Listener::default();
        let greeted = timeout(settings.connect_timeout, listener.clone().serve(transport)).await;
        let reason = match greeted {
            Ok(Ok(running)) => {
                let peer = running.peer().clone();
                let redact = Box::new(redact);
                let running = Mutex::new(running);
                return Ok(Self { settings, listener, peer, running, stderr, redact });
            }
            Ok(Err(error)) => redact(no_greeting(&error)),
            Err(_) => {
                format!("it did not complete the handshake within {:?}", settings.connect_timeout)
            }
        };
        let stderr = stderr.last_words().await;
        Err(McpError::Connect { server: settings.name, reason, stderr })
    }

    /// The server's instructions on how to use it.
    pub(super) fn instructions(&self) -> Option<String> {
        self.peer.peer_info()?.instructions.clone()
    }

    /// Lists all tools of the server, page by page.
    pub(super) async fn list_tools(&self) -> Result<Vec<Offered>, McpError> {
        const REQUEST: &str = "tools/list";
        self.listener.will_list();
        let mut tools = Vec::new();
        let (mut cursor, mut n_pages) = (None, 0);
        loop {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let page = self.request(REQUEST, self.peer.list_tools(Some(params))).await?;
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
        match self.request(&request, self.peer.call_tool_once(params)).await? {
            CallToolResponse::Complete(result) => Ok(result),
            _ => Err(self.malformed(&request, "it gives no result yet".to_owned())),
        }
    }

    /// Closes the connection, and waits until the server's program has ended.
    pub(super) async fn close(&self) {
        // An error means that the task of the connection has panicked, so the connection is closed
        // as well.
        let _quit = self.running.lock().await.close().await;
    }

    async fn request<T>(
        &self,
        request: &str,
        answer: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, McpError> {
        let after = self.settings.timeout;
        match timeout(after, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failure(request, error).await),
            Err(_) => {
                let server = self.settings.name.clone();
                Err(McpError::TimedOut { server, request: request.to_owned(), after })
            }
        }
    }

    async fn failure(&self, request: &str, error: ServiceError) -> McpError {
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
        McpError::Gone { server, reason, stderr: self.stderr.last_words().await }
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
