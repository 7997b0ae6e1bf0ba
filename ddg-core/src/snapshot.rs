//! A run at rest, to be continued later, here or elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::run::{AnswerError, Question, Saved};
use crate::values::{Data, NotSerializable, Value};

/// The state of a run between two steps: what is due next, what each worker waits for, outputs,
/// local spaces, run inputs. It is the state of the run's machine and nothing else; the declared
/// graph is not in it.
///
/// It is serde data. Written as JSON and read in another process it continues there, provided the
/// automa is declared as it was.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::Snapshot;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("count");
/// automa.add_func_as_worker("count", async |x: u64, cx: Context| {
///     if x < 1000 { cx.ferry_to("count", (x + 1,)) } else { cx.ferry_to("end", (x,)) }
/// }, start())?;
/// automa.add_func_as_worker("end", async |x: u64| x, free().output())?;
///
/// let run = automa.start(args!(0));
/// tokio::task::yield_now().await;
/// run.stop();
/// let stopped = run.await?;
/// let json = serde_json::to_string(&stopped.snapshot()?)?;
///
/// let snapshot: Snapshot = serde_json::from_str(&json)?;       // in another process, say
/// let outcome = automa.resume(snapshot).await?;
/// assert_eq!(outcome.into_output::<u64>()?, 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct Snapshot {
    version: Version,
    machine: Saved,
}

/// The version of the format: a snapshot of another is refused when it is read.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct Version;

const VERSION: u32 = 1;

/// A run cannot be saved, or cannot be continued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A value has no JSON form.
    #[error("automa `{automa}`: worker `{worker}`: {what}: {source}")]
    NotSerializable {
        /// The automa.
        automa: String,
        /// The worker that it belongs to.
        worker: Key,
        /// What it is to the worker.
        what: &'static str,
        /// Its type, and why not.
        source: NotSerializable,
    },
    /// What was read is no snapshot, or could not be written as one.
    #[error("this is no snapshot: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The run has changed its graph, and only the declared graph can be found again.
    #[error(
        "automa `{automa}`: the run has changed its graph at worker `{key}`, and only a run of \
         the graph as it was declared can be saved"
    )]
    Changed {
        /// The automa.
        automa: String,
        /// The first worker that differs.
        key: Key,
    },
    /// The snapshot is of a run of another automa.
    #[error("this is automa `{automa}`, but the snapshot is of a run of `{saved}`")]
    OtherAutoma {
        /// This automa.
        automa: String,
        /// That of the snapshot.
        saved: String,
    },
    /// The snapshot names a worker that the automa does not have (any more).
    #[error("automa `{automa}`: the snapshot knows a worker `{key}`, which is declared no more")]
    UnknownWorker {
        /// The automa.
        automa: String,
        /// The worker.
        key: Key,
    },
    /// The snapshot names a dependency that the automa does not have (any more).
    #[error(
        "automa `{automa}`: in the snapshot `{worker}` depends on `{dependency}`, \
         which is declared no more"
    )]
    UnknownDependency {
        /// The automa.
        automa: String,
        /// The worker.
        worker: Key,
        /// What it depended on.
        dependency: Key,
    },
}

impl Snapshot {
    pub(crate) fn new(machine: Saved) -> Self {
        Self { version: Version, machine }
    }

    /// The last Dynamic Step of which it has the results.
    pub fn step(&self) -> u64 {
        self.machine.step()
    }

    /// The last output of a worker; `None` if it has not run, or there is no such worker.
    pub fn output(&self, worker: &str) -> Option<Value> {
        self.machine.outputs().get(worker).cloned()
    }

    /// Puts another output in the place of a worker's last one; what runs next reads that. False if
    /// the worker has not run.
    pub fn set_output(&mut self, worker: &str, output: impl Data) -> bool {
        let slot = self.machine.outputs_mut().get_mut(worker);
        slot.map(|slot| *slot = Value::new(output)).is_some()
    }

    /// The questions that wait for an answer, those of nested automata included, in kickoff order.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        self.machine.interrupted().iter().for_each(|waiting| waiting.questions(&mut questions));
        questions
    }

    /// Answers a question; once. The run may be resumed with some of its questions answered: it
    /// pauses again for the rest.
    ///
    /// # Errors
    /// The run asks nothing, or not this, or it has been answered. The snapshot is as it was then.
    pub fn answer(&mut self, id: &str, answer: impl Data) -> Result<(), AnswerError> {
        let answer = Value::new(answer);
        let waiting = self.machine.interrupted_mut();
        if waiting.is_empty() {
            return Err(AnswerError::NotPaused { id: id.to_owned() });
        }
        match waiting.iter_mut().find_map(|waiting| waiting.answer(id, &answer)) {
            Some(true) => Ok(()),
            Some(false) => Err(AnswerError::Answered { id: id.to_owned() }),
            None => Err(AnswerError::Unknown {
                id: id.to_owned(),
                known: self.questions().into_iter().map(|question| question.id).collect(),
            }),
        }
    }

    pub(crate) fn into_machine(self) -> Saved {
        self.machine
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.machine.fmt(f)
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == VERSION {
            return Ok(Self);
        }
        Err(format!("the snapshot has format {version}, but this is format {VERSION}"))
    }
}
