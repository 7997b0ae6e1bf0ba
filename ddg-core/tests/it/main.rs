//! The engine's behaviour, one file each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arguments;
mod attempts;
mod callbacks;
mod caps;
mod dealing;
mod edits;
mod ferry;
mod graphs;
mod interleaving;
mod local_space;
mod nested;
mod outputs;
mod rules_are_cited;
mod runs;
mod snapshot;
mod steps;
mod stopping;
mod timing;
mod trace;
