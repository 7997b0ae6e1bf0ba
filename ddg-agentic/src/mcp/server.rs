//! Endpoints: MCP servers to connect to.

use std::time::Duration;

use super::{McpHttp, McpStdio};

/// An MCP server to connect to: its transport, its name and its timeouts.
///
/// `connect` opens the connection. It can be called again when the connection has ended.
///
/// ```no_run
/// use ddg_agentic::mcp::McpEndpoint;
/// use ddg_agentic::tool::Tool;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ddg_agentic::mcp::McpError> {
/// let files = McpEndpoint::stdio("npx", ["-y", "@modelcontextprotocol/server-filesystem", "/tmp"])
///     .name("files")
///     .prefix("files_")
///     .connect()
///     .await?;
/// let issues = McpEndpoint::http("https://example.com/mcp").bearer("secret").connect().await?;
///
/// let mut tools = files.tools().await?;
/// tools.extend(issues.tools().await?);
/// for tool in &tools {
///     println!("{}: {}", tool.spec().name, tool.spec().description);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct McpEndpoint<T> {
    pub(super) settings: Settings,
    pub(super) transport: T,
}

/// Settings that do not depend on the transport.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
}

impl<T> McpEndpoint<T> {
    pub(super) fn new(name: String, transport: T) -> Self {
        let settings = Settings {
            name,
            prefix: String::new(),
            connect_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(60),
        };
        Self { settings, transport }
    }

    /// Sets the name of the server in errors. The default is the name of the program or of the
    /// host.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Sets a prefix for the names of the server's tools. It keeps tools of two servers apart.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// Sets the timeout for starting the server and the handshake (30 seconds by default).
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of each request, including tool calls (60 seconds by default).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }
}

impl McpEndpoint<McpStdio> {
    /// A program that is started as a child process, and used over its stdin and stdout.
    pub fn stdio<A: Into<std::ffi::OsString>>(
        program: impl Into<std::ffi::OsString>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let transport = McpStdio::new(program.into(), args.into_iter().map(Into::into).collect());
        Self::new(transport.program_name(), transport)
    }
}

impl McpEndpoint<McpHttp> {
    /// A server that is used over streamable HTTP at `url`.
    pub fn http(url: impl Into<String>) -> Self {
        let transport = McpHttp::new(url.into());
        Self::new(transport.host(), transport)
    }
}
