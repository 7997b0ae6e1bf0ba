//! Performs a program on the real engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use ddg_core::run::KickoffId;
use serde_json::Value as Json;
use tokio::runtime::Handle;

use super::watched::Watcher;
use super::{Dice, pause};
use crate::reference::engine::{args, called_with, failure, graph, json, options, view};
use crate::reference::{
    Ask, Called, Kind, Program, Report, Takes, Turn, Worker, failed, joined, unused,
};

/// A program that is performed, several times at once.
pub(super) struct Stage {
    pub(super) program: Program,
    /// Varies how long each worker takes.
    noise: u64,
    logs: Mutex<BTreeMap<u64, Log>>,
}

/// What one run did.
#[derive(Default)]
struct Log {
    /// The graph as the workers of each step saw it: once, if they all saw the same.
    graphs: BTreeSet<(u64, String)>,
    kickoffs: BTreeMap<(u64, KickoffId), String>,
}

/// A worker that does what the script says.
#[derive(Clone)]
struct Actor {
    stage: Arc<Stage>,
    worker: Arc<Worker>,
}

/// An [`Actor`] that gives something.
struct Speaking(Actor);

/// An [`Actor`] that gives `()`.
struct Silent(Actor);

impl Stage {
    pub(super) fn new(program: Program, noise: u64) -> Arc<Self> {
        Arc::new(Self { program, noise, logs: Mutex::default() })
    }

    /// Runs the program in several ways at the same time; gives what each of them did.
    pub(super) async fn perform(self: &Arc<Self>) -> Vec<(&'static str, Report)> {
        let automa = self.automa();
        let mut dice = Dice::new(self.noise);
        let mut few = automa.clone();
        few.set_max_concurrency(1 + dice.below(3));
        let watched = automa.run(self.args(1));
        let watcher = Watcher::of(&watched);
        let runs =
            [automa.run(self.args(0)).spawn(), watched.spawn(), few.run(self.args(2)).spawn()];
        let simulated = tokio::task::spawn_blocking({
            let (automa, args) = (automa.clone(), self.args(3));
            move || {
                let run = automa.run(args).simulate(|ready| dice.below(ready.len()));
                Handle::current().block_on(run)
            }
        });
        let mut reports = Vec::new();
        for (number, run) in runs.into_iter().enumerate() {
            let way =
                ["a run", "a watched run at the same time", "a run with few at a time"][number];
            reports.push((way, self.report(number as u64, run.await)));
        }
        watcher.check().await;
        reports.push(("a simulated run", self.report(3, simulated.await.unwrap())));
        assert_eq!(graph(&automa), self.program.graph.to_string(), "a run changes no declaration");
        reports
    }

    fn automa(self: &Arc<Self>) -> GraphAutoma {
        let mut automa = GraphAutoma::new("random");
        automa.set_max_steps(self.program.max_steps);
        for input in ["run", "p0", "p1", "p2"] {
            automa.declare_input(input);
        }
        for placed in &self.program.graph.workers {
            let worker = &placed.worker;
            automa.add_worker(&worker.key, self.actor(worker), options(worker)).unwrap();
        }
        automa
    }

    fn args(&self, run: u64) -> Args {
        args(&self.program.input).with_named("run", run)
    }

    fn report(&self, run: u64, ended: Result<Outcome, RunError>) -> Report {
        let log = self.logs.lock().unwrap().remove(&run).unwrap_or_default();
        let mut trace: Vec<_> =
            log.graphs.into_iter().map(|(step, seen)| ((step, None), seen)).collect();
        trace.extend(log.kickoffs.into_iter().map(|((step, id), seen)| ((step, Some(id)), seen)));
        trace.sort_by_key(|(at, _)| *at);
        let trace = trace.into_iter().map(|((step, _), seen)| format!("step {step}: {seen}"));
        Report { trace: trace.collect(), end: end(ended) }
    }

    fn actor(self: &Arc<Self>, worker: &Worker) -> AnyWorker {
        let actor = Actor { stage: Arc::clone(self), worker: Arc::new(worker.clone()) };
        match (worker.kind, worker.takes) {
            (Kind::Silent, _) => AnyWorker::new(Silent(actor)),
            (Kind::Async, Takes::Values(n @ 0..=3)) => match n {
                0 => AnyWorker::func(move |cx: Context| actor.clone().act(called([]), cx)),
                1 => {
                    AnyWorker::func(move |a: Value, cx: Context| actor.clone().act(called([a]), cx))
                }
                2 => AnyWorker::func(move |a: Value, b: Value, cx: Context| {
                    actor.clone().act(called([a, b]), cx)
                }),
                _ => AnyWorker::func(move |a: Value, b: Value, c: Value, cx: Context| {
                    actor.clone().act(called([a, b, c]), cx)
                }),
            },
            (Kind::Inline | Kind::Blocking, Takes::Values(n @ 0..=3)) => match n {
                0 => AnyWorker::func(move |cx: Context| actor.act_now(&called([]), &cx)),
                1 => AnyWorker::func(move |a: Value, cx: Context| actor.act_now(&called([a]), &cx)),
                2 => AnyWorker::func(move |a: Value, b: Value, cx: Context| {
                    actor.act_now(&called([a, b]), &cx)
                }),
                _ => AnyWorker::func(move |a: Value, b: Value, c: Value, cx: Context| {
                    actor.act_now(&called([a, b, c]), &cx)
                }),
            },
            (Kind::Own | Kind::Async | Kind::Inline | Kind::Blocking, _) => {
                AnyWorker::new(Speaking(actor))
            }
        }
    }
}

