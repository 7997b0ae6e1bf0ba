//! Plays random programs in automata whose runs can be saved: what is added can be found again, and
//! nothing is shared between two automata but the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use ddg_core::Key;
use ddg_core::prelude::*;
use ddg_core::run::KickoffId;
use serde_json::Value as Json;

use super::actor::end;
use crate::reference::engine::{args, called_with, options, view};
use crate::reference::{Ask, Called, Kind, Program, Report, Takes, Worker};

/// A program on a stage of its own: nothing is shared with another but the log.
pub(crate) struct Stage {
    program: Arc<Program>,
    /// All that are in the program, first or later.
    workers: Vec<Worker>,
    /// Those that are added as the very worker that is declared.
    tools: OnceLock<Vec<AnyWorker>>,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
pub(crate) struct Log {
    graphs: BTreeSet<(u64, String)>,
    kickoffs: BTreeMap<(u64, KickoffId), String>,
    /// Those that must not run again.
    pub(crate) kept: BTreeSet<KickoffId>,
    /// How often a kickoff ran again.
    pub(crate) n_again: usize,
}

/// Does what the script says, and gives something.
struct Speaking {
    stage: Arc<Stage>,
    which: usize,
}

/// Does what the script says, and gives `()`.
struct Silent(Speaking);

impl Stage {
    pub(crate) fn new(program: &Arc<Program>, log: &Arc<Mutex<Log>>) -> Arc<Self> {
        let placed = program.graph.workers.iter().map(|placed| &placed.worker);
        let asked = program.script.values().flatten().flat_map(|turn| &turn.asks);
        let added = asked.filter_map(|ask| match ask {
            Ask::Add(worker) => Some(worker),
            _ => None,
        });
        let mut workers: Vec<Worker> = Vec::new();
        for worker in placed.chain(added) {
            if !workers.contains(worker) {
                workers.push(worker.clone());
            }
        }
        let stage = Self {
            program: Arc::clone(program),
            workers,
            tools: OnceLock::new(),
            log: Arc::clone(log),
        };
        Arc::new(stage)
    }

    /// The automa as it is declared, with `callback` around its workers.
    pub(crate) fn automa(self: &Arc<Self>, callback: impl Callback) -> GraphAutoma {
        let mut automa = GraphAutoma::new("random");
        automa.set_max_steps(self.program.max_steps);
        automa.add_callback(callback);
        for input in ["p0", "p1", "p2"] {
            automa.declare_input(input);
        }
        let stage = Arc::clone(self);
        let speaking = move |which| Speaking { stage: Arc::clone(&stage), which };
        let silent = speaking.clone();
        automa.register_worker_with("speaking", |actor: &Speaking| actor.which, speaking).unwrap();
        automa
            .register_worker_with(
                "silent",
                |actor: &Silent| actor.0.which,
                move |which| Silent(silent(which)),
            )
            .unwrap();
        let tools = (0..self.workers.len()).map(|which| self.tool(which)).collect();
        _ = self.tools.set(tools);
        for (which, (worker, tool)) in
            self.workers.iter().zip(self.tools.get().unwrap()).enumerate()
        {
            automa.declare_worker(format!("tool {which}"), tool.clone(), free()).unwrap();
            automa
                .declare_worker(format!("actor {which}"), self.actor(which), declared(worker))
                .unwrap();
        }
        for placed in &self.program.graph.workers {
            let which = self.which(&placed.worker);
            automa
                .add_worker(&placed.worker.key, self.actor(which), options(&placed.worker))
                .unwrap();
        }
        automa
    }

    fn which(&self, worker: &Worker) -> usize {
        self.workers.iter().position(|have| have == worker).unwrap()
    }

    fn speaking(self: &Arc<Self>, which: usize) -> Speaking {
        Speaking { stage: Arc::clone(self), which }
    }

    fn actor(self: &Arc<Self>, which: usize) -> AnyWorker {
        match self.workers[which].kind {
            Kind::Silent => AnyWorker::new(Silent(self.speaking(which))),
            _ => AnyWorker::new(self.speaking(which)),
        }
    }

    /// The same as a function, which is no type of its own, where it takes few values.
    fn tool(self: &Arc<Self>, which: usize) -> AnyWorker {
        let actor = Arc::new(self.speaking(which));
        match (self.workers[which].kind, self.workers[which].takes) {
            (Kind::Async, Takes::Values(1)) => AnyWorker::func(move |a: Value, cx: Context| {
                let actor = Arc::clone(&actor);
                async move { actor.act(&Args::new().with(a), &cx) }
            }),
            (Kind::Async, Takes::Values(2)) => {
                AnyWorker::func(move |a: Value, b: Value, cx: Context| {
                    let actor = Arc::clone(&actor);
                    async move { actor.act(&Args::new().with(a).with(b), &cx) }
                })
            }
            _ => self.actor(which),
        }
    }

