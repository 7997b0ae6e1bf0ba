//! Plays random programs in automata whose runs can be saved: added workers can be resolved again,
//! and two automata share nothing but the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

use ddg_core::Key;
use ddg_core::prelude::*;
use ddg_core::run::{Kickoff, KickoffId};
use serde_json::Value as Json;

use super::actor::end;
use super::{Dice, pause};
use crate::reference::engine::{args, called_with, json, options, view};
use crate::reference::{Ask, Called, Graph, Group, Kind, Program, Report, Takes, Turn, Worker};

/// A program on a stage of its own: nothing is shared with another but the log.
pub(crate) struct Stage {
    program: Arc<Program>,
    /// The graph as it is declared.
    declared: Graph,
    /// What is changed about it from outside before it runs, if it is nested.
    changes: Vec<Ask>,
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
    /// How often workers without a context, which know no more, were called with what.
    plain: BTreeMap<String, usize>,
    /// Whether some of the questions are times and signals instead.
    pub(super) waits: bool,
    /// Those that must not run again.
    pub(crate) kept: BTreeSet<KickoffId>,
    /// How often a kickoff ran again.
    pub(crate) n_again: usize,
    /// At a rolling pace, what is to settle together.
    groups: Vec<Group>,
    /// Which of these is next.
    next_group: usize,
    ended: Vec<u64>,
    /// How often somebody got on; a run that does something else than planned comes to an end, too.
    n_choices: usize,
}

/// Does what the script says, and gives something.
struct Speaking {
    stage: Arc<Stage>,
    which: usize,
}

/// Does what the script says, and gives `()`.
struct Silent(Speaking);

/// Takes no context, so it does what every worker does that is not in the script.
#[derive(Clone)]
struct Plain(Arc<Speaking>);

impl Stage {
    pub(crate) fn new(program: &Arc<Program>, log: &Arc<Mutex<Log>>) -> Arc<Self> {
        Self::nested(program.graph.clone(), Vec::new(), program, log)
    }

    /// The `program` of a graph that is `declared` and changed from outside before it runs.
    pub(crate) fn nested(
        declared: Graph,
        changes: Vec<Ask>,
        program: &Arc<Program>,
        log: &Arc<Mutex<Log>>,
    ) -> Arc<Self> {
        let placed = declared.workers.iter().map(|placed| &placed.worker);
        let asked = program.script.values().flatten().flat_map(|turn| &turn.asks);
        let added = asked.chain(&changes).filter_map(|ask| match ask {
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
            declared,
            changes,
            workers,
            tools: OnceLock::new(),
            log: Arc::clone(log),
        };
        Arc::new(stage)
    }

    /// The automa as it is declared, with `callback` around its workers.
    pub(crate) fn automa(self: &Arc<Self>, callback: impl Callback) -> GraphAutoma {
        let mut automa = self.bare_automa();
        automa.add_callback(callback);
        automa
    }

    /// The automa as it is declared.
    pub(crate) fn bare_automa(self: &Arc<Self>) -> GraphAutoma {
        let mut automa = GraphAutoma::new("random");
        automa.set_max_steps(self.program.max_steps);
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
                .declare_worker(format!("actor {which}"), self.actor(which), self.declared(worker))
                .unwrap();
        }
        for placed in &self.declared.workers {
            let which = self.which(&placed.worker);
            let options = self.options(&placed.worker);
            automa.add_worker(&placed.worker.key, self.actor(which), options).unwrap();
        }
        automa
    }

    /// The same within another one, in which it is changed before it runs.
    pub(crate) fn outer_automa(self: &Arc<Self>, callback: impl Callback) -> GraphAutoma {
        self.around(self.automa(callback))
    }

