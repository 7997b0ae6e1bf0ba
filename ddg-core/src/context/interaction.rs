//! What a worker that asks a person gets in place of an answer.

use crate::values::TypeMismatch;

/// A question to a person has no answer that the worker could continue with.
///
/// Pass it on with `?`: the run pauses then, and the worker runs again when there is one.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InteractionError {
    /// Nobody has answered yet.
    #[error("question `{id}` waits for an answer")]
    Waiting {
        /// The question's id.
        id: String,
    },
    /// The answer is something else than the worker asked for.
    #[error(
        "the answer to question `{id}`: {source}; take it back with `Snapshot::withdraw_answer`, and \
         give another"
    )]
    Mismatch {
        /// The question's id.
        id: String,
        /// Expected and found.
        r#source: TypeMismatch,
    },
}

crate::__debug_is_display!(InteractionError);
