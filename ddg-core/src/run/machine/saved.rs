//! The machine's state at rest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Due, Machine};
use crate::args::Args;
use crate::context::LocalSpace;
use crate::graph::{View, WorkerId};
use crate::key::Key;
use crate::path::Path;
use crate::run::Interrupted;
use crate::run::kickoff::Cause;
use crate::snapshot::SnapshotError;
use crate::values::Value;

/// All that a run has to remember between two steps, by key: what the graph declares is not in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    automa: String,
    step: u64,
    next_kickoff: u64,
    inputs: Vec<(Cow<'static, str>, Value)>,
    due: Vec<SavedDue>,
    /// The dependencies that each waiting worker has crossed off.
    crossed: BTreeMap<Key, Vec<Key>>,
    outputs: BTreeMap<Key, Value>,
    /// Elements that are dealt out: by successor, by dealer.
    dealt: BTreeMap<Key, BTreeMap<Key, Value>>,
    locals: BTreeMap<Key, LocalSpace>,
    output_worker: Option<Key>,
    result: Value,
    /// What waits for answers of people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    interrupted: Vec<Interrupted<Key>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedDue {
    worker: Key,
    cause: Cause,
    args: Option<Args>,
}

impl Machine {
    /// The state between two steps, with every value written as JSON.
    ///
    /// # Errors
    /// The graph was changed, or a value has no JSON form.
    pub(crate) fn save(&self) -> Result<Saved, SnapshotError> {
        if let Some(key) = self.view.first_edit() {
            return Err(SnapshotError::Changed { automa: self.automa(), key });
        }
        let key = |worker: WorkerId| self.view.node(worker).key().clone();
        let saved = Saved {
            automa: self.automa(),
            step: self.step,
            next_kickoff: self.next_kickoff,
            inputs: self.inputs.to_vec(),
            due: self
                .due
                .iter()
                .map(|due| SavedDue {
                    worker: key(due.worker),
                    cause: due.cause.clone(),
                    args: due.args.clone(),
                })
                .collect(),
            crossed: self.crossed(),
            outputs: self
                .view
                .workers()
                .filter_map(|(id, node)| Some((node.key().clone(), self.outputs.get(id)?.clone())))
                .collect(),
            dealt: self.dealt.iter().fold(
                BTreeMap::new(),
                |mut dealt: BTreeMap<_, BTreeMap<_, _>>, ((to, by), value)| {
                    dealt.entry(key(*to)).or_default().insert(key(*by), value.clone());
                    dealt
                },
            ),
            locals: self.locals.iter().map(|(key, local)| (key.clone(), local.fork())).collect(),
            output_worker: self.output_worker.clone(),
            result: self.result.clone(),
            interrupted: self
                .interrupted
                .iter()
                .map(|interrupted| interrupted.clone().with_worker(key(interrupted.worker)))
                .collect(),
        };
        saved.check_json()?;
        Ok(saved)
    }

    /// Goes on from `saved` with the graph of `view`.
    ///
    /// # Errors
    /// The graph is another one than that of the saved run.
    pub(crate) fn restore(
        view: View,
        path: Option<Arc<Path>>,
        saved: Saved,
    ) -> Result<Self, SnapshotError> {
        let automa = view.base().automa.to_string();
        if automa != saved.automa {
            return Err(SnapshotError::OtherAutoma { automa, saved: saved.automa });
        }
        let find = |view: &View, key: &Key| {
            view.find(key.as_str()).ok_or_else(|| SnapshotError::UnknownWorker {
                automa: automa.clone(),
                key: key.clone(),
            })
        };
        let locals = saved.locals.into_iter().collect();
        let mut machine = Self::new(view, path, Args::new(), &saved.inputs, locals);
        machine.step = saved.step;
        machine.next_kickoff = saved.next_kickoff;
        machine.due.clear();
        for due in saved.due {
            let worker = find(&machine.view, &due.worker)?;
            machine.due.push(Due { worker, cause: due.cause, args: due.args });
        }
        for (worker, crossed) in saved.crossed {
            let id = find(&machine.view, &worker)?;
            for dependency in crossed {
                let on = find(&machine.view, &dependency)?;
                let node = machine.view.node(id);
                let place = node.live_dependencies().find(|(_, have)| *have == on);
                let Some((place, _)) = place else {
                    return Err(SnapshotError::UnknownDependency { automa, worker, dependency });
                };
                machine.waits.cross(id, place as u32);
            }
        }
        for (key, output) in saved.outputs {
            let id = find(&machine.view, &key)?;
            machine.outputs.set(id, output);
        }
        for (to, dealt) in saved.dealt {
            for (by, value) in dealt {
                let edge = (find(&machine.view, &to)?, find(&machine.view, &by)?);
                machine.dealt.insert(edge, value);
            }
        }
        for interrupted in saved.interrupted {
            let worker = find(&machine.view, &interrupted.worker)?;
            machine.interrupted.push(interrupted.with_worker(worker));
        }
        machine.output_worker = saved.output_worker;
        machine.result = saved.result;
        Ok(machine)
    }

    fn crossed(&self) -> BTreeMap<Key, Vec<Key>> {
        let crossed = |(id, node): (WorkerId, &crate::graph::Node)| {
            let keys: Vec<_> = node
                .live_dependencies()
                .filter(|(place, _)| self.waits.is_crossed(id, *place))
                .map(|(_, on)| self.view.node(on).key().clone())
                .collect();
            (!keys.is_empty()).then(|| (node.key().clone(), keys))
        };
        self.view.workers().filter_map(crossed).collect()
    }
}

impl Saved {
    /// The last step that has settled.
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

    pub(crate) fn interrupted(&self) -> &[Interrupted<Key>] {
        &self.interrupted
    }

    pub(crate) fn interrupted_mut(&mut self) -> &mut [Interrupted<Key>] {
        &mut self.interrupted
    }

    /// Finds the value that cannot be written, to name it.
    fn check_json(&self) -> Result<(), SnapshotError> {
        let outputs = self.outputs.iter().map(|(key, value)| (key, "its output", value));
        let interrupted = self.interrupted.iter().flat_map(|interrupted| {
            let args = interrupted.args.positional.iter().chain(&interrupted.answers);
            args.map(|value| (&interrupted.worker, "an argument it is to run again with", value))
        });
        let due = self.due.iter().flat_map(|due| {
            let args = due.args.iter();
            let values = args.flat_map(|args| {
                args.positional.iter().chain(args.named_slice().iter().map(|(_, value)| value))
            });
            values.map(|value| (&due.worker, "an argument it was ferried", value))
        });
        for (key, what, value) in outputs.chain(due).chain(interrupted) {
            value.to_json().map_err(|source| SnapshotError::NotSerializable {
                automa: self.automa.clone(),
                worker: key.clone(),
                what,
                source,
            })?;
        }
        for (key, local) in &self.locals {
            local.check_json().map_err(|source| SnapshotError::NotSerializable {
                automa: self.automa.clone(),
                worker: key.clone(),
                what: "its local space",
                source,
            })?;
        }
        Ok(())
    }
}
