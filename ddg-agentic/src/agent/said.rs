//! What becomes of a message.

use ddg_core::Outcome;

use crate::react::AgentOutcome;

/// What happens to a message while a run of its conversation is active, or waits for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenBusy {
    /// Refuses the message at once, with [`AgentError::Busy`](crate::AgentError::Busy), or with
    /// [`AgentError::Waiting`](crate::AgentError::Waiting) while the run waits for a person.
    #[default]
    Refuse,
    /// Queues the message until the runs before it have ended, in order of arrival. While the run
    /// waits for a person, the message is saved instead, and the run reads it after its answer.
    Queue,
    /// Passes the message to the active run, which reads it before it asks its model again. If the
    /// run ends before that, the message waits for its turn. While the run waits for a person, the
    /// message is saved, and the run reads it when it resumes.
    Steer,
}

/// What became of a message or an answer.
#[derive(Debug)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "one is made per run, and an outcome is matched by value"
)]
pub enum Said {
    /// The run has ended.
    Ended(AgentOutcome),
    /// The run asks a person, for example to allow a tool call. It is saved with its conversation,
    /// and resumes when its [questions](Outcome::questions) are [answered](crate::Agent::answer).
    #[non_exhaustive]
    Paused {
        /// The outcome of the run so far.
        outcome: Outcome,
    },
    /// The message was passed to a run that is active or waits for a person. The caller of that run
    /// gets the outcome. If the run fails, the message is in that caller's
    /// [error](crate::AgentError::Run), unless it is saved with the conversation. If the run is
    /// cancelled, the message is lost.
    Steered,
    /// The run that waits for a person reads the message after its answer. The caller that answers
    /// gets the outcome.
    Queued,
}
