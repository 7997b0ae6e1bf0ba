//! Stores of conversations: what every one of them does, then what only a file does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod setup;

mod leases;
mod lists;
mod open_runs;
mod processes;
mod saving;
mod sqlite_files;
mod writers;
