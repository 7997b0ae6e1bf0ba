//! graph-flow: one task after the other over a shared JSON context; a `FanOutTask` spawns the tasks
//! that are in it and waits for all. Sessions run without a storage, each to its end in one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use graph_flow::{
    Context, FanOutTask, Graph, GraphBuilder, NextAction, Result, Session, Task, TaskResult,
};

use super::engine::{self, Engine};
use super::plan::{self, Job, Plan};
use crate::subject::{Peer, Prepare};
use crate::workload::Workload;

pub(super) struct GraphFlow;

impl Peer for GraphFlow {
    fn name(&self) -> &'static str {
        "graph-flow"
    }

    fn version(&self) -> &'static str {
        "0.8.1"
    }

    fn prepare(&self, workload: &Workload) -> std::result::Result<Prepare, &'static str> {
        match *workload {
            Workload::Static(ref shape) | Workload::Cpu { ref shape, .. } => {
                Ok(engine::runs::<Self>(Plan::of(shape)))
            }
            Workload::Rolling(_) => Err("has one pace: see uneven"),
            Workload::Loop { jumps } => {
                Ok(engine::rounds(true, move || ping_pong(jumps as u64), Self::run))
            }
            Workload::Grow { .. } => Err("a graph cannot change once it is built"),
            Workload::Start { workers } => Ok(engine::runs::<Self>(Plan::beside(workers - 1))),
            Workload::PayloadChain { length, bytes } => {
                Ok(engine::rounds(true, move || payload_chain(length, bytes), Self::run))
            }
            Workload::PayloadMoved { .. } => Err("values stay in the context"),
            Workload::PayloadFan { width, bytes } => {
                Ok(engine::rounds(true, move || payload_fan(width, bytes), Self::run))
            }
            Workload::Build { .. } => Err("a task has one predecessor: no random graph"),
            Workload::Many { runs, workers } => Ok(engine::many::<Self>(runs, workers)),
        }
    }
}

/// A step of one worker is a task, a step of several a `FanOutTask`: no other tasks are parallel.
impl Engine for GraphFlow {
    type Draft = GraphBuilder;
    type Graph = Arc<Graph>;
    const AGAIN: bool = true;

    fn declare(plan: &Plan) -> GraphBuilder {
        let worker = |worker: usize, then: NextAction| {
            let reads = plan.dependencies[worker].iter().map(|other| format!("n{other}"));
            Arc::new(Worker {
                id: format!("n{worker}"),
                worker,
                job: plan.jobs[worker].clone(),
                reads: plan.reads.then(|| reads.collect()),
                then,
            })
        };
        let steps = plan.steps();
        let n_steps = steps.len();
        let tasks = steps.into_iter().enumerate().map(|(place, step)| -> Arc<dyn Task> {
            let then = then(place, n_steps);
            match *step {
                [only] => worker(only, then),
                _ => {
                    let tasks = step
                        .iter()
                        .map(|other| -> Arc<dyn Task> { worker(*other, NextAction::End) });
                    FanOutTask::new(format!("fan{place}"), tasks.collect()).with_next_action(then)
                }
            }
        });
        let bystanders = (0..plan.bystanders).map(|place| {
            let id = format!("bystander{place}");
            let job = plan.jobs[0].clone();
            Arc::new(Worker { id, worker: place + 1, job, reads: None, then: NextAction::End })
        });
        bystanders.fold(in_a_row(tasks), |graph, bystander| graph.add_task(bystander))
    }

    fn validate(draft: GraphBuilder) -> Arc<Graph> {
        Arc::new(draft.build().expect("edges have ends"))
    }

    fn another(graph: &Arc<Graph>, _plan: &Plan) -> Arc<Graph> {
        Arc::clone(graph)
    }

    async fn run(graph: Arc<Graph>) -> Arc<Graph> {
        let first = graph.start_task_id().expect("there are tasks");
        let mut session = Session::new_from_task("session".into(), first);
        graph.execute_session(&mut session).await.expect("no task fails");
        graph
    }
}

fn then(place: usize, of: usize) -> NextAction {
    if place + 1 == of { NextAction::End } else { NextAction::ContinueAndExecute }
}

fn in_a_row(tasks: impl Iterator<Item = Arc<dyn Task>>) -> GraphBuilder {
    let mut before: Option<String> = None;
    tasks.fold(GraphBuilder::new("graph"), |graph, task| {
        let id = task.id().to_owned();
        let graph = graph.add_task(task);
        match before.replace(id.clone()) {
            Some(before) => graph.add_edge(before, id),
            None => graph,
        }
    })
}

