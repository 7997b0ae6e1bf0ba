//! A scheduled execution of a worker, as the engine runs it.

use std::fmt;
use std::sync::Arc;

use crate::graph::WorkerId;
use crate::key::Key;
use crate::machine::{Cause, KickoffId};
use crate::worker::Body;

/// A scheduled execution of a worker. See [`simulate`](crate::run::RunBuilder::simulate).
#[derive(Clone)]
pub struct Kickoff {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    pub(crate) body: Arc<Body>,
    pub(crate) cause: Cause,
    pub(crate) step: u64,
}

impl Kickoff {
    /// The number of the kickoff in the run.
    pub fn id(&self) -> KickoffId {
        self.id
    }

    /// The key of the worker.
    pub fn key(&self) -> &Key {
        &self.body.role.key
    }

    /// The reason why it runs.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The Dynamic Step in which it runs, counted from 1.
    pub fn step(&self) -> u64 {
        self.step
    }
}

impl fmt::Debug for Kickoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in step {} ({})", self.key(), self.step, self.cause)
    }
}
