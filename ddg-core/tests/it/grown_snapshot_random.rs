//! Random programs that change their graphs, saved after every step and continued elsewhere, do
//! what the naive reference says; and what changed from step to step leads from one saved state to
//! the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use ddg_core::prelude::*;
use ddg_core::{Changes, Key, KickoffId, Snapshot};
use serde_json::Value as Json;

use crate::random_graphs::actor::end;
use crate::random_graphs::generate;
use crate::reference::engine::{args, called_with, options, view};
use crate::reference::{self, Ask, Called, Kind, Program, Report, Takes, Worker};

const PROGRAMS: u64 = 500;

/// A program on a stage of its own: nothing is shared with another but the log.
struct Stage {
    program: Arc<Program>,
    /// All that are in the program, first or later.
    workers: Vec<Worker>,
    /// Those that are added as the very worker that is declared.
    tools: OnceLock<Vec<AnyWorker>>,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    graphs: BTreeSet<(u64, String)>,
    kickoffs: BTreeMap<(u64, KickoffId), String>,
}

/// Does what the script says, and gives something.
struct Speaking {
    stage: Arc<Stage>,
    which: usize,
}

/// Does what the script says, and gives `()`.
struct Silent(Speaking);

/// Stops the run after each step.
struct StopAlways;

impl Callback for StopAlways {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        cx.stop();
        Ok(())
    }
}

impl Stage {
    fn new(program: &Arc<Program>, log: &Arc<Mutex<Log>>) -> Arc<Self> {
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

    /// The automa as it is declared.
    fn automa(self: &Arc<Self>) -> GraphAutoma {
        let mut automa = GraphAutoma::new("random");
        automa.set_max_steps(self.program.max_steps);
        automa.add_callback(StopAlways);
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
            let earlier = log.kickoffs.insert((cx.step(), cx.kickoff_id()), line);
            assert_eq!(earlier, None, "a kickoff has a number of its own");
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

/// What the programs did, so that they are known to reach what is to be shown.
#[derive(Default)]
struct Tally {
    n_saved: usize,
    n_grown: BTreeMap<&'static str, usize>,
}

impl Tally {
    const REACHED: [(&str, usize); 6] = [
        ("\"removed\":", 500),
        ("\"added\":", 1000),
        ("\"rewired\":", 500),
        ("\"declared\":\"actor", 400),
        ("\"same_as\":\"tool", 150),
        ("\"registered\":", 800),
    ];

    fn add(&mut self, json: &str) {
        self.n_saved += 1;
        for (what, _) in Self::REACHED {
            *self.n_grown.entry(what).or_default() += usize::from(json.contains(what));
        }
    }

    fn check(&self) {
        assert!(self.n_saved > 2000, "only {} saved states", self.n_saved);
        for (what, at_least) in Self::REACHED {
            let n = self.n_grown[what];
            assert!(n >= at_least, "only {n} saved states have `{what}`");
        }
    }
}

/// Runs `program`, saved after each step and continued in an automa of its own.
async fn saved_after_every_step(program: &Arc<Program>, tally: &mut Tally) -> Report {
    let log = Arc::default();
    let mut last: Option<Snapshot> = None;
    let ended = loop {
        let automa = Stage::new(program, &log).automa();
        let ended = match &last {
            None => automa.outcome(args(&program.input)).await,
            Some(snapshot) => automa.resume(snapshot.clone()).await,
        };
        let Ok(outcome) = ended else { break ended };
        if !outcome.stopped() {
            break Ok(outcome);
        }
        let next = outcome.snapshot().unwrap();
        let json = serde_json::to_string(&next).unwrap();
        tally.add(&json);
        if let Some(last) = last.take() {
            let changes = serde_json::to_string(&next.changes_since(&last).unwrap()).unwrap();
            let changes: Changes = serde_json::from_str(&changes).unwrap();
            let again = last.with_changes([changes]).unwrap();
            assert_eq!(serde_json::to_string(&again).unwrap(), json);
        }
        last = Some(serde_json::from_str(&json).unwrap());
    };
    let log = std::mem::take(&mut *log.lock().unwrap());
    let mut trace: Vec<_> =
        log.graphs.into_iter().map(|(step, seen)| ((step, None), seen)).collect();
    trace.extend(log.kickoffs.into_iter().map(|((step, id), seen)| ((step, Some(id)), seen)));
    trace.sort_by_key(|(at, _)| *at);
    let trace = trace.into_iter().map(|((step, _), seen)| format!("step {step}: {seen}"));
    Report { trace: trace.collect(), end: end(ended) }
}

/// [X4]
#[tokio::test]
async fn saved_after_every_step_a_run_does_what_the_reference_does() {
    let mut tally = Tally::default();
    for seed in 0..PROGRAMS {
        let program = Arc::new(generate::program(seed));
        let expected = reference::run(&program);
        let seen = saved_after_every_step(&program, &mut tally).await;
        assert_eq!(seen, expected, "seed {seed}:\n{program}");
    }
    tally.check();
}
