//! What is declared in another way than it was.

use std::fmt;

use crate::key::Key;

/// Something that is declared in another way than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeclarationDiff {
    /// A worker is declared no more.
    Gone {
        /// The worker.
        worker: Key,
    },
    /// A worker was not declared.
    New {
        /// The worker.
        worker: Key,
    },
    /// A worker has other dependencies.
    Dependencies {
        /// The worker.
        worker: Key,
        /// What it depends on now.
        now: Vec<Key>,
    },
    /// A worker takes or gives something else; a nested automa is declared in another way.
    Signature {
        /// The worker.
        worker: Key,
        /// What it takes and gives now.
        now: String,
    },
    /// A worker starts, is an output, takes its arguments or deals its output out in another way.
    Options {
        /// The worker.
        worker: Key,
    },
    /// The workers come in another order.
    Order,
    /// Something about workers that the run has not reached.
    Unreached {
        /// How many workers there were.
        then: usize,
        /// How many there are.
        now: usize,
    },
}

impl fmt::Display for DeclarationDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone { worker } => write!(f, "worker `{worker}` is declared no more"),
            Self::New { worker } => write!(f, "worker `{worker}` is new"),
            Self::Dependencies { worker, now } if now.is_empty() => {
                write!(f, "worker `{worker}` depends on nothing now")
            }
            Self::Dependencies { worker, now } => {
                let now: Vec<_> = now.iter().map(|key| format!("`{key}`")).collect();
                write!(f, "worker `{worker}` depends on {} now", now.join(", "))
            }
            Self::Signature { worker, now } => write!(f, "worker `{worker}` is {now} now"),
            Self::Options { worker } => write!(
                f,
                "worker `{worker}` has other options now: \
                 start, output, how it takes arguments or how it deals its output out"
            ),
            Self::Order => f.write_str("the workers are declared in another order"),
            Self::Unreached { then, now } if then == now => {
                f.write_str("workers that the run has not reached are declared in another way")
            }
            Self::Unreached { then, now } => write!(
                f,
                "workers that the run has not reached are declared in another way: \
                 there were {then} workers, and there are {now} now"
            ),
        }
    }
}
