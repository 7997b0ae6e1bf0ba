//! The saved result of one kickoff: its output and its effects.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::graph::SavedEdit;
use super::{SnapshotError, Version};
use crate::args::Args;
use crate::automa::{Declarations, Program};
use crate::graph::{View, WorkerId};
use crate::key::Key;
use crate::machine::{Effects, Ended, Ferry, KickoffId, Target};
use crate::values::Value;
use crate::worker::Body;

/// The local space that a kickoff has left, by name.
type Locals = BTreeMap<String, Value>;

/// The result of a kickoff that has ended successfully in a step that has not settled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedResult {
    version: Version,
    worker: Key,
    output: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ferries: Vec<SavedFerry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edits: Vec<SavedEdit>,
    /// Whether the kickoff stopped the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stop: bool,
    /// The worker's local space, if it has changed in the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local: Option<BTreeMap<String, Value>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedFerry {
    to: Key,
    args: Args,
}

impl SavedResult {
    /// The result of a kickoff of `worker` in a run with the graph `view`.
    ///
    /// # Errors
    /// If a value has no JSON form, or an added worker cannot be resolved again.
    pub(crate) fn of(
        names: Declarations<'_>,
        view: &View<Arc<Body>>,
        worker: &Key,
        output: &Value,
        effects: &Effects<Arc<Body>>,
    ) -> Result<Self, SnapshotError> {
        let program = names.program;
        let serialised = |value: &_, what| serialised(program, worker, value, what);
        let ferry = |Ferry { to, args }: &Ferry| {
            let value = |value: &_| serialised(value, "an argument of a ferry");
            let to = to.key(&program.topology).clone();
            Ok(SavedFerry { to, args: args.clone().try_map(value)? })
        };
        let edit = |edit| view.save_edit(names, edit);
        Ok(Self {
            version: Version,
            worker: worker.clone(),
            output: serialised(output, "its output")?,
            ferries: effects.ferries().map(ferry).collect::<Result<_, SnapshotError>>()?,
            edits: effects.edits().iter().map(edit).collect::<Result<_, _>>()?,
            stop: effects.stops(),
            local: None,
        })
    }

    /// The result of an execution that was answered and has ended successfully.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(super) fn of_answered(
        names: Declarations<'_>,
        view: &View<Arc<Body>>,
        worker: &Key,
        ended: &Ended<Arc<Body>>,
    ) -> Result<Self, SnapshotError> {
        match &ended.end {
            Ok((output, effects)) => Self::of(names, view, worker, output, effects),
            Err(_) => Self::of(names, view, worker, &Value::null(), &Effects::default()),
        }
    }

    /// Adds the current local space of the worker.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub(crate) fn set_local(
        &mut self,
        program: &Program,
        local: BTreeMap<String, Value>,
    ) -> Result<(), SnapshotError> {
        let value = |(name, value)| {
            Ok((name, serialised(program, &self.worker, &value, "its local space")?))
        };
        self.local = Some(local.into_iter().map(value).collect::<Result<_, SnapshotError>>()?);
        Ok(())
    }

    /// Finds a value that cannot be serialised, to name it.
    pub(super) fn check_json(&self, automa: &str) -> Result<(), SnapshotError> {
        self.output.written().map(drop).map_err(|source| SnapshotError::NotSerializable {
            automa: automa.to_owned(),
            worker: self.worker.clone(),
            what: "its output",
            source,
        })
    }

    /// The worker.
    pub(crate) fn worker(&self) -> &Key {
        &self.worker
    }

    /// Renames the worker `old` to `new`.
    pub(super) fn rename(&mut self, old: &Key, new: &Key) {
        let ferried = self.ferries.iter_mut().map(|ferry| &mut ferry.to);
        for key in ferried.chain([&mut self.worker]).filter(|key| **key == *old) {
            *key = new.clone();
        }
    }

    /// Replays the result as the end of kickoff `id` of `worker`, with the local space if it had
    /// changed.
    ///
    /// # Errors
    /// If an effect is not possible here.
    pub(crate) fn into_ended(
        self,
        names: Declarations<'_>,
        view: &View<Arc<Body>>,
        id: KickoffId,
        worker: WorkerId,
    ) -> Result<(Ended<Arc<Body>>, Option<Locals>), SnapshotError> {
        let mut effects = Effects::default();
        for SavedFerry { to, args } in self.ferries {
            effects.push_ferry(Ferry { to: Target::of(&names.program.topology, to), args });
        }
        for edit in self.edits {
            effects.push_edit(view.restore_edit(names, edit)?);
        }
        if self.stop {
            effects.set_stop();
        }
        Ok((Ended { id, worker, end: Ok((self.output, effects)) }, self.local))
    }
}

/// The JSON form of `value`.
fn serialised(
    program: &Program,
    worker: &Key,
    value: &Value,
    what: &'static str,
) -> Result<Value, SnapshotError> {
    value.written().map(Value::from_json).map_err(|source| {
        let (automa, worker) = (program.automa().to_string(), worker.clone());
        SnapshotError::NotSerializable { automa, worker, what, source }
    })
}
