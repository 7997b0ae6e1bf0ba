//! One run, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value as Json;

use super::binding::{bound, mapped, most_taken, of_run};
use super::graph::Placed;
use super::{Ask, Called, Graph, Kind, Mapping, Program, Turn, Worker, joined};

/// What a run did and how it ended: two engines that follow the same rules give the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// For each step the graph as its workers saw it, and each kickoff in order. At a rolling pace
    /// the graph is not told: workers of one step see it at different times.
    pub(crate) trace: Vec<String>,
    pub(crate) end: String,
}

/// A kickoff that has begun.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    pub(crate) step: u64,
    /// The graph of the step.
    pub(crate) graph: String,
    pub(crate) worker: Worker,
    pub(crate) cause: String,
    pub(crate) called: Called,
    /// How often its worker began in the steps before.
    pub(crate) n_before: usize,
    pub(crate) turn: Turn,
    pub(crate) end: End,
}

/// How a kickoff has ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Gave(Json),
    Failed,
    /// The run has failed while a question of it was open.
    Asked,
}

/// The kickoffs that end before one settling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) kickoffs: Vec<u64>,
    /// Whether nothing else is running then.
    pub(crate) is_all: bool,
}

/// The state of a run. Workers are told apart by their id.
pub(crate) struct Run {
    pub(crate) graph: Graph,
    pub(crate) steps: u64,
    pub(crate) due: Vec<Due>,
    /// What has begun and has not settled, in kickoff order.
    pub(crate) running: Vec<Running>,
    /// What has asked a question and waits for the answer, in kickoff order.
    interrupted: Vec<Running>,
    /// Whether the run was asked to stop, and has not.
    stopping: bool,
    /// The workers that have ended while a question or a stop holds the step back, in order. They
    /// satisfy their dependents when the step is no longer held back.
    held: Vec<usize>,
    /// The workers that were added to follow nobody, and have not become ready yet.
    after_nobody: Vec<usize>,
    /// The kickoff of each of these workers that gave its output.
    latest: BTreeMap<usize, u64>,
    n_kickoffs: u64,
    /// What has settled together. Kickoffs that ended after an answer are not in it: those settle
    /// all at once.
    pub(crate) groups: Vec<Group>,
    /// Every kickoff, in order.
    pub(crate) executions: Vec<Execution>,
    /// In which steps each worker has begun.
    begun: BTreeMap<usize, Vec<u64>>,
    /// Which dependencies of each worker have run since its last kickoff.
    crossed: BTreeMap<usize, BTreeSet<usize>>,
    outputs: BTreeMap<usize, Json>,
    /// The last outputs of workers that were removed, until somebody else is removed under their key.
    departed: BTreeMap<String, Json>,
    /// What a worker was dealt: by worker and dealer.
    dealt: BTreeMap<(usize, usize), Json>,
    output_worker: Option<String>,
    result: Json,
    trace: Vec<String>,
    failed: Option<String>,
}

/// A worker that is to run in the next step.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) key: String,
    id: usize,
    cause: String,
    /// With which arguments; `None` for what its dependencies give, or the run.
    args: Option<Called>,
}

/// A kickoff that has begun: what the worker will do is known from then on.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    kickoff: u64,
    key: String,
    id: usize,
    output: Json,
    pub(crate) turn: Turn,
}

