//! Answers to the questions of a paused run, put into its snapshot.

use super::Saved;
use crate::machine::{Awaited, Interrupted, Mail, PausedRun, Pending, Question};
use crate::printable::shown;
use crate::values::Value;

/// A question cannot be answered.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The run is not paused, so it has no questions.
    #[error(
        "question `{id}` cannot be answered: the run is not paused and asks no question",
        id = shown(.id)
    )]
    NotPaused {
        /// The id that was given.
        id: String,
    },
    /// There is no question with this id.
    #[error("there is no question `{id}`; {}", those(.known), id = shown(.id))]
    Unknown {
        /// The id that was given.
        id: String,
        /// The ids of the unanswered questions.
        known: Vec<String>,
    },
    /// The question has an answer.
    #[error("question `{id}` has been answered already: the first answer counts", id = shown(.id))]
    Answered {
        /// The id.
        id: String,
    },
}

fn those(known: &[String]) -> String {
    match known {
        [] => "all questions have been answered".to_owned(),
        known => format!("there are: {}", shown(&known.join(", "))),
    }
}

/// Whether this is the question `id`; if `waits`, without an answer.
fn is_it(question: &Question, answer: &Option<Value>, id: &str, waits: bool) -> bool {
    question.id == id && !(waits && answer.is_some())
}

impl PausedRun for Saved {
    fn can_resume(&self) -> bool {
        self.interrupted().iter().any(Interrupted::can_resume)
    }

    fn questions(&self, questions: &mut Vec<Question>) {
        self.interrupted().iter().for_each(|interrupted| interrupted.questions(questions));
    }

    fn awaited(&self, awaited: &mut Awaited) {
        self.interrupted().iter().for_each(|interrupted| interrupted.awaited(awaited));
    }

    fn wake(&mut self, now_ms: i64, mail: &mut Mail) {
        self.interrupted_mut().iter_mut().for_each(|interrupted| interrupted.wake(now_ms, mail));
    }
}

impl Saved {
    /// The answer to the question `id`, if it is one of these. Several kickoffs of one automa in a
    /// step have questions with the same id, which are answered in order.
    pub(super) fn answer_to(&mut self, id: &str) -> Option<&mut Option<Value>> {
        // One that this run itself asks has an id of its own.
        if let Some(own) = self.own_question(id, true).or_else(|| self.own_question(id, false)) {
            return self.slot(own);
        }
        let waits = self.find_answer(id, true).is_some();
        self.find_answer(id, waits)
    }

    /// The place of the answer to a question of this run itself.
    fn slot(&mut self, (one, nth): (usize, usize)) -> Option<&mut Option<Value>> {
        match &mut self.interrupted_mut()[one].pending.each_mut()[nth] {
            Pending::Question { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// The first place of an answer to the question `id`; if `waits`, the first without an answer.
    fn find_answer(&mut self, id: &str, waits: bool) -> Option<&mut Option<Value>> {
        if let Some(own) = self.own_question(id, waits) {
            return self.slot(own);
        }
        let all = self.interrupted_mut().iter_mut().flat_map(|one| one.pending.each_mut());
        let mut found = all.filter_map(|one| match one {
            Pending::Question { question, answer } => {
                is_it(question, answer, id, waits).then_some(answer)
            }
            Pending::Inner(run) | Pending::Begun { run, .. } => run.find_answer(id, waits),
            Pending::Time { .. } | Pending::Signal { .. } | Pending::Several(_) => None,
        });
        found.next()
    }

    /// The place of a question that a worker of this run itself asks, found by the kickoff in its
    /// id: a person may have thousands to answer.
    fn own_question(&self, id: &str, waits: bool) -> Option<(usize, usize)> {
        let (_, numbers) = id.rsplit_once('#')?;
        let kickoff = numbers.split_once('.')?.0.parse::<u64>().ok()?;
        let place = self.interrupted().binary_search_by_key(&kickoff, |one| one.kickoff).ok()?;
        let one = &self.interrupted()[place];
        // A key with a slash may read like the path of a worker in a nested automa, whose question
        // may come first.
        if one.worker.as_str().contains('/') {
            return None;
        }
        let is_it = |one: &Pending<Self>| match one {
            Pending::Question { question, answer } => is_it(question, answer, id, waits),
            _ => false,
        };
        Some((place, one.pending.each().iter().position(is_it)?))
    }

    /// Appends the questions with their answers, in kickoff order, including those of nested runs.
    fn answers<'a>(&'a self, answers: &mut Vec<(&'a Question, &'a Option<Value>)>) {
        for one in self.interrupted().iter().flat_map(|one| one.pending.each()) {
            match one {
                Pending::Question { question, answer } => answers.push((question, answer)),
                Pending::Inner(run) | Pending::Begun { run, .. } => run.answers(answers),
                Pending::Time { .. } | Pending::Signal { .. } | Pending::Several(_) => {}
            }
        }
    }

    /// Takes the answers over that `given`, a state of the same pause, has to questions which this
    /// state has no answers to.
    pub(crate) fn take_answers(&mut self, given: &Self) {
        let mut answers = Vec::new();
        given.answers(&mut answers);
        for (question, answer) in answers {
            if let Some(answer) = answer
                && let Some(slot @ None) = self.answer_to(&question.id)
            {
                *slot = Some(answer.clone());
            }
        }
    }
}

crate::__debug_is_display!(AnswerError);
