//! juncture-core: supersteps over a typed state that nodes read and update; a step of one node runs
//! in place, the nodes of others are spawned. Without checkpoints.

use std::future::Future;
use std::sync::Arc;

use juncture_core::node::{NodeFnCommand, NodeFnUpdate};
use juncture_core::{
    Command, CompiledGraph, END, FieldsChanged, JunctureError, PathMap, RunnableConfig, State,
    StateGraph,
};

use super::engine::{self, Engine};
use super::plan::{self, Plan};
use crate::shape::Shape;
use crate::subject::{Peer, Prepare};
use crate::workload::Workload;

pub(super) struct JunctureCore;

impl Peer for JunctureCore {
    fn name(&self) -> &'static str {
        "juncture-core"
    }

    fn version(&self) -> &'static str {
        "0.4.0"
    }

    fn prepare(&self, workload: &Workload) -> Result<Prepare, &'static str> {
        match *workload {
            Workload::Static(ref shape) if shape.name == "chain" && shape.size > 10_000 => {
                Err("compiling so long a chain overflows the stack: its search for loops recurses")
            }
            Workload::Static(ref shape) | Workload::Cpu { ref shape, .. } => {
                Ok(engine::runs::<Self>(Plan::of(shape)))
            }
            Workload::Rolling(_) => Err("has one pace: see uneven"),
            Workload::Loop { jumps } => {
                Ok(engine::rounds(true, move || ping_pong(jumps as u64), Self::run))
            }
            Workload::Grow { .. } => Err("a graph cannot change once it is compiled"),
            Workload::Start { workers } => {
                Ok(engine::rounds(true, move || one_of(workers), Self::run))
            }
            Workload::PayloadChain { length, bytes } => {
                Ok(engine::rounds(true, move || payload_chain(length, bytes), Self::run))
            }
            Workload::PayloadMoved { .. } => Err("values stay in the state"),
            Workload::PayloadFan { width, bytes } => {
                Ok(engine::rounds(true, move || payload_fan(width, bytes), Self::run))
            }
            Workload::Build { ref shape, phase } => Ok(engine::build::<Self>(shape, phase)),
            Workload::Many { runs, workers } => Ok(engine::many::<Self>(runs, workers)),
        }
    }
}

impl Engine for JunctureCore {
    type Draft = StateGraph<Facts>;
    type Graph = Arc<Ready>;
    const AGAIN: bool = true;

    fn declare(plan: &Plan) -> StateGraph<Facts> {
        let mut graph = StateGraph::new();
        for (worker, dependencies) in plan.dependencies.iter().enumerate() {
            let (job, n_read) = (plan.jobs[worker].clone(), dependencies.len());
            if plan.reads {
                // The numbers of the step before are the last ones of the list.
                add(&mut graph, worker, move |facts: &Facts| {
                    let numbers = facts.numbers[facts.numbers.len() - n_read..].to_vec();
                    async move {
                        let count = plan::read(worker, numbers.into_iter()).await;
                        Ok(Update { numbers: vec![count], ..Update::default() })
                    }
                });
            } else {
                add(&mut graph, worker, move |_: &Facts| {
                    let job = job.clone();
                    async move {
                        plan::run(worker, job).await;
                        Ok(Update::default())
                    }
                });
            }
        }
        connect(&mut graph, plan);
        graph
    }

    fn validate(draft: StateGraph<Facts>) -> Arc<Ready> {
        let graph = draft.compile().expect("edges have ends");
        let config = RunnableConfig::new()
            .with_recursion_limit(usize::MAX)
            .with_max_parallel_tasks(tokio::sync::Semaphore::MAX_PERMITS);
        Arc::new(Ready { graph, config })
    }

    fn another(graph: &Arc<Ready>, _plan: &Plan) -> Arc<Ready> {
        Arc::clone(graph)
    }

    async fn run(ready: Arc<Ready>) -> Arc<Ready> {
        let facts = Facts::default();
        ready.graph.invoke_async(facts, &ready.config).await.expect("no node fails");
        ready
    }
}

/// A graph with how it is run.
pub(super) struct Ready {
    graph: CompiledGraph<Facts>,
    config: RunnableConfig,
}

/// What nodes read. Large things are behind pointers, as nodes update what they don't own.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Facts {
    numbers: Vec<u64>,
    left: Option<u64>,
    payload: Arc<Vec<u8>>,
}

/// What a node changes: numbers are added, the others replaced.
#[derive(Clone, Default, serde::Serialize)]
pub(super) struct Update {
    numbers: Vec<u64>,
    left: Option<u64>,
    payload: Option<Arc<Vec<u8>>>,
}

impl State for Facts {
    type Update = Update;

