//! Runs in a store: what is written of a run, when, and under which lease.

mod hold;
mod journal;
mod keeper;
mod last;
mod writer;

pub(crate) use hold::Acting;
pub(crate) use journal::{Attempt, Beginning, Journal, patiently};
pub(crate) use last::replay;
pub(crate) use writer::Writer;
