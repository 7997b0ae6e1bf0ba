//! dagrs: every node is spawned at once and waits for its inputs at a channel per edge. A graph needs
//! a reset before it can run again.

use std::sync::Arc;

use async_trait::async_trait;
use dagrs::{
    Action, Content, DefaultNode, EnvVar, Graph, InChannels, Node, NodeId, NodeTable, OutChannels,
    Output,
};

use super::engine::{self, Engine};
use super::plan::{self, Job, Plan};
use crate::shape::Shape;
use crate::subject::{Peer, Prepare};
use crate::workload::{Phase, Workload};

pub(super) struct Dagrs;

impl Peer for Dagrs {
    fn name(&self) -> &'static str {
        "dagrs"
    }

    fn version(&self) -> &'static str {
        "0.9.0"
    }

    fn prepare(&self, workload: &Workload) -> Result<Prepare, &'static str> {
        match *workload {
            Workload::Static(ref shape) | Workload::Cpu { ref shape, .. } => {
                Ok(engine::runs::<Self>(Plan::of(shape)))
            }
            Workload::Rolling(_) => Err("has one pace: see uneven"),
            Workload::Loop { .. } => Err(
                "loops go back to an earlier block of the graph; two nodes cannot jump to each other",
            ),
            Workload::Grow { .. } => Err("static graph: borrowed while it runs"),
            Workload::Start { .. } => Err("every node of a graph runs"),
            Workload::PayloadChain { length, bytes } => {
                let plan = Plan::of(&Shape::chain(length));
                Ok(engine::rounds(false, move || payload(&plan, bytes), Self::run))
            }
            Workload::PayloadMoved { .. } => Err("contents are shared"),
            Workload::PayloadFan { width, bytes } => {
                let plan = Plan::of(&Shape::fan(width));
                Ok(engine::rounds(false, move || payload(&plan, bytes), Self::run))
            }
            Workload::Build { ref shape, phase: phase @ Phase::Declare } => {
                Ok(engine::build::<Self>(shape, phase))
            }
            Workload::Build { .. } => Err("checks and starts in one; a run cannot be given up"),
            Workload::Many { runs, workers } => Ok(engine::many::<Self>(runs, workers)),
        }
    }
}

impl Engine for Dagrs {
    type Draft = Graph;
    type Graph = Graph;
    const AGAIN: bool = false;

    fn declare(plan: &Plan) -> Graph {
        declare(plan, |worker| {
            let job = plan.jobs[worker].clone();
            if plan.reads { Do::Read } else { Do::Run(job) }
        })
    }

    fn validate(draft: Graph) -> Graph {
        draft
    }

    async fn run(mut graph: Graph) -> Graph {
        let report = graph.async_start().await.expect("no node fails");
        assert_eq!(report.node_succeeded, report.node_total);
        graph
    }
}

fn declare(plan: &Plan, what: impl Fn(usize) -> Do) -> Graph {
    let mut table = NodeTable::default();
    let mut graph = Graph::new();
    let mut ids: Vec<NodeId> = Vec::with_capacity(plan.n_workers());
    let mut dependents = vec![Vec::new(); plan.n_workers()];
    for (worker, dependencies) in plan.dependencies.iter().enumerate() {
        let action = Worker { worker, what: what(worker) };
        let node = DefaultNode::with_action(worker.to_string(), action, &mut table);
        ids.push(node.id());
        graph.add_node(node).expect("ids are unique");
        dependencies.iter().for_each(|other| dependents[*other].push(ids[worker]));
    }
    for (from, to) in ids.into_iter().zip(dependents) {
        graph.add_edge(from, to).expect("nodes are there");
    }
    graph.set_env(EnvVar::new(table));
    graph
}

/// The payload is shared: contents are behind pointers.
fn payload(plan: &Plan, bytes: usize) -> Graph {
    let last = plan.n_workers() - 1;
    let is_fan = plan.dependencies[last].len() > 1;
    declare(plan, |worker| match worker {
        0 => Do::Make(bytes),
        worker if worker < last || !is_fan => {
            if is_fan {
                Do::Measure
            } else {
                Do::Pass
            }
        }
        _ => Do::Sum(bytes * (last - 1)),
    })
}

/// What a node does when its inputs are there.
enum Do {
    Run(Job),
    Read,
    Make(usize),
    Pass,
    Measure,
    Sum(usize),
}

struct Worker {
    worker: usize,
    what: Do,
}

#[async_trait]
impl Action for Worker {
    async fn run(
        &self,
        inputs: &mut InChannels,
        outputs: &mut OutChannels,
        _: Arc<EnvVar>,
    ) -> Output {
        let inputs = inputs.map(|input| input.expect("inputs come")).await;
        let output = self.give(inputs).await;
        outputs.broadcast(output).await;
        Output::empty()
    }
}

impl Worker {
    async fn give(&self, inputs: Vec<Content>) -> Content {
        match &self.what {
            Do::Run(job) => {
                plan::run(self.worker, job.clone()).await;
                Content::new(())
            }
            Do::Read => {
                let numbers = inputs.iter().filter_map(|input| input.get::<u64>().copied());
                Content::new(plan::read(self.worker, numbers).await)
            }
            other => {
                plan::ran(self.worker, None);
                let payload = |input: Option<&Content>| {
                    input.and_then(|input| input.get::<Vec<u8>>()).map_or(0, Vec::len) as u64
                };
                match other {
                    Do::Make(bytes) => Content::new(vec![0_u8; *bytes]),
                    Do::Measure => Content::new(payload(inputs.first())),
                    Do::Sum(all) => {
                        let sum = inputs.iter().filter_map(|input| input.get::<u64>()).sum::<u64>();
                        assert_eq!(sum, *all as u64);
                        Content::new(())
                    }
                    _ => inputs.into_iter().next().expect("a chain has inputs"),
                }
            }
        }
    }
}
