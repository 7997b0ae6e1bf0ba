//! Why a run failed.

use std::error::Error;
use std::fmt;

use super::{AnswerError, Outcome, Question, Waiting};
use crate::checkpoint::{InvalidRunId, StoreError};
use crate::graph::{BuildError, EditError, count, key_list, listing};
use crate::key::Key;
use crate::path::Path;
use crate::snapshot::SnapshotError;
use crate::values::TypeMismatch;
use crate::worker::WorkerError;

/// A run that did not come to its end.
///
/// ```
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("parse");
/// automa.add_func_as_worker("parse", async |text: String| text.parse::<i64>(), start().output())?;
/// match automa.run::<i64>(args!("seven")).await {
///     Err(RunError::Step(error)) => assert_eq!(
///         error.to_string(),
///         "automa `parse`, step 1: worker `parse` failed: invalid digit found in string",
///     ),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The graph is invalid; nothing ran.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A named run input reaches nobody; nothing ran.
    #[error(
        "automa `{automa}`: no worker has a parameter `{name}`{}",
        did_you_mean(.name, .known)
    )]
    UnknownInput {
        /// The automa.
        automa: String,
        /// The input's name.
        name: String,
        /// The names that workers have, sorted.
        known: Vec<String>,
    },
    /// A step failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A saved run cannot be continued.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The store that keeps the run fails, or somebody else has the run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was given as the id of a run is none.
    #[error(transparent)]
    RunId(#[from] InvalidRunId),
    /// A question cannot be answered.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The run took more steps than it may.
    #[error(
        "automa `{automa}`: stopped after {limit} steps, its limit, with {} still due",
        key_list(.due)
    )]
    StepLimit {
        /// The automa.
        automa: String,
        /// The limit.
        limit: u64,
        /// The workers that would have run next.
        due: Vec<Key>,
    },
    /// Automata are nested deeply, and there is no tokio runtime that could run them as tasks of
    /// their own.
    #[error(
        "automa `{automa}`: nested more than {levels} levels deep, which takes a tokio runtime"
    )]
    TooDeep {
        /// The automa.
        automa: String,
        /// How many levels do without.
        levels: u32,
    },
    /// The result is not of the type asked for.
    #[error("automa `{automa}`: its result: {source}")]
    Output {
        /// The automa.
        automa: String,
        /// Expected and found.
        source: TypeMismatch,
    },
    /// No output worker ran, and a result was asked for.
    #[error(
        "automa `{automa}`: no output worker ran, so there is no `{expected}`{}",
        left_waiting(.waiting)
    )]
    NoOutput {
        /// The automa.
        automa: String,
        /// The type asked for.
        expected: String,
        /// The workers that were left waiting.
        waiting: Vec<Waiting>,
    },
    /// The run is paused, with questions to people: there is no result yet.
    #[error(
        "automa `{}`: paused, with questions to answer: {}",
        .outcome.automa().name(),
        question_list(.outcome)
    )]
    Paused {
        /// The run as it is, with its [questions](Outcome::questions) and a
        /// [snapshot](Outcome::snapshot).
        outcome: Box<Outcome>,
    },
    /// The run was cancelled.
    #[error("automa `{automa}`: cancelled")]
    Cancelled {
        /// The automa.
        automa: String,
    },
}

/// A step in which something went wrong: every failure, in kickoff order.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::FailureKind;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("two");
/// automa.add_func_as_worker("a", async || Err::<(), _>(WorkerError::msg("no")), start())?;
/// automa.add_func_as_worker("b", async |cx: Context| cx.ferry_to("c", ()), start())?;
/// let Err(RunError::Step(error)) = automa.run::<()>(()).await else { panic!() };
/// assert!(matches!(error.failures[0].kind, FailureKind::Worker(_)));
/// assert!(matches!(error.failures[1].kind, FailureKind::UnknownFerryTarget { .. }));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StepError {
    /// The automa, as a message names it.
    pub automa: String,
    /// The step, from 1.
    pub step: u64,
    /// What went wrong; never empty. The first is the [`source`](Error::source).
    pub failures: Vec<Failure>,
    /// Questions that were asked in the same step; they get no answer, since the run has failed.
    pub questions: Vec<Question>,
}

/// One thing that went wrong in a step.
#[derive(Debug)]
pub struct Failure {
    /// The worker that failed, that could not be started, or that asked for what cannot be done.
    pub worker: Path,
    /// What went wrong.
    pub kind: FailureKind,
}

/// What can go wrong with a worker in a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// It returned an error, panicked ([`Panicked`](crate::Panicked)) or timed out
    /// ([`TimedOut`](crate::TimedOut)).
    Worker(WorkerError),
    /// It could not be called; no worker of the step was started.
    Bind(BindError),
    /// It asked for a change of the graph that cannot be made; none of the step's changes was.
    Edit(EditError),
    /// It ferried to a worker that does not exist.
    UnknownFerryTarget {
        /// The key it ferried to.
        target: Key,
        /// The keys that exist; the first few of many.
        known: Vec<Key>,
    },
    /// It is to deal out its output, which is no list of the right length.
    InOrder {
        /// How many successors it has.
        successors: usize,
        /// What its output is.
        found: String,
    },
    /// It is an output worker, and another output worker has run or is to run beside it.
    SecondOutput {
        /// The other one.
        first: Key,
    },
}

