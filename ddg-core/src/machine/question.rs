//! Questions to people: the worker that asks one is interrupted, and runs again from the top with
//! the answer.

use serde::{Deserialize, Serialize};

use super::kickoff::Cause;
use crate::args::Args;
use crate::path::WorkerPath;
use crate::values::Value;

/// A question that a worker has asked with
/// [`interact_with_human`](crate::Context::interact_with_human), and that waits for an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Question {
    /// Names the question, also in another process: the worker's path, the number of its kickoff,
    /// and which question of that kickoff it is, such as `book/pay#4.1`.
    pub id: String,
    /// The worker, with the automata around it.
    pub worker: String,
    /// What is asked.
    pub content: Value,
}

/// The paused run of a nested automa, as far as the machine around it looks into it.
pub(crate) trait PausedRun: Clone {
    /// Whether one of its interrupted workers has an answer to resume with.
    fn can_resume(&self) -> bool;

    /// Appends the questions in it that wait for an answer, in order.
    fn questions(&self, questions: &mut Vec<Question>);
}

/// A kickoff that was interrupted, with all that it takes to run it again. `W` names its worker:
/// by id in the machine, by key where it is saved. `R` is the paused run of a nested automa.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Interrupted<W, R> {
    pub(crate) worker: W,
    pub(crate) kickoff: u64,
    /// The step that it began in, which at a rolling pace is not always the latest.
    pub(crate) step: u64,
    pub(crate) cause: Cause,
    /// Bound to the worker's parameters.
    pub(crate) args: Args,
    /// The answers to the questions before.
    pub(crate) answers: Vec<Value>,
    pub(crate) pending: Pending<R>,
}

/// What an interrupted kickoff waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pending<R> {
    Question {
        question: Question,
        answer: Option<Value>,
    },
    /// Questions within a nested automa, whose run this is.
    Inner(Box<R>),
}

/// What a kickoff that runs again resumes with.
#[derive(Clone)]
pub(crate) struct Replay<R> {
    pub(crate) answers: Vec<Value>,
    pub(crate) inner: Option<Box<R>>,
}

impl Question {
    pub(crate) fn id_of(path: &WorkerPath, kickoff: u64, n: usize) -> String {
        format!("{path}#{kickoff}.{}", n + 1)
    }
}

impl<W, R> Interrupted<W, R> {
    pub(crate) fn with_worker<V>(self, worker: V) -> Interrupted<V, R> {
        let Self { kickoff, step, cause, args, answers, pending, .. } = self;
        Interrupted { worker, kickoff, step, cause, args, answers, pending }
    }

    /// Its cause and arguments, and what it resumes with.
    pub(crate) fn into_replay(self) -> (Cause, Args, Replay<R>) {
        let Self { cause, args, mut answers, pending, .. } = self;
        let inner = match pending {
            Pending::Question { answer, .. } => {
                answers.extend(answer);
                None
            }
            Pending::Inner(paused) => Some(paused),
        };
        (cause, args, Replay { answers, inner })
    }
}

impl<W, R: PausedRun> Interrupted<W, R> {
    /// Whether there is an answer that it can resume with.
    pub(crate) fn can_resume(&self) -> bool {
        match &self.pending {
            Pending::Question { answer, .. } => answer.is_some(),
            Pending::Inner(paused) => paused.can_resume(),
        }
    }

    /// Appends the questions that wait for an answer, in order.
    pub(crate) fn questions(&self, questions: &mut Vec<Question>) {
        match &self.pending {
            Pending::Question { question, answer: None } => questions.push(question.clone()),
            Pending::Question { .. } => {}
            Pending::Inner(paused) => paused.questions(questions),
        }
    }
}
