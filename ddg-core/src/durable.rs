//! Durable runs: what is written to a store, when, and under which lease.

mod hold;
mod journal;
mod keeper;
mod last;
mod writer;

pub(crate) use hold::Acting;
pub(crate) use journal::{Attempt, Beginning, Journal, patiently};
pub(crate) use last::replay;
pub(crate) use writer::Writer;