    /// Adds a worker in one of the ways in which it is found again.
    fn add(self: &Arc<Self>, worker: &Worker, cx: &Context) {
        let which = self.which(worker);
        match worker.kind {
            Kind::Async => {
                let tool = self.tools.get().unwrap()[which].clone();
                cx.add_worker(&worker.key, tool, options(worker));
            }
            Kind::Inline => {
                let name = Key::from(format!("actor {which}"));
                let placed = Worker { takes: Takes::Anything, from: None, ..worker.clone() };
                cx.add_func_as_worker(&worker.key, name, options(&placed));
            }
            Kind::Own | Kind::Blocking | Kind::Silent => {
                cx.add_worker(&worker.key, self.actor(which), options(worker));
            }
        }
    }
}

/// The options that belong to a worker wherever it is placed.
fn declared(worker: &Worker) -> WorkerOptions {
    let alone = Worker {
        dependencies: Vec::new(),
        start: false,
        output: false,
        in_order: false,
        ..worker.clone()
    };
    options(&alone)
}

impl Speaking {
    fn signature(&self) -> Signature {
        let name = |place: usize| format!("p{place}");
        match self.stage.workers[self.which].takes {
            Takes::Anything => Signature::open(),
            Takes::Values(n) => {
                (0..n).fold(Signature::new(), |all, place| all.param::<Value>(name(place)))
            }
            Takes::Numbers(n) => {
                (0..n).fold(Signature::new(), |all, place| all.param::<i64>(name(place)))
            }
        }
    }

    fn act(&self, args: &Args, cx: &Context) -> Result<Value, WorkerError> {
        let called = called_with(args);
        {
            let mut log = self.stage.log.lock().unwrap();
            log.graphs.insert((cx.step(), view(&cx.automa())));
            let line = format!("{} ({}) {called}", cx.key(), cx.cause());
            let earlier = log.kickoffs.insert((cx.step(), cx.kickoff_id()), line.clone());
            assert!(!log.kept.contains(&cx.kickoff_id()), "{line} runs again");
            if let Some(earlier) = earlier {
                assert_eq!(earlier, line, "a kickoff has a number of its own");
                log.n_again += 1;
            }
        }
        cx.local().update("runs", |runs: &mut u32| *runs += 1);
        let turn = self.stage.program.turn(cx.step(), cx.key().as_str(), &called);
        for ask in &turn.asks {
            self.ask(ask, &called, cx);
        }
        if turn.fails {
            return Err(WorkerError::msg("as the script says"));
        }
        Ok(match turn.output(cx.key().as_str(), &called) {
            Json::Number(number) => Value::new(number.as_i64().unwrap()),
            Json::Array(items) => Value::new(items),
            json => Value::from_json(json),
        })
    }

    fn ask(&self, ask: &Ask, called: &Called, cx: &Context) {
        match ask {
            Ask::Ferry { to, args: given } => {
                cx.ferry_to(to.as_str(), args(&given.of_ferry(cx.key().as_str(), called)));
            }
            Ask::Add(worker) => self.stage.add(worker, cx),
            Ask::Remove(key) => cx.remove_worker(key),
            Ask::AddDependency(worker, on) => cx.add_dependency(worker, on),
            Ask::RemoveDependency(worker, on) => cx.remove_dependency(worker, on),
        }
    }
}

impl ddg_core::Worker for Speaking {
    type Output = Value;

    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<Value, WorkerError> {
        self.act(&args, cx)
    }
}

impl ddg_core::Worker for Silent {
    type Output = ();

    fn signature(&self) -> Signature {
        self.0.signature()
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<(), WorkerError> {
        self.0.act(&args, cx).map(drop)
    }
}

impl Log {
    /// What was seen in the runs that have written to this, the last of which has `ended`.
    pub(crate) fn report(self, ended: Result<Outcome, RunError>) -> Report {
        let graphs = self.graphs.into_iter().map(|(step, seen)| ((step, None), seen));
        let kickoffs = self.kickoffs.into_iter().map(|((step, id), seen)| ((step, Some(id)), seen));
        let mut trace: Vec<_> = graphs.chain(kickoffs).collect();
        trace.sort_by_key(|(at, _)| *at);
        let trace = trace.into_iter().map(|((step, _), seen)| format!("step {step}: {seen}"));
        Report { trace: trace.collect(), end: end(ended) }
    }
}
