//! dagx: static graphs with typed parameters, a spawned task per node of a layer (a layer of one runs
//! in place), and a barrier between layers. A graph runs once.

use std::collections::BTreeMap;
use std::sync::Arc;

use dagx::{DagRunner, Task, TaskHandle, task};

use super::engine::{self, Engine};
use super::plan::{self, Job, Plan};
use crate::subject::{Peer, Prepare};
use crate::workload::{Phase, Workload};

pub(super) struct Dagx;

impl Peer for Dagx {
    fn name(&self) -> &'static str {
        "dagx"
    }

    fn version(&self) -> &'static str {
        "0.3.1"
    }

    fn prepare(&self, workload: &Workload) -> Result<Prepare, &'static str> {
        match *workload {
            Workload::Static(ref shape) | Workload::Cpu { ref shape, .. } => {
                Ok(engine::runs::<Self>(Plan::of(shape)))
            }
            Workload::Rolling(_) => Err("has one pace: see uneven"),
            Workload::Loop { .. } => Err("static graph: no jumps"),
            Workload::Grow { .. } => Err("static graph: its layers are fixed when it starts"),
            Workload::Start { .. } => Err("every task of a graph runs"),
            Workload::PayloadChain { length, bytes } => {
                Ok(engine::rounds(false, move || payload_chain(length, bytes), Self::run))
            }
            Workload::PayloadMoved { .. } => Err("tasks borrow their inputs"),
            Workload::PayloadFan { width, bytes } => {
                Ok(engine::rounds(false, move || payload_fan(width, bytes), Self::run))
            }
            Workload::Build { phase: Phase::Validate, .. } => Err("its types check the graph"),
            Workload::Build { ref shape, phase } => Ok(engine::build::<Self>(shape, phase)),
            Workload::Many { runs, workers } => Ok(engine::many::<Self>(runs, workers)),
        }
    }
}

impl Engine for Dagx {
    type Draft = DagRunner;
    type Graph = DagRunner;
    const AGAIN: bool = false;

    fn declare(plan: &Plan) -> DagRunner {
        let mut draft = Draft::default();
        if plan.reads {
            let mut handles: Vec<TaskHandle<u64>> = Vec::with_capacity(plan.n_workers());
            for (worker, dependencies) in plan.dependencies.iter().enumerate() {
                let inputs: Vec<_> = dependencies.iter().map(|other| handles[*other]).collect();
                handles.push(if inputs.is_empty() {
                    draft.dag.add_task(Start { worker }).into()
                } else {
                    let list = draft.list(dependencies, &inputs);
                    draft.dag.add_task(Read { worker }).depends_on(list)
                });
            }
        } else {
            let mut handles: Vec<TaskHandle<()>> = Vec::with_capacity(plan.n_workers());
            for (worker, dependencies) in plan.dependencies.iter().enumerate() {
                let mut inputs: Vec<_> = dependencies.iter().map(|other| handles[*other]).collect();
                if inputs.len() > MOST_INPUTS {
                    inputs = vec![draft.barrier(dependencies, inputs)];
                }
                let job = plan.jobs[worker].clone();
                handles.push(run(&draft.dag, Run(Some((worker, job))), &inputs));
            }
        }
        draft.dag
    }

    fn validate(draft: DagRunner) -> DagRunner {
        draft
    }

    async fn run(graph: DagRunner) -> DagRunner {
        graph.run(|task| drop(tokio::spawn(task))).await.expect("no task fails");
        graph
    }
}

/// The first task makes the payload; it is passed on behind a pointer, as every input is a clone.
fn payload_chain(length: usize, bytes: usize) -> DagRunner {
    let dag = DagRunner::new();
    let mut last: TaskHandle<Payload> = dag.add_task(Make { bytes }).into();
    for worker in 1..length {
        last = dag.add_task(Pass { worker }).depends_on(last);
    }
    dag
}

fn payload_fan(width: usize, bytes: usize) -> DagRunner {
    let mut draft = Draft::default();
    let first: TaskHandle<Payload> = draft.dag.add_task(Make { bytes }).into();
    let readers =
        (1..=width).map(|worker| draft.dag.add_task(Measure { worker }).depends_on(first));
    let readers: Vec<_> = readers.collect();
    let list = draft.list(&(1..=width).collect::<Vec<_>>(), &readers);
    draft.dag.add_task(Sum { worker: width + 1, bytes: width * bytes }).depends_on(list);
    draft.dag
}

type Payload = Arc<Vec<u8>>;
type List = Arc<[u64]>;
type Nothing = ();

/// The most parameters that a task can have.
const MOST_INPUTS: usize = 8;

/// A graph to which tasks with any number of inputs can be added: beyond eight, through tasks that
/// gather eight each. Tasks with the same inputs share them.
#[derive(Default)]
struct Draft {
    dag: DagRunner,
    barriers: BTreeMap<Vec<usize>, TaskHandle<()>>,
    lists: BTreeMap<Vec<usize>, TaskHandle<List>>,
}

