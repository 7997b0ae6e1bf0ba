//! What is written to a run's journal: states, results, and how the run stands.

use super::{Journal, failed, lock};
use crate::checkpoint::{Entry, Rest, RunStatus};
use crate::clock::from_ms;
use crate::durable::last::Last;
use crate::machine::KickoffId;
use crate::run::RunError;
use crate::saved::{KickoffPath, Saved, SavedResult, SnapshotError};

impl Journal {
    /// Writes the state that was [taken](Self::take) after a step that has settled. `is_idle` says
    /// whether nothing of the run is running.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(in crate::durable) async fn settled(&self, is_idle: bool) -> Result<(), RunError> {
        self.flush(&Rest::new(RunStatus::Running), is_idle).await
    }

    /// Writes what nested automata have reached. If that is not possible the run ends, and this
    /// waits for its end.
    pub(in crate::durable) async fn write_inside(&self) {
        if let Err(error) = self.flush_changes().await {
            *lock(&self.broken) = Some(error);
            self.is_broken.cancel();
            std::future::pending::<()>().await;
        }
    }

    pub(super) async fn flush_changes(&self) -> Result<(), RunError> {
        let turn = self.writing.lock().await;
        if self.last().as_ref().is_some_and(Last::has_changed) {
            self.write_changes(&Rest::new(RunStatus::Running), false).await?;
        }
        drop(turn);
        let leased = self.hold.leased();
        // The write may have taken so long that the lease has expired again.
        if leased.may_have_expired() { Ok(leased.regain().await?) } else { Ok(()) }
    }

    /// Writes a state as a whole, or as the delta since the last one.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(crate) async fn write(&self, saved: Saved, status: RunStatus) -> Result<(), RunError> {
        let rest = self.rest_of(&saved, status).await?;
        self.take(saved, false)?;
        self.flush(&rest, true).await
    }

    /// Takes a state that is written with the next [`flush`](Self::flush). `is_extra` says whether
    /// it is one of its own even if the step is that of the last one.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub(in crate::durable) fn take(
        &self,
        saved: Saved,
        is_extra: bool,
    ) -> Result<(), SnapshotError> {
        let mut last = self.last();
        match &mut *last {
            Some(last) => last.settle(saved, is_extra),
            none => {
                *none = Some(Last::new(saved)?);
                Ok(())
            }
        }
    }

    /// Writes what has changed, and the status of the run.
    pub(super) async fn flush(&self, rest: &Rest, is_idle: bool) -> Result<(), RunError> {
        let _turn = self.writing.lock().await;
        self.write_changes(rest, is_idle).await
    }

    /// Writes what has changed, in the caller's turn.
    pub(super) async fn write_changes(&self, rest: &Rest, is_idle: bool) -> Result<(), RunError> {
        let entry = match &mut *self.last() {
            Some(last) => last.entry()?,
            None => None,
        };
        self.put(rest, entry.as_slice(), is_idle).await?;
        if let (Some(entry), Some(last)) = (entry, &mut *self.last()) {
            last.is_written(entry.step);
        }
        Ok(())
    }

    /// Drops the results of a step that failed as a whole: its workers must run again.
    pub(super) async fn forget_results(&self, error: &RunError) -> Result<(), RunError> {
        if let Some(last) = &mut *self.last()
            && (self.wants_results() || !last.state().progress().is_empty())
        {
            last.again();
        }
        self.flush(&failed(error), true).await
    }

    /// How a run in this state stands: if it is paused, what it waits for.
    pub(super) async fn rest_of(&self, saved: &Saved, status: RunStatus) -> Result<Rest, RunError> {
        let rest = Rest::new(status);
        if status != RunStatus::Paused {
            return Ok(rest);
        }
        let awaited = saved.awaits();
        let wake_at = match awaited.wake_ms.map(from_ms) {
            // An answer was given, for example, and a worker can run again.
            _ if awaited.has_come => Some(self.now().await?),
            wake_at => wake_at,
        };
        let rest = rest.awaits(awaited.signals, saved.seen());
        Ok(Rest { wake_at, ..rest })
    }

    /// Writes the results of some workers of the current step.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(in crate::durable) async fn write_results(
        &self,
        results: Vec<(KickoffId, SavedResult)>,
    ) -> Result<(), RunError> {
        let _turn = self.writing.lock().await;
        let mut entries = Vec::new();
        let mut state = None;
        if let Some(last) = &mut *self.last() {
            if last.is_in_doubt() {
                entries.extend(last.entry()?);
                state = entries.first().map(|entry| entry.step);
            }
            let number = state.unwrap_or_else(|| last.number());
            for (id, result) in &results {
                let body = serde_json::to_vec(result).map_err(SnapshotError::from)?;
                entries.push(Entry::result(number, id.0, body));
            }
            last.ended(&KickoffPath::default(), results)?;
        }
        let leased = self.hold.leased();
        let put = || leased.store().put(leased.lease(), RunStatus::Running, &entries);
        leased.write(put).await?;
        if let (Some(number), Some(last)) = (state, &mut *self.last()) {
            last.is_written(number);
        }
        Ok(())
    }

    /// Writes the status of the run.
    pub(super) async fn mark(&self, status: RunStatus) -> Result<(), RunError> {
        self.put(&Rest::new(status), &[], true).await
    }

    /// Writes that somebody has cancelled the run.
    ///
    /// # Errors
    /// If the store fails, or somebody else has acquired the run.
    pub(crate) async fn cancel(&self) -> Result<(), RunError> {
        self.mark(RunStatus::Cancelled).await
    }

    /// Writes to the journal. `is_idle` says whether nothing of the run is running.
    pub(super) async fn put(
        &self,
        rest: &Rest,
        entries: &[Entry],
        is_idle: bool,
    ) -> Result<(), RunError> {
        let leased = self.hold.leased();
        let put = async {
            let (store, lease) = (leased.store(), leased.lease());
            let is_plain = *rest == Rest::new(rest.status);
            let put = || match is_plain {
                true => store.put(lease, rest.status, entries),
                false => store.rest(lease, rest, entries),
            };
            leased.write(put).await?;
            // The write may have taken so long that the lease has expired again.
            if leased.may_have_expired() { leased.regain().await } else { Ok(()) }
        };
        match is_idle {
            true => Ok(self.waiting_for(put).await?),
            false => Ok(put.await?),
        }
    }
}
