//! What a step did when it settled, for those who watch.

use super::Machine;
use crate::event::{Change, ChangeKind, WorkerOutput};
use crate::graph::WorkerId;
use crate::key::Key;
use crate::run::RunError;
use crate::run::kickoff::Ended;

/// What came of one settling, each in the order in which it happened.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) step: u64,
    pub(crate) changes: Vec<Change>,
    /// By whom, to whom.
    pub(crate) ferries: Vec<(Key, Key)>,
    pub(crate) outputs: Vec<WorkerOutput>,
}

impl Machine {
    /// [Settles](Self::settle) and gives what came of it.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub(crate) fn settle_recorded(&mut self, ended: &mut Vec<Ended>) -> Result<Record, RunError> {
        self.record = Some(Box::new(Record { step: self.step, ..Record::default() }));
        let settled = self.settle(ended);
        let record = self.record.take().unwrap_or_default();
        settled.map(|()| *record)
    }

    /// The last outputs of all workers that have run, in the order of the workers.
    pub(crate) fn last_outputs(&self) -> Vec<WorkerOutput> {
        let output = |(id, node): (WorkerId, &crate::graph::Node)| {
            let output = self.outputs.get(id)?.clone();
            Some(WorkerOutput { worker: node.key().clone(), output })
        };
        self.view.workers().filter_map(output).collect()
    }

    /// Records changes that were made, each with the place among `ended` of who asked.
    pub(super) fn record_changes(&mut self, ended: &[Ended], changes: Vec<(usize, ChangeKind)>) {
        let by = |(place, what): (usize, ChangeKind)| {
            let by = self.key_of(ended[place].worker);
            Change { by, what }
        };
        let changes: Vec<_> = changes.into_iter().map(by).collect();
        if let Some(record) = &mut self.record {
            record.changes = changes;
        }
    }

    /// Records the outputs that are about to be taken: not those of removed workers.
    pub(super) fn record_outputs(&mut self, ended: &[Ended]) {
        let Some(record) = &mut self.record else { return };
        let output = |ended: &Ended| {
            let worker = self.view.get(ended.worker)?.key().clone();
            let (output, _) = ended.end.as_ref().ok()?;
            Some(WorkerOutput { worker, output: output.clone() })
        };
        record.outputs = ended.iter().filter_map(output).collect();
    }
}
