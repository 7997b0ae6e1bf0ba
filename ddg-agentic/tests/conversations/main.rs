//! Stores of conversations: first the behaviour of all of them, then of files only.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod setup;

mod dropped;
mod leases;
mod lists;
mod open_runs;
mod processes;
mod saving;
mod schemas;
mod sqlite_files;
mod writers;
