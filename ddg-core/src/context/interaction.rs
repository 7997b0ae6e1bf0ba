//! Errors of questions to people.

use crate::values::TypeMismatch;

/// There is no answer that the worker could continue with.
///
/// Pass it on with `?`: the run then pauses, and the worker runs again when there is an answer.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InteractionError {
    /// There is no answer yet.
    #[error("question `{id}` waits for an answer")]
    Waiting {
        /// The id of the question.
        id: String,
    },
    /// The answer has another type than the worker asked for.
    #[error(
        "the answer to question `{id}`: {source}; withdraw it with `Snapshot::withdraw_answer`, \
         and give another"
    )]
    Mismatch {
        /// The id of the question.
        id: String,
        /// The expected type and the actual one.
        r#source: TypeMismatch,
    },
}

crate::__debug_is_display!(InteractionError);
