//! async_dag: static graphs with typed parameters, all on the task that runs them. A graph runs once.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_dag::{Graph, NodeIndex};
use futures::future::LocalBoxFuture;

use super::engine::{self, Engine};
use super::plan::{self, Job, Plan};
use crate::shape::Work;
use crate::subject::{Peer, Prepare};
use crate::workload::{Phase, Workload};

pub(super) struct AsyncDag;

impl Peer for AsyncDag {
    fn name(&self) -> &'static str {
        "async_dag"
    }

    fn version(&self) -> &'static str {
        "0.1.2"
    }

    fn prepare(&self, workload: &Workload) -> Result<Prepare, &'static str> {
        match *workload {
            Workload::Static(ref shape) | Workload::Cpu { ref shape, .. } => {
                Ok(engine::runs::<Self>(Plan::of(shape)))
            }
            Workload::Rolling(_) => Err("has one pace: see uneven"),
            Workload::Loop { .. } => Err("static graph: no jumps"),
            Workload::Grow { .. } => Err("static graph: borrowed while it runs"),
            Workload::Start { .. } => Err("every task of a graph runs"),
            Workload::PayloadChain { length, bytes } => {
                Ok(engine::rounds(false, move || payload_chain(length, bytes), Self::run))
            }
            Workload::PayloadMoved { length, bytes } => {
                Ok(engine::rounds(false, move || payload_moved(length, bytes), Self::run))
            }
            Workload::PayloadFan { width, bytes } => {
                Ok(engine::rounds(false, move || payload_fan(width, bytes), Self::run))
            }
            Workload::Build { phase: Phase::Validate, .. } => {
                Err("checks each dependency as it is declared")
            }
            Workload::Build { ref shape, phase } => Ok(engine::build::<Self>(shape, phase)),
            Workload::Many { runs, workers } => Ok(engine::many::<Self>(runs, workers)),
        }
    }
}

impl Engine for AsyncDag {
    type Draft = Sendable<Graph<'static>>;
    type Graph = Sendable<Graph<'static>>;
    const AGAIN: bool = false;

    fn declare(plan: &Plan) -> Self::Draft {
        let mut draft = Draft::new();
        let mut nodes = Vec::with_capacity(plan.n_workers());
        for (worker, dependencies) in plan.dependencies.iter().enumerate() {
            let dependencies: Vec<_> = dependencies.iter().map(|other| nodes[*other]).collect();
            let job = plan.jobs[worker].clone();
            nodes.push(if plan.reads {
                draft.add_reading(&dependencies, move |numbers| {
                    plan::read(worker, numbers.into_iter())
                })
            } else {
                let dependencies = draft.few(dependencies);
                match job {
                    Job::Work(Work::Nothing) => {
                        draft.add(&dependencies, move |_: &[()]| plan::idle(worker))
                    }
                    job => draft.add(&dependencies, move |_: &[()]| plan::run(worker, job)),
                }
            });
        }
        Sendable(draft.graph)
    }

    fn validate(draft: Self::Draft) -> Self::Graph {
        draft
    }

    async fn run(graph: Self::Graph) -> Self::Graph {
        Sendable::run(graph).await
    }
}

/// The first task makes the payload; it is passed on behind a pointer, as every input is a clone.
fn payload_chain(length: usize, bytes: usize) -> Sendable<Graph<'static>> {
    let mut draft = Draft::new();
    let mut last = draft.payload(bytes);
    for worker in 1..length {
        last = draft.add(&[last], move |payload: &[Payload]| {
            let payload = Arc::clone(&payload[0]);
            async move {
                plan::ran(worker, None);
                payload
            }
        });
    }
    Sendable(draft.graph)
}

/// Each task takes the payload itself, which is a copy.
fn payload_moved(length: usize, bytes: usize) -> Sendable<Graph<'static>> {
    let mut graph = Graph::new();
    let mut last = graph.add_task(move || async move {
        plan::ran(0, None);
        vec![0_u8; bytes]
    });
    for worker in 1..length {
        let pass = move |payload: Vec<u8>| async move {
            plan::ran(worker, None);
            payload
        };
        last = graph.add_child_task(last, pass, 0).expect("inputs are of one type");
    }
    Sendable(graph)
}

