//! The machine's state at rest.

mod changes;
mod migrate;
mod restore;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Machine;
use crate::args::Args;
use crate::graph::{Fingerprint, Grown, Node, Scope, WorkerId};
use crate::key::Key;
use crate::run::Interrupted;
use crate::run::kickoff::Cause;
use crate::snapshot::{SnapshotError, json_of};
use crate::values::{NotSerializable, Value};

/// All that a run has to remember between two steps, by key: what the graph declares is not in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    automa: String,
    step: u64,
    next_kickoff: u64,
    /// What the declaration looked like; `None` where that does not matter any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Grown::is_empty")]
    graph: Grown,
    inputs: Vec<(Cow<'static, str>, Value)>,
    due: Vec<SavedDue>,
    /// The dependencies that each waiting worker has crossed off.
    crossed: BTreeMap<Key, Vec<Key>>,
    outputs: BTreeMap<Key, Value>,
    /// Elements that are dealt out: by successor, by dealer.
    dealt: BTreeMap<Key, BTreeMap<Key, Value>>,
    locals: BTreeMap<Key, BTreeMap<String, Value>>,
    output_worker: Option<Key>,
    result: Value,
    /// What waits for answers of people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    interrupted: Vec<Interrupted<Key>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedDue {
    worker: Key,
    cause: Cause,
    args: Option<Args>,
}

impl Machine {
    /// The state between two steps, of which every value is known to have a JSON form.
    ///
    /// # Errors
    /// A worker that was added cannot be found again, or a value has no JSON form.
    pub(crate) fn save(&self) -> Result<Saved, SnapshotError> {
        let saved = self.state()?;
        saved.check_json()?;
        Ok(saved)
    }

    /// The state between two steps, sharing its values, of which nothing is known.
    ///
    /// # Errors
    /// A worker that was added cannot be found again.
    pub(crate) fn state(&self) -> Result<Saved, SnapshotError> {
        let view = &self.view;
        let key = |worker: WorkerId| view.node(worker).key().clone();
        let due = self.due.iter().map(|due| SavedDue {
            worker: key(due.worker),
            cause: due.cause.clone(),
            args: due.args.clone(),
        });
        let interrupted = self
            .interrupted
            .iter()
            .map(|interrupted| interrupted.clone().with_worker(key(interrupted.worker)));
        let ids = (0..view.n_slots()).map(WorkerId::new);
        let outputs =
            ids.filter_map(|id| Some((view.get(id)?.key().clone(), self.outputs.get(id)?.clone())));
        let mut dealt: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for ((to, by), value) in &self.dealt {
            dealt.entry(key(*to)).or_default().insert(key(*by), value.clone());
        }
        let locals = self.locals.iter().map(|(key, local)| (key.clone(), local.values()));
        let locals = locals.filter(|(_, values)| !values.is_empty());
        let mut saved = Saved {
            automa: self.automa(),
            step: self.step,
            next_kickoff: self.next_kickoff,
            declared: None,
            graph: view.grown(&Scope::top(view.base()))?,
            inputs: self.inputs.to_vec(),
            due: due.collect(),
            crossed: self.crossed(),
            outputs: outputs.collect(),
            dealt,
            locals: locals.collect(),
            output_worker: self.output_worker.clone(),
            result: self.result.clone(),
            interrupted: interrupted.collect(),
        };
        saved.declared = Some(view.base().fingerprint(saved.reached().into_iter()));
        Ok(saved)
    }

    fn crossed(&self) -> BTreeMap<Key, Vec<Key>> {
        let crossed = |(id, node): (WorkerId, &Node)| {
            let keys: Vec<_> = node
                .live_dependencies()
                .filter(|(place, _)| self.waits.is_crossed(id, *place))
                .map(|(_, on)| self.view.node(on).key().clone())
                .collect();
            (!keys.is_empty()).then(|| (node.key().clone(), keys))
        };
        let ids = (0..self.view.n_slots()).map(WorkerId::new);
        ids.filter_map(|id| crossed((id, self.view.get(id)?))).collect()
    }
}

impl Saved {
    pub(crate) fn automa(&self) -> &str {
        &self.automa
    }

    pub(crate) fn step(&self) -> u64 {
        self.step
    }

    /// The last output of each worker.
    pub(crate) fn outputs(&self) -> &BTreeMap<Key, Value> {
        &self.outputs
    }

    /// The same, to be changed.
    pub(crate) fn outputs_mut(&mut self) -> &mut BTreeMap<Key, Value> {
        &mut self.outputs
    }

    /// The local space of a worker, if it has one.
    pub(crate) fn local(&self, worker: &Key) -> Option<&BTreeMap<String, Value>> {
        self.locals.get(worker)
    }

    /// What waits for answers of people.
    pub(crate) fn interrupted(&self) -> &[Interrupted<Key>] {
        &self.interrupted
    }

    /// The same, to be answered.
    pub(crate) fn interrupted_mut(&mut self) -> &mut [Interrupted<Key>] {
        &mut self.interrupted
    }

    /// The workers that the state is about.
    fn reached(&self) -> BTreeSet<&Key> {
        let due = self.due.iter().map(|due| &due.worker);
        due.chain(self.interrupted.iter().map(|interrupted| &interrupted.worker))
            .chain(self.crossed.keys())
            .chain(self.crossed.values().flatten())
            .chain(self.outputs.keys())
            .chain(self.graph.declared())
            .collect()
    }

    /// As JSON, value for value.
    pub(crate) fn to_json(&self) -> Result<Json, SnapshotError> {
        serde_json::to_value(self).or_else(|_| {
            self.check_json()?;
            Err(SnapshotError::NotFollowing { step: self.step, source: None })
        })
    }

    pub(crate) fn from_json(json: Json) -> Result<Self, serde_json::Error> {
        serde_json::from_value(json)
    }

    /// Finds a value that cannot be written, to name it.
    pub(crate) fn check_json(&self) -> Result<(), SnapshotError> {
        self.check_next()?;
        let outputs = self.outputs.iter().map(|(key, value)| (key, "its output", value));
        let locals = self.locals.iter().flat_map(|(key, values)| {
            values.values().map(move |value| (key, "its local space", value))
        });
        let dealt = self.dealt.iter().flat_map(|(key, values)| {
            values.values().map(move |value| (key, "an element it is dealt", value))
        });
        for (key, what, value) in outputs.chain(locals).chain(dealt) {
            json_of(value).map_err(|source| self.not_writable(key, what, source))?;
        }
        let inputs = self.inputs.iter().map(|(_, value)| value);
        for value in inputs.chain([&self.result]) {
            let key = Key::from(self.automa.as_str());
            json_of(value)
                .map_err(|source| self.not_writable(&key, "an input or result", source))?;
        }
        Ok(())
    }

    /// The same among what runs next.
    fn check_next(&self) -> Result<(), SnapshotError> {
        let due = self.due.iter().flat_map(|due| {
            let args = due.args.iter();
            let values = args.flat_map(|args| {
                args.positional.iter().chain(args.named_slice().iter().map(|(_, value)| value))
            });
            values.map(|value| (&due.worker, "an argument it is to be called with", value))
        });
        let interrupted = self.interrupted.iter().flat_map(|interrupted| {
            let values = interrupted.args.positional.iter().chain(&interrupted.answers);
            values.map(|value| (&interrupted.worker, "an argument it is to run again with", value))
        });
        for (key, what, value) in due.chain(interrupted) {
            json_of(value).map_err(|source| self.not_writable(key, what, source))?;
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
