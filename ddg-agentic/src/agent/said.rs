//! What becomes of what is said.

use ddg_core::Outcome;

use crate::react::AgentOutcome;

/// What happens to what is said in a conversation while a run of it goes on, or waits for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenBusy {
    /// It is refused at once, with [`AgentError::Busy`](crate::AgentError::Busy), or
    /// [`AgentError::Waiting`](crate::AgentError::Waiting) while the run waits for a person.
    #[default]
    Refuse,
    /// It waits until the runs before it have ended, in the order in which they came. While the run
    /// waits for a person it is kept instead, and the run hears it after its answer.
    Queue,
    /// The run that goes on hears it before it asks its model again. If that comes too late, it waits.
    /// While the run waits for a person it is kept, and heard when the run goes on.
    Steer,
}

/// What became of what was said.
#[derive(Debug)]
#[non_exhaustive]
pub enum Said {
    /// A run has ended.
    Ended(AgentOutcome),
    /// A run asks a person, to allow the call of a tool, say. It is kept with its conversation, and goes
    /// on when its [questions](Outcome::questions) are [answered](crate::Agent::answer).
    #[non_exhaustive]
    Paused {
        /// What the run has left behind so far.
        outcome: Outcome,
    },
    /// The run that goes on, or waits for a person, has been told; its own caller gets the outcome. If
    /// it fails, the message is in that caller's [error](crate::AgentError::Run), unless it is kept with
    /// the conversation; if it is cancelled, nobody hears it.
    Steered,
    /// The run that waits for a person hears it after its answer; who answers gets the outcome.
    Queued,
}
