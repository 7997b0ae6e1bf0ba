//! Errors of runs.

use std::fmt::{self, Write};
use std::time::Duration;

use super::{Outcome, Waiting};
use crate::checkpoint::{InvalidRunId, StoreError};
use crate::graph::{BuildError, count, key_list};
use crate::key::Key;
use crate::machine::{MachineError, StepError, did_you_mean};
use crate::printable::{Printable, shown, shown_lines};
use crate::saved::{AnswerError, SnapshotError};
use crate::values::{NotSerializable, TypeMismatch};

/// A run that did not end successfully.
///
/// ```
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("parse");
/// automa.add_func_as_worker("parse", async |text: String| text.parse::<i64>(), start().output())?;
/// match automa.run(args!("seven")).output::<i64>().await {
///     Err(RunError::Step(error)) => assert_eq!(
///         error.to_string(),
///         "automa `parse`, step 1: worker `parse` failed: invalid digit found in string",
///     ),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The graph is invalid. Nothing ran.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A named run input reaches no worker. Nothing ran.
    #[error(
        "automa `{automa}`: no worker has a parameter `{name}`{}",
        did_you_mean(.name, .known),
        automa = shown(.automa), name = shown(.name)
    )]
    UnknownInput {
        /// The automa.
        automa: String,
        /// The name of the input.
        name: String,
        /// The names of all parameters, sorted.
        known: Vec<String>,
    },
    /// The run has more positional arguments than any of its start workers takes. Nothing ran.
    #[error(
        "automa `{automa}`: {} given by position, but its start workers take {}; other workers take \
         a run's arguments by name",
        count(*.given, "argument"), at_most(*.taken),
        automa = shown(.automa)
    )]
    UnusedArguments {
        /// The automa.
        automa: String,
        /// The number of arguments.
        given: usize,
        /// The maximum number that a start worker takes.
        taken: usize,
    },
    /// The run lacks inputs that it needs, or has inputs of other types. Nothing ran.
    #[error("automa `{automa}`: {}", faults_in_a_row(.faults), automa = shown(.automa))]
    Inputs {
        /// The automa.
        automa: String,
        /// All faults.
        faults: Vec<InputFault>,
    },
    /// A step failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A saved run cannot be resumed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The store of the run failed, or the lease of the run is held.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The id of the run is invalid.
    #[error(transparent)]
    RunId(#[from] InvalidRunId),
    /// The process that has added the run to its store has ended before it wrote the arguments. The
    /// run can only be begun anew, by a caller that gives them.
    #[error(
        "automa `{automa}`: the run was added to its store, but its arguments were not written \
         before its process ended: run it with its arguments",
        automa = shown(.automa)
    )]
    Stateless {
        /// The automa.
        automa: String,
    },
    /// A question cannot be answered.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A signal cannot be sent, because its content has no JSON form.
    #[error("the signal `{name}` cannot be sent: {source}", name = shown(.name))]
    Signal {
        /// The name of the signal.
        name: String,
        /// The error of the value.
        r#source: NotSerializable,
    },
    /// The run took more steps than its limit.
    #[error(
        "automa `{automa}`: reached its limit of steps, {limit}, with {} still ready",
        key_list(.due),
        automa = shown(.automa)
    )]
    StepLimit {
        /// The automa.
        automa: String,
        /// The limit.
        limit: u64,
        /// The workers that were ready to run.
        due: Vec<Key>,
    },
    /// The run, with everything inside it, took more steps than its
    /// [limit](crate::run::RunBuilder::max_total_steps).
    #[error(
        "automa `{automa}`: reached the limit of steps of the whole run, {limit}, with {} still \
         ready",
        key_list(.due),
        automa = shown(.automa)
    )]
    TotalStepLimit {
        /// The automa whose step was one too many.
        automa: String,
        /// The limit.
        limit: u64,
        /// The workers that were ready to run.
        due: Vec<Key>,
    },
    /// Something of the program has panicked that is no worker, such as the `Drop` of an output
    /// that was replaced, or a store.
    #[error(
        "automa `{automa}`: a panic outside of its workers, as in the `Drop` of an output or in a \
         store: {message}",
        automa = shown(.automa), message = shown_lines(.message)
    )]
    Panicked {
        /// The automa.
        automa: String,
        /// The message of the panic.
        message: String,
    },
    /// Automata are nested deeply, and there is no tokio runtime to run them as tasks of their own.
    #[error(
        "automa `{automa}`: nested more than {levels} levels deep, which needs a tokio runtime",
        automa = shown(.automa)
    )]
    TooDeep {
        /// The automa.
        automa: String,
        /// The number of levels that work without a runtime.
        levels: u32,
    },
    /// The output has another type than asked for.
    #[error("automa `{automa}`: its result: {source}", automa = shown(.automa))]
    Output {
        /// The automa.
        automa: String,
        /// The expected type and the actual one.
        r#source: TypeMismatch,
    },
    /// No output worker ran, but an output was asked for.
    #[error(
        "automa `{automa}`: {}, so there is no `{expected}`{}",
        if *.declared { "no output worker ran" } else { "no worker is marked with `.output()`" },
        left_waiting(.waiting),
        automa = shown(.automa), expected = shown(.expected)
    )]
    NoOutput {
        /// The automa.
        automa: String,
        /// The type asked for.
        expected: String,
        /// Whether there is an output worker.
        declared: bool,
        /// The workers that are still waiting.
        waiting: Vec<Waiting>,
    },
    /// The run is paused: it waits for answers to questions, for a time or for signals. There is no
    /// output yet.
    #[error(
        "automa `{}`: paused, so there is no output yet; a worker that runs it passes its questions \
         on with `Context::call`, and `.outcome()` returns the run with {}",
        shown(.outcome.automa().name()),
        awaited_list(.outcome)
    )]
    Paused {
        /// The paused run, with its [questions](Outcome::questions) and a
        /// [snapshot](Outcome::snapshot).
        outcome: Box<Outcome>,
    },
    /// The run was stopped before its end. There is no output yet.
    #[error(
        "automa `{}`: stopped before its end, so there is no output yet; `.outcome()` returns the \
         run, whose snapshot can be resumed",
        shown(.outcome.automa().name())
    )]
    Stopped {
        /// The stopped run, with a [snapshot](Outcome::snapshot).
        outcome: Box<Outcome>,
    },
    /// The run took longer than its [deadline](crate::run::RunBuilder::deadline), and its workers
    /// were cancelled.
    #[error("automa `{automa}`: exceeded its deadline of {after:?}", automa = shown(.automa))]
    DeadlineExceeded {
        /// The automa.
        automa: String,
        /// The deadline.
        after: Duration,
    },
    /// A run can be enqueued only in a store.
    #[error(
        "automa `{automa}`: a run can be enqueued only in a store: set one with `.stored_in(…)`",
        automa = shown(.automa)
    )]
    NoStore {
        /// The automa.
        automa: String,
    },
    /// A deadline needs the clock of a tokio runtime.
    #[error(
        "automa `{automa}`: a deadline needs a tokio runtime: run the automa within one",
        automa = shown(.automa)
    )]
    NoRuntime {
        /// The automa.
        automa: String,
    },
    /// The run was cancelled.
    #[error("automa `{automa}`: cancelled", automa = shown(.automa))]
    Cancelled {
        /// The automa.
        automa: String,
    },
}

