//! What agents do, through the public API: one file per behaviour.

mod messages;
mod summaries;
mod summarising;
#[cfg(feature = "tiktoken")]
mod tiktoken;
mod transcripts;
mod windows;
