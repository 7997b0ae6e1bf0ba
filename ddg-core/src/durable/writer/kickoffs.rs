//! The kickoffs of one worker in a step: they share its local space.

use std::sync::Arc;

use crate::checkpoint::Entry;
use crate::engine::RunCore;
use crate::graph::WorkerId;
use crate::key::Key;
use crate::machine::{ExecutionEnd, KickoffId};
use crate::saved::{SavedResult, SnapshotError};
use crate::worker::Body;

/// The kickoffs of one worker since the last state was written.
///
/// Their results can be written one by one as long as none of them changes the local space. If one
/// does, nobody can tell whose change it is: the results are then held until all have ended, and
/// written together with the space as it is then.
pub(super) struct Kickoffs {
    worker: WorkerId,
    key: Key,
    n_running: usize,
    /// Whether there are some whose results cannot be written: changes of the local space that
    /// are theirs will be made again.
    mixed: bool,
    held: Vec<(KickoffId, SavedResult)>,
}

impl Kickoffs {
    /// Those of the worker `key`.
    pub(super) fn of(worker: WorkerId, key: Key) -> Self {
        Self { worker, key, n_running: 0, mixed: false, held: Vec::new() }
    }

    /// One more has begun.
    pub(super) fn begun(&mut self) {
        self.n_running += 1;
    }

    /// One more has begun whose result will not be written.
    pub(super) fn mix(&mut self) {
        self.mixed = true;
    }

    /// One of those that had begun has ended; puts what can be written now into `queue`.
    pub(super) fn ended(
        &mut self,
        core: &RunCore,
        id: KickoffId,
        end: &ExecutionEnd<Arc<Body>>,
        queue: &mut Vec<Entry>,
    ) {
        self.n_running -= 1;
        if let Err(error) = self.hold(core, id, end).and_then(|()| self.hand_out(core, queue)) {
            self.mixed = true;
            tracing::debug!(%error, "a result cannot be written: its worker would run again");
        }
    }

    fn hold(
        &mut self,
        core: &RunCore,
        id: KickoffId,
        end: &ExecutionEnd<Arc<Body>>,
    ) -> Result<(), SnapshotError> {
        match end {
            Ok((output, effects)) => {
                let machine = core.machine();
                let (program, view) = (&core.program, machine.view());
                let result = SavedResult::of(program, view, &self.key, output, effects)?;
                self.held.push((id, result));
            }
            Err(_) => self.mixed = true,
        }
        Ok(())
    }

    fn hand_out(&mut self, core: &RunCore, queue: &mut Vec<Entry>) -> Result<(), SnapshotError> {
        let Some(journal) = &core.journal else { return Ok(()) };
        let local = core.find_local(self.worker).map(|local| local.values());
        if let Some(local) = local.filter(|local| !journal.has_local(&self.key, local)) {
            if self.mixed || self.n_running > 0 {
                return Ok(());
            }
            if let Some((_, last)) = self.held.last_mut() {
                last.set_local(&core.program, local)?;
            }
        }
        for (id, result) in self.held.drain(..) {
            queue.push(Entry::result(journal.step(), id.0, serde_json::to_vec(&result)?));
        }
        Ok(())
    }
}