/// A fault of an input of a run.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputFault {
    /// The worker that needs it: its key, with the keys of the automata around it.
    pub worker: String,
    /// The parameter that it fills: its name in backquotes, or its position from 1.
    pub parameter: String,
    /// The name of the input; `None` if the parameter has no name.
    pub name: Option<String>,
    /// The type of the parameter.
    pub expected: String,
    /// The type of the input, if there is one.
    pub mismatch: Option<TypeMismatch>,
}

impl fmt::Display for InputFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, parameter, name, expected, mismatch } = self;
        let f = &mut Printable::lines(f);
        match (mismatch, name) {
            (Some(mismatch), _) => {
                write!(f, "the input for parameter {parameter} of worker `{worker}`: {mismatch}")
            }
            (None, Some(name)) => write!(
                f,
                "nothing fills parameter {parameter} (`{expected}`) of worker `{worker}`: give the \
                 run `{name} = …`"
            ),
            (None, None) => write!(
                f,
                "nothing fills parameter {parameter} (`{expected}`) of worker `{worker}`: give it \
                 another dependency, or name its parameters with `.params([…])` for an input"
            ),
        }
    }
}

impl fmt::Debug for InputFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Box<MachineError>> for RunError {
    fn from(error: Box<MachineError>) -> Self {
        match *error {
            MachineError::Step(error) => Self::Step(error),
            MachineError::StepLimit { automa, limit, ready } => {
                Self::StepLimit { automa, limit, due: ready }
            }
        }
    }
}

impl RunError {
    /// The error of the first worker that failed, if it is an `E`; see [`StepError::downcast_ref`].
    /// If that worker is a nested automa, the first worker that failed inside it counts, at any
    /// depth.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    /// use std::num::ParseIntError;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("parse", async |text: String| text.parse::<i64>(), start().output())?;
    /// let mut outer = GraphAutoma::new("outer");
    /// outer.add_worker("inner", inner, start().output())?;
    /// let error = outer.run(args!("seven")).output::<i64>().await.unwrap_err();
    /// assert!(error.downcast_ref::<ParseIntError>().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        let mut run = self;
        loop {
            let Self::Step(step) = run else { return None };
            let first = step.first_error()?;
            if let Some(found) = first.downcast_ref() {
                return Some(found);
            }
            run = first.downcast_ref()?;
        }
    }
}

fn faults_in_a_row(faults: &[InputFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn at_most(taken: usize) -> String {
    if taken == 0 { "none".to_owned() } else { format!("{taken} at most") }
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

/// What the run waits for, for a message.
fn awaited_list(outcome: &Outcome) -> String {
    let mut parts = Vec::new();
    let ids: Vec<_> =
        outcome.questions().iter().map(|question| format!("`{}`", shown(&question.id))).collect();
    if !ids.is_empty() {
        parts.push(format!("its questions: {}", ids.join(", ")));
    }
    if outcome.wake_at().is_some() {
        parts.push("the time that it waits for".to_owned());
    }
    let signals: Vec<_> =
        outcome.awaits().iter().map(|name| format!("`{}`", shown(name))).collect();
    if !signals.is_empty() {
        parts.push(format!("the signals that it waits for: {}", signals.join(", ")));
    }
    parts.join("; ")
}

crate::__debug_is_display!(RunError);
