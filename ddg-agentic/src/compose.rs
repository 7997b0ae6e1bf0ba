//! Automata of common shapes: workers in sequence, workers that run concurrently, and a workflow
//! with an agent behind it.

mod concurrent;
mod sequential;
mod workflow;

pub use concurrent::ConcurrentAutoma;
pub use sequential::SequentialAutoma;
pub use workflow::{
    DoneBy, Step, Workflow, WorkflowEnd, WorkflowFailed, WorkflowOutcome, WorkflowStep,
};
