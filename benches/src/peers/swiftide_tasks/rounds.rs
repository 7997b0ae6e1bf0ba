//! What it does where it is built.

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use swiftide_tasks::{
    ConcurrencyModel, DynNodeId, JoinInput, NodeId, Task, TaskNode, TaskRunOutcome, Transition,
};

use super::SwiftideTasks;
use crate::peers::engine::{self, Engine};
use crate::peers::plan::{self, Job, Plan};
use crate::subject::Prepare;
use crate::workload::Workload;

pub(super) fn prepare(workload: &Workload) -> Result<Prepare, &'static str> {
    type It = SwiftideTasks;
    match *workload {
        Workload::Static(ref shape) | Workload::Cpu { ref shape, .. } => {
            Ok(engine::runs::<It>(Plan::of(shape)))
        }
        Workload::Rolling(_) => Err("has one pace: see uneven"),
        Workload::Loop { jumps } => {
            Ok(engine::rounds(true, move || ping_pong(jumps as u64), It::run))
        }
        Workload::Grow { .. } => Err("a graph is borrowed while it runs"),
        Workload::Start { workers } => Ok(engine::runs::<It>(Plan::beside(workers - 1))),
        Workload::PayloadChain { length, bytes } => {
            Ok(engine::rounds(true, move || payload_chain(length, bytes), It::run))
        }
        Workload::PayloadMoved { .. } => Err("nodes borrow their inputs"),
        Workload::PayloadFan { width, bytes } => {
            Ok(engine::rounds(true, move || payload_fan(width, bytes), It::run))
        }
        Workload::Build { .. } => Err("a node joins one fan-out: no random graph"),
        Workload::Many { runs, workers } => Ok(engine::many::<It>(runs, workers)),
    }
}

type Flow = Task<Value, Value>;

/// A step of several workers is a fan-out of what comes before it, joined by what comes after it.
impl Engine for SwiftideTasks {
    type Draft = Flow;
    type Graph = Flow;
    const AGAIN: bool = true;

    fn declare(plan: &Plan) -> Flow {
        let worker = |worker: usize| {
            let job = plan.jobs[worker].clone();
            Node { worker, what: if plan.reads { Do::Read } else { Do::Run(job) } }
        };
        let mut flow = Draft::default();
        match plan.rows() {
            Some(rows) => {
                flow.fan_out(rows.into_iter().map(|row| row.into_iter().map(worker).collect()));
            }
            None => {
                for step in plan.steps() {
                    match *step {
                        [only] => flow.next(worker(only)),
                        _ => flow.fan_out(step.into_iter().map(|other| vec![worker(other)])),
                    }
                }
            }
        }
        let mut flow = flow.finish();
        for place in 0..plan.bystanders {
            let job = plan.jobs[0].clone();
            let node = flow.register_node(Node { worker: place + 1, what: Do::Run(job) });
            let finish = flow.transitions_to_finish();
            flow.register_transition(node, finish).expect("it has none yet");
        }
        flow
    }

    fn validate(draft: Flow) -> Flow {
        draft
    }

    fn another(graph: &Flow, _plan: &Plan) -> Flow {
        graph.clone()
    }

    async fn run(mut graph: Flow) -> Flow {
        let outcome = graph.run(Value::Nothing).await.expect("no node fails");
        assert!(matches!(outcome, TaskRunOutcome::Completed(_)));
        graph
    }
}

fn ping_pong(jumps: u64) -> Flow {
    let mut flow = Flow::new();
    let ping = flow.register_node(Node { worker: 0, what: Do::Count(jumps) });
    let pong = flow.register_node(Node { worker: 1, what: Do::Count(jumps) });
    flow.starts_with(ping);
    for (from, to) in [(ping, pong), (pong, ping)] {
        let finish = flow.transitions_to_finish();
        let jump = move |left| -> Transition {
            match left {
                Value::Number(0) => finish(left),
                left => to.transitions_with(left).into(),
            }
        };
        flow.register_transition(from, jump).expect("it has none yet");
    }
    flow
}

/// The payload is behind a pointer, as nodes give what they don't own.
fn payload_chain(length: usize, bytes: usize) -> Flow {
    let mut flow = Draft::default();
    flow.next(Node { worker: 0, what: Do::Make(bytes) });
    (1..length).for_each(|worker| flow.next(Node { worker, what: Do::Pass }));
    flow.finish()
}

fn payload_fan(width: usize, bytes: usize) -> Flow {
    let mut flow = Draft::default();
    flow.next(Node { worker: 0, what: Do::Make(bytes) });
    flow.fan_out((1..=width).map(|worker| vec![Node { worker, what: Do::Measure }]));
    flow.next(Node { worker: width + 1, what: Do::Sum(width * bytes) });
    flow.finish()
}

/// What goes from node to node.
#[derive(Clone, Debug)]
pub(in crate::peers) enum Value {
    Nothing,
    Number(u64),
    List(Arc<[u64]>),
    Payload(Arc<Vec<u8>>),
}

/// A worker.
#[derive(Clone)]
struct Node {
    worker: usize,
    what: Do,
}

/// A worker that takes what the branches of a fan-out give.
#[derive(Clone)]
struct Join(Node);

#[derive(Clone)]
enum Do {
    Run(Job),
    Read,
    Count(u64),
    Make(usize),
    Pass,
    Measure,
    Sum(usize),
    /// No worker: gives on what it is given.
    Gather,
}

#[async_trait]
impl TaskNode for Node {
    type Input = Value;
    type Output = Value;
    type Error = Infallible;

    async fn evaluate(&self, _: &DynNodeId<Self>, input: &Value) -> Result<Value, Infallible> {
        Ok(self.give(std::slice::from_ref(input).iter()).await)
    }
}