    /// An automa around `inner`, which is the automa of this stage.
    pub(crate) fn around(self: &Arc<Self>, inner: GraphAutoma) -> GraphAutoma {
        let mut automa = GraphAutoma::new("outer");
        let stage = Arc::clone(self);
        let change = move |given: Vec<Value>, cx: Context| {
            let nested = cx.nested("inner").unwrap();
            for change in &stage.changes {
                match change {
                    Ask::Ferry { .. } => {}
                    Ask::Add(worker) => {
                        let tool = stage.tools.get().unwrap()[stage.which(worker)].clone();
                        nested.add_worker(&worker.key, tool, stage.options(worker));
                    }
                    Ask::Remove(key) => nested.remove_worker(key),
                    Ask::AddDependency(worker, on) => nested.add_dependency(worker, on),
                    Ask::RemoveDependency(worker, on) => nested.remove_dependency(worker, on),
                }
            }
            given
        };
        automa.add_func_as_worker("change", change, start().merge().inline()).unwrap();
        let options = after(["change"]).unpack().output();
        automa.add_worker("inner", inner, options).unwrap();
        automa
    }

    fn options(&self, worker: &Worker) -> WorkerOptions {
        let turns = self.program.script.values().flatten();
        match turns.map(|turn| turn.n_failed_attempts).max().unwrap_or_default() {
            0 => options(worker),
            _ if worker.is_plain() => options(worker),
            most => options(worker).retry(Retry::times(most as usize)),
        }
    }

    /// The options that belong to a worker wherever it is placed.
    fn declared(&self, worker: &Worker) -> WorkerOptions {
        let alone = Worker {
            dependencies: Vec::new(),
            start: false,
            output: false,
            in_order: false,
            after_loops: false,
            after_nobody: false,
            ..worker.clone()
        };
        self.options(&alone)
    }

    fn which(&self, worker: &Worker) -> usize {
        self.workers.iter().position(|have| have == worker).unwrap()
    }

    fn speaking(self: &Arc<Self>, which: usize) -> Speaking {
        Speaking { stage: Arc::clone(self), which }
    }

    fn actor(self: &Arc<Self>, which: usize) -> AnyWorker {
        match self.workers[which].kind {
            _ if self.workers[which].is_plain() => Plain(Arc::new(self.speaking(which))).func(),
            Kind::Silent => AnyWorker::new(Silent(self.speaking(which))),
            _ => AnyWorker::new(self.speaking(which)),
        }
    }

    /// The same as a function, which is no type of its own, where it takes few values.
    fn tool(self: &Arc<Self>, which: usize) -> AnyWorker {
        let actor = Arc::new(self.speaking(which));
        match (self.workers[which].kind, self.workers[which].takes) {
            _ if self.workers[which].is_plain() => self.actor(which),
            (Kind::Async, Takes::Values(1)) => AnyWorker::func(move |a: Value, cx: Context| {
                let actor = Arc::clone(&actor);
                async move { actor.act(Args::new().with(a), &cx).await }
            }),
            (Kind::Async, Takes::Values(2)) => {
                AnyWorker::func(move |a: Value, b: Value, cx: Context| {
                    let actor = Arc::clone(&actor);
                    async move { actor.act(Args::new().with(a).with(b), &cx).await }
                })
            }
            _ => self.actor(which),
        }
    }

    /// Adds a worker in one of the ways that can be resolved again.
    fn add(self: &Arc<Self>, worker: &Worker, cx: &Context) {
        let which = self.which(worker);
        match worker.kind {
            _ if worker.is_plain() => {
                let tool = self.tools.get().unwrap()[which].clone();
                cx.add_worker(&worker.key, tool, self.options(worker));
            }
            Kind::Async => {
                let tool = self.tools.get().unwrap()[which].clone();
                cx.add_worker(&worker.key, tool, self.options(worker));
            }
            Kind::Inline => {
                let name = Key::from(format!("actor {which}"));
                let placed = Worker { takes: Takes::Anything, from: None, ..worker.clone() };
                cx.add_func_as_worker(&worker.key, name, self.options(&placed));
            }
            Kind::Own | Kind::Blocking | Kind::Silent => {
                cx.add_worker(&worker.key, self.actor(which), self.options(worker));
            }
        }
    }
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

