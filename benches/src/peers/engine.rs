//! What most peers have in common, and the rounds that follow from it.

use std::any::Any;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{Either, select};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::plan::{Job, Plan};
use crate::gate::Gate;
use crate::shape::Shape;
use crate::subject::Prepare;
use crate::workload::Phase;

/// An engine with graphs that are declared, made ready and run.
pub(super) trait Engine: 'static {
    /// What is declared.
    type Draft: Send + 'static;
    /// What can run.
    type Graph: Send + 'static;

    /// Whether a graph can run again.
    const AGAIN: bool;

    /// Adds the workers and their dependencies.
    fn declare(plan: &Plan) -> Self::Draft;

    /// Checks the graph, where that is a step of its own.
    fn validate(draft: Self::Draft) -> Self::Graph;

    /// A graph for one more run at the same time.
    fn another(_graph: &Self::Graph, plan: &Plan) -> Self::Graph {
        Self::validate(Self::declare(plan))
    }

    /// Runs the graph to its end.
    fn run(graph: Self::Graph) -> impl Future<Output = Self::Graph> + Send + 'static;
}

/// Rounds of one run each.
pub(super) fn runs<E: Engine>(plan: Plan) -> Prepare {
    rounds(E::AGAIN, move || E::validate(E::declare(&plan)), E::run)
}

/// Rounds on a graph that is taken from the round before if it can run `again`, and declared anew
/// if not. Declaring it is not part of a round. Dropping what a run leaves is, as it is for this
/// engine; so a graph that can run once only is dropped with it.
pub(super) fn rounds<G, F>(
    again: bool,
    declare: impl Fn() -> G + Send + 'static,
    run: impl Fn(G) -> F + Send + 'static,
) -> Prepare
where
    G: Send + 'static,
    F: Future<Output = G> + Send + 'static,
{
    let shelf = Shelf::default();
    if again {
        shelf.put(declare());
    }
    Box::new(move || {
        let running = run(shelf.take().unwrap_or_else(&declare));
        let shelf = shelf.clone();
        Box::pin(async move {
            let used = running.await;
            if again {
                shelf.put(used);
            }
        })
    })
}

/// Rounds that build a graph. What they build is dropped before the next.
pub(super) fn build<E: Engine>(shape: &Shape, phase: Phase) -> Prepare {
    let started = Arc::new(Notify::new());
    let plan = match phase {
        Phase::Declare | Phase::Validate => Plan::of(shape),
        Phase::All | Phase::Start => Plan::of(shape).with(0, Job::Start(Arc::clone(&started))),
    };
    let plan = Arc::new(plan);
    match phase {
        Phase::Declare => fresh(move || Arc::clone(&plan), |plan| async move { E::declare(&plan) }),
        Phase::Validate => {
            fresh(move || E::declare(&plan), |draft| async move { E::validate(draft) })
        }
        Phase::Start => fresh(
            move || (E::validate(E::declare(&plan)), Arc::clone(&started)),
            |(graph, started)| first_worker::<E>(graph, started),
        ),
        Phase::All => fresh(
            move || (Arc::clone(&plan), Arc::clone(&started)),
            |(plan, started)| async move {
                first_worker::<E>(E::validate(E::declare(&plan)), started).await
            },
        ),
    }
}

/// Rounds of many runs of a chain at the same time. A run that needs a graph of its own gets it
/// within the round: it is part of what a run costs.
pub(super) fn many<E: Engine>(runs: usize, workers: usize) -> Prepare {
    let gate = Arc::new(Gate::new(runs));
    let plan = Plan::of(&Shape::chain(workers)).with(workers / 2, Job::Pass(Arc::clone(&gate)));
    let first = E::validate(E::declare(&plan));
    let shared = Arc::new(Mutex::new(first));
    Box::new(move || {
        let (gate, plan, shared) = (Arc::clone(&gate), plan.clone(), Arc::clone(&shared));
        Box::pin(async move {
            let mut set = JoinSet::new();
            for _ in 0..runs {
                let graph =
                    E::another(&shared.lock().unwrap_or_else(PoisonError::into_inner), &plan);
                set.spawn(async move { drop(E::run(graph).await) });
            }
            gate.open().await;
            while set.join_next().await.is_some() {}
        })
    })
}

/// A run up to its first worker. It gives what is left of it, to be dropped in no one's time.
async fn first_worker<E: Engine>(graph: E::Graph, started: Arc<Notify>) -> Box<dyn Any + Send> {
    let run = Box::pin(E::run(graph));
    match select(run, pin!(started.notified())).await {
        Either::Left(_) => unreachable!("the first worker never ends"),
        Either::Right(((), run)) => Box::new(run),
    }
}

/// Rounds that use up what is made for them.
fn fresh<M, G, F>(
    make: impl Fn() -> M + Send + 'static,
    round: impl Fn(M) -> F + Send + 'static,
) -> Prepare
where
    M: Send + 'static,
    G: Send + 'static,
    F: Future<Output = G> + Send + 'static,
{
    let shelf = Shelf::default();
    Box::new(move || {
        shelf.clear();
        let (round, shelf) = (round(make()), shelf.clone());
        Box::pin(async move { shelf.put(round.await) })
    })
}

/// Where rounds leave what they used.
struct Shelf<G>(Arc<Mutex<Vec<G>>>);

impl<G> Shelf<G> {
    fn put(&self, used: G) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(used);
    }

    fn take(&self) -> Option<G> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<G> Default for Shelf<G> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<G> Clone for Shelf<G> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
