//! Differences between two declarations.

use std::fmt::{self, Write};

use crate::key::Key;
use crate::printable::Printable;

/// A difference between the saved declaration and the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeclarationDiff {
    /// A worker is no longer declared.
    Gone {
        /// The worker.
        worker: Key,
    },
    /// A worker is new.
    New {
        /// The worker.
        worker: Key,
    },
    /// A worker has different dependencies.
    Dependencies {
        /// The worker.
        worker: Key,
        /// The current dependencies.
        now: Vec<Key>,
    },
    /// A worker has a different signature, or a nested automa is declared differently.
    Signature {
        /// The worker.
        worker: Key,
        /// The current signature.
        now: String,
    },
    /// A worker has different options: start, output, mapping of arguments, or scattering of its
    /// output.
    Options {
        /// The worker.
        worker: Key,
    },
    /// The workers have a different order.
    Order,
    /// Something differs about workers that the run has not reached.
    Unreached {
        /// The number of workers when the run was saved.
        then: usize,
        /// The current number of workers.
        now: usize,
    },
}

impl fmt::Display for DeclarationDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Printable::lines(f);
        match self {
            Self::Gone { worker } => write!(f, "worker `{worker}` is no longer declared"),
            Self::New { worker } => write!(f, "worker `{worker}` is new"),
            Self::Dependencies { worker, now } if now.is_empty() => {
                write!(f, "worker `{worker}` now has no dependencies")
            }
            Self::Dependencies { worker, now } => {
                let now: Vec<_> = now.iter().map(|key| format!("`{key}`")).collect();
                write!(f, "worker `{worker}` now depends on {}", now.join(", "))
            }
            Self::Signature { worker, now } => write!(f, "worker `{worker}` is now {now}"),
            Self::Options { worker } => write!(
                f,
                "worker `{worker}` now has other options: start, output, the mapping of its \
                 arguments or the scattering of its output"
            ),
            Self::Order => f.write_str("the workers are declared in another order"),
            Self::Unreached { then, now } if then == now => {
                f.write_str("workers that the run has not reached are declared differently")
            }
            Self::Unreached { then, now } => write!(
                f,
                "workers that the run has not reached are declared differently: \
                 there were {then} workers, and now there are {now}"
            ),
        }
    }
}
