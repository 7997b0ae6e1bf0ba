//! The saved state of a run between two steps, by key.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::fingerprint::Fingerprint;
use super::graph::{Grown, Scope};
use super::{AllProgress, KickoffPath, Progress, SavedResult, SnapshotError};
use crate::args::Args;
use crate::automa::Declarations;
use crate::graph::{Node, View, WorkerId};
use crate::key::Key;
use crate::local::{KeptSpaces, Locals, Spaces};
use crate::machine::{
    Awaited, Cause, Interrupted, KickoffId, Machine, Mail, PausedRun, Pending, Signal, State,
    Touched,
};
use crate::path::WorkerPath;
use crate::values::{NotSerializable, Value, levels};
use crate::worker::Body;

/// Maximum depth of a run's state that can be read again within a snapshot.
const MOST_LEVELS: usize = 120;

/// All that a run has to remember between two steps, by key: what the graph declares is not in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    pub(super) automa: String,
    pub(super) step: u64,
    pub(super) next_kickoff: u64,
    /// The fingerprint of the declaration; `None` if every declaration is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) declared: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Grown::is_empty")]
    pub(super) graph: Grown,
    pub(super) inputs: Vec<(Cow<'static, str>, Value)>,
    pub(super) due: Vec<SavedDue>,
    /// The satisfied dependencies of each waiting worker.
    pub(super) crossed: BTreeMap<Key, Vec<Key>>,
    pub(super) outputs: BTreeMap<Key, Value>,
    /// The outputs of removed workers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) departed: BTreeMap<Key, Value>,
    /// Elements of scattered lists, by successor and by the worker that scattered them.
    pub(super) dealt: BTreeMap<Key, BTreeMap<Key, Value>>,
    pub(super) locals: Spaces,
    /// The local spaces that nested automata keep from one kickoff to the next, by worker.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) kept: BTreeMap<Key, KeptSpaces>,
    pub(super) output_worker: Option<Key>,
    pub(super) result: Value,
    /// The executions that wait for answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) interrupted: Vec<Interrupted<Key, Saved>>,
    /// The results of interrupted executions that were answered, in kickoff order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) answered: Vec<SavedAnswered>,
    /// The workers of the held step that have ended, in order, and have not satisfied their
    /// successors yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) held: Vec<Key>,
    /// The workers that were added in the held step to follow nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) after_nobody: Vec<Key>,
    /// The kickoffs of the held step that gave the current outputs of their workers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) latest: BTreeMap<Key, u64>,
    /// The signals that have reached the run.
    #[serde(default, skip_serializing_if = "Mail::is_empty")]
    pub(super) mail: Mail,
    /// The executions that were running when this state was reached, by kickoff.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) running: BTreeMap<u64, Interrupted<Key, Saved>>,
    /// What the kickoffs that were running, or that begin next, have reached since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) progress: AllProgress,
    /// Whether the run was asked to stop. Written of nested automata, which do not continue then.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) stopping: bool,
    /// Number of earlier states beyond one for each step.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) extra: u64,
    /// Number of steps that were taken with those of the runs inside, if these are limited.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) total_steps: u64,
    /// The workers that the maps by worker are about, if the others are as they were in the state
    /// before. Such a state [follows](Self::follow) that one, and is never written by itself.
    #[serde(skip)]
    pub(super) only: Option<BTreeSet<Key>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedDue {
    pub(super) worker: Key,
    pub(super) cause: Cause,
    pub(super) args: Option<Args>,
}

/// An execution that was answered and has ended, while others of its step wait for answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedAnswered {
    pub(super) kickoff: u64,
    pub(super) result: SavedResult,
}

