//! The rules of runs, without I/O: what happens to a run, what the model sees, which events follow.

mod changes;
mod closing;
mod ending;
mod instructions;
#[cfg(test)]
mod laws;
mod memory;
mod opening;
mod partial;
mod prompt;
mod reply;
mod response_events;
mod settings;
mod state;
mod thread_events;
mod transcript;
mod view;

pub(super) use changes::{Changes, ItemRow, Kind, Moment, Recorded};
pub(super) use instructions::joined;
pub(super) use memory::MemoryRule;
pub(super) use memory::last;
pub(super) use partial::Partial;
pub(super) use prompt::{Images, item_of_message, prompt_of_message};
pub(super) use reply::{Reply, ReplyCall, ReplyPiece, Splitter};
pub(super) use settings::{RunSettings, Surface};
pub(super) use state::{Refused, RunState};
pub(super) use transcript::{check_calls, transcript};