/// A worker of a plan. What it gives is in the context under its own id.
struct Worker {
    id: String,
    worker: usize,
    job: Job,
    reads: Option<Vec<String>>,
    then: NextAction,
}

#[async_trait]
impl Task for Worker {
    fn id(&self) -> &str {
        &self.id
    }

    async fn run(&self, context: Context) -> Result<TaskResult> {
        match &self.reads {
            None => plan::run(self.worker, self.job.clone()).await,
            Some(reads) => {
                let numbers = reads.iter().filter_map(|id| context.get::<u64>(id));
                let count = plan::read(self.worker, numbers).await;
                context.set(self.id.clone(), count)?;
            }
        }
        Ok(TaskResult::new(None, self.then.clone()))
    }
}

/// Two tasks, each after the other; the one that has used up the count ends the run. The count is beside
/// the context, where it would be JSON.
fn ping_pong(jumps: u64) -> Arc<Graph> {
    let left = Arc::new(AtomicU64::new(jumps));
    let task = |id, jumps| Arc::new(Jump { id, jumps, left: Arc::clone(&left) });
    let graph = GraphBuilder::new("graph")
        .add_task(task("ping", jumps))
        .add_task(task("pong", jumps))
        .add_edge("ping", "pong")
        .add_edge("pong", "ping");
    GraphFlow::validate(graph)
}

struct Jump {
    id: &'static str,
    jumps: u64,
    left: Arc<AtomicU64>,
}

#[async_trait]
impl Task for Jump {
    fn id(&self) -> &str {
        self.id
    }

    async fn run(&self, _context: Context) -> Result<TaskResult> {
        // Tasks run one after the other.
        let left = self.left.load(Ordering::Relaxed) - 1;
        plan::ran(usize::from(self.id == "pong"), None);
        if left == 0 {
            self.left.store(self.jumps, Ordering::Relaxed);
            return Ok(TaskResult::new(None, NextAction::End));
        }
        self.left.store(left, Ordering::Relaxed);
        Ok(TaskResult::move_to_next_direct())
    }
}

/// The payload is a string of the context, where each task finds and leaves it.
fn payload_chain(length: usize, bytes: usize) -> Arc<Graph> {
    let tasks = (0..length).map(|worker| -> Arc<dyn Task> {
        let part = if worker == 0 { Part::Make } else { Part::Read };
        Arc::new(Pass::new(worker, bytes, part, then(worker, length)))
    });
    GraphFlow::validate(in_a_row(tasks))
}

fn payload_fan(width: usize, bytes: usize) -> Arc<Graph> {
    let task = |worker, part, then| Arc::new(Pass::new(worker, bytes, part, then));
    let readers = (1..=width)
        .map(|worker| -> Arc<dyn Task> { task(worker, Part::ReadAndGive, NextAction::End) });
    let next = NextAction::ContinueAndExecute;
    let readers = FanOutTask::new("fan", readers.collect()).with_next_action(next.clone());
    let sum = task(width + 1, Part::Sum, NextAction::End);
    let tasks: [Arc<dyn Task>; 3] = [task(0, Part::Make, next), readers, sum];
    GraphFlow::validate(in_a_row(tasks.into_iter()))
}

struct Pass {
    id: String,
    worker: usize,
    bytes: usize,
    part: Part,
    then: NextAction,
}

enum Part {
    Make,
    Read,
    ReadAndGive,
    Sum,
}

impl Pass {
    fn new(worker: usize, bytes: usize, part: Part, then: NextAction) -> Self {
        Self { id: format!("n{worker}"), worker, bytes, part, then }
    }
}

#[async_trait]
impl Task for Pass {
    fn id(&self) -> &str {
        &self.id
    }

    async fn run(&self, context: Context) -> Result<TaskResult> {
        plan::ran(self.worker, None);
        let length = || context.get::<String>("payload").map_or(0, |payload| payload.len());
        match self.part {
            Part::Make => context.set("payload", "0".repeat(self.bytes))?,
            Part::Read => assert_eq!(length(), self.bytes),
            Part::ReadAndGive => context.set(self.id.clone(), length())?,
            Part::Sum => {
                let readers = 1..self.worker;
                let lengths = readers.map(|other| context.get::<usize>(&format!("n{other}")));
                assert_eq!(lengths.flatten().sum::<usize>(), (self.worker - 1) * self.bytes);
            }
        }
        Ok(TaskResult::new(None, self.then.clone()))
    }
}
