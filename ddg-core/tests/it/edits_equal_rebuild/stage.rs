//! Real automata for the graphs, with editors that make the changes, and the arguments of workers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use ddg_core::run::KickoffId;

use super::wish::is_editor;
use crate::reference::engine::{called_with, options};
use crate::reference::{Ask, Graph, Worker, digest};

/// Makes real automata of graphs and remembers what their workers are called with.
#[derive(Clone, Default)]
pub(super) struct Stage {
    /// What the editors ask for, by step and editor.
    changes: Arc<Vec<Vec<Vec<Ask>>>>,
    kickoffs: Arc<Mutex<BTreeMap<KickoffId, (u64, String)>>>,
}

/// In its n-th step an editor asks for its n-th list of changes; the first editor ferries to all
/// of them until no changes are left, then to `root`.
struct Editor(Stage, usize);

/// A worker that gives a number in which its arguments show, or one for each successor.
struct Plain(Stage, bool);

impl Stage {
    pub(super) fn new(changes: Vec<Vec<Vec<Ask>>>) -> Self {
        Self { changes: Arc::new(changes), ..Self::default() }
    }

    fn worker(&self, worker: &Worker) -> AnyWorker {
        match worker.key.strip_prefix("editor") {
            Some(place) => AnyWorker::new(Editor(self.clone(), place.parse().unwrap())),
            None => AnyWorker::new(Plain(self.clone(), worker.in_order)),
        }
    }

    pub(super) fn declare(&self, graph: &Graph) -> GraphAutoma {
        let mut automa = GraphAutoma::new("growing");
        // Only a cycle that was let in takes that many.
        automa.set_max_steps(200);
        for placed in &graph.workers {
            let worker = &placed.worker;
            automa.add_worker(&worker.key, self.worker(worker), options(worker)).unwrap();
        }
        automa
    }

    /// Runs `automa` from the `first` change on. Gives each kickoff after the last change, with its
    /// step counted from there, and the last output of every worker.
    pub(super) async fn run(&self, automa: &GraphAutoma, first: usize) -> Result<Ended, RunError> {
        let outcome = automa.run((first,)).await?;
        let kickoffs = std::mem::take(&mut *self.kickoffs.lock().unwrap());
        let began = kickoffs.values().next().map_or(0, |(step, _)| *step);
        let kickoffs =
            kickoffs.into_values().map(|(step, line)| format!("{}: {line}", step - began));
        let output = |key: &ddg_core::Key| {
            let output = outcome.automa().output(key.as_str());
            (!is_editor(key.as_str())).then(|| format!("{key} gave {output:?}"))
        };
        let outputs = outcome.automa().keys().iter().filter_map(output).collect();
        Ok(Ended { kickoffs: kickoffs.collect(), outputs, outcome })
    }
}

pub(super) struct Ended {
    pub(super) kickoffs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) outcome: Outcome,
}

impl ddg_core::Worker for Editor {
    type Output = ();

    async fn run(&self, args: Args, cx: &Context) -> Result<(), WorkerError> {
        let Self(stage, place) = self;
        let turn: usize = args.get(0)?;
        let changes = stage.changes.get(turn);
        for ask in changes.and_then(|changes| changes.get(*place)).into_iter().flatten() {
            match ask {
                Ask::Ferry { .. } => unreachable!("no change"),
                Ask::Add(worker) => {
                    cx.add_worker(&worker.key, stage.worker(worker), options(worker));
                }
                Ask::Remove(key) => cx.remove_worker(key),
                Ask::AddDependency(worker, on) => cx.add_dependency(worker, on),
                Ask::RemoveDependency(worker, on) => cx.remove_dependency(worker, on),
            }
        }
        if *place == 0 {
            match changes {
                None => cx.ferry_to("root", (7,)),
                Some(changes) => {
                    let all = 0..changes.len().max(1);
                    all.for_each(|editor| cx.ferry_to(format!("editor{editor}"), (turn + 1,)));
                }
            }
        }
        Ok(())
    }
}

impl ddg_core::Worker for Plain {
    type Output = Value;

    async fn run(&self, args: Args, cx: &Context) -> Result<Value, WorkerError> {
        let Self(stage, in_order) = self;
        let called = called_with(&args);
        let line = format!("{} ({}) {called}", cx.key(), cx.cause());
        stage.kickoffs.lock().unwrap().insert(cx.kickoff_id(), (cx.step(), line));
        let number = digest(cx.key().as_str(), &called);
        if !in_order {
            return Ok(Value::new(number));
        }
        let automa = cx.automa();
        let keys = automa.keys();
        let depends = |key: &&ddg_core::Key| {
            automa.dependencies(key.as_str()).is_some_and(|on| on.contains(cx.key()))
        };
        let n_successors = keys.iter().filter(depends).count() as i64;
        Ok(Value::new((0..n_successors).map(|place| number + place).collect::<Vec<_>>()))
    }
}
