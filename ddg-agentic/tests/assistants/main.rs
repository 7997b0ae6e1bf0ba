//! Assistants, threads and runs; responses and conversations.

mod ending;
mod fixture;
mod objects;
#[cfg(all(feature = "outside", feature = "postgres"))]
mod postgres;
mod responses;
mod text;
mod thread_memory;
mod tools;
