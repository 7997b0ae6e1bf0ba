//! adk-graph: supersteps over a JSON state, all nodes of a step on the task that runs the graph; a
//! node with several predecessors is held back until all have ended. Without checkpoints.

use std::sync::Arc;

use adk_graph::prelude::Value;
use adk_graph::{
    CompiledGraph, END, ExecutionConfig, Node, NodeContext, NodeOutput, Result, START, State,
    StateGraph, StateSchema,
};
use async_trait::async_trait;

use super::engine::{self, Engine};
use super::plan::{self, Job, Plan};
use crate::shape::Shape;
use crate::subject::{Peer, Prepare};
use crate::workload::Workload;

pub(super) struct AdkGraph;

impl Peer for AdkGraph {
    fn name(&self) -> &'static str {
        "adk-graph"
    }

    fn version(&self) -> &'static str {
        "2.3.0"
    }

    fn prepare(&self, workload: &Workload) -> std::result::Result<Prepare, &'static str> {
        match *workload {
            // Each node of each step is given a copy of the table of all nodes.
            Workload::Static(ref shape) if shape.n_workers() > 2_000 => {
                Err("a round takes 10 s and more: its cost grows with the square of the size")
            }
            Workload::Static(ref shape) | Workload::Cpu { ref shape, .. } => {
                Ok(engine::runs::<Self>(Plan::of(shape)))
            }
            Workload::Rolling(_) => Err("has one pace: see uneven"),
            Workload::Loop { jumps } => {
                Ok(engine::rounds(true, move || ping_pong(jumps as u64), Self::run))
            }
            Workload::Grow { .. } => Err("a graph cannot change once it is compiled"),
            Workload::Start { workers } => Ok(engine::runs::<Self>(Plan::beside(workers - 1))),
            Workload::PayloadChain { length, bytes } => {
                let plan = Plan::of(&Shape::chain(length));
                Ok(engine::rounds(true, move || payload(&plan, bytes), Self::run))
            }
            Workload::PayloadMoved { .. } => Err("values stay in the state"),
            Workload::PayloadFan { width, bytes } => {
                let plan = Plan::of(&Shape::fan(width));
                Ok(engine::rounds(true, move || payload(&plan, bytes), Self::run))
            }
            Workload::Build { ref shape, phase } => Ok(engine::build::<Self>(shape, phase)),
            Workload::Many { runs, workers } => Ok(engine::many::<Self>(runs, workers)),
        }
    }
}

impl Engine for AdkGraph {
    type Draft = StateGraph;
    type Graph = Arc<CompiledGraph>;
    const AGAIN: bool = true;

    fn declare(plan: &Plan) -> StateGraph {
        // A node that is held back takes what its predecessors gave under their names, or else a
        // copy of the whole state for each: cheaper if they give something.
        let mut gives = vec![plan.reads; plan.n_workers()];
        plan.dependencies
            .iter()
            .filter(|dependencies| dependencies.len() > 1)
            .flatten()
            .for_each(|other| gives[*other] = true);
        let graph = declare(plan, |worker| match (plan.reads, gives[worker]) {
            (true, _) => Do::Read(plan.dependencies[worker].iter().map(name).collect()),
            (false, gives) => Do::Run { job: plan.jobs[worker].clone(), gives },
        });
        (0..plan.bystanders).fold(graph, |graph, place| {
            let what = Do::Run { job: plan.jobs[0].clone(), gives: false };
            graph.add_node(Worker { name: name(&(place + 1)), worker: place + 1, what })
        })
    }

    fn validate(draft: StateGraph) -> Arc<CompiledGraph> {
        Arc::new(draft.compile().expect("edges have ends"))
    }

    fn another(graph: &Arc<CompiledGraph>, _plan: &Plan) -> Arc<CompiledGraph> {
        Arc::clone(graph)
    }

    async fn run(graph: Arc<CompiledGraph>) -> Arc<CompiledGraph> {
        let config = ExecutionConfig::new("thread").with_recursion_limit(usize::MAX);
        graph.invoke(State::new(), config).await.expect("no node fails");
        graph
    }
}

fn name(worker: &usize) -> String {
    format!("n{worker}")
}

