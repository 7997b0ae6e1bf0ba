//! One run, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value as Json;

use super::binding::{bound, mapped};
use super::{Ask, Called, Graph, Kind, Mapping, Program, joined};

/// What a run did and how it ended: two engines that follow the same rules give the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// For each step the graph as its workers saw it, and each kickoff in order.
    pub(crate) trace: Vec<String>,
    pub(crate) end: String,
}

/// The state of a run. Workers are told apart by their id.
pub(crate) struct Run {
    pub(crate) graph: Graph,
    pub(crate) steps: u64,
    pub(crate) due: Vec<Due>,
    /// Which dependencies of each worker have run since its last kickoff.
    crossed: BTreeMap<usize, BTreeSet<usize>>,
    outputs: BTreeMap<usize, Json>,
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
    /// With which arguments; `None` for what its dependencies give.
    args: Option<Called>,
}

/// A worker that has run in this step.
struct Ended {
    key: String,
    id: usize,
    /// `None` if it failed.
    output: Option<Json>,
    asks: Vec<Ask>,
}

impl Run {
    /// All start workers are due, in the order they were added.
    pub(crate) fn begin(program: &Program) -> Self {
        let args = Called { by_name: Vec::new(), ..program.input.clone() };
        let starts = program.graph.workers.iter().filter(|placed| placed.worker.start);
        let due = starts.map(|placed| Due {
            key: placed.worker.key.clone(),
            id: placed.id,
            cause: "start".to_owned(),
            args: Some(args.clone()),
        });
        Self {
            due: due.collect(),
            graph: program.graph.clone(),
            steps: 0,
            crossed: BTreeMap::new(),
            outputs: BTreeMap::new(),
            dealt: BTreeMap::new(),
            output_worker: None,
            result: Json::Null,
            trace: Vec::new(),
            failed: None,
        }
    }

