//! Errors between this program and MCP servers.

use ddg_core::__report::{shown, shown_lines};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// An error between this program and an MCP server. It contains no headers and no environment
/// variables.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// The endpoint is configured wrongly.
    #[error(
        "MCP server `{server}`: {message}",
        server = shown(.server), message = shown_lines(.message)
    )]
    Setup {
        /// The server.
        server: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The program of the server could not be started.
    #[error(
        "MCP server `{server}`: `{program}` does not start ({source}): is it installed?",
        server = shown(.server), program = shown(.program), source = shown_lines(.source)
    )]
    Start {
        /// The server.
        server: String,
        /// The program.
        program: String,
        /// The cause.
        r#source: Arc<io::Error>,
    },
    /// The server could not be reached, or its handshake failed.
    #[error(
        "MCP server `{server}` cannot be connected to: {reason}{}",
        shown_lines(&last_words(.stderr)), server = shown(.server), reason = shown_lines(.reason)
    )]
    Connect {
        /// The server.
        server: String,
        /// The reason.
        reason: String,
        /// The last lines that its program wrote to stderr, if there is a program.
        stderr: String,
    },
    /// The server wants authorisation, or does not accept what it was given.
    #[error(
        "MCP server `{server}` wants authorisation: {message}",
        server = shown(.server), message = shown_lines(.message)
    )]
    Unauthorised {
        /// The server.
        server: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The connection has ended: one side closed it, or it broke.
    #[error(
        "MCP server `{server}` is gone ({reason}): connect to it again{}",
        shown_lines(&last_words(.stderr)), server = shown(.server), reason = shown_lines(.reason)
    )]
    Gone {
        /// The server.
        server: String,
        /// The reason, if it is known.
        reason: String,
        /// The last lines that its program wrote to stderr, if there is a program.
        stderr: String,
    },
    /// The server did not answer in time.
    #[error(
        "MCP server `{server}` did not answer `{request}` within {after:?}",
        server = shown(.server), request = shown(.request)
    )]
    TimedOut {
        /// The server.
        server: String,
        /// The request.
        request: String,
        /// The timeout.
        after: Duration,
    },
    /// The server refused the request.
    #[error(
        "MCP server `{server}` refuses `{request}`: {message}",
        server = shown(.server), request = shown(.request), message = shown_lines(.message)
    )]
    Refused {
        /// The server.
        server: String,
        /// The request.
        request: String,
        /// The message of the server.
        message: String,
    },
    /// The response does not fit the request.
    #[error(
        "MCP server `{server}` answers `{request}` against the protocol: {message}",
        server = shown(.server), request = shown(.request), message = shown_lines(.message)
    )]
    Malformed {
        /// The server.
        server: String,
        /// The request.
        request: String,
        /// What is wrong with it.
        message: String,
    },
    /// A tool failed on the server. The message is that of the tool, for the model that called it.
    #[error("{message}", message = shown_lines(.message))]
    ToolFailed {
        /// The server.
        server: String,
        /// The name of the tool on the server.
        tool: String,
        /// The message of the tool.
        message: String,
    },
    /// The tools of this program cannot be offered.
    #[error(
        "the tools cannot be offered as the MCP server `{service}`: {message}",
        service = shown(.service), message = shown_lines(.message)
    )]
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