fn declare(plan: &Plan, what: impl Fn(usize) -> Do) -> StateGraph {
    let has_dependents = plan.has_dependents();
    let mut graph = StateGraph::new(StateSchema::new());
    for (worker, dependencies) in plan.dependencies.iter().enumerate() {
        let node = name(&worker);
        graph = graph.add_node(Worker { name: node.clone(), worker, what: what(worker) });
        if dependencies.is_empty() {
            graph = graph.add_edge(START, &node);
        }
        for other in dependencies {
            graph = graph.add_edge(&name(other), &node);
        }
        if !has_dependents[worker] {
            graph = graph.add_edge(&node, END);
        }
    }
    graph
}

/// The payload is a string of the state, where each node finds and leaves it.
fn payload(plan: &Plan, bytes: usize) -> Arc<CompiledGraph> {
    let last = plan.n_workers() - 1;
    let is_fan = plan.dependencies[last].len() > 1;
    AdkGraph::validate(declare(plan, |worker| match worker {
        0 => Do::Make(bytes),
        worker if worker == last && is_fan => Do::Sum(bytes),
        _ => Do::Measure { bytes, gives: is_fan },
    }))
}

/// What a node does.
enum Do {
    Run { job: Job, gives: bool },
    Read(Vec<String>),
    Make(usize),
    Measure { bytes: usize, gives: bool },
    Sum(usize),
}

struct Worker {
    name: String,
    worker: usize,
    what: Do,
}

#[async_trait]
impl Node for Worker {
    fn name(&self) -> &str {
        &self.name
    }

    async fn execute(&self, context: &NodeContext) -> Result<NodeOutput> {
        let number = |name: &String| context.get(name).and_then(Value::as_u64);
        match &self.what {
            Do::Run { job, .. } => plan::run(self.worker, job.clone()).await,
            Do::Read(_) => {}
            Do::Make(_) | Do::Measure { .. } | Do::Sum(_) => plan::ran(self.worker, None),
        }
        Ok(match &self.what {
            Do::Run { gives: false, .. } => NodeOutput::new(),
            Do::Run { gives: true, .. } => NodeOutput::new().with_update(&self.name, true),
            Do::Read(names) => {
                let count = plan::read(self.worker, names.iter().filter_map(number)).await;
                NodeOutput::new().with_update(&self.name, count)
            }
            Do::Make(bytes) => NodeOutput::new().with_update("payload", "0".repeat(*bytes)),
            Do::Measure { bytes, gives } => {
                let payload = context.get("payload").and_then(Value::as_str);
                let length = payload.map_or(0, str::len);
                assert_eq!(length, *bytes);
                if *gives {
                    NodeOutput::new().with_update(&self.name, length as u64)
                } else {
                    NodeOutput::new()
                }
            }
            Do::Sum(bytes) => {
                let readers = 1..self.worker;
                let sum: u64 = readers.filter_map(|other| number(&name(&other))).sum();
                assert_eq!(sum, ((self.worker - 1) * bytes) as u64);
                NodeOutput::new()
            }
        })
    }
}

/// Two nodes that name each other as the next.
fn ping_pong(jumps: u64) -> Arc<CompiledGraph> {
    let graph = StateGraph::new(StateSchema::new())
        .add_node(Jump { worker: 0, name: "ping", to: "pong", jumps })
        .add_node(Jump { worker: 1, name: "pong", to: "ping", jumps })
        .add_edge(START, "ping");
    AdkGraph::validate(graph)
}

struct Jump {
    worker: usize,
    name: &'static str,
    to: &'static str,
    jumps: u64,
}

#[async_trait]
impl Node for Jump {
    fn name(&self) -> &str {
        self.name
    }

    async fn execute(&self, context: &NodeContext) -> Result<NodeOutput> {
        let left = context.get("left").and_then(Value::as_u64);
        let left = left.unwrap_or(self.jumps) - 1;
        plan::ran(self.worker, None);
        let output = NodeOutput::new();
        if left == 0 {
            return Ok(output.with_goto([END]));
        }
        Ok(output.with_update("left", left).with_goto([self.to]))
    }
}
