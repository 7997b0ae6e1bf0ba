//! The server as clients see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

// The template of an agent in Rust is compiled here under its own name.
extern crate self as riddle_agent;

use riddles::template::Mine;

mod asked;
mod bad_requests;
mod bodies;
#[cfg(feature = "clients")]
mod clients;
mod command_line;
mod files;
mod fixture;
mod fuzz;
mod health;
mod image;
mod keys;
mod kills;
mod limits;
mod objects;
mod races;
mod riddles;
mod runs;
mod shutdown;
#[cfg(feature = "telemetry")]
mod spans;
mod tenants;
#[cfg(feature = "mcp")]
mod tools;
#[cfg(all(feature = "clients", feature = "postgres"))]
mod two_servers;
