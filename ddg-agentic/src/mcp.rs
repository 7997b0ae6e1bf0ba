//! The Model Context Protocol: tools of MCP servers, and a toolbox as an MCP server.

mod client;
mod connection;
mod content;
mod error;
mod exchange;
mod http;
mod listener;
mod lists;
mod live;
mod redacted;
mod server;
mod service;
mod shown;
mod stderr;
mod stdio;
mod tool;
mod watched;

pub use client::McpClient;
pub use error::McpError;
pub use http::McpHttp;
pub use server::McpEndpoint;
pub use service::McpService;
pub use stdio::McpStdio;
pub use tool::McpTool;
