//! What one kickoff of a step has given, at rest: its output, and what it asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::asks::{Asks, Copied};
use super::kickoff::{Ended, Job};
use super::{Ferry, RunCore, Target};
use crate::args::Args;
use crate::context::Context;
use crate::graph::SavedEdit;
use crate::key::Key;
use crate::snapshot::{SnapshotError, Version, json_of};
use crate::values::Value;

/// The result of a kickoff that has ended well in a step that has not settled.
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
    /// Whether it asked the run to stop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stop: bool,
    /// The worker's local space, if that has changed in the step.
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
    /// That of a kickoff of `worker`.
    ///
    /// # Errors
    /// A value has no JSON form, or a worker that it adds cannot be found again.
    pub(super) fn of(
        core: &RunCore,
        worker: &Key,
        output: &Value,
        asks: &Asks,
    ) -> Result<Self, SnapshotError> {
        let at_rest = |value: &_, what| at_rest(core, worker, value, what);
        let Copied { ferries, edits, stop } = asks.copy();
        let ferry = |Ferry { to, args }: Ferry| {
            let value = |value: &_| at_rest(value, "an argument of a ferry");
            Ok(SavedFerry { to: to.key(&core.topology).clone(), args: args.try_map(value)? })
        };
        let machine = core.machine();
        let edit = |edit| machine.view().save_edit(edit);
        Ok(Self {
            version: Version,
            worker: worker.clone(),
            output: at_rest(output, "its output")?,
            ferries: ferries.into_iter().map(ferry).collect::<Result<_, SnapshotError>>()?,
            edits: edits.iter().map(edit).collect::<Result<_, _>>()?,
            stop,
            local: None,
        })
    }

    /// The worker's local space is now this.
    ///
    /// # Errors
    /// A value has no JSON form.
    pub(super) fn set_local(
        &mut self,
        core: &RunCore,
        local: BTreeMap<String, Value>,
    ) -> Result<(), SnapshotError> {
        let value =
            |(name, value)| Ok((name, at_rest(core, &self.worker, &value, "its local space")?));
        self.local = Some(local.into_iter().map(value).collect::<Result<_, SnapshotError>>()?);
        Ok(())
    }

    /// Whose it is.
    pub(super) fn worker(&self) -> &Key {
        &self.worker
    }

    /// Lets `job` end as it has ended already.
    ///
    /// # Errors
    /// What it asked for cannot be asked for here.
    pub(super) fn into_ended(self, core: &Arc<RunCore>, job: Job) -> Result<Ended, SnapshotError> {
        let Job { kickoff, args, again } = job;
        let (id, worker) = (kickoff.id, kickoff.worker);
        let cx = Context::new(Arc::clone(core), kickoff, &args, again);
        for SavedFerry { to, args } in self.ferries {
            _ = cx.asks().put_ferry(Ferry { to: Target::of(&core.topology, to), args });
        }
        for edit in self.edits {
            let edit = core.machine().view().restore_edit(edit)?;
            _ = cx.asks().put_edit(edit);
        }
        if self.stop {
            cx.stop();
        }
        if let Some(values) = self.local {
            cx.local().replace(values);
        }
        Ok(Ended { id, worker, end: Ok((self.output, Asks::of(cx))) })
    }
}

/// The JSON that `value` is at rest.
fn at_rest(
    core: &RunCore,
    worker: &Key,
    value: &Value,
    what: &'static str,
) -> Result<Value, SnapshotError> {
    json_of(value).map(Value::from_json).map_err(|source| {
        let (automa, worker) = (core.automa().to_string(), worker.clone());
        SnapshotError::NotSerializable { automa, worker, what, source }
    })
}