    async fn act(&self, args: Args, cx: &Context) -> Result<Value, WorkerError> {
        let called = called_with(&args);
        self.enter(&called, cx);
        cx.local().update("runs", |runs: &mut u32| *runs += 1);
        let turn = self.stage.program.turn(cx.step(), cx.key().as_str(), &called);
        if cx.attempt() <= turn.n_failed_attempts {
            return Err(self.fail_once(&turn, &called, cx));
        }
        let (first, then) = turn.asks.split_at(turn.asks.len() / 2);
        first.iter().for_each(|ask| self.ask(ask, &called, cx));
        let kickoff = number(cx.kickoff_id());
        pause(Dice::new(kickoff).below(3)).await;
        while !self.stage.log.lock().unwrap().may_end(kickoff) {
            pause(1).await;
        }
        for question in 0..turn.n_questions {
            let asked = format!("{kickoff} {question}");
            let waits = self.stage.log.lock().unwrap().waits;
            let answer: Result<String, _> = match (kickoff + question as u64) % 3 {
                // Has passed, so that it comes as soon as the step has settled.
                0 if waits => cx.sleep_until(SystemTime::UNIX_EPOCH).map(|()| answer_to(&asked)),
                1 if waits => cx.signal(asked.clone()),
                _ => cx.interact_with_human(asked.clone()),
            };
            if answer.is_err() {
                self.stage.log.lock().unwrap().ended.push(kickoff);
            }
            assert_eq!(answer?, answer_to(&asked));
        }
        then.iter().for_each(|ask| self.ask(ask, &called, cx));
        if turn.stops {
            cx.stop();
        }
        self.stage.log.lock().unwrap().ended.push(kickoff);
        if turn.fails {
            return Err(WorkerError::msg("as the script says"));
        }
        Ok(match turn.output(cx.key().as_str(), &called) {
            Json::Number(number) => Value::new(number.as_i64().unwrap()),
            Json::Array(items) => Value::new(items),
            json => Value::from_json(json),
        })
    }

    /// Writes down how it was called.
    fn enter(&self, called: &Called, cx: &Context) {
        let program = &self.stage.program;
        let mut line = format!("{} ({}) {called}", cx.key(), cx.cause());
        if program.counts {
            let at = (number(cx.kickoff_id()), cx.step());
            let n_before = cx.local().update("kickoffs", |kickoffs: &mut Vec<(u64, u64)>| {
                if !kickoffs.contains(&at) {
                    kickoffs.push(at);
                    // Which of several kickoffs in a step comes first depends on time.
                    kickoffs.sort_unstable();
                }
                kickoffs.iter().filter(|(_, step)| *step < cx.step()).count()
            });
            line += &format!(" #{n_before}");
        }
        let mut log = self.stage.log.lock().unwrap();
        let earlier = log.kickoffs.insert((cx.step(), cx.kickoff_id()), line.clone());
        assert!(!log.kept.contains(&cx.kickoff_id()), "{line} runs again");
        match earlier {
            None if program.rolling.is_some() => {}
            None => _ = log.graphs.insert((cx.step(), view(&cx.automa()))),
            // Its peers may have changed the graph since.
            Some(earlier) => {
                assert_eq!(earlier, line, "a kickoff has a number of its own");
                log.n_again += 1;
            }
        }
    }