impl ddg_core::Worker for Speaking {
    type Output = Value;

    fn signature(&self) -> Signature {
        self.0.signature()
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<Value, WorkerError> {
        self.0.clone().act(called_with(&args), cx.clone()).await
    }
}

impl ddg_core::Worker for Silent {
    type Output = ();

    fn signature(&self) -> Signature {
        self.0.signature()
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<(), WorkerError> {
        self.0.clone().act(called_with(&args), cx.clone()).await.map(drop)
    }
}

impl Actor {
    fn signature(&self) -> Signature {
        let name = |place: usize| format!("p{place}");
        match self.worker.takes {
            Takes::Anything => Signature::open(),
            Takes::Values(n) => {
                (0..n).fold(Signature::new(), |all, place| all.param::<Value>(name(place)))
            }
            Takes::Numbers(n) => {
                (0..n).fold(Signature::new(), |all, place| all.param::<i64>(name(place)))
            }
        }
    }

    /// Does its turn with pauses in between, so that the workers of a step mix.
    async fn act(self, called: Called, cx: Context) -> Result<Value, WorkerError> {
        let turn = self.enter(&called, &cx);
        let mut dice = self.dice(&cx);
        for ask in &turn.asks {
            pause(dice.below(3)).await;
            self.ask(ask, &called, &cx);
        }
        pause(dice.below(4)).await;
        self.leave(&turn, &called, &cx)
    }

    /// Does its turn at once.
    fn act_now(&self, called: &Called, cx: &Context) -> Result<Value, WorkerError> {
        let turn = self.enter(called, cx);
        turn.asks.iter().for_each(|ask| self.ask(ask, called, cx));
        self.leave(&turn, called, cx)
    }

    fn dice(&self, cx: &Context) -> Dice {
        let kickoff = format!("{:?} {:?}", cx.kickoff_id(), cx.input::<u64>("run"));
        let kickoff = kickoff.bytes().fold(0, |all, byte| (all * 31 + u64::from(byte)) % 1_000_003);
        Dice::new(self.stage.noise ^ kickoff)
    }

    fn enter(&self, called: &Called, cx: &Context) -> Turn {
        let graph = view(&cx.automa());
        let run = cx.input("run").unwrap().unwrap();
        let mut logs = self.stage.logs.lock().unwrap();
        let log = logs.entry(run).or_default();
        log.graphs.insert((cx.step(), graph));
        let line = format!("{} ({}) {called}", cx.key(), cx.cause());
        let earlier = log.kickoffs.insert((cx.step(), cx.kickoff_id()), line);
        assert_eq!(earlier, None, "a kickoff has a number of its own");
        self.stage.program.turn(cx.step(), cx.key().as_str(), called)
    }

    fn ask(&self, ask: &Ask, called: &Called, cx: &Context) {
        match ask {
            Ask::Ferry { to, args: given } => {
                cx.ferry_to(to.as_str(), args(&given.of_ferry(cx.key().as_str(), called)));
            }
            Ask::Add(worker) => {
                cx.add_worker(&worker.key, self.stage.actor(worker), options(worker));
            }
            Ask::Remove(key) => cx.remove_worker(key),
            Ask::AddDependency(worker, on) => cx.add_dependency(worker, on),
            Ask::RemoveDependency(worker, on) => cx.remove_dependency(worker, on),
        }
    }

    /// Gives what the turn gives: as JSON, or as the Rust types that it is.
    fn leave(&self, turn: &Turn, called: &Called, cx: &Context) -> Result<Value, WorkerError> {
        if turn.fails {
            return Err(WorkerError::msg("as the script says"));
        }
        let json = turn.output(cx.key().as_str(), called);
        if self.dice(cx).chance(50) {
            return Ok(Value::from_json(json));
        }
        Ok(match json {
            Json::Number(number) => Value::new(number.as_i64().unwrap()),
            Json::Array(_) => Value::new(serde_json::from_value::<Vec<i64>>(json)?),
            json => Value::new(serde_json::from_value::<BTreeMap<String, i64>>(json)?),
        })
    }
}

fn called<const N: usize>(values: [Value; N]) -> Called {
    Called { by_position: values.map(|value| json(&value)).to_vec(), by_name: Vec::new() }
}

/// How a run ended, in the words of the reference.
pub(crate) fn end(ended: Result<Outcome, RunError>) -> String {
    let step = match ended {
        Ok(outcome) => {
            let grown = graph(&outcome.graph());
            assert_eq!(grown, view(&outcome.automa()), "one graph, whoever shows it");
            let (output, steps) = (json(outcome.output()), outcome.steps());
            let waiting = joined(outcome.waiting());
            return format!(
                "output {output} after {steps} steps\ngraph: {grown}\nwaiting: {waiting}"
            );
        }
        Err(RunError::StepLimit { limit, due, .. }) => {
            return format!("{limit} steps, then due: {}", joined(due));
        }
        Err(RunError::UnusedArguments { given, taken, .. }) => return unused(given, taken),
        Err(RunError::Step(step)) => step,
        Err(error) => return format!("unlike the reference: {error}"),
    };
    failed(step.step, &step.failures.iter().map(failure).collect::<Vec<_>>())
}
