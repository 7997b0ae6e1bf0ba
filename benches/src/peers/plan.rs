//! A graph as every peer is told it: who depends on whom, and what each does.

use std::hint::black_box;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::gate::Gate;
use crate::shape::{Carries, Shape, Work};
use crate::work;

/// A graph of workers. They are numbered from 0, and depend on smaller numbers only.
#[derive(Clone)]
pub(super) struct Plan {
    /// For each worker, those it depends on.
    pub(super) dependencies: Vec<Vec<usize>>,
    /// For each worker, what it does.
    pub(super) jobs: Vec<Job>,
    /// Whether each worker gives a `u64` and reads those of all that it depends on.
    pub(super) reads: bool,
    /// How many more workers are declared, which never run.
    pub(super) bystanders: usize,
}

/// What a worker does.
#[derive(Clone)]
pub(super) enum Job {
    /// What workers of shapes do.
    Work(Work),
    /// It waits until a gate is opened.
    Pass(Arc<Gate>),
    /// It tells that it has started, and never ends.
    Start(Arc<Notify>),
}

impl Plan {
    /// The plan of a shape.
    pub(super) fn of(shape: &Shape) -> Self {
        let jobs = shape.work.iter().map(|work| Job::Work(*work)).collect();
        let reads = shape.carries == Carries::Numbers;
        Self { dependencies: shape.dependencies.clone(), jobs, reads, bystanders: 0 }
    }

    /// A worker, beside `bystanders` that never run.
    pub(super) fn beside(bystanders: usize) -> Self {
        Self { bystanders, ..Self::of(&Shape::chain(1)) }
    }

    /// The same, with another job for one worker.
    pub(super) fn with(mut self, worker: usize, job: Job) -> Self {
        self.jobs[worker] = job;
        self
    }

    /// How many workers there are.
    pub(super) fn n_workers(&self) -> usize {
        self.jobs.len()
    }

    /// For each worker, whether any depends on it.
    pub(super) fn has_dependents(&self) -> Vec<bool> {
        let mut has = vec![false; self.n_workers()];
        self.dependencies.iter().flatten().for_each(|worker| has[*worker] = true);
        has
    }

    /// The rows of workers, if it is nothing else.
    #[cfg_attr(not(peer_swiftide_tasks), expect(dead_code, reason = "for one peer"))]
    pub(super) fn rows(&self) -> Option<Vec<Vec<usize>>> {
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut row_of = Vec::with_capacity(self.n_workers());
        for (worker, dependencies) in self.dependencies.iter().enumerate() {
            let row = match **dependencies {
                [] => rows.len(),
                [before] => row_of[before],
                _ => return None,
            };
            row_of.push(row);
            rows.resize_with(rows.len().max(row + 1), Vec::new);
            if rows[row].last() != dependencies.first() {
                return None;
            }
            rows[row].push(worker);
        }
        Some(rows)
    }

    /// The workers whose dependencies are as many steps away from the start, step by step: for the
    /// engines that know sequences of parallel steps only.
    pub(super) fn steps(&self) -> Vec<Vec<usize>> {
        let mut step_of = vec![0; self.n_workers()];
        let mut steps: Vec<Vec<usize>> = Vec::new();
        for (worker, dependencies) in self.dependencies.iter().enumerate() {
            let step = dependencies.iter().map(|other| step_of[*other] + 1).max().unwrap_or(0);
            step_of[worker] = step;
            steps.resize_with(steps.len().max(step + 1), Vec::new);
            steps[step].push(worker);
        }
        steps
    }
}

/// What worker number `worker` does when it runs. What waits is behind a pointer, so that workers
/// that don't wait are small.
pub(super) async fn run(worker: usize, job: Job) {
    ran(worker, None);
    match job {
        Job::Work(work) => work::work(work).await,
        Job::Pass(gate) => Box::pin(async move { gate.pass().await }).await,
        Job::Start(started) => {
            started.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// The same for a worker that does nothing, as a smaller future.
pub(super) async fn idle(worker: usize) {
    ran(black_box(worker), None);
}

/// The same for a worker that reads `numbers`: it gives how many they are.
pub(super) async fn read(worker: usize, numbers: impl Iterator<Item = u64>) -> u64 {
    let (count, sum) = numbers.fold((0, 0_u64), |(count, sum), n| (count + 1, sum + n));
    black_box(sum);
    ran(worker, Some(count));
    count as u64
}

/// Notes, for the tests only, that a worker ran, and how many numbers it read.
#[cfg_attr(not(test), expect(unused_variables, reason = "only tests ask"))]
pub(super) fn ran(worker: usize, read: Option<usize>) {
    #[cfg(test)]
    super::tests::note(worker, read);
}
