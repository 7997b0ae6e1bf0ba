//! The ways to call one worker after the other, or many at a time.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::sync::Arc;
use std::task::Poll;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::task::JoinSet;

use super::countdown::{Countdown, Plan};
use super::workers::Workers;
use crate::subject::Round;

/// The baseline to which all are compared.
pub const SPAWN: &str = "spawn";

/// The baseline that depends least on what else the machine does.
pub const FUTURES_UNORDERED: &str = "futures-unordered";

#[derive(Clone, Copy)]
pub(super) enum Way {
    /// A task of a `JoinSet` for each worker, as soon as it waits for nobody more.
    Spawn,
    /// A task for each worker, awaited before the next.
    SpawnAwait,
    /// All in one task, each as soon as it waits for nobody more.
    FuturesUnordered,
    /// The same, but polled once before it is queued.
    PollFirst,
    /// A boxed call for each worker, awaited before the next.
    Boxed,
}

impl Way {
    pub(super) const ALL: [Self; 5] =
        [Self::Spawn, Self::SpawnAwait, Self::FuturesUnordered, Self::PollFirst, Self::Boxed];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Spawn => SPAWN,
            Self::SpawnAwait => "spawn-await",
            Self::FuturesUnordered => FUTURES_UNORDERED,
            Self::PollFirst => "poll-first",
            Self::Boxed => "boxed",
        }
    }

    /// One run of all workers of `plan`.
    pub(super) fn run(self, plan: Arc<Plan>, workers: impl Workers) -> Round {
        match self {
            Self::Spawn => spawn(plan, workers).boxed(),
            Self::SpawnAwait => spawn_await(plan, workers).boxed(),
            Self::FuturesUnordered => futures_unordered(plan, workers).boxed(),
            Self::PollFirst => poll_first(plan, workers).boxed(),
            Self::Boxed => boxed(plan, workers).boxed(),
        }
    }
}

async fn spawn(plan: Arc<Plan>, mut workers: impl Workers) {
    let mut ready = plan.first();
    let mut countdown = Countdown::new(plan);
    let mut set = JoinSet::new();
    loop {
        ready.drain(..).for_each(|worker| _ = set.spawn(numbered(worker, workers.call(worker))));
        let Some(joined) = set.join_next().await else { break };
        let (worker, output) = joined.expect("no worker panics");
        workers.ended(worker, output);
        countdown.ended(worker, &mut ready);
    }
}

async fn spawn_await(plan: Arc<Plan>, mut workers: impl Workers) {
    for worker in 0..plan.n_workers() {
        let output = tokio::spawn(workers.call(worker)).await.expect("no worker panics");
        workers.ended(worker, output);
    }
}

async fn futures_unordered(plan: Arc<Plan>, mut workers: impl Workers) {
    let mut ready = plan.first();
    let mut countdown = Countdown::new(plan);
    let mut queue = FuturesUnordered::new();
    loop {
        ready.drain(..).for_each(|worker| queue.push(numbered(worker, workers.call(worker))));
        let Some((worker, output)) = queue.next().await else { break };
        workers.ended(worker, output);
        countdown.ended(worker, &mut ready);
    }
}

async fn poll_first<W: Workers>(plan: Arc<Plan>, mut workers: W) {
    let mut ready = plan.first();
    let mut countdown = Countdown::new(plan);
    let mut queue = FuturesUnordered::<BoxFuture<'static, (usize, W::Output)>>::new();
    loop {
        while let Some(worker) = ready.pop() {
            let mut call = black_box(numbered(worker, workers.call(worker)).boxed());
            match poll_fn(|task| Poll::Ready(call.poll_unpin(task))).await {
                Poll::Ready((worker, output)) => {
                    workers.ended(worker, output);
                    countdown.ended(worker, &mut ready);
                }
                Poll::Pending => queue.push(call),
            }
        }
        let Some((worker, output)) = queue.next().await else { break };
        workers.ended(worker, output);
        countdown.ended(worker, &mut ready);
    }
}

async fn boxed(plan: Arc<Plan>, mut workers: impl Workers) {
    for worker in 0..plan.n_workers() {
        let output = black_box(workers.call(worker).boxed()).await;
        workers.ended(worker, output);
    }
}

fn numbered<T>(
    worker: usize,
    call: impl Future<Output = T> + Send,
) -> impl Future<Output = (usize, T)> + Send {
    call.map(move |output| (worker, output))
}
