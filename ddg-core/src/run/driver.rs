//! The tokio driver: does what the machine decides.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::execution::{Execution, Launched, launch};
use super::kickoff::{End, Job, KickoffId};
use super::outcome::Outcome;
use super::{RunCore, RunError};

/// Runs to the end.
pub(super) async fn drive(core: &Arc<RunCore>) -> Result<Outcome, RunError> {
    let span = tracing::info_span!("run", automa = %core.automa);
    let stopped =
        if span.is_disabled() { steps(core).await? } else { steps(core).instrument(span).await? };
    core.keep_locals();
    Ok(Outcome::new(core, stopped))
}

/// Takes one step after the other; tells whether it was stopped before the end.
async fn steps(core: &Arc<RunCore>) -> Result<bool, RunError> {
    let mut jobs = Vec::new();
    let mut ends = Vec::new();
    if core.is_stopping() {
        return Ok(!core.machine().is_idle());
    }
    core.machine().begin(&mut jobs)?;
    while let Some(job) = jobs.pop() {
        let step = job.kickoff.step;
        let (id, end) = if tracing::enabled!(tracing::Level::DEBUG) {
            let span = tracing::debug_span!("step", number = step);
            together(core, job, &mut jobs, &mut ends).instrument(span).await
        } else if jobs.is_empty() {
            alone(core, job).await
        } else {
            together(core, job, &mut jobs, &mut ends).await
        };
        {
            let mut machine = core.machine();
            machine.complete(id, end);
            if !ends.is_empty() {
                ends.drain(..).for_each(|(id, end)| machine.complete(id, end));
            }
            machine.settle()?;
            if core.is_stopping() {
                return Ok(!machine.is_idle());
            }
            machine.begin(&mut jobs)?;
        }
        if step.is_multiple_of(STEPS_PER_BUDGET) {
            tokio::task::coop::consume_budget().await;
        }
    }
    Ok(false)
}

/// A run whose workers never wait must not keep its thread from everybody else: every so many
/// steps count as one operation towards tokio's cooperative budget (128 operations per poll).
const STEPS_PER_BUDGET: u64 = 8;

/// Runs the one kickoff of a step to its end.
async fn alone(core: &Arc<RunCore>, job: Job) -> (KickoffId, End) {
    match launch(core, job) {
        Launched::Ended(id, end) => (id, end),
        Launched::Running(execution) => execution.await,
    }
}

/// Runs the kickoffs of a step, of which `last` is the last, to their ends; gives one, and the
/// others through `ends`.
async fn together(
    core: &Arc<RunCore>,
    last: Job,
    jobs: &mut Vec<Job>,
    ends: &mut Vec<(KickoffId, End)>,
) -> (KickoffId, End) {
    jobs.push(last);
    let mut crew = Crew::new();
    for job in jobs.drain(..) {
        while crew.len() >= core.max_concurrency {
            crew.next(ends).await;
        }
        match launch(core, job) {
            Launched::Ended(id, end) => ends.push((id, end)),
            Launched::Running(execution) => crew.take_on(execution, ends).await,
        }
    }
    while crew.len() > 0 {
        crew.next(ends).await;
    }
    ends.pop().expect("a step has kickoffs, and each of them ends")
}

/// Once the first polls of a step have taken this long, the rest is spread over the threads
/// without being polled here first.
const HEAVY: Duration = Duration::from_micros(50);

/// How many polls are made between two looks at the clock, once the first few were light.
const LOOK_EVERY: u32 = 16;

/// Executions that run at the same time. Each is polled once where it stands, and most end there;
/// what does not is spread over the runtime's threads, or waits here where there is only one.
struct Crew {
    here: FuturesUnordered<Execution>,
    elsewhere: JoinSet<(KickoffId, End)>,
    threads: bool,
    heavy: bool,
    since: Instant,
    polls: u32,
}

impl Crew {
    fn new() -> Self {
        let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        Self {
            here: FuturesUnordered::new(),
            elsewhere: JoinSet::new(),
            threads: matches!(flavor, Ok(RuntimeFlavor::MultiThread)),
            heavy: false,
            since: Instant::now(),
            polls: 0,
        }
    }

    fn len(&self) -> usize {
        self.here.len() + self.elsewhere.len()
    }

    async fn take_on(&mut self, mut execution: Execution, ends: &mut Vec<(KickoffId, End)>) {
        if !self.heavy {
            let polled = poll_fn(|task| Poll::Ready(execution.poll_unpin(task))).await;
            if let Poll::Ready(end) = polled {
                ends.push(end);
                self.look_at_the_clock();
                return;
            }
            self.look_at_the_clock();
        }
        if self.threads {
            self.elsewhere.spawn(execution.in_current_span());
        } else {
            self.here.push(execution);
        }
    }

    fn look_at_the_clock(&mut self) {
        self.polls += 1;
        if self.threads && (self.polls < 4 || self.polls.is_multiple_of(LOOK_EVERY)) {
            let now = Instant::now();
            self.heavy = now - self.since > HEAVY;
            self.since = now;
        }
    }

    /// Waits for the next end.
    async fn next(&mut self, ends: &mut Vec<(KickoffId, End)>) {
        let end = if self.here.is_empty() {
            let joined = self.elsewhere.join_next().await;
            // An execution never panics, and is aborted only together with this crew.
            joined.expect("asked only while somebody runs").expect("an execution never panics")
        } else {
            self.here.next().await.expect("asked only while somebody runs")
        };
        ends.push(end);
    }
}
