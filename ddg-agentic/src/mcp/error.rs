//! Errors between this program and MCP servers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

/// An error between this program and an MCP server. It contains no headers and no environment
/// variables.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// The endpoint is configured wrongly.
    #[error("MCP server `{server}`: {message}")]
    Setup {
        /// The server.
        server: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The program of the server could not be started.
    #[error("MCP server `{server}`: `{program}` does not start ({source}): is it installed?")]
    Start {
        /// The server.
        server: String,
        /// The program.
        program: String,
        /// The cause.
        r#source: Arc<io::Error>,
    },
    /// The server could not be reached, or its handshake failed.
    #[error("MCP server `{server}` cannot be connected to: {reason}{}", last_words(.stderr))]
    Connect {
        /// The server.
        server: String,
        /// The reason.
        reason: String,
        /// The last lines that its program wrote to stderr, if there is a program.
        stderr: String,
    },
    /// The connection has ended: one side closed it, or it broke.
    #[error("MCP server `{server}` is gone ({reason}): connect to it again{}", last_words(.stderr))]
    Gone {
        /// The server.
        server: String,
        /// The reason, if it is known.
        reason: String,
        /// The last lines that its program wrote to stderr, if there is a program.
        stderr: String,
    },
    /// The server did not answer in time.
    #[error("MCP server `{server}` did not answer `{request}` within {after:?}")]
    TimedOut {
        /// The server.
        server: String,
        /// The request.
        request: String,
        /// The timeout.
        after: Duration,
    },
    /// The server refused the request.
    #[error("MCP server `{server}` refuses `{request}`: {message}")]
    Refused {
        /// The server.
        server: String,
        /// The request.
        request: String,
        /// The message of the server.
        message: String,
    },
    /// The response does not fit the request.
    #[error("MCP server `{server}` answers `{request}` against the protocol: {message}")]
    Malformed {
        /// The server.
        server: String,
        /// The request.
        request: String,
        /// What is wrong with it.
        message: String,
    },
    /// A tool failed on the server. The message is that of the tool, for the model that called it.
    #[error("{message}")]
    ToolFailed {
        /// The server.
        server: String,
        /// The name of the tool on the server.
        tool: String,
        /// The message of the tool.
        message: String,
    },
    /// The tools of this program cannot be offered.
    #[error("the tools cannot be offered as the MCP server `{service}`: {message}")]
    Serve {
        /// The name of the service.
        service: String,
        /// The reason.
        message: String,
    },
}

impl McpError {
    /// The same without what a program wrote to its stderr.
    pub(super) fn without_stderr(mut self) -> Self {
        if let Self::Connect { stderr, .. } | Self::Gone { stderr, .. } = &mut self {
            stderr.clear();
        }
        self
    }
}

fn last_words(stderr: &str) -> String {
    match stderr {
        "" => String::new(),
        stderr => format!("; its last output on stderr:\n{stderr}"),
    }
}

ddg_core::__report::debug_is_display!(McpError);
