//! Runs in a store: what is written of a run, when, and under which lease.

mod journal;
mod last;
mod lease_guard;
mod writer;

pub(crate) use journal::Journal;
pub(crate) use last::replay;
pub(crate) use writer::Writer;
