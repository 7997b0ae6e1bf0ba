//! A run that has not begun, as data.

use std::sync::Arc;
use std::time::Duration;

use super::RunError;
use super::stored::Place;
use crate::args::Args;
use crate::automa::{Attachments, GraphAutoma, Program};
use crate::checkpoint::{CheckpointPolicy, Claim};
use crate::engine::{PollClock, RunCore, RunGuard, RunScope, StepBudget, Within};
use crate::feedback::Handlers;
use crate::graph::BuildError;
use crate::key::Key;
use crate::machine::Pace;
use crate::saved::Snapshot;

/// A run that has not begun.
pub(super) struct Plan {
    pub(super) program: Result<Arc<Program>, Box<BuildError>>,
    pub(super) origin: Origin,
    /// Boxed, because most runs have no options.
    options: Option<Box<Options>>,
}

/// The starting point of a run.
#[derive(Clone)]
pub(super) enum Origin {
    Args(Args),
    Snapshot(Box<Snapshot>),
    /// The state in a store, which must have the run.
    Store,
}

/// Options of one run.
#[derive(Default)]
pub(super) struct Options {
    pub(super) pace: Option<Pace>,
    pub(super) deadline: Option<Duration>,
    pub(super) max_total_steps: Option<u64>,
    pub(super) handlers: Handlers,
    pub(super) place: Option<Place>,
    pub(super) checkpoints: CheckpointPolicy,
    /// The workers after which alone no state is written.
    pub(super) unwritten: Vec<Key>,
    pub(super) claim: Option<Claim>,
    /// The run around this run, if it begins inside another.
    pub(super) within: Option<Within>,
    pub(super) attachments: Attachments,
    /// The scope in which the run was created.
    pub(super) scope: Option<RunScope>,
    /// Whether it is a part of a worker, which passes on what it waits for.
    pub(super) is_part: bool,
    pub(super) poll_clock: Option<PollClock>,
}

impl Plan {
    /// A further run of a compiled automa.
    pub(super) fn again(program: &Arc<Program>, args: Args) -> Self {
        Self { program: Ok(Arc::clone(program)), origin: Origin::Args(args), options: of_scope() }
    }

    pub(super) fn new(automa: &GraphAutoma, origin: Origin) -> Self {
        Self { program: automa.compiled().map_err(Box::new), origin, options: of_scope() }
    }

    /// A run of an automa that cannot be built.
    pub(super) fn invalid(error: BuildError) -> Self {
        Self { program: Err(Box::new(error)), origin: Origin::Args(Args::new()), options: None }
    }

    /// The name of the automa.
    pub(super) fn automa(&self) -> Arc<str> {
        match &self.program {
            Ok(program) => Arc::clone(program.automa()),
            Err(error) => error.automa.as_str().into(),
        }
    }

    pub(super) fn options(&mut self) -> &mut Options {
        self.options.get_or_insert_default()
    }

    /// Where the run is stored.
    pub(super) fn place(&self) -> Option<Place> {
        self.options.as_ref()?.place.clone()
    }

    pub(super) fn is_stored(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.place.is_some())
    }

    /// Begins the run.
    ///
    /// # Errors
    /// If the graph is invalid, a named input reaches no worker, or the snapshot is not of this
    /// automa.
    pub(super) fn live(self) -> Result<RunGuard, RunError> {
        let within = self.options.as_ref().and_then(|options| options.within.as_ref());
        self.tell_lints();
        let mut core = self.origin.core(self.program.map_err(|error| *error)?, within)?;
        if let Some(options) = self.options {
            options.set(&mut core);
        }
        Ok(RunGuard::new(core))
    }

    /// Logs the lints of the automa, unless the run limits all of its steps.
    fn tell_lints(&self) {
        let is_limited = |options: &Options| options.max_total_steps.is_some();
        if let Ok(program) = &self.program
            && !self.options.as_deref().is_some_and(is_limited)
        {
            program.tell_lints();
        }
    }

    /// Takes the plan apart. Without options, they are the defaults.
    pub(super) fn into_parts(self) -> Result<(Arc<Program>, Origin, Options), RunError> {
        self.tell_lints();
        let options = self.options.map_or_else(Options::default, |options| *options);
        Ok((self.program.map_err(|error| *error)?, self.origin, options))
    }
}

impl Origin {
    /// Creates a run of the graph from this starting point.
    ///
    /// # Errors
    /// If a named input reaches no worker, or the snapshot is not of this automa.
    pub(super) fn core(
        self,
        program: Arc<Program>,
        within: Option<&Within>,
    ) -> Result<Arc<RunCore>, RunError> {
        match (self, within) {
            (Self::Args(args), None) => RunCore::top(program, args),
            (Self::Args(args), Some(within)) => RunCore::inside(program, args, within),
            (Self::Snapshot(snapshot), within) => {
                RunCore::resumed(program, snapshot.into_run(), within)
            }
            (Self::Store, _) => Err(RunError::Stateless { automa: program.automa().to_string() }),
        }
    }
}

impl Options {
    /// Applies the options to the run of `core`.
    pub(super) fn set(&self, core: &mut Arc<RunCore>) {
        let core = Arc::get_mut(core).expect("nobody else has a run that has not begun");
        if let Some(pace) = self.pace {
            core.set_pace(pace);
        }
        core.deadline = self.deadline;
        if let Some(limit) = self.max_total_steps {
            let around = core.step_budget.take();
            core.step_budget = Some(StepBudget::new(limit, core.n_steps_before, around));
        }
        core.is_part = self.is_part;
        core.handlers = self.handlers.clone();
        if let Some(clock) = &self.poll_clock {
            core.poll_clock = clock.clone();
        }
        core.attached.make_also(self.attachments.clone());
        if let Some(scope) = &self.scope {
            core.set_scope(scope.clone());
        }
    }
}

/// What the scope of the code that creates the run gives it.
fn of_scope() -> Option<Box<Options>> {
    let scope = RunScope::here()?;
    let attachments = scope.attachments().clone();
    Some(Box::new(Options { attachments, scope: Some(scope), ..Options::default() }))
}