/// A worker could not be called with what there was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// A parameter has no argument.
    #[error(
        "parameter {parameter} (`{expected}`) got no argument: {given} given by position{}",
        or_by_name(.parameter)
    )]
    TooFew {
        /// The parameter: its name in backquotes, or its position from 1.
        parameter: String,
        /// Its type.
        expected: String,
        /// How many arguments were given by position.
        given: usize,
    },
    /// There are more arguments than parameters.
    #[error(
        "{} given by position, but only {} to take them",
        count(*.given, "argument"), count(*.parameters, "parameter")
    )]
    TooMany {
        /// How many arguments were given by position.
        given: usize,
        /// How many parameters can take one.
        parameters: usize,
    },
    /// An argument is named like no parameter.
    #[error("there is no parameter `{name}`{}", did_you_mean(.name, .known))]
    UnknownName {
        /// The argument's name.
        name: String,
        /// The parameters' names.
        known: Vec<String>,
    },
    /// An argument is of another type than the parameter.
    #[error("parameter {parameter}: {source}")]
    Mismatch {
        /// The parameter: its name in backquotes, or its position from 1.
        parameter: String,
        /// Expected and found.
        source: TypeMismatch,
    },
    /// What is to be unpacked is neither a list nor a map.
    #[error("cannot unpack the output of `{dependency}`: it is no list and no map, but {found}")]
    NotUnpackable {
        /// The worker whose output it is.
        dependency: Key,
        /// What it is.
        found: String,
    },
    /// A parameter takes the output of a worker that has not run.
    #[error("parameter {parameter} takes the output of `{from}`, which {why}")]
    From {
        /// The parameter.
        parameter: String,
        /// The worker it takes the output of.
        from: Key,
        /// Why there is none.
        why: &'static str,
    },
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "automa `{}`, step {}: ", self.automa, self.step)?;
        match self.failures.as_slice() {
            [failure] => write!(f, "{failure}"),
            failures => {
                write!(f, "{} failures", failures.len())?;
                failures.iter().try_for_each(|failure| write!(f, "\n- {failure}"))
            }
        }?;
        let asked = |question: &Question| write!(f, "\n- question `{}` was asked", question.id);
        self.questions.iter().try_for_each(asked)
    }
}

impl Error for StepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failures.first().and_then(|failure| match &failure.kind {
            FailureKind::Worker(error) => {
                let error: &(dyn Error + Send + Sync) = error.as_ref();
                Some(error as &(dyn Error + 'static))
            }
            FailureKind::Bind(error) => Some(error as _),
            FailureKind::Edit(error) => Some(error as _),
            FailureKind::UnknownFerryTarget { .. }
            | FailureKind::InOrder { .. }
            | FailureKind::SecondOutput { .. } => None,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worker = &self.worker;
        match &self.kind {
            FailureKind::Worker(error) => write!(f, "worker `{worker}` failed: {error}"),
            FailureKind::Bind(error) => write!(f, "worker `{worker}` cannot be called: {error}"),
            FailureKind::Edit(error) => {
                write!(f, "worker `{worker}` asked for a change that cannot be made: {error}")
            }
            FailureKind::UnknownFerryTarget { target, known } => write!(
                f,
                "worker `{worker}` ferried to `{target}`, which does not exist{}",
                listing(known)
            ),
            FailureKind::InOrder { successors, found } => write!(
                f,
                "worker `{worker}` deals its output out in order to {successors} successors, \
                 so it must be a list of that length, but it is {found}"
            ),
            FailureKind::SecondOutput { first } => write!(
                f,
                "worker `{worker}` is the second output worker of this run, after `{first}`: \
                 a run has one result, so let only one of them run"
            ),
        }
    }
}

fn or_by_name(parameter: &str) -> &'static str {
    if parameter.starts_with('`') { ", none of that name" } else { "" }
}

fn left_waiting(waiting: &[Waiting]) -> String {
    const SHOWN: usize = 8;
    if waiting.is_empty() {
        return String::new();
    }
    let mut text = "; left waiting: ".to_owned();
    for (place, worker) in waiting.iter().take(SHOWN).enumerate() {
        text += &format!("{}{worker}", if place == 0 { "" } else { ", " });
    }
    if waiting.len() > SHOWN {
        text += &format!(", and {} more", waiting.len() - SHOWN);
    }
    text
}

/// A hint for a misspelled name: the known name nearest to it, else all of them.
fn did_you_mean(name: &str, known: &[String]) -> String {
    let nearest = known.iter().min_by_key(|known| distance(name, known));
    match nearest {
        Some(nearest) if distance(name, nearest) <= name.chars().count() / 2 => {
            format!("; did you mean `{nearest}`?")
        }
        Some(_) => format!("; there are: {}", known.join(", ")),
        None => "; no parameter has a name".to_owned(),
    }
}

/// The Levenshtein distance between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The ids of the questions, for a message.
fn question_list(outcome: &Outcome) -> String {
    let ids: Vec<_> =
        outcome.questions().iter().map(|question| format!("`{}`", question.id)).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_nearest_else_all() {
        let known = ["city".to_owned(), "days".to_owned()];
        assert_eq!(did_you_mean("ctiy", &known), "; did you mean `city`?");
        assert_eq!(did_you_mean("budget", &known), "; there are: city, days");
        assert_eq!(did_you_mean("budget", &[]), "; no parameter has a name");
    }
}
