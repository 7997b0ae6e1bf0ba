//! The server as clients see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_requests;
mod bodies;
#[cfg(feature = "clients")]
mod clients;
mod command_line;
mod files;
mod fixture;
mod health;
mod keys;
mod limits;
mod objects;
mod riddles;
mod runs;
mod shutdown;
mod tenants;
