//! What can go wrong between us and an MCP server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

/// What can go wrong between us and an MCP server. It holds no header and no environment variable.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// The server is described wrongly.
    #[error("MCP server `{server}`: {message}")]
    Setup {
        /// The server.
        server: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// Its program does not start.
    #[error("MCP server `{server}`: `{program}` does not start ({source}): is it installed?")]
    Start {
        /// The server.
        server: String,
        /// The program.
        program: String,
        /// Why not.
        r#source: Arc<io::Error>,
    },
    /// It was reached, but did not greet as an MCP server does, or was not reached at all.
    #[error("MCP server `{server}` cannot be connected to: {reason}{}", last_words(.stderr))]
    Connect {
        /// The server.
        server: String,
        /// Why not.
        reason: String,
        /// What its program wrote last to its stderr, if it has one.
        stderr: String,
    },
    /// The connection has ended: the server, or we, closed it, or it broke.
    #[error("MCP server `{server}` is gone ({reason}): connect to it again{}", last_words(.stderr))]
    Gone {
        /// The server.
        server: String,
        /// What is known of it.
        reason: String,
        /// What its program wrote last to its stderr, if it has one.
        stderr: String,
    },
    /// It did not answer in time.
    #[error("MCP server `{server}` did not answer `{request}` within {after:?}")]
    TimedOut {
        /// The server.
        server: String,
        /// What it was asked.
        request: String,
        /// The time it had.
        after: Duration,
    },
    /// It answered that it will not.
    #[error("MCP server `{server}` refuses `{request}`: {message}")]
    Refused {
        /// The server.
        server: String,
        /// What it was asked.
        request: String,
        /// What it says of it.
        message: String,
    },
    /// What it answered is no answer to what it was asked.
    #[error("MCP server `{server}` answers `{request}` against the protocol: {message}")]
    Malformed {
        /// The server.
        server: String,
        /// What it was asked.
        request: String,
        /// What is wrong with it.
        message: String,
    },
    /// A tool failed there. The text is the tool's own, for the model that called it.
    #[error("{message}")]
    ToolFailed {
        /// The server.
        server: String,
        /// The tool, by the server's name for it.
        tool: String,
        /// What the tool says of it.
        message: String,
    },
    /// Our tools cannot be offered.
    #[error("the tools cannot be offered as the MCP server `{service}`: {message}")]
    Serve {
        /// The name under which they were to be.
        service: String,
        /// Why not.
        message: String,
    },
}

fn last_words(stderr: &str) -> String {
    match stderr {
        "" => String::new(),
        stderr => format!("; the last that it wrote to stderr:\n{stderr}"),
    }
}

ddg_core::__report::debug_is_display!(McpError);
