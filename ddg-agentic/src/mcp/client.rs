//! Clients: connections to MCP servers.

use std::fmt;
use std::sync::Arc;

use rmcp::model::{ClientRequest, ListToolsRequest, Tool as Offered};

use super::connection::Connection;
use super::lists::List;
use super::tool::names;
use super::{McpError, McpTool};

/// The tools of a server.
const TOOLS: List = List {
    method: "tools/list",
    field: "tools",
    request: |page| ClientRequest::ListToolsRequest(ListToolsRequest::with_param(page)),
};

/// A connected MCP server, created by `connect` of [`McpEndpoint`](super::McpEndpoint).
///
/// The connection lasts until the client, its clones and its tools are dropped. If the server is a
/// program, its stdin is then closed. A program that has not ended after 3 seconds is told to
/// terminate; after another 3 seconds it is killed, with everything that it has started.
/// A server that has ended meanwhile is started, or connected to, again by the next request, up to
/// 5 times a minute, with a growing pause; the request during which it ended fails, because the
/// server may have acted on it. [`close`](Self::close) does this at
/// once, and waits for the end.
#[derive(Clone)]
pub struct McpClient(Arc<Connection>);

impl McpClient {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(connection))
    }

    /// The name of the server, as set or found by [`McpEndpoint`](super::McpEndpoint).
    pub fn name(&self) -> &str {
        &self.0.settings.name
    }

    /// The server's instructions on how to use its tools, for the system prompt of an agent.
    pub fn instructions(&self) -> Option<String> {
        self.0.instructions()
    }

    /// Lists the tools that the server offers now.
    ///
    /// Names that models cannot use are changed: characters other than letters, digits, `_` and `-`
    /// become `_`, names longer than 64 characters are cut, and a number is added if two names
    /// would be the same. A tool that is not as the protocol wants it, without a schema for
    /// example, is left out with a warning in the log.
    ///
    /// # Errors
    /// If the connection has ended, or the server does not answer as it should.
    pub async fn tools(&self) -> Result<Vec<McpTool>, McpError> {
        self.0.listener.will_list();
        let offered = self.0.list::<Offered>(&TOOLS).await?;
        let names = names(&self.0.settings.prefix, offered.iter().map(|tool| &*tool.name));
        let tools = names.into_iter().zip(offered);
        Ok(tools.map(|(name, tool)| McpTool::new(name, tool, Arc::clone(&self.0))).collect())
    }

    /// Whether the server has announced a change of its tools since the last call of
    /// [`tools`](Self::tools). Call it again then: tools that were listed before do not change.
    pub fn tools_changed(&self) -> bool {
        self.0.listener.tools_changed()
    }

    /// Waits until the server has announced a change of its tools since the last call of
    /// [`tools`](Self::tools), or was connected to again.
    ///
    /// # Cancel safety
    /// No change is missed if the future is dropped.
    pub async fn tools_change(&self) {
        self.0.listener.tools_change().await;
    }

    /// Closes the connection, for all clones and tools, and waits until the server's program has
    /// ended.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is closed without waiting.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

impl fmt::Debug for McpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpClient({:?})", self.name())
    }
}