impl Run {
    /// All start workers are ready, in the order in which they were added.
    pub(crate) fn begin(program: &Program) -> Self {
        let is_first = |placed: &&Placed| placed.worker.start || placed.worker.waits_for_nobody();
        let starts = program.graph.workers.iter().filter(is_first);
        let given = program.input.by_position.len();
        let taken = most_taken(program);
        let due = starts.map(|placed| Due {
            key: placed.worker.key.clone(),
            id: placed.id,
            cause: if placed.worker.start { "start" } else { "dependencies" }.to_owned(),
            args: None,
        });
        Self {
            due: due.collect(),
            graph: program.graph.clone(),
            steps: 0,
            running: Vec::new(),
            interrupted: Vec::new(),
            stopping: false,
            held: Vec::new(),
            after_nobody: Vec::new(),
            latest: BTreeMap::new(),
            n_kickoffs: 0,
            groups: Vec::new(),
            executions: Vec::new(),
            begun: BTreeMap::new(),
            crossed: BTreeMap::new(),
            outputs: BTreeMap::new(),
            departed: BTreeMap::new(),
            dealt: BTreeMap::new(),
            output_worker: None,
            result: Json::Null,
            trace: Vec::new(),
            failed: (given > taken).then(|| unused(given, taken)),
        }
    }

    /// Whether a question or a stop lets nothing begin.
    pub(crate) fn is_held(&self) -> bool {
        self.stopping || !self.interrupted.is_empty()
    }

