//! The behaviour of agents through the public API, one file each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod compose;
mod extract;
mod fallback;
mod files;
mod handoffs;
mod hooks;
mod messages;
mod model_worker;
mod observers;
mod offline;
mod partial_answers;
mod printed;
#[cfg(feature = "prompts")]
mod prompts;
mod react;
mod retries;
mod rules_are_cited;
mod scripted;
mod select_tools;
mod shared_messages;
mod spans;
mod subturn;
mod summaries;
mod summarising;
mod tools;
mod transcripts;
mod usage;
mod windows;
mod workflow;
