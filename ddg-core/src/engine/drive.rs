//! The loop that drives a run: asks the machine, and does what it says.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tracing::{Instrument, Span};

use super::call::{Execution, Launched, launch, panic_message};
use super::executor::{Executor, Pool, Simulated};
use super::{Ended, Jobs, Kickoff, RunCore, RunGuard, Spares, publish, run_hooks, spans};
use crate::durable::{Attempt, Journal, Writer};
use crate::machine::{End, Next};
use crate::run::{Outcome, RunError};

/// Drives a run to its end on the threads of the runtime.
pub(crate) fn drive(guard: RunGuard) -> impl Future<Output = Result<Outcome, RunError>> + Send {
    drive_on(guard, Pool::default())
}

/// Drives a run to its end while polling one worker at a time, chosen by `choose`.
pub(crate) fn simulate(
    guard: RunGuard,
    choose: impl FnMut(&[Kickoff]) -> usize,
) -> impl Future<Output = Result<Outcome, RunError>> {
    drive_on(guard, Simulated::new(choose))
}

async fn drive_on(mut guard: RunGuard, mut executor: impl Executor) -> Result<Outcome, RunError> {
    guard.begin();
    let core = &guard.core;
    let spanned = spans::run(core);
    let span = spanned.span();
    core.keep_span(span);
    let hooked = core.has_run_hooks();
    if hooked {
        Box::pin(run_hooks::will_start(core)).await;
    }
    // Boxed, because the future of a run is moved a few times before it is polled.
    let steps = Box::pin(steps(core, &mut executor));
    let ended = if span.is_disabled() && core.deadline.is_none() {
        steps.await
    } else {
        Box::pin(in_time(core, steps).instrument(span.clone())).await
    };
    if let Err(error) = &ended {
        if let (Some(states), RunError::Step(error)) = (&core.states, error)
            && !error.is_of_workers()
        {
            states.forget_results();
        }
        tell_unbound(core).await;
    }
    let ended = ended.map(|end| Outcome::new(core, end));
    if let Ok(outcome) = &ended {
        core.keep_locals(outcome.end());
    }
    if hooked {
        Box::pin(run_hooks::did_end(core, &ended)).await;
    }
    spanned.run_ended(&ended);
    guard.end(&ended);
    ended
}

/// Drives a run that is written to a journal. If its lease may have expired, its workers are
/// cancelled, and the run continues from the last written state, which `regain` returns.
pub(crate) async fn drive_stored<'a>(
    mut guard: RunGuard,
    journal: &Journal,
    regain: impl Fn() -> BoxFuture<'a, Result<Arc<RunCore>, RunError>>,
) -> Result<Outcome, RunError> {
    guard.begin();
    let first = Arc::clone(&guard.core);
    let spanned = spans::run(&first);
    first.keep_span(spanned.span());
    let hooked = first.has_run_hooks();
    if hooked {
        run_hooks::will_start(&first).await;
    }
    let attempts = async {
        loop {
            match attempt(&guard.core, journal).await {
                Attempt::Ended(ended) => return ended,
                Attempt::Interrupted => guard.go_on_with(regain().await?),
            }
        }
    };
    let ended = in_time(&first, attempts).instrument(spanned.span().clone()).await;
    if ended.is_err() {
        tell_unbound(&guard.core).await;
    }
    let ended = journal.end(guard.core.automa(), ended).await;
    if let Ok(outcome) = &ended {
        guard.core.keep_locals(outcome.end());
    }
    if hooked {
        run_hooks::did_end(&guard.core, &ended).await;
    }
    spanned.run_ended(&ended);
    guard.end(&ended);
    ended
}

/// Calls the error hooks of workers that could not be called.
async fn tell_unbound(core: &Arc<RunCore>) {
    let unbound = core.machine().take_unbound();
    if !unbound.is_empty() {
        Box::pin(run_hooks::could_not_be_called(core, unbound)).await;
    }
}

async fn attempt(core: &Arc<RunCore>, journal: &Journal) -> Attempt<Outcome> {
    let mut executor = Pool::default();
    let steps = async {
        journal.begin(core).await?;
        steps(core, &mut executor).await.map(|end| Outcome::new(core, end))
    };
    journal.drive(core.automa(), steps).await
}

/// Drives a run until its deadline, if it has one.
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

/// Takes one step after another. Panics of workers are their errors. Another panic, as of the
/// `Drop` of an output that is replaced, is an error of the run.
async fn steps(core: &Arc<RunCore>, executor: &mut impl Executor) -> Result<End, RunError> {
    let steps = AssertUnwindSafe(each_step(core, executor)).catch_unwind();
    steps.await.unwrap_or_else(|panic| {
        let message = panic_message(&*panic);
        Err(RunError::Panicked { automa: core.automa().to_string(), message })
    })
}

