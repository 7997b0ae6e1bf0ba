//! Automata of a given shape: one worker after the other, or all at once.

mod concurrent;
mod sequential;

pub use concurrent::ConcurrentAutoma;
pub use sequential::SequentialAutoma;
