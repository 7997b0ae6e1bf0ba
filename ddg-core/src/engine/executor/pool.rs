//! Executions on the runtime's threads.
//!
//! Workers that are known to be quick whenever they are polled run where the run itself does: most
//! end at their first poll, the others wait together in a [`Batch`]. Workers that are not are shared
//! out among the threads of the runtime; see [`Share`].

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::Executor;
use super::batch::{Batch, Report};
use super::poll_timer::PollTimer;
use super::share::{Measured, Share, one};
use crate::engine::call::{Execution, Launched, launch};
use crate::engine::{Ended, Job, RunCore};
use crate::machine::Pace;

/// The executor of a run; made when there is more than one execution at a time.
#[derive(Default)]
pub(in crate::engine) struct Pool(Option<Box<Workforce>>);

/// What is running of one run.
struct Workforce {
    core: Arc<RunCore>,
    /// Unstarted jobs, reversed so that `pop` gives the next.
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
    /// Whether the step settles when all have ended, and not when the first has.
    lockstep: bool,
    /// Whether workers may share a task: not if somebody waits for the first of them to end.
    sharing: bool,
}

impl Workforce {
    fn new(core: &Arc<RunCore>) -> Self {
        let n_threads = match Handle::try_current() {
            Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                runtime.metrics().num_workers()
            }
            _ => 1,
        };
        let lockstep = core.machine().pace() == Pace::Lockstep;
        Self {
            core: Arc::clone(core),
            queue: Vec::new(),
            here: FuturesUnordered::new(),
            batch: None,
            fresh: false,
            elsewhere: JoinSet::new(),
            n_elsewhere: 0,
            n_threads,
            lockstep,
            sharing: lockstep && core.max_concurrency == usize::MAX && !core.writes_results(),
        }
    }

    /// Whether nothing is running or about to.
    fn is_idle(&self) -> bool {
        self.n_running() == 0 && self.queue.is_empty()
    }

    fn n_running(&self) -> usize {
        self.here.len() + self.n_elsewhere
    }

    /// Starts `jobs`, as far as there is room for them; appends what has ended at once.
    fn start(&mut self, jobs: &mut Vec<Job>, ended: &mut Vec<Ended>, task: &mut TaskContext<'_>) {
        jobs.reverse();
        if self.queue.is_empty() {
            std::mem::swap(&mut self.queue, jobs);
        } else {
            // What waits for room was ready before.
            jobs.append(&mut self.queue);
            std::mem::swap(&mut self.queue, jobs);
        }
        self.fill(ended, task);
        if !self.lockstep && !ended.is_empty() {
            // They settle now, together with all others that have ended by now.
            _ = self.poll_ended(ended, 0, task);
        }
    }

    fn poll_ended(
        &mut self,
        ended: &mut Vec<Ended>,
        enough: usize,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        while !self.is_idle() {
            match self.poll_next(task, ended) {
                Poll::Ready(()) => self.fill(ended, task),
                Poll::Pending if ended.len() >= enough => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
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
                // An execution never panics, and is aborted only together with the run.
                self.take(report.expect("a task of a run runs to its end"), ended);
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
    fn fill(&mut self, ended: &mut Vec<Ended>, task: &mut TaskContext<'_>) {
        if self.queue.is_empty() {
            return;
        }
        if self.sharing && self.n_threads > 1 {
            let (light, others) = std::mem::take(&mut self.queue).into_iter().partition(is_light);
            self.queue = light;
            self.spread(others);
        }
        let mut waiting = Vec::new();
        self.poll_queue(task, ended, &mut waiting);
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
        let mut timer = PollTimer::new(Instant::now());
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
            if self.n_threads > 1 && timer.is_heavy(Instant::now) {
                let last = |n: usize| n.saturating_sub(timer.n_suspects())..n;
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
                node.payload.cost.forget();
            }
        }
    }

    /// Shares out `jobs`, which are reversed, among the threads.
    fn spread(&mut self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        jobs.reverse();
        self.n_elsewhere += jobs.len();
        let n_tasks = self.n_threads.min(jobs.len());
        let share = Share::new(&self.core, jobs, n_tasks);
        for _ in 0..n_tasks {
            self.spawn(Arc::clone(&share).work());
        }
    }

    /// Lets an execution go on in a task of its own.
    fn spawn_single(&mut self, execution: Execution) {
        let node = self
            .core
            .machine()
            .view()
            .get(execution.worker())
            .map(|node| Arc::clone(&node.payload));
        match node {
            Some(body) => self.spawn(report(Measured::new(execution, body))),
            None => self.spawn(report(execution)),
        }
    }

    fn spawn(&mut self, task: impl Future<Output = Report> + Send + 'static) {
        self.elsewhere.spawn(task.in_current_span());
    }
}

impl Executor for Pool {
    fn is_idle(&self) -> bool {
        self.0.as_ref().is_none_or(|workforce| workforce.is_idle())
    }

    fn takes_lone_jobs(&self) -> bool {
        self.is_idle()
    }

    fn start(
        &mut self,
        core: &Arc<RunCore>,
        jobs: &mut Vec<Job>,
        ended: &mut Vec<Ended>,
        task: &mut TaskContext<'_>,
    ) {
        let workforce = self.0.get_or_insert_with(|| Box::new(Workforce::new(core)));
        workforce.start(jobs, ended, task);
    }

    fn poll_ended(
        &mut self,
        _: &Arc<RunCore>,
        ended: &mut Vec<Ended>,
        enough: usize,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        match &mut self.0 {
            Some(workforce) => workforce.poll_ended(ended, enough, task),
            None => Poll::Ready(()),
        }
    }
}

/// Whether a job's worker is known to be quick about its first poll.
fn is_light(job: &Job) -> bool {
    job.payload.cost.is_light()
}

/// Reports the end of one execution.
fn report(execution: impl Future<Output = Ended>) -> impl Future<Output = Report> {
    execution.map(|ended| Report { ended: vec![ended], left: Vec::new() })
}
