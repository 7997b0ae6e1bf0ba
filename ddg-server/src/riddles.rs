//! Riddles over HTTP: the management as a server, agents in processes of their own, and a client.

mod agent_server;
mod client;
mod docs;
mod error;
mod json;
mod link;
mod outbox;
mod page;
#[cfg(feature = "command")]
mod reached;
mod secret;
mod server;
mod upload;

#[cfg(feature = "command")]
pub use crate::command::riddles::{AgentSet, main};
pub use agent_server::AgentServer;
pub use client::ManagementClient;
pub use link::HttpAgent;
#[cfg(feature = "command")]
pub(crate) use reached::Reached;
pub use secret::Secret;
pub use server::RiddleServer;
