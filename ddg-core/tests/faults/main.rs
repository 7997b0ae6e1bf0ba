//! Random programs on databases with injected faults: each run does what the naive reference does, with
//! nobody to start it again. In the night there are a thousand programs, and a few otherwise.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "postgres")]
#[path = "../stores/setup/postgres.rs"]
#[expect(dead_code, reason = "the tests of stores need more of it")]
mod database;
mod programs;
#[cfg(feature = "postgres")]
mod proxy;
mod random_graphs;
mod reference;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(feature = "sqlite", target_os = "linux"))]
mod sqlite;
