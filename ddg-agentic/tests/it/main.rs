//! What agents do, through the public API: one file per behaviour.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod messages;
mod summaries;
mod summarising;
mod tools;
mod transcripts;
mod windows;
