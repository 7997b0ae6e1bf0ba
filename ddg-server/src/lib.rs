//! A server that the official clients of OpenAI's APIs drive: assistants, threads and runs;
//! responses and conversations; files. Everything is kept in one database, and runs continue when
//! the server is stopped or killed.
//!
//! The command `ddg serve` is the server as a program. [`Server`] is the same as a [`Router`] of
//! axum, for a program of your own; [`Keys`] are the clients that it serves, and [`serve`] serves
//! any router with the limits and the graceful stop of the command.
//!
//! [`Router`]: axum::Router
//!
//! Features, all on by default: `command` for the command; `mcp` for tools of MCP servers;
//! `postgres` for databases that several servers share. Off by default: `telemetry` for spans to
//! a collector of OpenTelemetry.
//!
//! Public dependencies, whose types and traits are in the API: `ddg-core`, `ddg-agentic`, `axum`
//! 0.8 (re-exported as [`axum`]), `tokio` 1 (`TcpListener`) and `tokio-util` 0.7
//! (`CancellationToken`).

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "command")]
pub mod command;
mod error;
mod files;
mod http;
mod keys;
mod metrics;
mod models;
pub mod riddles;
mod routes;
mod server;
mod serving;
mod state;
mod tenant;
mod tls;
mod upstream;

pub use axum;
pub use keys::{Keys, KeysError};
pub use server::{Server, ServerBuilder, ServerError};
pub use serving::serve;

/// The programs of the guide to the server, compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../docs/server.md")]
    struct Server;
    #[doc = include_str!("../../docs/riddle_agents.md")]
    struct RiddleAgents;
}
