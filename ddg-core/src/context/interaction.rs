//! Errors of questions to people, and of other things that a worker waits for.

use std::time::SystemTime;

use crate::printable::shown;
use crate::values::TypeMismatch;

/// A worker has to wait for an answer, a time or a signal, or has got one of another type.
///
/// Pass it on with `?`: the run then pauses, and the worker runs again when it can continue.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InteractionError {
    /// There is no answer yet.
    #[error("question `{id}` waits for an answer", id = shown(.id))]
    Waiting {
        /// The id of the question.
        id: String,
    },
    /// The time has not come yet.
    #[error("waits for a time, {} from now", from_now(.until))]
    Asleep {
        /// The time.
        until: SystemTime,
    },
    /// The signal has not arrived yet.
    #[error("waits for the signal `{name}`", name = shown(.name))]
    NoSignal {
        /// The name of the signal.
        name: String,
    },
    /// The signal has another type than the worker asked for.
    #[error("the signal `{name}`: {source}", name = shown(.name))]
    SignalMismatch {
        /// The name of the signal.
        name: String,
        /// The expected type and the actual one.
        r#source: TypeMismatch,
    },
    /// The answer has another type than the worker asked for.
    #[error(
        "the answer to question `{id}`: {source}; withdraw it with `Snapshot::withdraw_answer`, \
         and give another",
        id = shown(.id)
    )]
    Mismatch {
        /// The id of the question.
        id: String,
        /// The expected type and the actual one.
        r#source: TypeMismatch,
    },
}

fn from_now(until: &SystemTime) -> String {
    let left = until.duration_since(SystemTime::now()).unwrap_or_default();
    format!("{:?}", std::time::Duration::from_millis(left.as_millis() as u64))
}

crate::__debug_is_display!(InteractionError);
