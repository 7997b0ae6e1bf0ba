//! Assistants, threads and runs; responses and conversations.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ending;
mod fixture;
mod objects;
#[cfg(all(feature = "outside", feature = "postgres"))]
mod postgres;
mod responses;
mod text;
mod thread_memory;
mod tools;