    /// Takes the next step; false if there is none.
    pub(crate) fn step(&mut self, program: &Program) -> bool {
        if self.due.is_empty() || self.failed.is_some() {
            return false;
        }
        if self.steps == program.max_steps {
            let due = joined(self.due.iter().map(|due| &due.key));
            self.failed = Some(format!("{} steps, then due: {due}", self.steps));
            return false;
        }
        self.steps += 1;
        let ended = self.kick_off(program).and_then(|kickoffs| {
            let ended = kickoffs.into_iter().map(|(due, called)| self.act(program, due, &called));
            let ended: Vec<_> = ended.collect();
            self.settle(&ended)
        });
        if let Err(failures) = ended {
            self.failed = Some(failed(self.steps, &failures));
        }
        self.failed.is_none()
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

    /// Binds all that is due; if anything cannot be, nothing runs.
    fn kick_off(&mut self, program: &Program) -> Result<Vec<(Due, Called)>, Failures> {
        let mut kickoffs = Vec::new();
        let mut failures = Vec::new();
        for due in std::mem::take(&mut self.due) {
            match self.bind(program, &due) {
                Ok(called) => kickoffs.push((due, called)),
                Err(why) => failures.push((due.key, why)),
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let step = self.steps;
        self.trace.push(format!("step {step}: {}", self.graph));
        for (due, called) in &kickoffs {
            self.trace.push(format!("step {step}: {} ({}) {called}", due.key, due.cause));
        }
        Ok(kickoffs)
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
        let last_output = |key: &str| self.outputs.get(&self.graph.find(key)?.id).cloned();
        bound(worker, given, &program.input.by_name, last_output)
    }

    /// What the dependency `on` gives to a worker: its output, or one element of it.
    fn given(&self, worker: usize, on: &str) -> Json {
        let on = self.graph.find(on).unwrap();
        match on.worker.in_order && on.worker.kind != Kind::Silent {
            true => self.dealt[&(worker, on.id)].clone(),
            false => self.outputs[&on.id].clone(),
        }
    }

    fn act(&self, program: &Program, due: Due, called: &Called) -> Ended {
        let Due { key, id, .. } = due;
        let turn = program.turn(self.steps, &key, called);
        if turn.fails {
            return Ended { key, id, output: None, asks: Vec::new() };
        }
        let silent = self.graph.find(&key).unwrap().worker.kind == Kind::Silent;
        let output = if silent { Json::Null } else { turn.output(&key, called) };
        let asks = turn.asks.into_iter().map(|ask| match ask {
            Ask::Ferry { to, args } => Ask::Ferry { to, args: args.of_ferry(&key, called) },
            edit => edit,
        });
        Ended { asks: asks.collect(), key, id, output: Some(output) }
    }

    /// Edits, then results, then what is due next: ferries, then what waits for nothing more.
    fn settle(&mut self, ended: &[Ended]) -> Result<(), Failures> {
        let mut failures: Vec<(usize, String)> = Vec::new();
        for (place, worker) in ended.iter().enumerate() {
            if worker.output.is_none() {
                failures.push((place, "failed".to_owned()));
            }
        }
        self.edit(ended, &mut failures);
        let ready = self.take_results(ended, &mut failures);
        let mut due = Vec::new();
        for (place, by) in ended.iter().enumerate() {
            for ask in &by.asks {
                let Ask::Ferry { to, args } = ask else { continue };
                match self.graph.find(to) {
                    None => failures.push((place, format!("ferry to unknown {to}"))),
                    Some(target) => due.push(Due {
                        key: to.clone(),
                        id: target.id,
                        cause: format!("ferry by `{}`", by.key),
                        args: Some(args.clone()),
                    }),
                }
            }
        }
        if !failures.is_empty() {
            failures.sort_by_key(|(place, _)| *place);
            let named = |(place, why): (usize, String)| (ended[place].key.clone(), why);
            return Err(failures.into_iter().map(named).collect());
        }
        due.extend(ready.into_iter().map(|(key, id)| Due {
            key,
            id,
            cause: "dependencies".to_owned(),
            args: None,
        }));
        for due in &due {
            self.crossed.remove(&due.id);
        }
        self.due = due;
        Ok(())
    }

    fn edit(&mut self, ended: &[Ended], failures: &mut Vec<(usize, String)>) {
        let mut askers = Vec::new();
        let mut edits = Vec::new();
        for (place, worker) in ended.iter().enumerate() {
            for ask in worker.asks.iter().filter(|ask| !matches!(ask, Ask::Ferry { .. })) {
                askers.push(place);
                edits.push(ask.clone());
            }
        }
        match self.graph.edited(&edits) {
            Ok(graph) => self.follow(graph, &edits),
            Err((place, why)) => failures.push((askers[place], why)),
        }
    }

    /// Takes the edited graph over: what is not in it any more was never waited for.
    fn follow(&mut self, graph: Graph, edits: &[Ask]) {
        for edit in edits {
            if let Ask::RemoveDependency(worker, on) = edit
                && let (Some(worker), Some(on)) = (self.graph.find(worker), self.graph.find(on))
                && let Some(crossed) = self.crossed.get_mut(&worker.id)
            {
                crossed.remove(&on.id);
            }
        }
        self.graph = graph;
        let there: BTreeSet<_> = self.graph.workers.iter().map(|placed| placed.id).collect();
        self.crossed.retain(|worker, _| there.contains(worker));
        self.crossed.values_mut().for_each(|on| on.retain(|on| there.contains(on)));
        self.outputs.retain(|worker, _| there.contains(worker));
    }

    /// Keeps the outputs and crosses their workers off; gives what waits for nothing more.
    fn take_results(
        &mut self,
        ended: &[Ended],
        failures: &mut Vec<(usize, String)>,
    ) -> Vec<(String, usize)> {
        let mut ready = Vec::new();
        for (place, Ended { key, id, output, .. }) in ended.iter().enumerate() {
            let Some(output) = output else { continue };
            let Some(placed) = self.graph.find(key).filter(|placed| placed.id == *id) else {
                continue;
            };
            let successors = self.graph.successors(key);
            if placed.worker.in_order {
                match output {
                    Json::Array(list) if list.len() == successors.len() => {
                        for (successor, element) in successors.iter().zip(list) {
                            self.dealt.insert((successor.id, *id), element.clone());
                        }
                    }
                    _ => {
                        failures.push((place, format!("deals to {}", successors.len())));
                        continue;
                    }
                }
            }
            for successor in successors {
                let crossed = self.crossed.entry(successor.id).or_default();
                crossed.insert(*id);
                let waits_for_more = successor
                    .worker
                    .dependencies
                    .iter()
                    .any(|on| !crossed.contains(&self.graph.find(on).unwrap().id));
                let entry = (successor.worker.key.clone(), successor.id);
                if !waits_for_more && !ready.contains(&entry) {
                    ready.push(entry);
                }
            }
            if placed.worker.output {
                self.result = output.clone();
            }
            self.outputs.insert(*id, output.clone());
        }
        ready
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
                waiting.push(Waits { worker: placed.worker.key.clone(), missing });
            }
        }
        waiting
    }
}

/// Who failed, and why, in kickoff order.
type Failures = Vec<(String, String)>;

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
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing: Vec<_> = self.missing.iter().map(|key| format!("`{key}`")).collect();
        write!(f, "`{}` (for {})", self.worker, missing.join(", "))
    }
}
