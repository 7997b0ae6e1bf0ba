//! Questions to people: who asks one is interrupted, and runs again from the top with the answer.

use serde::{Deserialize, Serialize};

use super::Saved;
use super::kickoff::Cause;
use crate::args::Args;
use crate::path::Path;
use crate::values::{TypeMismatch, Value};

/// A question that a worker has asked with
/// [`interact_with_human`](crate::Context::interact_with_human), and that waits for an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// Names the question, also in another process: the worker's path, the number of its kickoff,
    /// and which question of that kickoff it is, such as `book/pay#4.1`.
    pub id: String,
    /// The worker, with the automata around it.
    pub worker: String,
    /// What is asked.
    pub content: Value,
}

/// A question to a person has no answer that the worker could go on with.
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

/// A question cannot be answered.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The run is not paused: it asks nothing.
    #[error("question `{id}` cannot be answered: the run is not paused, it asks nothing")]
    NotPaused {
        /// The id that was given.
        id: String,
    },
    /// There is no question of that id.
    #[error("there is no question `{id}`; {}", those(.known))]
    Unknown {
        /// The id that was given.
        id: String,
        /// The ids of the questions that wait for an answer.
        known: Vec<String>,
    },
    /// The question has an answer already.
    #[error("question `{id}` has been answered already: the first answer counts")]
    Answered {
        /// The id.
        id: String,
    },
}

fn those(known: &[String]) -> String {
    match known {
        [] => "all that there are have been answered".to_owned(),
        known => format!("there are: {}", known.join(", ")),
    }
}

/// A kickoff that was interrupted, with all that it takes to run it again. `W` says whose it is:
/// an id in the machine, a key at rest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Interrupted<W> {
    pub(crate) worker: W,
    pub(crate) kickoff: u64,
    pub(crate) cause: Cause,
    /// Bound to the worker's parameters.
    pub(crate) args: Args,
    /// The answers to the questions before.
    pub(crate) answers: Vec<Value>,
    pub(crate) pending: Pending,
}

/// What an interrupted kickoff waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pending {
    Question {
        question: Question,
        answer: Option<Value>,
    },
    /// Questions within a nested automa, whose run this is.
    Inner(Box<Saved>),
}

/// What a kickoff that runs again goes on with.
#[derive(Clone, Default)]
pub(crate) struct Again {
    pub(crate) answers: Vec<Value>,
    pub(crate) inner: Option<Box<Saved>>,
}

impl Question {
    pub(crate) fn id_of(path: &Path, kickoff: u64, n: usize) -> String {
        format!("{path}#{kickoff}.{}", n + 1)
    }
}

impl<W> Interrupted<W> {
    pub(crate) fn with_worker<V>(self, worker: V) -> Interrupted<V> {
        let Self { kickoff, cause, args, answers, pending, .. } = self;
        Interrupted { worker, kickoff, cause, args, answers, pending }
    }

    /// Whether there is something that it can go on with.
    pub(crate) fn can_go_on(&self) -> bool {
        match &self.pending {
            Pending::Question { answer, .. } => answer.is_some(),
            Pending::Inner(saved) => saved.interrupted().iter().any(Self::can_go_on_inside),
        }
    }

    fn can_go_on_inside<V>(inner: &Interrupted<V>) -> bool {
        inner.can_go_on()
    }

    /// The questions that wait for an answer, in order.
    pub(crate) fn questions(&self, questions: &mut Vec<Question>) {
        match &self.pending {
            Pending::Question { question, answer: None } => questions.push(question.clone()),
            Pending::Question { .. } => {}
            Pending::Inner(saved) => {
                saved.interrupted().iter().for_each(|inner| inner.questions(questions));
            }
        }
    }

    /// Where the answer to a question is, or is to be put, if it is one of these.
    pub(crate) fn answer_to(&mut self, id: &str) -> Option<&mut Option<Value>> {
        match &mut self.pending {
            Pending::Question { question, answer } => (question.id == id).then_some(answer),
            Pending::Inner(saved) => {
                saved.interrupted_mut().iter_mut().find_map(|inner| inner.answer_to(id))
            }
        }
    }

    /// What it takes to run it again: its cause and arguments, and what it goes on with.
    pub(crate) fn go_on(self) -> (Cause, Args, Again) {
        let Self { cause, args, mut answers, pending, .. } = self;
        let inner = match pending {
            Pending::Question { answer, .. } => {
                answers.extend(answer);
                None
            }
            Pending::Inner(saved) => Some(saved),
        };
        (cause, args, Again { answers, inner })
    }
}

crate::__debug_is_display!(InteractionError, AnswerError);
