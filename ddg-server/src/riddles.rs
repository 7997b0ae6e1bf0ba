//! Riddles over HTTP: the management as a server, agents in processes of their own, and a client.

mod agent_server;
mod client;
mod error;
mod json;
mod link;
mod outbox;
mod page;
mod secret;
mod server;

#[cfg(feature = "command")]
pub use crate::command::riddles::{AgentSet, main};
pub use agent_server::AgentServer;
pub use client::ManagementClient;
pub use link::HttpAgent;
pub use secret::Secret;
pub use server::RiddleServer;