impl Draft {
    /// A task after all of `inputs`, which are those of these workers.
    fn barrier(&mut self, workers: &[usize], mut inputs: Vec<TaskHandle<()>>) -> TaskHandle<()> {
        if let Some(barrier) = self.barriers.get(workers) {
            return *barrier;
        }
        while inputs.len() > 1 {
            let gathered = inputs.chunks(MOST_INPUTS).map(|some| run(&self.dag, Run(None), some));
            inputs = gathered.collect();
        }
        self.barriers.insert(workers.to_vec(), inputs[0]);
        inputs[0]
    }

    /// A task that gives as one list what `inputs` give, which are those of these workers.
    fn list(&mut self, workers: &[usize], inputs: &[TaskHandle<u64>]) -> TaskHandle<List> {
        if let Some(list) = self.lists.get(workers) {
            return *list;
        }
        let mut lists: Vec<_> =
            inputs.chunks(MOST_INPUTS).map(|some| gather(&self.dag, some)).collect();
        while lists.len() > 1 {
            lists = lists.chunks(MOST_INPUTS).map(|some| join(&self.dag, some)).collect();
        }
        self.lists.insert(workers.to_vec(), lists[0]);
        lists[0]
    }
}

/// What a worker of a plan does, or nothing.
struct Run(Option<(usize, Job)>);

impl Run {
    async fn run(&mut self) {
        if let Some((worker, job)) = self.0.take() {
            plan::run(worker, job).await;
        }
    }
}

struct RunFirst(Run);

#[task]
impl RunFirst {
    async fn run(&mut self) -> Nothing {
        self.0.run().await;
    }
}

/// Tasks of each number of inputs, and functions that add the one that is meant: after nothings,
/// one that gathers numbers to a list, one that joins lists.
macro_rules! tasks {
    ($($run:ident $gather:ident $join:ident: $($input:ident)+;)+) => {
        $(
            struct $run(Run);

            #[task]
            impl $run {
                #[allow(clippy::too_many_arguments, reason = "one for each input")]
                async fn run(&mut self, $($input: &()),+) -> Nothing {
                    let _ = [$($input),+];
                    self.0.run().await;
                }
            }

            struct $gather;

            #[task]
            impl $gather {
                #[allow(clippy::too_many_arguments, reason = "one for each input")]
                async fn run($($input: &u64),+) -> List {
                    List::from([$(*$input),+])
                }
            }

            struct $join;

            #[task]
            impl $join {
                #[allow(clippy::too_many_arguments, reason = "one for each input")]
                async fn run($($input: &List),+) -> List {
                    [$($input),+].into_iter().flat_map(|list| list.iter().copied()).collect()
                }
            }
        )+

        fn run(dag: &DagRunner, run: Run, inputs: &[TaskHandle<()>]) -> TaskHandle<()> {
            match inputs {
                [] => dag.add_task(RunFirst(run)).into(),
                $([$($input),+] => dag.add_task($run(run)).depends_on(($($input,)+)),)+
                _ => unreachable!("inputs are gathered"),
            }
        }

        fn gather(dag: &DagRunner, inputs: &[TaskHandle<u64>]) -> TaskHandle<List> {
            match inputs {
                $([$($input),+] => dag.add_task($gather).depends_on(($($input,)+)),)+
                _ => unreachable!("inputs come in chunks"),
            }
        }

        fn join(dag: &DagRunner, inputs: &[TaskHandle<List>]) -> TaskHandle<List> {
            match inputs {
                $([$($input),+] => dag.add_task($join).depends_on(($($input,)+)),)+
                _ => unreachable!("inputs come in chunks"),
            }
        }
    };
}

tasks! {
    Run1 Gather1 Join1: a;
    Run2 Gather2 Join2: a b;
    Run3 Gather3 Join3: a b c;
    Run4 Gather4 Join4: a b c d;
    Run5 Gather5 Join5: a b c d e;
    Run6 Gather6 Join6: a b c d e f;
    Run7 Gather7 Join7: a b c d e f g;
    Run8 Gather8 Join8: a b c d e f g h;
}

struct Start {
    worker: usize,
}

#[task]
impl Start {
    async fn run(&self) -> u64 {
        plan::read(self.worker, std::iter::empty()).await
    }
}

struct Read {
    worker: usize,
}

#[task]
impl Read {
    async fn run(&self, numbers: &List) -> u64 {
        plan::read(self.worker, numbers.iter().copied()).await
    }
}

struct Make {
    bytes: usize,
}

#[task]
impl Make {
    async fn run(&self) -> Payload {
        plan::ran(0, None);
        Payload::new(vec![0; self.bytes])
    }
}

struct Pass {
    worker: usize,
}

#[task]
impl Pass {
    async fn run(&self, payload: &Payload) -> Payload {
        plan::ran(self.worker, None);
        Arc::clone(payload)
    }
}

struct Measure {
    worker: usize,
}

#[task]
impl Measure {
    async fn run(&self, payload: &Payload) -> u64 {
        plan::ran(self.worker, None);
        payload.len() as u64
    }
}

struct Sum {
    worker: usize,
    bytes: usize,
}

#[task]
impl Sum {
    async fn run(&self, lengths: &List) -> Nothing {
        plan::ran(self.worker, None);
        assert_eq!(lengths.iter().sum::<u64>(), self.bytes as u64);
    }
}