    fn apply(&mut self, update: Update) -> FieldsChanged {
        let mut changed = FieldsChanged::default();
        if !update.numbers.is_empty() {
            self.numbers.extend(update.numbers);
            changed.set_field(0);
        }
        if update.left.is_some() {
            self.left = update.left;
            changed.set_field(1);
        }
        if let Some(payload) = update.payload {
            self.payload = payload;
            changed.set_field(2);
        }
        changed
    }

    fn reset_ephemeral(&mut self) {}
}

fn add<F>(
    graph: &mut StateGraph<Facts>,
    worker: usize,
    node: impl Fn(&Facts) -> F + Send + Sync + 'static,
) where
    F: Future<Output = Result<Update, JunctureError>> + Send + 'static,
{
    graph.add_node_simple(format!("n{worker}"), NodeFnUpdate(node)).expect("names are unique");
}

fn connect(graph: &mut StateGraph<Facts>, plan: &Plan) {
    let name = |worker: usize| format!("n{worker}");
    let firsts = || (0..plan.n_workers()).filter(|worker| plan.dependencies[*worker].is_empty());
    if firsts().count() == 1 {
        graph.set_entry_point(name(0));
    } else {
        // There is one entry only.
        let entry = NodeFnUpdate(|_: &Facts| async { Ok(Update::default()) });
        graph.add_node_simple("entry", entry).expect("names are unique");
        graph.set_entry_point("entry");
        firsts().for_each(|worker| graph.add_edge("entry", name(worker)));
    }
    let has_dependents = plan.has_dependents();
    for (worker, dependencies) in plan.dependencies.iter().enumerate() {
        for other in dependencies {
            graph.add_edge(name(*other), name(worker));
        }
        if !has_dependents[worker] {
            graph.set_finish_point(name(worker));
        }
    }
}

/// One that ends the run, beside nodes that it could have gone to.
fn one_of(workers: usize) -> Arc<Ready> {
    let mut graph = StateGraph::new();
    let end = NodeFnCommand(|_: &Facts| async {
        plan::ran(0, None);
        Ok(Command::end())
    });
    graph.add_node_simple("n0", end).expect("names are unique");
    graph.set_entry_point("n0");
    for worker in 1..workers {
        add(&mut graph, worker, |_: &Facts| async { Ok(Update::default()) });
        graph.add_edge("n0", format!("n{worker}"));
    }
    JunctureCore::validate(graph)
}

fn ping_pong(jumps: u64) -> Arc<Ready> {
    let mut graph = StateGraph::new();
    for (worker, name, other) in [(0, "ping", "pong"), (1, "pong", "ping")] {
        let jump = NodeFnCommand(move |facts: &Facts| {
            let left = facts.left.unwrap_or(jumps) - 1;
            async move {
                plan::ran(worker, None);
                if left == 0 {
                    return Ok(Command::end());
                }
                let update = Update { left: Some(left), ..Update::default() };
                Ok(Command::update_and_goto(update, other))
            }
        });
        graph.add_node_simple(name, jump).expect("names are unique");
    }
    // Compiling asks for a way to each node and out of the loop; the nodes say where they go.
    graph.set_entry_point("ping");
    let ways = PathMap::from(&[("pong", "pong"), (END, END)]);
    fn nowhere(_: &Facts) -> &str {
        END
    }
    graph.add_conditional_edges("ping", Arc::new(nowhere), ways);
    graph.add_edge("pong", "ping");
    JunctureCore::validate(graph)
}

fn payload_chain(length: usize, bytes: usize) -> Arc<Ready> {
    let mut graph = StateGraph::new();
    add_maker(&mut graph, bytes);
    for worker in 1..length {
        add(&mut graph, worker, move |facts: &Facts| {
            let payload = Some(Arc::clone(&facts.payload));
            async move {
                plan::ran(worker, None);
                Ok(Update { payload, ..Update::default() })
            }
        });
    }
    connect(&mut graph, &Plan::of(&Shape::chain(length)));
    JunctureCore::validate(graph)
}

fn payload_fan(width: usize, bytes: usize) -> Arc<Ready> {
    let mut graph = StateGraph::new();
    add_maker(&mut graph, bytes);
    for worker in 1..=width {
        add(&mut graph, worker, move |facts: &Facts| {
            let length = facts.payload.len() as u64;
            async move {
                plan::ran(worker, None);
                Ok(Update { numbers: vec![length], ..Update::default() })
            }
        });
    }
    add(&mut graph, width + 1, move |facts: &Facts| {
        let sum: u64 = facts.numbers.iter().sum();
        async move {
            plan::ran(width + 1, None);
            assert_eq!(sum, (width * bytes) as u64);
            Ok(Update::default())
        }
    });
    connect(&mut graph, &Plan::of(&Shape::fan(width)));
    JunctureCore::validate(graph)
}

fn add_maker(graph: &mut StateGraph<Facts>, bytes: usize) {
    add(graph, 0, move |_: &Facts| async move {
        plan::ran(0, None);
        Ok(Update { payload: Some(Arc::new(vec![0; bytes])), ..Update::default() })
    });
}
