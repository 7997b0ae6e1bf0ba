//! One scheduled execution of one worker, as the engine runs it.

use std::fmt;
use std::sync::Arc;

use crate::graph::WorkerId;
use crate::key::Key;
use crate::machine::{Cause, KickoffId};
use crate::worker::Body;

/// One scheduled execution of one worker; see [`simulate`](crate::run::RunBuilder::simulate).
#[derive(Clone)]
pub struct Kickoff {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    pub(crate) body: Arc<Body>,
    pub(crate) cause: Cause,
    pub(crate) step: u64,
}

impl Kickoff {
    /// Its number within the run.
    pub fn id(&self) -> KickoffId {
        self.id
    }

    /// The worker's key.
    pub fn key(&self) -> &Key {
        &self.body.role.key
    }

    /// Why it runs.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The Dynamic Step in which it runs, from 1.
    pub fn step(&self) -> u64 {
        self.step
    }
}

impl fmt::Debug for Kickoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in step {} ({})", self.key(), self.step, self.cause)
    }
}
