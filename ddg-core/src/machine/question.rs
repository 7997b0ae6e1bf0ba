//! Questions to people. The worker that asks is interrupted, and runs again from the top with the
//! answer.

use serde::{Deserialize, Serialize};

use super::kickoff::Cause;
use crate::args::Args;
use crate::path::WorkerPath;
use crate::values::Value;

/// A question that a worker has asked with
/// [`interact_with_human`](crate::Context::interact_with_human) and that has no answer yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Question {
    /// The id of the question, which is the same in every process: the path of the worker, the
    /// number of its kickoff, and the index of the question in that kickoff, such as
    /// `book/pay#4.1`.
    pub id: String,
    /// The path of the worker.
    pub worker: String,
    /// The content of the question.
    pub content: Value,
}

/// The paused run of a nested automa, as far as the outer machine looks into it.
pub(crate) trait PausedRun: Clone {
    /// Whether one of its interrupted workers has an answer to resume with.
    fn can_resume(&self) -> bool;

    /// Appends its unanswered questions, in order.
    fn questions(&self, questions: &mut Vec<Question>);
}

/// An interrupted kickoff with everything that is needed to run it again. `W` names its worker: by
/// id in the machine, by key in a snapshot. `R` is the paused run of a nested automa.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Interrupted<W, R> {
    pub(crate) worker: W,
    pub(crate) kickoff: u64,
    /// The step that it began in. At a rolling pace this is not always the latest.
    pub(crate) step: u64,
    pub(crate) cause: Cause,
    /// The arguments, bound to the worker's parameters.
    pub(crate) args: Args,
    /// The answers to its earlier questions.
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
    /// Questions in a nested automa. This is its run.
    Inner(Box<R>),
}

/// What a kickoff resumes with when it runs again.
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

    /// Its cause, its arguments, and what it resumes with.
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
    /// Whether there is an answer to resume with.
    pub(crate) fn can_resume(&self) -> bool {
        match &self.pending {
            Pending::Question { answer, .. } => answer.is_some(),
            Pending::Inner(paused) => paused.can_resume(),
        }
    }

    /// Appends the unanswered questions, in order.
    pub(crate) fn questions(&self, questions: &mut Vec<Question>) {
        match &self.pending {
            Pending::Question { question, answer: None } => questions.push(question.clone()),
            Pending::Question { .. } => {}
            Pending::Inner(paused) => paused.questions(questions),
        }
    }
}
