//! What passes between us and MCP servers, which are real ones: the reference servers from npm and
//! PyPI, and our own. Needs `npm` and `python3`; what the servers consist of is installed once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod call;
mod client_ends;
mod everything;
mod foreign_client;
mod ours;
mod own_server;
mod reference;
mod server_ends;
mod tool_names;
