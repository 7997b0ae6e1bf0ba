//! The tokio driver: does what the machine decides.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, ready};

use futures::FutureExt;
use tokio::runtime::Handle;
use tracing::Instrument;

use super::crew::Crew;
use super::execution::{Execution, Launched, launch};
use super::journal::Journal;
use super::kickoff::{Ended, Job};
use super::live::Live;
use super::machine::Record;
use super::outcome::Outcome;
use super::results::Results;
use super::{Pace, RunCore, RunError, spans};
use crate::event::{EventKind, Scheduled};

/// Runs to the end.
pub(super) async fn drive(mut live: Live) -> Result<Outcome, RunError> {
    live.begin();
    let core = &live.core;
    let spanned = spans::run(core);
    let span = spanned.span();
    let ended = match &core.journal {
        None if span.is_disabled() && core.deadline.is_none() => {
            steps(core).await.map(|stopped| Outcome::new(core, stopped))
        }
        None => {
            let stopped = Box::pin(in_time(core, steps(core)).instrument(span.clone())).await;
            stopped.map(|stopped| Outcome::new(core, stopped))
        }
        // Apart, so that runs that are not written do not hold room for it.
        Some(journal) => Box::pin(written(core, journal).instrument(span.clone())).await,
    };
    if let Ok(outcome) = &ended
        && !outcome.is_paused()
    {
        core.keep_locals();
    }
    spanned.run_ended(&ended);
    live.end(&ended);
    ended
}

/// Runs to the end, and writes what has become of it.
async fn written(core: &Arc<RunCore>, journal: &Journal) -> Result<Outcome, RunError> {
    let stopped = async {
        journal.begin(core).await?;
        steps(core).await
    };
    let stopped = in_time(core, stopped);
    let stopped = journal.cancelled().run_until_cancelled(stopped).await;
    let stopped =
        stopped.unwrap_or_else(|| Err(RunError::Cancelled { automa: core.automa().to_string() }));
    journal.end(stopped.map(|stopped| Outcome::new(core, stopped))).await
}

/// Gives `run` as long as the run's deadline, if it has one.
async fn in_time<T>(
    core: &RunCore,
    run: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    let Some(after) = core.deadline else { return run.await };
    let automa = || core.automa().to_string();
    if Handle::try_current().is_err() {
        return Err(RunError::NoRuntime { automa: automa() });
    }
    let ended = tokio::time::timeout(after, run).await;
    ended.unwrap_or_else(|_| Err(RunError::DeadlineExceeded { automa: automa(), after }))
}

/// Takes one step after the other; tells whether it was stopped before the end.
async fn steps(core: &Arc<RunCore>) -> Result<bool, RunError> {
    let mut jobs = Vec::new();
    let mut ended = Vec::new();
    let mut crew: Option<Box<Crew>> = None;
    if core.is_stopping() {
        return Ok(!core.machine().is_idle());
    }
    let mut results = Results::of(core);
    core.machine().begin(&mut jobs)?;
    if let Some(journal) = &core.journal {
        journal.end_again(core, &mut jobs, &mut ended)?;
    }
    loop {
        let idle = crew.as_ref().is_none_or(|crew| crew.is_idle());
        if idle && jobs.is_empty() && ended.is_empty() {
            return Ok(core.is_stopping() && !core.machine().is_idle());
        }
        let watched = core.look_for_watchers();
        if watched {
            tell_begun(core, &jobs, &ended);
        }
        if tracing::enabled!(tracing::Level::DEBUG) {
            let number = jobs.first().map(|job| job.kickoff.step);
            let span = spans::step(core, number, jobs.len());
            let together = together(core, &mut crew, &mut jobs, &mut ended, &mut results);
            together.instrument(span).await?;
        } else if idle && jobs.len() == 1 && core.journal.is_none() && !watched {
            lone_steps(core, &mut jobs).await?;
            tokio::task::coop::consume_budget().await;
            continue;
        } else {
            together(core, &mut crew, &mut jobs, &mut ended, &mut results).await?;
        }
        if watched {
            let record = core.machine().settle_recorded(&mut ended)?;
            tell_settled(core, record);
        } else {
            core.machine().settle(&mut ended)?;
        }
        // At a rolling pace what is running is in no state that could be written.
        if let Some(journal) = &core.journal
            && crew.as_ref().is_none_or(|crew| crew.is_idle())
        {
            Box::pin(journal.settled(core)).await?;
        }
        if !core.is_stopping() {
            core.machine().begin(&mut jobs)?;
        }
        tokio::task::coop::consume_budget().await;
    }
}

