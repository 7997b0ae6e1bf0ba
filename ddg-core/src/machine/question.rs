//! Questions to people. The worker that asks is interrupted, and runs again from the top with the
//! answer.

use serde::{Deserialize, Serialize};

use super::kickoff::Cause;
use super::{Awaited, Mail};
use crate::args::Args;
use crate::key::Key;
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

    /// Adds what its workers wait for.
    fn awaited(&self, awaited: &mut Awaited);

    /// Passes the time and the signals to its workers that wait for them.
    fn wake(&mut self, now_ms: i64, mail: &mut Mail);
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
    /// The runs that it has begun and whose questions were answered, as they were then.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub(crate) begun: Vec<(Key, Box<R>)>,
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
    /// A time.
    Time {
        until_ms: i64,
        has_come: bool,
    },
    /// A signal.
    Signal {
        name: String,
        received: Option<Value>,
    },
    /// Questions, times or signals in a nested automa. This is its run.
    Inner(Box<R>),
    /// Questions in a run that the worker has begun. The worker knows it by `key`.
    Begun {
        key: Key,
        run: Box<R>,
    },
    /// Several of these.
    Several(Vec<Self>),
}

/// What a kickoff resumes with when it runs again.
#[derive(Clone)]
pub(crate) struct Replay<R> {
    pub(crate) answers: Vec<Value>,
    pub(crate) inner: Option<Box<R>>,
    /// The runs that the worker has begun, by the keys that it knows them by.
    pub(crate) begun: Vec<(Key, Box<R>)>,
}

impl Question {
    pub(crate) fn id_of(path: &WorkerPath, kickoff: u64, n: usize) -> String {
        format!("{path}#{kickoff}.{}", n + 1)
    }
}

impl<W, R> Interrupted<W, R> {
    pub(crate) fn with_worker<V>(self, worker: V) -> Interrupted<V, R> {
        let Self { kickoff, step, cause, args, answers, begun, pending, .. } = self;
        Interrupted { worker, kickoff, step, cause, args, answers, begun, pending }
    }

    /// Its cause, its arguments, and what it resumes with.
    pub(crate) fn into_replay(self) -> (Cause, Args, Replay<R>) {
        let Self { cause, args, answers, begun, pending, .. } = self;
        let mut replay = Replay { answers, inner: None, begun };
        pending.add_to(&mut replay);
        (cause, args, replay)
    }
}

impl<R> Pending<R> {
    /// Adds another thing to wait for. A run with the key of an earlier one replaces it.
    pub(crate) fn and(self, other: Self) -> Self {
        let mut several = match self {
            Self::Several(several) => several,
            one => vec![one],
        };
        if let Self::Begun { key, .. } = &other {
            several
                .retain(|one| !matches!(one, Self::Begun { key: earlier, .. } if earlier == key));
        }
        several.push(other);
        Self::Several(several)
    }

    /// Everything that is waited for, in order.
    pub(crate) fn each(&self) -> &[Self] {
        match self {
            Self::Several(several) => several,
            one => std::slice::from_ref(one),
        }
    }

    /// Everything that is waited for, in order, mutable.
    pub(crate) fn each_mut(&mut self) -> &mut [Self] {
        match self {
            Self::Several(several) => several,
            one => std::slice::from_mut(one),
        }
    }

    /// Whether the run `key` is waited for.
    pub(crate) fn waits_for(&self, key: &Key) -> bool {
        let is_it = |one: &Self| matches!(one, Self::Begun { key: waits, .. } if waits == key);
        self.each().iter().any(is_it)
    }

    fn add_to(self, replay: &mut Replay<R>) {
        match self {
            Self::Question { answer, .. } => replay.answers.extend(answer),
            // Counts as an answer, so that each question, time and signal has a place of its own.
            Self::Time { has_come, .. } => replay.answers.extend(has_come.then(Value::null)),
            Self::Signal { received, .. } => replay.answers.extend(received),
            Self::Inner(paused) => replay.inner = Some(paused),
            Self::Begun { key, run } => replay.begun.push((key, run)),
            Self::Several(several) => several.into_iter().for_each(|one| one.add_to(replay)),
        }
    }
}

impl<R: PausedRun> Pending<R> {
    /// Whether the worker can run again: all of its own questions are answered, its times and
    /// signals have come, and one of them is new, or one of its runs can continue.
    fn can_resume(&self) -> bool {
        let mut is_answered = false;
        for one in self.each() {
            match one {
                Self::Question { answer: None, .. }
                | Self::Time { has_come: false, .. }
                | Self::Signal { received: None, .. } => return false,
                Self::Question { .. } | Self::Time { .. } | Self::Signal { .. } => {
                    is_answered = true;
                }
                Self::Inner(run) | Self::Begun { run, .. } => is_answered |= run.can_resume(),
                Self::Several(_) => {}
            }
        }
        is_answered
    }

    /// Appends the unanswered questions, in order.
    fn questions(&self, questions: &mut Vec<Question>) {
        for one in self.each() {
            match one {
                Self::Question { question, answer: None } => questions.push(question.clone()),
                Self::Question { answer: Some(_), .. }
                | Self::Time { .. }
                | Self::Signal { .. }
                | Self::Several(_) => {}
                Self::Inner(run) | Self::Begun { run, .. } => run.questions(questions),
            }
        }
    }

    /// Adds what has not come yet.
    fn awaited(&self, awaited: &mut Awaited) {
        awaited.has_come |= self.can_resume();
        for one in self.each() {
            match one {
                Self::Question { answer: None, .. } => awaited.n_questions += 1,
                Self::Time { until_ms, has_come: false } => awaited.until(*until_ms),
                Self::Signal { name, received: None } => awaited.signal(name),
                Self::Question { .. }
                | Self::Time { .. }
                | Self::Signal { .. }
                | Self::Several(_) => {}
                Self::Inner(run) | Self::Begun { run, .. } => run.awaited(awaited),
            }
        }
    }

    /// Passes on the time, and the first signal of each name that is waited for.
    fn wake(&mut self, now_ms: i64, mail: &mut Mail) {
        for one in self.each_mut() {
            match one {
                Self::Time { until_ms, has_come } => *has_come |= *until_ms <= now_ms,
                Self::Signal { name, received } => {
                    if received.is_none() {
                        *received = mail.take(name);
                    }
                }
                Self::Question { .. } | Self::Several(_) => {}
                Self::Inner(run) | Self::Begun { run, .. } => run.wake(now_ms, mail),
            }
        }
    }
}

impl<W, R: PausedRun> Interrupted<W, R> {
    /// Whether there is an answer to resume with.
    pub(crate) fn can_resume(&self) -> bool {
        self.pending.can_resume()
    }

    /// Adds what it waits for.
    pub(crate) fn awaited(&self, awaited: &mut Awaited) {
        self.pending.awaited(awaited);
    }

    /// Passes on the time, and the first signal of each name that it waits for.
    pub(crate) fn wake(&mut self, now_ms: i64, mail: &mut Mail) {
        self.pending.wake(now_ms, mail);
    }

    /// Appends the unanswered questions, in order.
    pub(crate) fn questions(&self, questions: &mut Vec<Question>) {
        self.pending.questions(questions);
    }
}
