//! Executions that run at the same time, and where they run.
//!
//! Workers that are known to be quick whenever they are polled run where the run itself does:
//! most end at their first poll, the others wait together in a [`Batch`]. Workers that are not are
//! shared out among the threads of the runtime; see [`Spread`].

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::batch::{Batch, Report};
use super::clock::Clock;
use super::execution::{Execution, Launched, launch};
use super::kickoff::{Ended, Job};
use super::spread::{Measured, Spread, one};
use super::{Pace, RunCore};

/// What is running of one run.
pub(super) struct Crew {
    core: Arc<RunCore>,
    /// What is not started yet; the first is the last.
    queue: Vec<Job>,
    /// What runs within the run's own task.
    here: FuturesUnordered<Execution>,
    /// The same, where there are threads to spread it over if it proves to be heavy.
    batch: Option<Batch>,
    /// Whether all that is here has been polled within this task and has not woken it since.
    fresh: bool,
    /// What runs in tasks of its own.
    elsewhere: JoinSet<Report>,
    n_elsewhere: usize,
    /// How many threads there are to spread over.
    n_threads: usize,
    /// Whether workers may share a task: not if somebody waits for the first of them to end.
    sharing: bool,
}

impl Crew {
    pub(super) fn new(core: &Arc<RunCore>) -> Self {
        let n_threads = match Handle::try_current() {
            Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                runtime.metrics().num_workers()
            }
            _ => 1,
        };
        let lockstep = core.pace == Pace::Lockstep;
        Self {
            core: Arc::clone(core),
            queue: Vec::new(),
            here: FuturesUnordered::new(),
            batch: None,
            fresh: false,
            elsewhere: JoinSet::new(),
            n_elsewhere: 0,
            n_threads,
            sharing: lockstep && core.max_concurrency == usize::MAX && !core.writes_results(),
        }
    }

    /// Whether nothing is running or about to.
    pub(super) fn is_idle(&self) -> bool {
        self.n_running() == 0 && self.queue.is_empty()
    }

    fn n_running(&self) -> usize {
        self.here.len() + self.n_elsewhere
    }

    /// Starts `jobs`, as far as there is room for them; gives what has ended at once.
    pub(super) async fn start(&mut self, jobs: &mut Vec<Job>, ended: &mut Vec<Ended>) {
        jobs.reverse();
        if self.queue.is_empty() {
            std::mem::swap(&mut self.queue, jobs);
        } else {
            // Whoever waits for room was due before.
            jobs.append(&mut self.queue);
            std::mem::swap(&mut self.queue, jobs);
        }
        self.fill(ended).await;
    }

    /// Waits for the next end, if anything is running.
    pub(super) async fn next(&mut self, ended: &mut Vec<Ended>) {
        poll_fn(|task| self.poll_next(task, ended)).await;
        self.fill(ended).await;
    }

    /// What else has ended by now.
    pub(super) async fn also(&mut self, ended: &mut Vec<Ended>) {
        while self.n_running() > 0
            && poll_fn(|task| Poll::Ready(self.poll_next(task, ended))).await.is_ready()
        {}
    }

    fn poll_next(&mut self, task: &mut TaskContext<'_>, ended: &mut Vec<Ended>) -> Poll<()> {
        if std::mem::take(&mut self.fresh) {
            return Poll::Pending;
        }
        if let Poll::Ready(Some(end)) = self.here.poll_next_unpin(task) {
            ended.push(end);
            return Poll::Ready(());
        }
        if let Some(batch) = &mut self.batch
            && let Poll::Ready(report) = batch.poll_unpin(task)
        {
            self.batch = None;
            self.take(report, ended);
            return Poll::Ready(());
        }
        match self.elsewhere.poll_join_next(task) {
            Poll::Ready(Some(report)) => {
                // An execution never panics, and is aborted only together with this crew.
                self.take(report.expect("a task of a crew runs to its end"), ended);
                Poll::Ready(())
            }
            Poll::Ready(None) if self.n_running() == 0 => Poll::Ready(()),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn take(&mut self, mut report: Report, ended: &mut Vec<Ended>) {
        self.n_elsewhere -= report.ended.len();
        ended.append(&mut report.ended);
        for execution in report.left {
            self.spawn_single(execution);
        }
    }

    /// Starts what is queued, as far as there is room.
    async fn fill(&mut self, ended: &mut Vec<Ended>) {
        if self.queue.is_empty() {
            return;
        }
        if self.sharing && self.n_threads > 1 {
            let (light, others) = std::mem::take(&mut self.queue).into_iter().partition(is_light);
            self.queue = light;
            self.spread(others);
        }
        let mut waiting = Vec::new();
        poll_fn(|task| {
            self.poll_queue(task, ended, &mut waiting);
            Poll::Ready(())
        })
        .await;
        if self.n_threads == 1 {
            self.fresh = self.here.is_empty() && !waiting.is_empty();
            self.here.extend(waiting);
            return;
        }
        self.n_elsewhere += waiting.len();
        if self.sharing && !waiting.is_empty() && self.batch.is_none() {
            self.fresh = true;
            self.batch = Some(waiting.into_iter().collect());
        } else {
            waiting.into_iter().for_each(|execution| self.spawn_single(execution));
        }
        if self.sharing {
            let heavy = std::mem::take(&mut self.queue);
            self.spread(heavy);
        }
    }

    /// Polls what is queued once, as far as there is room and it is light; what is not known to be
    /// gets a task of its own.
    fn poll_queue(
        &mut self,
        task: &mut TaskContext<'_>,
        ended: &mut Vec<Ended>,
        waiting: &mut Vec<Execution>,
    ) {
        let mut clock = Clock::new();
        while self.n_running() + waiting.len() < self.core.max_concurrency {
            let Some(job) = self.queue.pop() else { return };
            if self.n_threads > 1 && !is_light(&job) {
                self.n_elsewhere += 1;
                self.spawn(one(Arc::clone(&self.core), job));
                continue;
            }
            match launch(&self.core, job, Some(task)) {
                Launched::Ended(end) => ended.push(end),
                Launched::Running(execution) => waiting.push(execution),
            }
            if self.n_threads > 1 && clock.is_heavy() {
                let last = |n: usize| n.saturating_sub(clock.n_suspects())..n;
                self.forget_costs(&ended[last(ended.len())], &waiting[last(waiting.len())]);
                return;
            }
        }
    }

    /// Some of these were thought to be light, and are not.
    fn forget_costs(&self, ended: &[Ended], waiting: &[Execution]) {
        let machine = self.core.machine();
        let ended = ended.iter().map(|ended| ended.worker);
        for worker in ended.chain(waiting.iter().map(Execution::worker)) {
            if let Some(node) = machine.view().get(worker) {
                node.spec.cost.forget();
            }
        }
    }

    /// Shares out `jobs`, of which the first is the last, among the threads.
    fn spread(&mut self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        jobs.reverse();
        self.n_elsewhere += jobs.len();
        let n_tasks = self.n_threads.min(jobs.len());
        let spread = Spread::new(&self.core, jobs, n_tasks);
        for _ in 0..n_tasks {
            self.spawn(Arc::clone(&spread).work());
        }
    }

    /// Lets an execution go on in a task of its own.
    fn spawn_single(&mut self, execution: Execution) {
        let node =
            self.core.machine().view().get(execution.worker()).map(|node| Arc::clone(&node.spec));
        match node {
            Some(spec) => self.spawn(report(Measured::new(execution, spec))),
            None => self.spawn(report(execution)),
        }
    }

    fn spawn(&mut self, task: impl Future<Output = Report> + Send + 'static) {
        self.elsewhere.spawn(task.in_current_span());
    }
}

/// Whether a job's worker is known to be quick about its first poll.
fn is_light(job: &Job) -> bool {
    job.kickoff.spec.cost.is_light()
}

/// Reports the end of one execution.
fn report(execution: impl Future<Output = Ended>) -> impl Future<Output = Report> {
    execution.map(|ended| Report { ended: vec![ended], left: Vec::new() })
}