    /// An attempt that fails asks for what would be seen, or would fail the run.
    fn fail_once(&self, turn: &Turn, called: &Called, cx: &Context) -> WorkerError {
        turn.asks.iter().for_each(|ask| self.ask(ask, called, cx));
        cx.ferry_to("nowhere", ());
        cx.remove_worker(cx.key().clone());
        cx.stop();
        WorkerError::msg("an attempt that fails")
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

impl Plain {
    fn func(self) -> AnyWorker {
        let Speaking { stage, which } = &*self.0;
        let worker = &stage.workers[*which];
        let is_async = worker.kind == Kind::Async;
        match worker.takes.parameters() {
            Some(0) if is_async => AnyWorker::func(move || self.clone().act([])),
            Some(1) if is_async => AnyWorker::func(move |a: Value| self.clone().act([a])),
            Some(2) if is_async => {
                AnyWorker::func(move |a: Value, b: Value| self.clone().act([a, b]))
            }
            Some(3) if is_async => {
                AnyWorker::func(move |a: Value, b: Value, c: Value| self.clone().act([a, b, c]))
            }
            Some(0) => AnyWorker::func(move || self.act_now(&[])),
            Some(1) => AnyWorker::func(move |a: Value| self.act_now(&[a])),
            Some(2) => AnyWorker::func(move |a: Value, b: Value| self.act_now(&[a, b])),
            Some(3) => {
                AnyWorker::func(move |a: Value, b: Value, c: Value| self.act_now(&[a, b, c]))
            }
            other => panic!("a plain worker of {other:?} values"),
        }
    }

    async fn act<const N: usize>(self, values: [Value; N]) -> Value {
        let output = self.act_now(&values);
        // As workers yield that really wait.
        for _ in 0..output.get::<i64>().unwrap() % 3 {
            tokio::task::yield_now().await;
        }
        output
    }

    fn act_now(&self, values: &[Value]) -> Value {
        let Speaking { stage, which } = &*self.0;
        let key = &stage.workers[*which].key;
        let by_position = values.iter().map(json).collect();
        let called = Called { by_position, by_name: Vec::new() };
        let mut log = stage.log.lock().unwrap();
        *log.plain.entry(plain_line(key, &called)).or_default() += 1;
        let Json::Number(number) = Turn::default().output(key, &called) else {
            panic!("by default a worker gives a number")
        };
        Value::new(number.as_i64().unwrap())
    }
}

/// How a worker without a context was called.
pub(crate) fn plain_line(key: &str, called: &Called) -> String {
    format!("without a context: {key} {called}")
}

impl ddg_core::Worker for Speaking {
    type Output = Value;

    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<Value, WorkerError> {
        self.act(args, cx).await
    }
}

impl ddg_core::Worker for Silent {
    type Output = ();

    fn signature(&self) -> Signature {
        self.0.signature()
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<(), WorkerError> {
        self.0.act(args, cx).await.map(drop)
    }
}

/// The answer to a question.
pub(crate) fn answer_to(question: &str) -> String {
    format!("yes, {question}")
}

pub(crate) fn number(kickoff: KickoffId) -> u64 {
    serde_json::to_value(kickoff).unwrap().as_u64().unwrap()
}

impl Log {
    /// Maximum number of polls in a run that follows the plan.
    const CHOICES: usize = 4000;

    /// A log that sees to it that `groups` settle, one after the other.
    pub(crate) fn of_groups(groups: Vec<Group>) -> Self {
        Self { groups, ..Self::default() }
    }

    /// Whether a kickoff may end now.
    fn may_end(&self, kickoff: u64) -> bool {
        let groups = self.groups.iter().take(self.next_group + 1);
        self.next_group >= self.groups.len()
            || self.n_choices > Self::CHOICES
            || groups.into_iter().any(|group| group.kickoffs.contains(&kickoff))
    }

    /// Chooses the next kickoff to poll; `None` if the ended ones are to settle first.
    pub(crate) fn choose(&mut self, ready: &[Kickoff], dice: &mut Dice) -> Option<usize> {
        self.n_choices += 1;
        // Everybody begins before anybody ends, so that all that the reference kicks off is seen.
        let is_new =
            |kickoff: &Kickoff| !self.kickoffs.contains_key(&(kickoff.step(), kickoff.id()));
        if let Some(new) = ready.iter().position(is_new) {
            return Some(new);
        }
        while let Some(group) = self.groups.get(self.next_group)
            && group.kickoffs.iter().all(|kickoff| self.ended.contains(kickoff))
        {
            self.next_group += 1;
            // If nothing else was running, it has settled by itself.
            if !group.is_all {
                return None;
            }
        }
        Some(dice.below(ready.len()))
    }

    /// What was to settle together, and the order in which kickoffs ended.
    pub(crate) fn order(&self) -> String {
        format!("{:?}\nended: {:?}", self.groups, self.ended)
    }

    /// The report of the runs that have written to this log. The last of them has `ended`.
    pub(crate) fn report(self, ended: Result<Outcome, RunError>) -> Report {
        let graphs = self.graphs.into_iter().map(|(step, seen)| ((step, None), seen));
        let kickoffs = self.kickoffs.into_iter().map(|((step, id), seen)| ((step, Some(id)), seen));
        let mut trace: Vec<_> = graphs.chain(kickoffs).collect();
        trace.sort_by_key(|(at, _)| *at);
        let trace = trace.into_iter().map(|((step, _), seen)| format!("step {step}: {seen}"));
        let plain = self.plain.into_iter().map(|(line, n)| format!("{line}, {n} times"));
        let trace = trace.chain(plain);
        Report { trace: trace.collect(), end: end(ended) }
    }
}
