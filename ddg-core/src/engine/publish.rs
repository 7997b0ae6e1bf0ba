//! Publishes the events of a step.

use super::{Ended, Job, RunCore};
use crate::event::{Change, ChangeKind, EventKind, ScheduledKickoff, WorkerOutput};
use crate::key::Key;
use crate::machine::Record;
use crate::values::Value;

/// Publishes the start of a step, also if all of its executions have `ended` before.
pub(super) fn step_started(core: &RunCore, jobs: &[Job], ended: &[Ended]) {
    if jobs.is_empty() && ended.is_empty() {
        return;
    }
    let step = core.machine().steps();
    let kickoffs = jobs.iter().map(|job| ScheduledKickoff {
        worker: core.body(job).role.key.clone(),
        kickoff: job.id,
        cause: job.cause.clone(),
    });
    core.emit(step, EventKind::StepStarted { kickoffs: kickoffs.collect() });
}

/// Publishes the events of a settled step.
pub(super) fn step_settled(core: &RunCore) {
    let Some(record) = core.machine().take_record() else { return };
    let Record { step, edits, ferries, outputs } = record;
    if !edits.is_empty() {
        let change = |(by, edit)| Change { by, what: ChangeKind::of(&edit) };
        core.emit(
            step,
            EventKind::GraphChanged { changes: edits.into_iter().map(change).collect() },
        );
    }
    for (by, to) in ferries {
        core.emit(step, EventKind::Ferried { by, to });
    }
    let output = |(worker, output): (Key, Value)| WorkerOutput { worker, output };
    core.emit(step, EventKind::StepSettled { outputs: outputs.into_iter().map(output).collect() });
    if core.feed().wants_values() {
        let outputs = core.machine().last_outputs().into_iter().map(output).collect();
        core.emit(step, EventKind::Values { outputs });
    }
}
