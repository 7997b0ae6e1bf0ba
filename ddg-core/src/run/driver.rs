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
    while !jobs.is_empty() {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let span = tracing::debug_span!("step", number = jobs[0].kickoff.step);
            step(core, &mut jobs, &mut ends).instrument(span).await;
        } else {
            step(core, &mut jobs, &mut ends).await;
        }
        {
            let mut machine = core.machine();
            for (id, end) in ends.drain(..) {
                machine.complete(id, end);
            }
            machine.settle()?;
            if core.is_stopping() {
                return Ok(!machine.is_idle());
            }
            machine.begin(&mut jobs)?;
        }
        // A run whose workers never wait must not keep its thread from everybody else.
        tokio::task::coop::consume_budget().await;
    }
    Ok(false)
}

/// Runs the kickoffs of one step to their ends.
async fn step(core: &Arc<RunCore>, jobs: &mut Vec<Job>, ends: &mut Vec<(KickoffId, End)>) {
    if jobs.len() == 1
        && let Some(job) = jobs.pop()
    {
        match launch(core, job) {
            Launched::Ended(id, end) => ends.push((id, end)),
            Launched::Running(execution) => ends.push(execution.await),
        }
        return;
    }
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