impl Saved {
    /// The state of a run between two steps. It shares the values; whether they all serialise is
    /// not checked. With `touched`, the maps by worker are about these workers only.
    ///
    /// # Errors
    /// If an added worker cannot be resolved again.
    pub(crate) fn of(
        names: Declarations<'_>,
        machine: &Machine<Arc<Body>>,
        locals: &Locals,
        touched: Option<&Touched>,
    ) -> Result<Self, SnapshotError> {
        let program = names.program;
        let state = machine.state();
        let view = &state.view;
        let key = |worker: WorkerId| view.node(worker).key().clone();
        let due = state.ready.iter().map(|ready| SavedDue {
            worker: key(ready.worker),
            cause: ready.cause.clone(),
            args: ready.args.cloned(),
        });
        let interrupted = state
            .interrupted
            .iter()
            .map(|interrupted| interrupted.clone().with_worker(key(interrupted.worker)));
        let answered = state.answered.iter().map(|ended| {
            let result = SavedResult::of_answered(names, view, &key(ended.worker), ended)?;
            Ok(SavedAnswered { kickoff: ended.id.0, result })
        });
        let ids: BTreeSet<_> = match touched {
            None => (0..view.n_slots()).map(WorkerId::new).collect(),
            Some(touched) => {
                let ready = state.ready.iter().map(|ready| ready.worker);
                let running = machine.running().map(|(_, worker)| worker);
                touched.workers().chain(ready).chain(running).collect()
            }
        };
        let nodes = || ids.iter().filter_map(|id| Some((*id, view.get(*id)?)));
        let only: Option<BTreeSet<Key>> = touched.map(|touched| {
            nodes().map(|(_, node)| node.key()).chain(touched.removed()).cloned().collect()
        });
        let output = |(id, node): (WorkerId, &Node<Arc<Body>>)| {
            Some((node.key().clone(), state.outputs.get(id)?.clone()))
        };
        let local = |(id, node): (WorkerId, &Node<Arc<Body>>)| {
            let values = locals.get(id)?.values();
            (!values.is_empty()).then(|| (node.key().clone(), values))
        };
        let has_departed = |key: &Key| view.find(key.as_str()).is_none();
        let departed = match &only {
            None => {
                let all = state.departed.iter().filter(|(key, _)| has_departed(key));
                all.map(|(key, output)| (key.clone(), output.clone())).collect()
            }
            Some(only) => {
                let some = only.iter().filter(|key| has_departed(key));
                some.filter_map(|key| Some((key.clone(), state.departed.get(key)?.clone())))
                    .collect()
            }
        };
        let dealt = |(id, node): (WorkerId, &Node<Arc<Body>>)| {
            let dealt = state.dealt.dealt_to(id).map(|(by, value)| (key(by), value.clone()));
            let dealt: BTreeMap<_, _> = dealt.collect();
            (!dealt.is_empty()).then(|| (node.key().clone(), dealt))
        };
        let held = machine.is_paused();
        let latest = state.held.latest().filter(|_| held);
        let kept = locals.kept_by_nested();
        let mut saved = Self {
            automa: program.automa().to_string(),
            step: state.step,
            next_kickoff: state.next_kickoff,
            declared: None,
            graph: view.grown(&Scope::top(names))?,
            inputs: state.inputs.to_vec(),
            due: due.collect(),
            crossed: crossed(state, &ids, held),
            outputs: nodes().filter_map(output).collect(),
            departed,
            dealt: nodes().filter_map(dealt).collect(),
            locals: nodes().filter_map(local).collect(),
            kept: kept
                .filter_map(|(id, kept)| Some((view.get(id)?.key().clone(), kept.clone())))
                .collect(),
            output_worker: state.output_worker.clone(),
            result: state.result.clone(),
            interrupted: interrupted.collect(),
            answered: answered.collect::<Result<_, SnapshotError>>()?,
            held: state.held.workers().iter().map(|worker| key(*worker)).collect(),
            after_nobody: state.held.after_nobody().iter().map(|worker| key(*worker)).collect(),
            latest: latest.map(|(id, kickoff)| (key(id), kickoff.0)).collect(),
            mail: state.mail.clone(),
            running: BTreeMap::new(),
            progress: AllProgress::new(),
            stopping: false,
            extra: 0,
            total_steps: 0,
            only,
        };
        if let Some(under_way) = &state.under_way {
            for running in &under_way.running {
                let running = running.clone().with_worker(key(running.worker));
                saved.running.insert(running.kickoff, running);
            }
            for (id, ended) in &under_way.ended {
                let result = SavedResult::of_answered(names, view, &key(ended.worker), ended)?;
                let path = KickoffPath::default().to(*id);
                saved.progress.insert(path, Progress::Ended(Box::new(result)));
            }
            for (id, run) in &under_way.inner {
                if let Some(worker) = saved.worker_of(*id).cloned() {
                    saved.put_inner(*id, worker, run.clone());
                }
            }
        }
        saved.declared = match touched {
            None => Some(program.fingerprint(saved.reached().into_iter())),
            Some(_) => program.marked(saved.reached().into_iter()),
        };
        Ok(saved)
    }
}

/// Whether both local spaces have the same values, as far as that can be told without serialising
/// them.
pub(crate) fn is_same_space(
    one: &BTreeMap<String, Value>,
    other: &BTreeMap<String, Value>,
) -> bool {
    let is_same = |((name, value), (other_name, other)): ((&String, &Value), (&String, &Value))| {
        name == other_name && value.is_same(other)
    };
    one.len() == other.len() && one.iter().zip(other).all(is_same)
}

