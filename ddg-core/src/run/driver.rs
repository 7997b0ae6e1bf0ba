//! The tokio driver: does what the machine decides.

use std::sync::Arc;

use tracing::Instrument;

use super::crew::Crew;
use super::execution::{launch, run_alone};
use super::kickoff::{Ended, Job};
use super::outcome::Outcome;
use super::{Pace, RunCore, RunError};

/// Runs to the end.
pub(super) async fn drive(core: &Arc<RunCore>) -> Result<Outcome, RunError> {
    let span = tracing::info_span!("run", automa = %core.automa());
    let stopped =
        if span.is_disabled() { steps(core).await? } else { steps(core).instrument(span).await? };
    core.keep_locals();
    Ok(Outcome::new(core, stopped))
}

/// Takes one step after the other; tells whether it was stopped before the end.
async fn steps(core: &Arc<RunCore>) -> Result<bool, RunError> {
    let mut jobs = Vec::new();
    let mut ended = Vec::new();
    let mut crew: Option<Box<Crew>> = None;
    let mut n_steps = 0_u32;
    if core.is_stopping() {
        return Ok(!core.machine().is_idle());
    }
    core.machine().begin(&mut jobs)?;
    loop {
        let idle = crew.as_ref().is_none_or(|crew| crew.is_idle());
        if idle && jobs.is_empty() {
            return Ok(core.is_stopping() && !core.machine().is_idle());
        }
        if tracing::enabled!(tracing::Level::DEBUG) {
            let number = jobs.first().map(|job| job.kickoff.step);
            let span = tracing::debug_span!("step", number);
            together(core, &mut crew, &mut jobs, &mut ended).instrument(span).await;
        } else if idle && jobs.len() == 1 {
            ended.push(lone(core, &mut jobs).await);
        } else {
            together(core, &mut crew, &mut jobs, &mut ended).await;
        }
        settle(core, &mut jobs, &mut ended)?;
        n_steps += 1;
        if n_steps == STEPS_PER_BUDGET {
            n_steps = 0;
            tokio::task::coop::consume_budget().await;
        }
    }
}

/// Settles what has ended, and begins the next step unless the run is to stop.
fn settle(core: &RunCore, jobs: &mut Vec<Job>, ended: &mut Vec<Ended>) -> Result<(), RunError> {
    let mut machine = core.machine();
    machine.settle(ended)?;
    if core.is_stopping() { Ok(()) } else { machine.begin(jobs) }
}

/// A run whose workers never wait must not keep its thread from everybody else: every so many
/// steps count as one operation towards tokio's cooperative budget (128 operations per poll).
const STEPS_PER_BUDGET: u32 = 8;

/// Runs the only kickoff there is to its end.
async fn lone(core: &Arc<RunCore>, jobs: &mut Vec<Job>) -> Ended {
    let job = || jobs.pop().expect("called where there is one");
    run_alone(core, job, launch).await
}

/// Starts what is due, and waits until everything has ended, or, at a rolling pace, something.
async fn together(
    core: &Arc<RunCore>,
    crew: &mut Option<Box<Crew>>,
    jobs: &mut Vec<Job>,
    ended: &mut Vec<Ended>,
) {
    let crew = crew.get_or_insert_with(|| Box::new(Crew::new(core)));
    crew.start(jobs, ended).await;
    match core.topology.settings.pace {
        Pace::Lockstep => {
            while !crew.is_idle() {
                crew.next(ended).await;
            }
        }
        Pace::Rolling => {
            if ended.is_empty() && !crew.is_idle() {
                crew.next(ended).await;
            }
            crew.also(ended).await;
        }
    }
}
