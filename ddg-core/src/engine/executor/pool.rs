//! The executor on the threads of the runtime.
//!
//! Workers that are known to be light run in the task of the run itself: most end at their first
//! poll, and the others wait together in a [`Batch`]. All other workers are shared out among the
//! threads of the runtime; see [`Share`].

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

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
use crate::engine::{Ended, Job, Jobs, RunCore, Spares};
use crate::machine::Pace;

/// The executor of a run. It is allocated when more than one execution runs at a time.
#[derive(Default)]
pub(in crate::engine) struct Pool(Option<Box<Workforce>>);

/// The executions of one run.
struct Workforce {
    core: Arc<RunCore>,
    /// The jobs of the last step, and before them what earlier steps have left.
    queue: Jobs,
    /// The number of those that have been started.
    n_started: usize,
    /// Executions that are polled in the run's own task.
    here: FuturesUnordered<Execution>,
    /// Executions that are polled in the run's own task until they turn out to be heavy.
    batch: Option<Batch>,
    /// Whether everything here has been polled in this task and has not woken it since.
    fresh: bool,
    /// Tasks with the other executions.
    elsewhere: JoinSet<Report>,
    n_elsewhere: usize,
    /// Number of threads of the runtime.
    n_threads: usize,
    /// Whether the step settles when all executions have ended, rather than when the first has.
    lockstep: bool,
    /// Whether workers may share a task. Not if the first end matters, because a shared task
    /// reports its ends together.
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
            queue: Jobs::default(),
            n_started: 0,
            here: FuturesUnordered::new(),
            batch: None,
            fresh: false,
            elsewhere: JoinSet::new(),
            n_elsewhere: 0,
            n_threads,
            lockstep,
            // A concurrency limit starts a worker for each one that ends, and results are written
            // as workers end.
            sharing: lockstep && core.max_concurrency == usize::MAX && !core.writes_results(),
        }
    }

    /// Whether nothing is running or queued.
    fn is_idle(&self) -> bool {
        self.n_running() == 0 && self.n_queued() == 0
    }

    fn n_queued(&self) -> usize {
        self.queue.len() - self.n_started
    }

    fn n_running(&self) -> usize {
        self.here.len() + self.n_elsewhere
    }

    /// Starts as many of `jobs` as there is room for. Appends what has ended at once.
    fn start(
        &mut self,
        jobs: &mut Jobs,
        ended: &mut Vec<Ended>,
        spares: &mut Spares,
        task: &mut TaskContext<'_>,
    ) {
        if self.n_queued() == 0 {
            self.queue.clear();
            self.n_started = 0;
            std::mem::swap(&mut self.queue, jobs);
        } else {
            if self.n_started * 2 > self.queue.len() {
                let left = self.queue.extract(self.n_started, |_| true);
                self.queue.clear();
                self.n_started = 0;
                left.into_iter().for_each(|job| self.queue.push(job));
            }
            // Queued jobs are older than the new ones, so they come first.
            jobs.drain().for_each(|job| self.queue.push(job));
        }
        self.fill(ended, spares, task);
        if !self.lockstep && !ended.is_empty() {
            // What has ended settles now, together with everything else that has ended.
            _ = self.poll_ended(ended, 0, spares, task);
        }
    }

    fn poll_ended(
        &mut self,
        ended: &mut Vec<Ended>,
        enough: usize,
        spares: &mut Spares,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        while !self.is_idle() {
            match self.poll_next(task, ended) {
                Poll::Ready(()) => self.fill(ended, spares, task),
                Poll::Pending if ended.len() >= enough => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    fn poll_next(&mut self, task: &mut TaskContext<'_>, ended: &mut Vec<Ended>) -> Poll<()> {
        // Polling it again now would only repeat the first poll.
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
                // An execution never panics, and its task is aborted only together with the run.
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

    /// Starts queued jobs as far as there is room.
    fn fill(&mut self, ended: &mut Vec<Ended>, spares: &mut Spares, task: &mut TaskContext<'_>) {
        if self.n_queued() == 0 {
            return;
        }
        if self.sharing && self.n_threads > 1 {
            // Heavy workers are spread first, so that other threads start while this one polls the
            // light ones.
            let core = &self.core;
            let others = self.queue.extract(self.n_started, |job| !is_light(core, job));
            self.spread(others);
        }
        let mut waiting = Vec::new();
        self.poll_queue(task, ended, &mut waiting, spares);
        // Without other threads there is nothing to spread over, so everything is polled here.
        if self.n_threads == 1 {
            self.fresh = self.here.is_empty() && !waiting.is_empty();
            self.here.extend(waiting);
            return;
        }
        self.n_elsewhere += waiting.len();
        if self.sharing && !waiting.is_empty() && self.batch.is_none() {
            self.fresh = true;
            self.batch = Some(Batch::new(&self.core.poll_clock, waiting));
        } else {
            waiting.into_iter().for_each(|execution| self.spawn_single(execution));
        }
        if self.sharing {
            let left = self.queue.extract(self.n_started, |_| true);
            self.spread(left);
        }
    }

    /// Polls light queued jobs once, as far as there is room. A job that is not known to be light
    /// gets a task of its own.
    fn poll_queue(
        &mut self,
        task: &mut TaskContext<'_>,
        ended: &mut Vec<Ended>,
        waiting: &mut Vec<Execution>,
        spares: &mut Spares,
    ) {
        let mut timer = PollTimer::new(self.core.poll_clock.now());
        while self.n_running() + waiting.len() < self.core.max_concurrency {
            let at = self.n_started;
            let Some(job) = self.queue.get_mut(at) else { return };
            self.n_started += 1;
            if self.n_threads > 1 && !is_light(&self.core, job) {
                let job = self.queue.take(at);
                self.n_elsewhere += 1;
                self.spawn(one(Arc::clone(&self.core), job));
                continue;
            }
            match launch(&self.core, job, spares, Some(task)) {
                Launched::Ended(end) => ended.push(end),
                Launched::Running(execution) => waiting.push(execution),
            }
            if self.n_threads > 1 && timer.is_heavy(|| self.core.poll_clock.now()) {
                // The timer cannot tell which polls of its last groups were slow, so all of them
                // are suspects.
                let last = |n: usize| n.saturating_sub(timer.n_suspects())..n;
                self.forget_costs(&ended[last(ended.len())], &waiting[last(waiting.len())]);
                return;
            }
        }
    }

    /// Forgets the costs of workers that were taken for light. Some of them are not, so all are
    /// measured again.
    fn forget_costs(&self, ended: &[Ended], waiting: &[Execution]) {
        let machine = self.core.machine();
        let ended = ended.iter().map(|ended| ended.worker);
        for worker in ended.chain(waiting.iter().map(Execution::worker)) {
            if let Some(node) = machine.view().get(worker) {
                node.payload.cost.forget();
            }
        }
    }

    /// Shares `jobs` out among the threads.
    fn spread(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        self.n_elsewhere += jobs.len();
        let n_tasks = self.n_threads.min(jobs.len());
        let share = Share::new(&self.core, jobs, n_tasks);
        for _ in 0..n_tasks {
            self.spawn(Arc::clone(&share).work());
        }
    }

    /// Continues an execution in a task of its own.
    fn spawn_single(&mut self, execution: Execution) {
        let node = self
            .core
            .machine()
            .view()
            .get(execution.worker())
            .map(|node| Arc::clone(&node.payload));
        match node {
            Some(body) => {
                let measured = Measured::new(execution, body, self.core.poll_clock.clone());
                self.spawn(report(measured));
            }
            None => self.spawn(report(execution)),
        }
    }

    fn spawn(&mut self, task: impl Future<Output = Report> + Send + 'static) {
        match self.core.acting() {
            None => self.elsewhere.spawn(task.in_current_span()),
            Some(acting) => self.elsewhere.spawn(acting.tasks.track_future(task.in_current_span())),
        };
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
        jobs: &mut Jobs,
        ended: &mut Vec<Ended>,
        spares: &mut Spares,
        task: &mut TaskContext<'_>,
    ) {
        let workforce = self.0.get_or_insert_with(|| Box::new(Workforce::new(core)));
        workforce.start(jobs, ended, spares, task);
    }

    fn poll_ended(
        &mut self,
        _: &Arc<RunCore>,
        ended: &mut Vec<Ended>,
        enough: usize,
        spares: &mut Spares,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        match &mut self.0 {
            Some(workforce) => workforce.poll_ended(ended, enough, spares, task),
            None => Poll::Ready(()),
        }
    }
}

/// Whether the worker of a job is known to be light.
fn is_light(core: &RunCore, job: &Job) -> bool {
    core.body(job).cost.is_light()
}

/// Reports the end of one execution.
fn report(execution: impl Future<Output = Ended>) -> impl Future<Output = Report> {
    execution.map(|ended| Report { ended: vec![ended], left: Vec::new() })
}