/// Tells what begins. A step of which everything has `ended` before has a beginning, too.
fn tell_begun(core: &RunCore, jobs: &[Job], ended: &[Ended]) {
    if jobs.is_empty() && ended.is_empty() {
        return;
    }
    let step = core.machine().steps();
    let kickoffs = jobs.iter().map(|Job { kickoff, .. }| Scheduled {
        worker: kickoff.key().clone(),
        kickoff: kickoff.id,
        cause: kickoff.cause.clone(),
    });
    core.emit(step, EventKind::StepStarted { kickoffs: kickoffs.collect() });
}

/// Tells what came of settling.
fn tell_settled(core: &RunCore, record: Record) {
    let Record { step, changes, ferries, outputs } = record;
    if !changes.is_empty() {
        core.emit(step, EventKind::GraphChanged { changes });
    }
    for (by, to) in ferries {
        core.emit(step, EventKind::Ferried { by, to });
    }
    core.emit(step, EventKind::StepSettled { outputs });
    if core.feed().wants_values() {
        let outputs = core.machine().last_outputs();
        core.emit(step, EventKind::Values { outputs });
    }
}

/// A run whose workers never wait must not keep its thread from everybody else: so many steps of
/// one worker count as one operation towards tokio's cooperative budget (128 operations per poll).
const STEPS_PER_BUDGET: u32 = 8;

/// Takes steps of one kickoff each that nobody watches, as long as there are such, up to
/// [`STEPS_PER_BUDGET`].
async fn lone_steps(core: &Arc<RunCore>, jobs: &mut Vec<Job>) -> Result<(), RunError> {
    let mut running: Option<Execution> = None;
    let mut n_steps = 0;
    let feed = core.feed();
    poll_fn(|task| {
        loop {
            // What has been polled when it was launched is not polled again before it wakes us.
            let ended = match &mut running {
                Some(execution) => ready!(execution.poll_unpin(task)),
                None => {
                    let job = jobs.pop().expect("a step has a kickoff");
                    match launch(core, job, Some(task)) {
                        Launched::Ended(ended) => ended,
                        Launched::Running(execution) => {
                            running = Some(execution);
                            return Poll::Pending;
                        }
                    }
                }
            };
            running = None;
            let mut machine = core.machine();
            machine.settle_one(ended)?;
            if !core.is_stopping() {
                machine.begin(jobs)?;
            }
            n_steps += 1;
            if jobs.len() != 1 || n_steps == STEPS_PER_BUDGET || feed.is_watched() {
                return Poll::Ready(Ok(()));
            }
        }
    })
    .await
}

/// Starts what is due, and waits until everything has ended, or, at a rolling pace, something.
async fn together(
    core: &Arc<RunCore>,
    crew: &mut Option<Box<Crew>>,
    jobs: &mut Vec<Job>,
    ended: &mut Vec<Ended>,
    results: &mut Option<Box<Results>>,
) -> Result<(), RunError> {
    let crew = crew.get_or_insert_with(|| Box::new(Crew::new(core)));
    if let Some(results) = results {
        return Box::pin(results.together(crew, jobs, ended)).await;
    }
    crew.start(jobs, ended).await;
    match core.pace {
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
    Ok(())
}