#[async_trait]
impl TaskNode for Join {
    type Input = JoinInput<Value>;
    type Output = Value;
    type Error = Infallible;

    async fn evaluate(
        &self,
        _: &DynNodeId<Self>,
        inputs: &JoinInput<Value>,
    ) -> Result<Value, Infallible> {
        Ok(self.0.give(inputs.iter()).await)
    }
}

impl Node {
    async fn give<'a>(&self, mut inputs: impl Iterator<Item = &'a Value> + Send) -> Value {
        let numbers = |input: &'a Value| match input {
            Value::Number(number) => std::slice::from_ref(number),
            Value::List(list) => list,
            Value::Nothing | Value::Payload(_) => &[],
        };
        match &self.what {
            Do::Run(job) => {
                drop(inputs);
                plan::run(self.worker, job.clone()).await;
                return Value::Nothing;
            }
            Do::Read => {
                let numbers = inputs.flat_map(numbers).copied();
                return Value::Number(plan::read(self.worker, numbers).await);
            }
            Do::Gather => {
                let list: Arc<[u64]> = inputs.flat_map(numbers).copied().collect();
                return if list.is_empty() { Value::Nothing } else { Value::List(list) };
            }
            Do::Count(_) | Do::Make(_) | Do::Pass | Do::Measure | Do::Sum(_) => {}
        }
        plan::ran(self.worker, None);
        match (&self.what, inputs.next()) {
            (Do::Count(_), Some(Value::Number(left))) => Value::Number(left - 1),
            (Do::Count(jumps), _) => Value::Number(jumps - 1),
            (Do::Make(bytes), _) => Value::Payload(Arc::new(vec![0; *bytes])),
            (Do::Measure, Some(Value::Payload(payload))) => Value::Number(payload.len() as u64),
            (Do::Sum(bytes), first) => {
                let sum: u64 = first.into_iter().chain(inputs).flat_map(numbers).sum();
                assert_eq!(sum, *bytes as u64);
                Value::Nothing
            }
            (_, first) => first.expect("it has an input").clone(),
        }
    }
}

/// A flow that is written from its start to its end.
#[derive(Default)]
struct Draft {
    flow: Flow,
    end: End,
}

/// What the next node comes after.
#[derive(Default)]
enum End {
    #[default]
    Start,
    Node(NodeId<Node>),
    Join(NodeId<Join>),
    /// The branches that leave this node.
    Branches(From, Vec<Vec<NodeId<Node>>>),
}

/// What a fan-out leaves.
#[derive(Clone, Copy)]
enum From {
    Node(NodeId<Node>),
    Join(NodeId<Join>),
}

impl Draft {
    /// A node after all that is there.
    fn next(&mut self, node: Node) {
        match std::mem::take(&mut self.end) {
            End::Start => {
                let node = self.flow.register_node(node);
                self.flow.starts_with(node);
                self.end = End::Node(node);
            }
            End::Node(before) => {
                let node = self.flow.register_node(node);
                self.go(before, move |value| node.transitions_with(value).into());
                self.end = End::Node(node);
            }
            End::Join(before) => {
                let node = self.flow.register_node(node);
                self.go(before, move |value| node.transitions_with(value).into());
                self.end = End::Node(node);
            }
            End::Branches(from, branches) => {
                let join = self.flow.register_node(Join(node));
                for branch in &branches {
                    for pair in branch.windows(2) {
                        let to = pair[1];
                        self.go(pair[0], move |value| to.transitions_with(value).into());
                    }
                    let last = *branch.last().expect("a branch is not empty");
                    self.flow.register_transition(last, join.join()).expect("it has none yet");
                }
                let firsts: Vec<_> = branches.iter().map(|branch| branch[0]).collect();
                let spread = move |value: Value| {
                    let mut fan_out = Transition::fan_out(&firsts[0], value.clone());
                    for first in &firsts[1..] {
                        fan_out = fan_out.and(first, value.clone());
                    }
                    let fan_out = fan_out.concurrency_model(ConcurrencyModel::Parallel);
                    fan_out.join_with(join.join())
                };
                match from {
                    From::Node(from) => self.go(from, spread),
                    From::Join(from) => self.go(from, spread),
                }
                self.end = End::Join(join);
            }
        }
    }

    /// Branches that begin after all that is there, beside each other.
    fn fan_out(&mut self, branches: impl Iterator<Item = Vec<Node>>) {
        if matches!(self.end, End::Start | End::Branches(..)) {
            self.next(Node { worker: usize::MAX, what: Do::Gather });
        }
        let from = match self.end {
            End::Node(node) => From::Node(node),
            End::Join(node) => From::Join(node),
            End::Start | End::Branches(..) => unreachable!("a node was added"),
        };
        let mut register = |node| self.flow.register_node(node);
        let branches = branches.map(|branch| branch.into_iter().map(&mut register).collect());
        self.end = End::Branches(from, branches.collect());
    }

    fn finish(mut self) -> Flow {
        if matches!(self.end, End::Start | End::Branches(..)) {
            self.next(Node { worker: usize::MAX, what: Do::Gather });
        }
        let finish = self.flow.transitions_to_finish();
        match self.end {
            End::Node(node) => self.flow.register_transition(node, finish),
            End::Join(node) => self.flow.register_transition(node, finish),
            End::Start | End::Branches(..) => unreachable!("a node was added"),
        }
        .expect("it has none yet");
        self.flow
    }

    fn go<T: TaskNode<Output = Value> + 'static>(
        &mut self,
        from: NodeId<T>,
        to: impl Fn(Value) -> Transition + Send + Sync + 'static,
    ) {
        self.flow.register_transition(from, to).expect("it has none yet");
    }
}
