//! The engine: does what the machine decides.
//!
//! A run is driven by one loop, [`drive`], over an [executor](executor): the threads of the
//! runtime, or a test that chooses which worker continues. The loop asks the machine, starts the
//! jobs, waits, and passes on what has ended. It has no rules of its own about what runs, with
//! which arguments, or when a step settles.

mod attached;
mod budget;
mod call;
mod drive;
mod executor;
mod guard;
mod instrument;
mod kickoff;
mod nested;
mod own_stack;
mod publish;
mod run_hooks;
mod scope;
mod shared;
mod spans;
mod spares;
mod waiting;

pub(crate) use attached::{Attached, Within};
pub(crate) use budget::StepBudget;
pub(crate) use drive::{drive, drive_stored, simulate};
pub(crate) use executor::PollClock;
pub(crate) use guard::RunGuard;
pub use kickoff::Kickoff;
pub(crate) use own_stack::stacked;
pub use scope::RunScope;
pub(crate) use shared::RunCore;
use spares::Spares;
pub(crate) use waiting::Inbox;

use std::sync::Arc;

use crate::machine;
use crate::saved::Saved;
use crate::worker::Body;

/// The machine's types, with this engine's payload.
pub(crate) type Job = machine::Job<Arc<Body>>;
pub(crate) type Jobs = machine::Jobs<Arc<Body>>;
pub(crate) type Ended = machine::Ended<Arc<Body>>;
pub(crate) type Effects = machine::Effects<Arc<Body>>;
pub(crate) type Replay = machine::Replay<Saved>;
pub(crate) type Pending = machine::Pending<Saved>;
pub(crate) type Interrupted = machine::Interrupted<crate::graph::WorkerId, Saved>;

impl machine::Hosts for Arc<Body> {
    type Paused = Saved;
}
