//! A connected MCP server.

use std::fmt;
use std::sync::Arc;

use super::connection::Connection;
use super::tool::names;
use super::{McpError, McpTool};

/// A connected MCP server; `connect` of [`McpEndpoint`](super::McpEndpoint) gives it.
///
/// The connection lasts as long as the client, a clone of it, or one of its tools. With the last of
/// them it ends, and so does the server's program: its stdin is closed; if it has not ended 3 seconds
/// after that, it is told to terminate, and after 3 more killed, with all that it has started.
/// [`close`](Self::close) does this at once, and waits for it.
#[derive(Clone)]
pub struct McpClient(Arc<Connection>);

impl McpClient {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(connection))
    }

    /// The server's name, as set or found by [`McpEndpoint`](super::McpEndpoint).
    pub fn name(&self) -> &str {
        &self.0.settings.name
    }

    /// What the server says of how its tools are to be used, for the system prompt of an agent.
    pub fn instructions(&self) -> Option<String> {
        self.0.instructions()
    }

    /// The tools that the server offers now.
    ///
    /// A name that models cannot use becomes one that they can: what is neither a letter, a digit,
    /// `_` nor `-` becomes `_`, what is longer than 64 is cut, and a number is added where two would
    /// be the same.
    ///
    /// # Errors
    /// The server is gone, or does not answer as it should.
    pub async fn tools(&self) -> Result<Vec<McpTool>, McpError> {
        let offered = self.0.list_tools().await?;
        let names = names(&self.0.settings.prefix, offered.iter().map(|tool| &*tool.name));
        let tools = names.into_iter().zip(offered);
        Ok(tools.map(|(name, tool)| McpTool::new(name, tool, Arc::clone(&self.0))).collect())
    }

    /// Whether the server has said that its tools have changed since [`tools`](Self::tools) was last
    /// called. Call that again then: what it has given stays as it was.
    pub fn tools_changed(&self) -> bool {
        self.0.listener.tools_changed()
    }

    /// Ends the connection, for all clones and tools, and waits until the server's program has ended.
    ///
    /// # Cancel safety
    /// It ends all the same.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

impl fmt::Debug for McpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpClient({:?})", self.name())
    }
}
