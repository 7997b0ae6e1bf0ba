//! Automata of common shapes: workers in sequence, or workers that run concurrently.

mod concurrent;
mod sequential;

pub use concurrent::ConcurrentAutoma;
pub use sequential::SequentialAutoma;