    /// Begins the ready workers unless the step is held back, and settles the next that end.
    /// Returns false if there is nothing to do.
    pub(crate) fn step(&mut self, program: &Program) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let stepped = self.try_step(program);
        if let Err(failures) = &stepped {
            self.failed = Some(failed(self.steps, failures));
        }
        stepped == Ok(true) && self.failed.is_none()
    }

    fn try_step(&mut self, program: &Program) -> Result<bool, Failures> {
        if !self.due.is_empty() && !self.is_held() {
            if self.steps == program.max_steps {
                let due = joined(self.due.iter().map(|due| &due.key));
                self.failed = Some(format!("{} steps, then due: {due}", self.steps));
                return Ok(false);
            }
            self.steps += 1;
            self.kick_off(program)?;
        }
        if self.running.is_empty() {
            return Ok(false);
        }
        let ended = self.group(program);
        self.settle(ended, false)?;
        if self.running.is_empty() {
            // Stopped, saved and resumed; or all questions are answered, in whatever order.
            self.stopping = false;
            if !self.interrupted.is_empty() {
                let answered = std::mem::take(&mut self.interrupted);
                let answered = answered.into_iter().map(Running::answered).collect();
                self.settle(answered, true)?;
                self.stopping = false;
            }
        }
        if !self.is_held() {
            let failures = self.release();
            self.latest.clear();
            if !failures.is_empty() {
                return Err(failures);
            }
            if self.running.is_empty() && self.due.is_empty() {
                self.end_loops();
            }
        }
        Ok(true)
    }

    pub(crate) fn report(self) -> Report {
        let end = self.failed.clone().unwrap_or_else(|| {
            format!(
                "output {} after {} steps\ngraph: {}\nwaiting: {}",
                self.result,
                self.steps,
                self.graph,
                joined(self.waiting())
            )
        });
        Report { trace: self.trace, end }
    }

    /// Binds the arguments of all ready workers. If any binding fails, nothing runs.
    fn kick_off(&mut self, program: &Program) -> Result<(), Failures> {
        let mut kickoffs = Vec::new();
        let mut failures = Vec::new();
        for due in std::mem::take(&mut self.due) {
            self.crossed.remove(&due.id);
            match self.bind(program, &due) {
                Ok(called) => kickoffs.push((due, called)),
                Err(why) => failures.push((due.key, why)),
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let step = self.steps;
        if program.rolling.is_none() {
            self.trace.push(format!("step {step}: {}", self.graph));
        }
        for (due, called) in kickoffs {
            let begun = self.begun.entry(due.id).or_default();
            let n_before = begun.iter().filter(|before| **before < step).count();
            begun.push(step);
            let count = if program.counts { format!(" #{n_before}") } else { String::new() };
            self.trace.push(format!("step {step}: {} ({}) {called}{count}", due.key, due.cause));
            let worker = self.graph.find(&due.key).unwrap().worker.clone();
            let cause = due.cause.clone();
            let running = self.act(program, due, &called);
            self.executions.push(Execution {
                step,
                graph: self.graph.to_string(),
                worker,
                cause,
                called,
                n_before,
                turn: running.turn.clone(),
                end: End::Asked,
            });
            self.running.push(running);
        }
        Ok(())
    }

    fn bind(&mut self, program: &Program, due: &Due) -> Result<Called, String> {
        let worker = &self.graph.find(&due.key).unwrap().worker;
        if worker.output {
            match &self.output_worker {
                Some(first) if *first != due.key => return Err(format!("output after {first}")),
                _ => self.output_worker = Some(due.key.clone()),
            }
        }
        let given = match &due.args {
            Some(args) => args.clone(),
            None if due.cause == "start" => of_run(worker, program)?,
            None => {
                // A list has an element for each dependency, also for one that gives nothing.
                let gives = |on: &&String| {
                    worker.mapping == Mapping::Merge
                        || self.graph.find(on).unwrap().worker.kind != Kind::Silent
                };
                let on = worker.dependencies.iter().filter(gives);
                mapped(worker, on.map(|on| (on.clone(), self.given(due.id, on))).collect())?
            }
        };
        let last_output = |key: &str| match self.graph.find(key) {
            Some(placed) => self.outputs.get(&placed.id).cloned(),
            None => self.departed.get(key).cloned(),
        };
        let ferried = due.cause.starts_with("ferry");
        bound(worker, given, ferried, &program.input.by_name, last_output)
    }

    /// What the dependency `on` gives to a worker: its output, or one element of it.
    fn given(&self, worker: usize, on: &str) -> Json {
        let on = self.graph.find(on).unwrap();
        match on.worker.in_order && on.worker.kind != Kind::Silent {
            true => self.dealt[&(worker, on.id)].clone(),
            false => self.outputs[&on.id].clone(),
        }
    }

    fn act(&mut self, program: &Program, due: Due, called: &Called) -> Running {
        let Due { key, id, .. } = due;
        let worker = &self.graph.find(&key).unwrap().worker;
        let silent = worker.kind == Kind::Silent;
        let mut turn = match worker.is_plain() {
            true => Turn::default(),
            false => program.turn(self.steps, &key, called),
        };
        for ask in &mut turn.asks {
            if let Ask::Ferry { args, .. } = ask {
                *args = args.of_ferry(&key, called);
            }
        }
        let output = if silent { Json::Null } else { turn.output(&key, called) };
        self.n_kickoffs += 1;
        Running { kickoff: self.n_kickoffs - 1, key, id, output, turn }
    }

    /// Takes those that end next: in lockstep all that run, else some.
    fn group(&mut self, program: &Program) -> Vec<Running> {
        let mut group = std::mem::take(&mut self.running);
        if let Some(seed) = program.rolling {
            let at = seed ^ (self.groups.len() as u64) << 32;
            let chosen = |running: &Running| mixed(at ^ running.kickoff).is_multiple_of(2);
            let first = group[mixed(at) as usize % group.len()].kickoff;
            let (ends, runs_on) =
                group.into_iter().partition(|running| running.kickoff == first || chosen(running));
            (group, self.running) = (ends, runs_on);
        }
        let kickoffs = group.iter().map(|running| running.kickoff).collect();
        self.groups.push(Group { kickoffs, is_all: self.running.is_empty() });
        group
    }

    /// Edits, then ferries, then results: workers without open dependencies are ready after the
    /// ferries. Workers that were held back until the `answered` ones had ended come before all of
    /// these.
    fn settle(&mut self, ended: Vec<Running>, answered: bool) -> Result<(), Failures> {
        let mut failures: Vec<(usize, String)> = Vec::new();
        for (place, _) in ended.iter().enumerate().filter(|(_, worker)| worker.fails()) {
            failures.push((place, "failed".to_owned()));
        }
        for ended in ended.iter().filter(|ended| !ended.is_interrupted()) {
            self.executions[ended.kickoff as usize].end = match ended.turn.fails {
                true => End::Failed,
                false => End::Gave(ended.output.clone()),
            };
        }
        self.stopping |= ended.iter().any(|worker| worker.ended_well() && worker.turn.stops);
        let after_nobody = self.edit(&ended, &mut failures);
        let released = if answered { self.release() } else { Vec::new() };
        for (place, by) in ended.iter().enumerate() {
            for ask in by.asks() {
                let Ask::Ferry { to, args } = ask else { continue };
                match self.graph.find(to) {
                    None => failures.push((place, format!("ferry to unknown {to}"))),
                    Some(target) => self.due.push(Due {
                        key: to.clone(),
                        id: target.id,
                        cause: format!("ferry by `{}`", by.key),
                        args: Some(args.clone()),
                    }),
                }
            }
        }
        let hold = self.is_held() || ended.iter().any(Running::is_interrupted);
        self.after_nobody.extend(after_nobody);
        if !hold {
            self.begin_after_nobody();
        }
        self.take_results(&ended, hold, &mut failures);
        let keys: Vec<_> = ended.iter().map(|worker| worker.key.clone()).collect();
        let there = |worker: &Running| self.graph.workers.iter().any(|there| there.id == worker.id);
        let interrupted = ended.into_iter().filter(Running::is_interrupted).filter(there);
        self.interrupted.extend(interrupted);
        self.interrupted.sort_by_key(|interrupted| interrupted.kickoff);
        if failures.is_empty() && released.is_empty() {
            return Ok(());
        }
        failures.sort_by_key(|(place, _)| *place);
        let named = failures.into_iter().map(|(place, why)| (keys[place].clone(), why));
        Err(released.into_iter().chain(named).collect())
    }

    /// Gives the added workers that follow nobody.
    fn edit(&mut self, ended: &[Running], failures: &mut Vec<(usize, String)>) -> Vec<usize> {
        let mut askers = Vec::new();
        let mut edits = Vec::new();
        for (place, worker) in ended.iter().enumerate() {
            for ask in worker.asks().iter().filter(|ask| !matches!(ask, Ask::Ferry { .. })) {
                askers.push(place);
                edits.push(ask.clone());
            }
        }
        match self.graph.edited(&edits) {
            Ok(graph) => self.follow(graph, &edits),
            Err((place, why)) => {
                failures.push((askers[place], why));
                Vec::new()
            }
        }
    }

    /// Takes the edited graph over: what is not in it any more was never waited for.
    /// Gives the added workers that follow nobody.
    fn follow(&mut self, graph: Graph, edits: &[Ask]) -> Vec<usize> {
        let mut added = BTreeSet::new();
        for edit in edits {
            match edit {
                Ask::Add(worker) => _ = added.insert(&worker.key),
                Ask::Remove(key) => {
                    let old = self.graph.find(key).filter(|_| !added.remove(key));
                    match old.and_then(|old| self.outputs.get(&old.id)) {
                        Some(output) => _ = self.departed.insert(key.clone(), output.clone()),
                        None => _ = self.departed.remove(key),
                    }
                }
                _ => {}
            }
        }
        for edit in edits {
            if let Ask::RemoveDependency(worker, on) = edit
                && let (Some(worker), Some(on)) = (self.graph.find(worker), self.graph.find(on))
                && let Some(crossed) = self.crossed.get_mut(&worker.id)
            {
                crossed.remove(&on.id);
            }
        }
        let is_new = |placed: &&Placed| !self.graph.workers.iter().any(|old| old.id == placed.id);
        let joins = graph.workers.iter().filter(is_new).filter(|new| new.worker.after_nobody);
        let joins = joins.map(|new| new.id).collect();
        self.graph = graph;
        let there: BTreeSet<_> = self.graph.workers.iter().map(|placed| placed.id).collect();
        self.crossed.retain(|worker, _| there.contains(worker));
        self.crossed.values_mut().for_each(|on| on.retain(|on| there.contains(on)));
        self.outputs.retain(|worker, _| there.contains(worker));
        // A ready worker that is held back is dropped with its worker.
        self.due.retain(|due| there.contains(&due.id));
        self.held.retain(|worker| there.contains(worker));
        self.after_nobody.retain(|worker| there.contains(worker));
        self.latest.retain(|worker, _| there.contains(worker));
        self.interrupted.retain(|interrupted| there.contains(&interrupted.id));
        joins
    }

    /// Keeps the outputs and crosses their workers off, unless that is held back.
    fn take_results(&mut self, ended: &[Running], hold: bool, failures: &mut Vec<(usize, String)>) {
        for (place, worker) in ended.iter().enumerate().filter(|(_, worker)| worker.ended_well()) {
            let Running { kickoff, key, id, output, .. } = worker;
            let Some(placed) = self.graph.find(key).filter(|placed| placed.id == *id).cloned()
            else {
                continue;
            };
            let before = self.latest.get(id).copied().filter(|before| before > kickoff);
            if hold || !self.latest.is_empty() {
                self.latest.insert(*id, before.unwrap_or(*kickoff));
            }
            if let Err(why) = self.deal(&placed, output, before.is_none()) {
                failures.push((place, why));
                continue;
            }
            match hold {
                true => self.held.push(*id),
                false => self.cross_off(key, *id),
            }
            if before.is_none() {
                if placed.worker.output {
                    self.result = output.clone();
                }
                self.outputs.insert(*id, output.clone());
            }
        }
        if !hold {
            self.latest.clear();
        }
    }

    /// Deals the output of a worker out, if it is one that deals and its output `counts`.
    fn deal(&mut self, placed: &Placed, output: &Json, counts: bool) -> Result<(), String> {
        if !placed.worker.in_order {
            return Ok(());
        }
        let successors: Vec<_> =
            self.graph.successors(&placed.worker.key).iter().map(|placed| placed.id).collect();
        match output {
            Json::Array(list) if list.len() == successors.len() => {
                for (successor, element) in successors.iter().zip(list).filter(|_| counts) {
                    self.dealt.insert((*successor, placed.id), element.clone());
                }
                Ok(())
            }
            _ => Err(format!("deals to {}", successors.len())),
        }
    }

    /// Satisfies a dependency in all workers; those without an open dependency are then ready.
    fn cross_off(&mut self, key: &str, id: usize) {
        for successor in self.graph.successors(key) {
            let crossed = self.crossed.entry(successor.id).or_default();
            crossed.insert(id);
            let on = &successor.worker.dependencies;
            let waits_for_more =
                on.iter().any(|on| !crossed.contains(&self.graph.find(on).unwrap().id));
            let is_due = |due: &Due| due.id == successor.id && due.cause == "dependencies";
            let waits_for_loops = successor.worker.after_loops;
            if !waits_for_more && !waits_for_loops && !self.due.iter().any(is_due) {
                self.due.push(Due {
                    key: successor.worker.key.clone(),
                    id: successor.id,
                    cause: "dependencies".to_owned(),
                    args: None,
                });
            }
        }
    }

    /// The workers that were added to follow nobody are ready, unless they have somebody to follow
    /// by now.
    fn begin_after_nobody(&mut self) {
        for id in std::mem::take(&mut self.after_nobody) {
            let placed = self.graph.workers.iter().find(|placed| placed.id == id).unwrap();
            if placed.worker.waits_for_nobody() {
                self.due.push(Due {
                    key: placed.worker.key.clone(),
                    id,
                    cause: "dependencies".to_owned(),
                    args: None,
                });
            }
        }
    }

    /// Nothing is left to do but what waits for the end of loops: this is ready if all of its
    /// dependencies have ended and no other such worker comes before it.
    fn end_loops(&mut self) {
        let is_over = |placed: &&Placed| {
            let on = &placed.worker.dependencies;
            let ended = |on: &String| {
                let on = self.graph.find(on).unwrap().id;
                self.crossed.get(&placed.id).is_some_and(|crossed| crossed.contains(&on))
            };
            placed.worker.after_loops && !on.is_empty() && on.iter().all(ended)
        };
        let over: Vec<_> = self.graph.workers.iter().filter(is_over).collect();
        let is_next = |placed: &&&Placed| {
            let before = self.graph.all_before(&placed.worker.key);
            !over.iter().any(|other| before.contains(&other.worker.key))
        };
        let next = over.iter().filter(is_next).map(|placed| Due {
            key: placed.worker.key.clone(),
            id: placed.id,
            cause: "dependencies".to_owned(),
            args: None,
        });
        self.due = next.collect();
    }

    /// Crosses off those that were held back, in the graph as it is now.
    fn release(&mut self) -> Failures {
        let mut failures = Vec::new();
        self.begin_after_nobody();
        for id in std::mem::take(&mut self.held) {
            let placed = self.graph.workers.iter().find(|placed| placed.id == id).unwrap().clone();
            match self.deal(&placed, &self.outputs[&id].clone(), true) {
                Ok(()) => self.cross_off(&placed.worker.key, id),
                Err(why) => failures.push((placed.worker.key, why)),
            }
        }
        failures
    }

    /// The workers that never ran, or have seen some of their dependencies run since, with what
    /// they still wait for.
    fn waiting(&self) -> Vec<Waits> {
        let mut waiting = Vec::new();
        for placed in &self.graph.workers {
            let crossed = self.crossed.get(&placed.id).cloned().unwrap_or_default();
            let on = &placed.worker.dependencies;
            let missing = |on: &&String| !crossed.contains(&self.graph.find(on).unwrap().id);
            let missing: Vec<_> = on.iter().filter(missing).cloned().collect();
            let never_ran = !self.outputs.contains_key(&placed.id);
            if !missing.is_empty() && (never_ran || missing.len() < on.len()) {
                let again = !never_ran;
                waiting.push(Waits { worker: placed.worker.key.clone(), missing, again });
            }
        }
        waiting
    }
}

impl Running {
    /// Whether it has a question that nobody has answered.
    fn is_interrupted(&self) -> bool {
        self.turn.n_questions > 0
    }

    fn fails(&self) -> bool {
        !self.is_interrupted() && self.turn.fails
    }

    fn ended_well(&self) -> bool {
        !self.is_interrupted() && !self.turn.fails
    }

    /// What it asks for, as far as that counts.
    pub(crate) fn asks(&self) -> &[Ask] {
        if self.ended_well() { &self.turn.asks } else { &[] }
    }

    /// The same with answers to all of its questions.
    fn answered(self) -> Self {
        Self { turn: Turn { n_questions: 0, ..self.turn }, ..self }
    }
}

/// A number that looks like chance (the last part of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Who failed, and why, in kickoff order.
type Failures = Vec<(String, String)>;

/// How a run ends that has more positional arguments than its start workers take.
pub(crate) fn unused(given: usize, taken: usize) -> String {
    format!("failed: {given} given, {taken} taken")
}

/// How a run ends when a step has failed. In which order several failures of one worker come is
/// nobody's business.
pub(crate) fn failed(step: u64, failures: &[(String, String)]) -> String {
    let of_one = failures.chunk_by(|(one, _), (other, _)| one == other);
    let sorted = of_one.flat_map(|failures| {
        let mut sorted: Vec<_> =
            failures.iter().map(|(key, why)| format!("{key}: {why}")).collect();
        sorted.sort_unstable();
        sorted
    });
    format!("step {step} failed: {}", sorted.collect::<Vec<_>>().join("; "))
}

struct Waits {
    worker: String,
    missing: Vec<String>,
    again: bool,
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing: Vec<_> = self.missing.iter().map(|key| format!("`{key}`")).collect();
        let again = if self.again { "again " } else { "" };
        write!(f, "`{}` ({again}for {})", self.worker, missing.join(", "))
    }
}
