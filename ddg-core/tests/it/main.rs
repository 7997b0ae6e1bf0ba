//! The engine's behaviour, one file each.

mod arguments;
mod dealing;
mod edits;
mod ferry;
mod interleaving;
mod outputs;
mod snapshot;
mod steps;
mod trace;