fn payload_fan(width: usize, bytes: usize) -> Sendable<Graph<'static>> {
    let mut draft = Draft::new();
    let first = draft.payload(bytes);
    let readers = (1..=width).map(|worker| {
        draft.add(&[first], move |payload: &[Payload]| {
            let payload = Arc::clone(&payload[0]);
            async move {
                plan::ran(worker, None);
                payload.len() as u64
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    draft.add_reading(&readers, move |numbers| async move {
        plan::ran(width + 1, None);
        assert_eq!(numbers.iter().sum::<u64>(), (width * bytes) as u64);
    });
    Sendable(draft.graph)
}

type Payload = Arc<Vec<u8>>;
type List = Arc<[u64]>;

/// The most parameters that a task can have.
const MOST_INPUTS: usize = 12;

/// A graph to which tasks with any number of inputs can be added: beyond twelve, through tasks that
/// gather twelve each. Tasks with the same inputs share them.
struct Draft {
    graph: Graph<'static>,
    gathers: BTreeMap<Vec<NodeIndex>, NodeIndex>,
}

/// Adds a task that takes as many parameters as there are inputs, and gives them on as a slice.
macro_rules! add {
    ($draft:ident, $inputs:ident, $run:ident, $($n:literal: $($input:ident)+;)+) => {
        match $inputs.len() {
            0 => $draft.graph.add_task(move || $run(&[])),
            $($n => $draft
                .graph
                .add_child_task($inputs[0], move |$($input: I),+| $run(&[$($input),+]), 0)
                .expect("inputs are of one type"),)+
            _ => unreachable!("inputs are gathered"),
        }
    };
}

impl Draft {
    fn new() -> Self {
        Self { graph: Graph::new(), gathers: BTreeMap::new() }
    }

    fn add<I, O, F>(
        &mut self,
        inputs: &[NodeIndex],
        run: impl FnOnce(&[I]) -> F + 'static,
    ) -> NodeIndex
    where
        I: Clone + 'static,
        O: Clone + 'static,
        F: Future<Output = O> + Send + 'static,
    {
        let node = add!(self, inputs, run,
            1: a; 2: a b; 3: a b c; 4: a b c d; 5: a b c d e; 6: a b c d e f; 7: a b c d e f g;
            8: a b c d e f g h; 9: a b c d e f g h i; 10: a b c d e f g h i j;
            11: a b c d e f g h i j k; 12: a b c d e f g h i j k l;);
        for (place, input) in inputs.iter().enumerate().skip(1) {
            self.graph
                .update_dependency(*input, node, place as u8)
                .expect("inputs are of one type");
        }
        node
    }

    /// Adds a task that reads the numbers that its inputs give.
    fn add_reading<O, F>(
        &mut self,
        inputs: &[NodeIndex],
        run: impl FnOnce(Vec<u64>) -> F + 'static,
    ) -> NodeIndex
    where
        O: Clone + 'static,
        F: Future<Output = O> + Send + 'static,
    {
        if inputs.len() <= MOST_INPUTS {
            return self.add(inputs, move |numbers: &[u64]| run(numbers.to_vec()));
        }
        let lists = inputs
            .chunks(MOST_INPUTS)
            .map(|some| self.gather(some, |some: &[u64]| List::from(some)))
            .collect();
        let list = self.reduced(lists, |lists: &[List]| {
            lists.iter().flat_map(|list| list.iter().copied()).collect()
        });
        self.add(&[list], move |list: &[List]| run(list[0].to_vec()))
    }

    fn payload(&mut self, bytes: usize) -> NodeIndex {
        self.add(&[], move |_: &[()]| async move {
            plan::ran(0, None);
            Payload::new(vec![0; bytes])
        })
    }

    /// No more inputs than a task can have, that give nothing as these do.
    fn few(&mut self, inputs: Vec<NodeIndex>) -> Vec<NodeIndex> {
        if inputs.len() <= MOST_INPUTS {
            return inputs;
        }
        vec![self.reduced(inputs, |_: &[()]| ())]
    }

    /// One input that gives together what these give.
    fn reduced<I: Clone + Send + 'static>(
        &mut self,
        mut inputs: Vec<NodeIndex>,
        join: fn(&[I]) -> I,
    ) -> NodeIndex {
        while inputs.len() > 1 {
            inputs = inputs.chunks(MOST_INPUTS).map(|some| self.gather(some, join)).collect();
        }
        inputs[0]
    }

    fn gather<I: Clone + 'static, O: Clone + Send + 'static>(
        &mut self,
        inputs: &[NodeIndex],
        join: fn(&[I]) -> O,
    ) -> NodeIndex {
        if let Some(node) = self.gathers.get(inputs) {
            return *node;
        }
        let node = self.add(inputs, move |inputs: &[I]| std::future::ready(join(inputs)));
        self.gathers.insert(inputs.to_vec(), node);
        node
    }
}

/// What may go to another thread though async_dag does not say so.
pub(super) struct Sendable<T>(T);

#[expect(unsafe_code, reason = "the crate's boxes hide that what is in them may be sent")]
// SAFETY: the boxes of a graph hold the tasks of this file, the futures that they make and the
// values that they give; all of them are `Send` (futures must be), and the graph shares nothing
// with another.
unsafe impl<T> Send for Sendable<T> {}

impl Sendable<Graph<'static>> {
    fn run(mut self) -> Sendable<LocalBoxFuture<'static, Self>> {
        Sendable(Box::pin(async move {
            self.0.run().await;
            self
        }))
    }
}

impl<T> Future for Sendable<LocalBoxFuture<'static, T>> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.as_mut().poll(cx)
    }
}
