//! Our client and server against real MCP programs: the reference servers from npm and PyPI, and
//! our own. The tests need `npm` and `python3`; the packages are installed once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod call;
mod changes;
mod client_ends;
mod client_offers;
mod everything;
mod foreign_client;
mod guarded;
mod media;
mod oauth;
mod odd_server;
mod ours;
mod own_server;
mod public_servers;
mod questions;
mod reference;
mod reload;
mod resources;
mod server_ends;
mod tool_names;