async fn each_step(core: &Arc<RunCore>, executor: &mut impl Executor) -> Result<End, RunError> {
    let mut jobs = Jobs::default();
    let mut ended = Vec::new();
    let mut spares = Spares::default();
    // Boxed, because most runs have none.
    let mut writer = Writer::of(core).map(Box::new);
    let mut step_span = Span::none();
    let mut next = core.next(&mut ended, &mut jobs, &mut spares)?;
    loop {
        match next {
            Next::Done(End::Finished) => return Ok(End::Finished),
            // Boxed, because most runs never wait here.
            Next::Done(End::Paused) if Box::pin(core.wakes(executor.time_passes())).await? => {}
            Next::Done(end @ (End::Paused | End::Stopped)) => {
                Box::pin(core.attached.pausing()).await;
                return Ok(end);
            }
            Next::Run => {
                // Asked once per step, so that a step is published as a whole or not at all.
                let watched = core.look_for_watchers();
                if watched {
                    publish::step_started(core, &jobs, &ended);
                }
                let traced = tracing::enabled!(tracing::Level::DEBUG);
                if traced {
                    let step = jobs.first().map(|job| job.step);
                    step_span = spans::step(core, step, jobs.len());
                } else if jobs.len() == 1
                    && executor.takes_lone_jobs()
                    && writer.is_none()
                    && !watched
                    && core.step_budget.is_none()
                {
                    next = lone_steps(core, &mut jobs, &mut spares).await?;
                    tokio::task::coop::consume_budget().await;
                    continue;
                }
                if let Some(writer) = &mut writer {
                    writer.begun(&jobs, ended.len(), executor.is_idle());
                }
                let start = poll_fn(|task| {
                    executor.start(core, &mut jobs, &mut ended, &mut spares, task);
                    Poll::Ready(())
                });
                match traced {
                    true => start.instrument(step_span.clone()).await,
                    false => start.await,
                }
            }
            Next::Wait(n_missing) => {
                let enough = ended.len() + n_missing;
                let wait = poll_fn(|task| {
                    let polled = executor.poll_ended(core, &mut ended, enough, &mut spares, task);
                    if let Some(writer) = &mut writer
                        && let Poll::Ready(Err(error)) = writer.poll_meanwhile(&ended, task)
                    {
                        return Poll::Ready(Err(error));
                    }
                    polled.map(Ok)
                });
                match step_span.is_none() {
                    true => wait.await?,
                    false => wait.instrument(step_span.clone()).await?,
                }
            }
            Next::Settled => {
                if core.is_watched() {
                    publish::step_settled(core);
                }
                tokio::task::coop::consume_budget().await;
                if let Some(writer) = &mut writer {
                    let mut meanwhile = Vec::new();
                    Box::pin(settled(core, executor, writer, &mut meanwhile, &mut spares)).await?;
                    next = core.next(&mut ended, &mut jobs, &mut spares)?;
                    ended.append(&mut meanwhile);
                    if matches!(next, Next::Wait(_)) && !ended.is_empty() {
                        next = core.next(&mut ended, &mut jobs, &mut spares)?;
                    }
                    continue;
                }
            }
        }
        if let Some(writer) = &mut writer {
            Box::pin(writer.before_settling(&ended, executor.is_idle())).await?;
        }
        next = core.next(&mut ended, &mut jobs, &mut spares)?;
    }
}

/// Writes the state after a step. At a rolling pace others may be running; those that end meanwhile
/// are appended to `ended`.
async fn settled(
    core: &Arc<RunCore>,
    executor: &mut impl Executor,
    writer: &mut Writer,
    ended: &mut Vec<Ended>,
    spares: &mut Spares,
) -> Result<(), RunError> {
    let mut written = writer.settled(executor.is_idle()).boxed();
    poll_fn(|task| {
        if !executor.is_idle() {
            _ = executor.poll_ended(core, ended, usize::MAX, spares, task);
        }
        written.poll_unpin(task)
    })
    .await
}

impl RunCore {
    /// Passes what has ended to the machine, and asks what to do next.
    fn next(
        &self,
        ended: &mut Vec<Ended>,
        jobs: &mut Jobs,
        spares: &mut Spares,
    ) -> Result<Next, RunError> {
        let mut machine = self.machine();
        let n_steps = machine.steps();
        let next = machine.next(ended, jobs)?;
        if let Some(forgotten) = machine.take_forgotten() {
            spares.drop_contexts();
            self.forget_locals(&forgotten);
        }
        if let Some(budget) = &self.step_budget
            && machine.steps() > n_steps
        {
            drop(machine);
            self.take_step(budget, jobs)?;
        }
        Ok(next)
    }
}

/// Number of steps of one worker that count as one operation of tokio's cooperative budget, which
/// is 128 operations per poll. Without it, a run whose workers never wait would block its thread.
const STEPS_PER_BUDGET: u32 = 8;

/// Takes steps of one kickoff each, without subscribers, as long as there are such. Returns the
/// next thing to do.
async fn lone_steps(
    core: &Arc<RunCore>,
    jobs: &mut Jobs,
    spares: &mut Spares,
) -> Result<Next, RunError> {
    let mut running: Option<Execution> = None;
    let mut n_steps = 0;
    let feed = core.feed();
    poll_fn(|task| {
        loop {
            // An execution is polled once when it is launched, so it is not polled again before its
            // first wake.
            let ended = match &mut running {
                Some(execution) => ready!(execution.poll_end(Some(spares), task)),
                None => {
                    if n_steps == STEPS_PER_BUDGET {
                        ready!(tokio::task::coop::poll_proceed(task)).made_progress();
                        n_steps = 0;
                    }
                    match launch(core, &mut jobs[0], spares, Some(task)) {
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
            let next = machine.advance(ended, jobs)?;
            if let Some(forgotten) = machine.take_forgotten() {
                spares.drop_contexts();
                core.forget_locals(&forgotten);
            }
            drop(machine);
            n_steps += 1;
            // Spans of steps are looked for now and then, because few programs turn them on while
            // a run is active.
            let traced = n_steps == STEPS_PER_BUDGET && tracing::enabled!(tracing::Level::DEBUG);
            if next != Next::Run || jobs.len() != 1 || feed.is_watched() || traced {
                return Poll::Ready(Ok(next));
            }
        }
    })
    .await
}