/// The satisfied dependencies of each of the workers `ids`. A ready worker waits for all of its
/// dependencies again, so its own are left out unless the step is held, when they may still matter.
fn crossed(
    state: &State<Arc<Body>>,
    ids: &BTreeSet<WorkerId>,
    held: bool,
) -> BTreeMap<Key, Vec<Key>> {
    let view: &View<Arc<Body>> = &state.view;
    let ready: BTreeSet<_> =
        state.ready.iter().filter(|_| !held).map(|ready| ready.worker).collect();
    let crossed = |(id, node): (WorkerId, &Node<Arc<Body>>)| {
        let keys: Vec<_> = node
            .live_dependencies()
            .filter(|(place, _)| state.waits.is_crossed(id, *place))
            .map(|(_, on)| view.node(on).key().clone())
            .collect();
        (!keys.is_empty()).then(|| (node.key().clone(), keys))
    };
    let ids = ids.iter().filter(|id| !ready.contains(id));
    ids.filter_map(|id| crossed((*id, view.get(*id)?))).collect()
}

impl Saved {
    pub(crate) fn automa(&self) -> &str {
        &self.automa
    }

    pub(crate) fn step(&self) -> u64 {
        self.step
    }

    /// The number of the state in its journal: the step, if each step had one state.
    pub(crate) fn number(&self) -> u64 {
        self.step + self.extra
    }

    pub(crate) fn set_number(&mut self, number: u64) {
        self.extra = number.saturating_sub(self.step);
    }

    /// The number of steps taken so far, with those of the runs inside as far as they were counted.
    pub(crate) fn total_steps(&self) -> u64 {
        self.total_steps.max(self.step)
    }

    pub(crate) fn set_total_steps(&mut self, steps: u64) {
        self.total_steps = steps;
    }

    /// Marks that the run was asked to stop.
    pub(crate) fn set_stopping(&mut self, stopping: bool) {
        self.stopping = stopping;
    }

    /// Sets the executions that are running.
    pub(crate) fn set_running(&mut self, running: BTreeMap<u64, Interrupted<Key, Self>>) {
        self.running = running;
    }

    /// Whether the local space of a worker has the same values.
    pub(crate) fn has_local(&self, worker: &Key, values: &BTreeMap<String, Value>) -> bool {
        let empty = BTreeMap::new();
        is_same_space(self.local(worker).unwrap_or(&empty), values)
    }

    /// Whether kickoff `id` was running.
    pub(crate) fn is_running(&self, id: KickoffId) -> bool {
        self.running.contains_key(&id.0)
    }

    /// What the kickoffs have reached since.
    pub(crate) fn progress(&self) -> &AllProgress {
        &self.progress
    }

    /// What the kickoffs have reached since, mutable.
    pub(crate) fn progress_mut(&mut self) -> &mut AllProgress {
        &mut self.progress
    }

    /// Sets the local space of a worker, and what it keeps as a nested automa.
    pub(crate) fn set_local(
        &mut self,
        worker: &Key,
        values: BTreeMap<String, Value>,
        kept: Option<KeptSpaces>,
    ) {
        self.locals.remove(worker);
        self.kept.remove(worker);
        if !values.is_empty() {
            self.locals.insert(worker.clone(), values);
        }
        if let Some(kept) = kept {
            self.kept.insert(worker.clone(), kept);
        }
    }

    /// The last output of each worker.
    pub(crate) fn input(&self, name: &str) -> Option<&Value> {
        crate::args::find(&self.inputs, name)
    }

    /// The last outputs, by worker.
    pub(crate) fn outputs(&self) -> &BTreeMap<Key, Value> {
        &self.outputs
    }

    /// The last output of each worker, mutable.
    pub(crate) fn outputs_mut(&mut self) -> &mut BTreeMap<Key, Value> {
        &mut self.outputs
    }

    /// The local space of a worker, if it has one.
    pub(crate) fn local(&self, worker: &Key) -> Option<&BTreeMap<String, Value>> {
        self.locals.get(worker)
    }

    /// The executions that wait for answers.
    pub(crate) fn interrupted(&self) -> &[Interrupted<Key, Self>] {
        &self.interrupted
    }

    /// The executions that wait for answers, mutable.
    pub(crate) fn interrupted_mut(&mut self) -> &mut [Interrupted<Key, Self>] {
        &mut self.interrupted
    }

    /// What its interrupted workers wait for.
    pub(crate) fn awaits(&self) -> Awaited {
        let mut awaited = Awaited::default();
        PausedRun::awaited(self, &mut awaited);
        awaited
    }

    /// The number of the last signal that was taken from the store.
    pub(crate) fn seen(&self) -> u64 {
        self.mail.seen
    }

    /// Adds a signal that reaches the run when it is resumed.
    pub(crate) fn receive(&mut self, name: String, value: Value) {
        self.mail.queue.push(Signal { name, value });
    }

