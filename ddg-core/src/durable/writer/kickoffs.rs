//! The kickoffs of one worker in a step, which share its local space.

use std::sync::Arc;

use crate::engine::RunCore;
use crate::graph::WorkerId;
use crate::key::Key;
use crate::machine::{ExecutionEnd, KickoffId};
use crate::saved::{SavedResult, SnapshotError};
use crate::worker::Body;

/// The kickoffs of one worker since the last state was written.
///
/// Their results are written one by one as long as none of them changes the local space. If one
/// does, it is unknown which kickoff made which change, so the results are held until all kickoffs
/// have ended, and are written together with the local space at that time.
pub(super) struct Kickoffs {
    worker: WorkerId,
    key: Key,
    n_running: usize,
    /// Whether there are kickoffs whose results cannot be written. They will repeat their changes
    /// of the local space.
    mixed: bool,
    held: Vec<(KickoffId, SavedResult)>,
}

impl Kickoffs {
    /// The kickoffs of the worker `key`.
    pub(super) fn of(worker: WorkerId, key: Key) -> Self {
        Self { worker, key, n_running: 0, mixed: false, held: Vec::new() }
    }

    /// Counts a kickoff that has begun.
    pub(super) fn begun(&mut self) {
        self.n_running += 1;
    }

    /// Records a kickoff whose result will not be written.
    pub(super) fn mix(&mut self) {
        self.mixed = true;
    }

    /// Processes the end of a kickoff, and adds to `queue` the results that can be written now.
    pub(super) fn ended(
        &mut self,
        core: &RunCore,
        id: KickoffId,
        end: &ExecutionEnd<Arc<Body>>,
        queue: &mut Vec<(KickoffId, SavedResult)>,
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
            // A nested automa that keeps its local spaces leaves them to the run when it continues
            // from its last state.
            Ok(_) if core.spaces(self.worker).1.is_some() => {}
            Ok((output, effects)) => {
                let result = core.save_result(&self.key, output, effects)?;
                self.held.push((id, result));
            }
            // A kickoff without a result runs again, and may have changed the local space already.
            Err(_) => self.mixed = true,
        }
        Ok(())
    }

    fn hand_out(
        &mut self,
        core: &RunCore,
        queue: &mut Vec<(KickoffId, SavedResult)>,
    ) -> Result<(), SnapshotError> {
        let Some(states) = &core.states else { return Ok(()) };
        let local = core.find_local(self.worker).map(|local| local.values());
        if let Some(local) = local.filter(|local| !states.has_local(&self.key, local)) {
            if self.mixed || self.n_running > 0 {
                return Ok(());
            }
            if let Some((_, last)) = self.held.last_mut() {
                last.set_local(&core.program, local)?;
            }
        }
        queue.append(&mut self.held);
        Ok(())
    }
}
