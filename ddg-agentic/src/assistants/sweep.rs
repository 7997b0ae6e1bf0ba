//! The background of assistants: takes up runs, ends late ones, deletes old ones.

use std::sync::Arc;
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, RunId, StoreError};

use super::AssistantsError;
use super::builder::Inner;
use super::drive;
use super::object::RunStatus;
use super::store::Due;

/// How many sweeps pass before ended runs are looked for again.
const RETAIN_EVERY: u32 = 40;

/// How long the journal of a run that has ended may take to end before it is left undeleted.
const LEFT_WITHIN: Duration = Duration::from_secs(2);

/// Begins to sweep in the background, until the assistants are closed.
pub(super) fn begin(inner: &Arc<Inner>) {
    let sweeping = Arc::downgrade(inner);
    let (closing, poll) = (inner.closing.clone(), inner.settings.poll);
    inner.tasks.spawn(async move {
        let mut n = 0_u32;
        loop {
            // Assistants that nobody holds any more have nothing to sweep.
            let Some(inner) = sweeping.upgrade() else { return };
            let swept = match n % RETAIN_EVERY {
                0 => sweep(&inner).await,
                _ => take_up(&inner).await,
            };
            if let Err(error) = swept {
                tracing::error!(%error, "the store of assistants could not be swept");
            }
            drop(inner);
            n = n.wrapping_add(1);
            tokio::select! {
                () = closing.cancelled() => return,
                () = tokio::time::sleep(poll) => {}
            }
        }
    });
}

/// Takes up runs, and deletes those that are not kept.
pub(super) async fn sweep(inner: &Arc<Inner>) -> Result<(), AssistantsError> {
    take_up(inner).await?;
    let retain = inner.settings.retain.map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    let before = retain.map(|age| inner.now().saturating_sub(age));
    for id in inner.store.ended_runs(before).await? {
        // Clients that read a response that is not kept read it to its end.
        if !inner.hub.is_watched(&id) {
            delete_run(inner, &id).await?;
        }
    }
    Ok(())
}

/// Takes up runs that no process drives, and stops those that this one drives and that are to end.
async fn take_up(inner: &Arc<Inner>) -> Result<(), AssistantsError> {
    let now = inner.now();
    // Listed first: a run that is driven later may not be among those that are found below.
    let driven = inner.hub.driven();
    let due = inner.store.due_runs(now).await?;
    for Due { id, status, expires_at } in &due {
        let ends = *status == RunStatus::Cancelling || *expires_at <= now;
        match inner.hub.is_driven(id) {
            true if ends => inner.hub.stop(id),
            true => {}
            false if ends || !inner.hub.was_held(id) => drive::spawn(inner, id),
            false => {}
        }
    }
    // Runs that another process has ended.
    let ended = driven.iter().filter(|id| !due.iter().any(|due| due.id == **id));
    ended.for_each(|id| inner.hub.stop(id));
    Ok(())
}

/// Deletes a run that has ended, with its journal.
pub(super) async fn delete_run(inner: &Arc<Inner>, id: &str) -> Result<(), AssistantsError> {
    inner.store.delete_run(id).await?;
    delete_journal(inner, id).await
}

/// Deletes the journal of a run, if there is one. A journal that another process is leaving stays.
pub(super) async fn delete_journal(inner: &Arc<Inner>, id: &str) -> Result<(), AssistantsError> {
    let Ok(run) = RunId::new(id) else { return Ok(()) };
    let mut changes = inner.hub.watch(id);
    loop {
        changes.mark_unchanged();
        match inner.store.journals().delete(&run).await {
            Ok(()) | Err(StoreError::UnknownRun { .. }) => return Ok(()),
            // This process is leaving it: the rows of a run end before its journal does.
            Err(StoreError::Held { .. }) if inner.hub.is_driven(id) => {
                let left = tokio::time::timeout(LEFT_WITHIN, changes.changed()).await;
                if left.is_err() {
                    return Ok(());
                }
            }
            Err(StoreError::Held { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
