//! Assistants, threads and runs; responses and conversations.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commits;
#[cfg(all(feature = "outside", feature = "postgres"))]
#[path = "../../../ddg-core/tests/stores/setup/postgres.rs"]
#[expect(dead_code, reason = "the tests of stores need more of it")]
mod database;
mod ending;
mod fixture;
mod objects;
#[cfg(all(feature = "outside", feature = "postgres"))]
mod postgres;
mod races;
mod responses;
mod text;
mod thread_memory;
mod tools;
