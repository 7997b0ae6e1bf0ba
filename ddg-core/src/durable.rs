//! Durable runs: what is written to a store, when, and under which lease.

mod hold;
mod inside;
mod journal;
mod keeper;
mod last;
mod states;
mod writer;

pub(crate) use hold::{Acting, recheck};
pub(crate) use journal::{Attempt, Beginning, Journal, patiently};
pub(crate) use keeper::{sleep, whole};
pub(crate) use last::replay;
pub(crate) use states::States;
pub(crate) use writer::Writer;
