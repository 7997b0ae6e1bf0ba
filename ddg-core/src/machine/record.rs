//! Records of settled steps, for subscribers.

use super::{Ended, Hosts, Machine};
use crate::graph::{Edit, Node, WorkerId};
use crate::key::Key;
use crate::values::Value;

/// What happened in one settling, in order.
pub(crate) struct Record<P> {
    pub(crate) step: u64,
    /// The applied edits, each with the worker that asked for it.
    pub(crate) edits: Vec<(Key, Edit<P>)>,
    /// The ferries, as (from, to).
    pub(crate) ferries: Vec<(Key, Key)>,
    pub(crate) outputs: Vec<(Key, Value)>,
}

impl<P: Hosts> Machine<P> {
    /// Sets whether settlings are recorded from now on.
    pub(crate) fn set_recording(&mut self, recording: bool) {
        self.recording = recording;
    }

    /// Takes the record of the last settling, if it was recorded.
    pub(crate) fn take_record(&mut self) -> Option<Record<P>> {
        self.record.take().map(|record| *record)
    }

    /// The last output of every worker that has run, in the order of the workers.
    pub(crate) fn last_outputs(&self) -> Vec<(Key, Value)> {
        let output = |(id, node): (WorkerId, &Node<P>)| {
            Some((node.key().clone(), self.state.outputs.get(id)?.clone()))
        };
        self.state.view.workers().filter_map(output).collect()
    }

    pub(super) fn begin_record(&mut self) {
        if self.recording {
            let step = self.state.step;
            let (edits, ferries, outputs) = Default::default();
            self.record = Some(Box::new(Record { step, edits, ferries, outputs }));
        }
    }

    /// Records applied edits, each with the index in `ended` of the worker that asked for it.
    pub(super) fn record_edits(&mut self, ended: &[Ended<P>], edits: Vec<(usize, Edit<P>)>) {
        let by = |(place, edit): (usize, Edit<P>)| (self.key_of(ended[place].worker), edit);
        let edits = edits.into_iter().map(by).collect();
        if let Some(record) = &mut self.record {
            record.edits = edits;
        }
    }

    /// Records the outputs that are about to be taken, except those of removed workers.
    pub(super) fn record_outputs(&mut self, ended: &[Ended<P>]) {
        let Some(record) = &mut self.record else { return };
        let view = &self.state.view;
        let output = |ended: &Ended<P>| {
            let (output, _) = ended.end.as_ref().ok()?;
            Some((view.get(ended.worker)?.key().clone(), output.clone()))
        };
        record.outputs = ended.iter().filter_map(output).collect();
    }
}