    /// The workers that the state is about.
    pub(super) fn reached(&self) -> BTreeSet<&Key> {
        let due = self.due.iter().map(|due| &due.worker);
        due.chain(self.interrupted.iter().map(|interrupted| &interrupted.worker))
            .chain(self.running.values().map(|running| &running.worker))
            .chain(self.crossed.keys())
            .chain(self.crossed.values().flatten())
            .chain(self.outputs.keys())
            .chain(self.graph.declared())
            .collect()
    }

    /// Serialises the state as JSON.
    pub(crate) fn to_json(&self) -> Result<Json, SnapshotError> {
        serde_json::to_value(self).or_else(|_| {
            self.check_json()?;
            Err(SnapshotError::NotFollowing { step: self.step, source: None })
        })
    }

    pub(crate) fn from_json(json: Json) -> Result<Self, serde_json::Error> {
        serde_json::from_value(json)
    }

    /// Finds a value that cannot be serialised, to name it.
    pub(crate) fn check_json(&self) -> Result<(), SnapshotError> {
        self.check_next()?;
        let outputs = self.outputs.iter().chain(&self.departed);
        let outputs = outputs.map(|(key, value)| (key, "its output", value));
        let locals = self.locals.iter().flat_map(|(key, values)| {
            values.values().map(move |value| (key, "its local space", value))
        });
        let dealt = self.dealt.iter().flat_map(|(key, values)| {
            values.values().map(move |value| (key, "an element it is dealt", value))
        });
        for (key, what, value) in outputs.chain(locals).chain(dealt) {
            value.written().map_err(|source| self.not_writable(key, what, source))?;
        }
        let inputs = self.inputs.iter().map(|(_, value)| value);
        for value in inputs.chain([&self.result]) {
            let key = Key::from(self.automa.as_str());
            value
                .written()
                .map_err(|source| self.not_writable(&key, "an input or result", source))?;
        }
        for progress in self.progress.values() {
            match progress {
                Progress::Inner { run, .. } => run.check_json()?,
                Progress::Ended(result) => result.check_json(&self.automa)?,
            }
        }
        Ok(())
    }

    /// Checks that the nested states of paused automata can be read again.
    fn check_levels(&self) -> Result<(), SnapshotError> {
        let inner = |interrupted: &&Interrupted<Key, Self>| {
            let is_run = |one: &Pending<Self>| !matches!(one, Pending::Question { .. });
            interrupted.pending.each().iter().any(is_run)
        };
        let Some(interrupted) = self.interrupted.iter().find(inner) else { return Ok(()) };
        match serde_json::to_value(self) {
            Ok(json) if levels(&json) > MOST_LEVELS => Err(SnapshotError::TooDeep {
                automa: self.automa.clone(),
                worker: WorkerPath::new(None, interrupted.worker.clone()),
                what: "with the automata that are paused in it, its state",
                levels: MOST_LEVELS,
            }),
            // Values that cannot be serialised are found by checking each one.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The same among what runs next.
    pub(super) fn check_next(&self) -> Result<(), SnapshotError> {
        self.check_levels()?;
        let due = self.due.iter().flat_map(|due| {
            let args = due.args.iter();
            let values = args.flat_map(|args| {
                args.positional.iter().chain(args.named_slice().iter().map(|(_, value)| value))
            });
            values.map(|value| (&due.worker, "an argument it is to be called with", value))
        });
        self.check_signals()?;
        let begun = self.interrupted.iter().chain(self.running.values());
        let interrupted = begun.flat_map(|interrupted| {
            let values = interrupted.args.positional.iter().chain(&interrupted.answers);
            values.map(|value| (&interrupted.worker, "an argument it is to run again with", value))
        });
        for (key, what, value) in due.chain(interrupted) {
            value.written().map_err(|source| self.not_writable(key, what, source))?;
        }
        Ok(())
    }

    /// The same among signals.
    fn check_signals(&self) -> Result<(), SnapshotError> {
        let automa = Key::from(self.automa.as_str());
        let received = self.interrupted.iter().flat_map(|interrupted| {
            let received = interrupted.pending.each().iter().filter_map(|one| match one {
                Pending::Signal { received, .. } => received.as_ref(),
                _ => None,
            });
            received.map(|value| (&interrupted.worker, value))
        });
        let waiting = self.mail.queue.iter().map(|signal| (&automa, &signal.value));
        for (key, value) in received.chain(waiting) {
            value.written().map_err(|source| self.not_writable(key, "a signal", source))?;
        }
        Ok(())
    }

    fn not_writable(
        &self,
        worker: &Key,
        what: &'static str,
        source: NotSerializable,
    ) -> SnapshotError {
        let (automa, worker) = (self.automa.clone(), worker.clone());
        SnapshotError::NotSerializable { automa, worker, what, source }
    }
}
