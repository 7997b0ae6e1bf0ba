//! Answers to the questions of a paused run, put into its snapshot.

use super::Saved;
use crate::machine::{Interrupted, PausedRun, Pending, Question};
use crate::values::Value;

/// A question cannot be answered.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The run is not paused, so it has no questions.
    #[error("question `{id}` cannot be answered: the run is not paused and asks no question")]
    NotPaused {
        /// The id that was given.
        id: String,
    },
    /// There is no question with this id.
    #[error("there is no question `{id}`; {}", those(.known))]
    Unknown {
        /// The id that was given.
        id: String,
        /// The ids of the unanswered questions.
        known: Vec<String>,
    },
    /// The question has an answer.
    #[error("question `{id}` has been answered already: the first answer counts")]
    Answered {
        /// The id.
        id: String,
    },
}

fn those(known: &[String]) -> String {
    match known {
        [] => "all questions have been answered".to_owned(),
        known => format!("there are: {}", known.join(", ")),
    }
}

impl PausedRun for Saved {
    fn can_resume(&self) -> bool {
        self.interrupted().iter().any(Interrupted::can_resume)
    }

    fn questions(&self, questions: &mut Vec<Question>) {
        self.interrupted().iter().for_each(|interrupted| interrupted.questions(questions));
    }
}

impl Saved {
    /// The answer to the question `id`, if it is one of these.
    pub(super) fn answer_to(&mut self, id: &str) -> Option<&mut Option<Value>> {
        self.interrupted_mut().iter_mut().find_map(|interrupted| match &mut interrupted.pending {
            Pending::Question { question, answer } => (question.id == id).then_some(answer),
            Pending::Inner(inner) => inner.answer_to(id),
        })
    }
}

crate::__debug_is_display!(AnswerError);
