//! Drives runs: transitions in the store, and the engine's run behind each.

use std::sync::Arc;

use ddg_core::checkpoint::{Claim, StoreError, StoredRuns};
use ddg_core::{Outcome, RunError, args};

use super::AssistantsError;
use super::builder::Inner;
use super::hub::Driven;
use super::id::UniqueIds;
use super::object::{LastError, RunStatus};
use super::rule::{Changes, Moment, Partial, Refused};
use super::runner::{RunContext, RunEnd, ThreadRunner};
use super::store::{RunRow, Written};
use super::sweep;
use crate::tool::ToolRun;

/// Changes a run in one transition. `change` is called again if the run has changed meanwhile; if
/// it changes nothing, nothing is written.
///
/// # Errors
/// If the run does not exist, the error of `change`, and if the store fails.
pub(super) async fn transition(
    inner: &Arc<Inner>,
    id: &str,
    mut change: impl FnMut(&mut RunRow, &mut Moment<'_>, &mut Changes) -> Result<(), AssistantsError>,
) -> Result<RunRow, AssistantsError> {
    loop {
        let found = inner.store.run(id).await?;
        let found = found.ok_or_else(|| AssistantsError::not_found("run", id))?;
        let (mut row, mut changes) = (found.clone(), Changes::default());
        let mut ids = UniqueIds;
        let now = inner.now();
        change(&mut row, &mut Moment { now, ids: &mut ids }, &mut changes)?;
        if row.state == found.state {
            return Ok(found);
        }
        match inner.store.write_run(&row, &changes, now).await? {
            Written::Yes => {
                row.version += 1;
                inner.hub.changed(id);
                return Ok(row);
            }
            Written::Outdated => {}
        }
    }
}

/// Changes a run that is at work.
///
/// # Errors
/// As [`transition`], and if the run is not at work.
pub(super) async fn at_work(
    inner: &Arc<Inner>,
    id: &str,
    mut change: impl FnMut(&mut RunRow, &mut Moment<'_>, &mut Changes) -> Result<(), AssistantsError>,
) -> Result<RunRow, AssistantsError> {
    transition(inner, id, |row, moment, changes| match row.state.status {
        RunStatus::InProgress => change(row, moment, changes),
        status => Err(no_longer(id, status)),
    })
    .await
}

/// The error of a worker whose run was ended by somebody else. It ends the engine's run, and no
/// client sees it.
pub(super) fn no_longer(id: &str, status: RunStatus) -> AssistantsError {
    AssistantsError::bad(format!("run {id} is no longer at work: it is {status}"))
}

/// Begins a run, or continues it after outputs were submitted.
///
/// # Errors
/// If the run has ended or is being cancelled, or the store fails.
pub(super) async fn begin(inner: &Arc<Inner>, id: &str) -> Result<RunRow, AssistantsError> {
    transition(inner, id, |row, moment, changes| {
        row.state.begin(&row.settings, moment, changes);
        match row.state.status {
            RunStatus::InProgress => Ok(()),
            status => Err(no_longer(id, status)),
        }
    })
    .await
}

/// Cancels a run, and stops it if this process drives it.
///
/// # Errors
/// If the run has ended, or the store fails.
pub(super) async fn cancel(inner: &Arc<Inner>, id: &str) -> Result<RunRow, AssistantsError> {
    let row = transition(inner, id, |row, moment, changes| {
        let cancelled = row.state.cancel(&row.settings, moment, changes);
        cancelled.map_err(|Refused(message)| AssistantsError::bad(message))
    })
    .await?;
    inner.hub.stop(id);
    Ok(row)
}

/// Ends a run that was not done in time, unless it has ended.
///
/// # Errors
/// If the store fails.
pub(super) async fn expire(inner: &Arc<Inner>, id: &str) -> Result<RunRow, AssistantsError> {
    let partial = partial(inner, id).await?;
    let row = transition(inner, id, |row, moment, changes| {
        match row.state.status {
            status if status.is_terminal() => {}
            // The client's word counts, although it came late.
            RunStatus::Cancelling => row.state.cancelled(&row.settings, &partial, moment, changes),
            _ if row.state.expires_at <= moment.now => {
                row.state.expire(&row.settings, &partial, moment, changes);
            }
            _ => {}
        }
        Ok(())
    })
    .await?;
    inner.hub.stop(id);
    Ok(row)
}

/// What clients have seen of an open reply.
async fn partial(inner: &Arc<Inner>, id: &str) -> Result<Partial, AssistantsError> {
    match inner.store.run(id).await? {
        Some(row) if !row.state.is_closed() => inner.store.partial(id, row.state.open.since).await,
        _ => Ok(Partial::default()),
    }
}

/// Waits until a run has ended or waits for outputs.
///
/// # Errors
/// If the run does not exist, the store fails, or the assistants are closed before.
pub(super) async fn settled(inner: &Arc<Inner>, id: &str) -> Result<RunRow, AssistantsError> {
    let mut changes = inner.hub.watch(id);
    loop {
        changes.mark_unchanged();
        let row = inner.store.run(id).await?;
        let row = row.ok_or_else(|| AssistantsError::not_found("run", id))?;
        let status = row.state.status;
        if status.is_terminal() || status == RunStatus::RequiresAction {
            return Ok(row);
        }
        if inner.closing.is_cancelled() && !inner.hub.is_driven(id) {
            let message =
                format!("the server is shutting down; run {id} continues at its next start");
            return Err(AssistantsError::Setup { message });
        }
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    changes = inner.hub.watch(id);
                }
            }
            // Other processes change runs, too.
            () = tokio::time::sleep(inner.settings.poll) => {}
        }
    }
}

/// Drives a run in the background, unless this process drives it or is closing.
pub(super) fn spawn(inner: &Arc<Inner>, id: &str) {
    if inner.closing.is_cancelled() {
        return;
    }
    let (owned, id) = (Arc::clone(inner), id.to_owned());
    inner.tasks.spawn(async move {
        let Some(driven) = owned.hub.drive(&id) else { return };
        if let Err(error) = drive(&owned, &id, &driven).await {
            tracing::error!(run = %id, %error, "a run could not be driven; it is tried again");
            // The run stays driven meanwhile, so that it is not tried again at once.
            tokio::select! {
                () = tokio::time::sleep(owned.settings.poll * 4) => {}
                () = owned.closing.cancelled() => {}
            }
        }
        drop(driven);
        owned.hub.changed(&id);
    });
}

/// Drives a run until it ends, waits for outputs, or belongs to another process.
async fn drive(inner: &Arc<Inner>, id: &str, driven: &Driven<'_>) -> Result<(), AssistantsError> {
    let Some(row) = inner.store.run(id).await? else { return Ok(()) };
    if row.state.status.is_terminal() {
        return Ok(());
    }
    if row.state.expires_at <= inner.now() || row.state.status == RunStatus::Cancelling {
        return stopped(inner, id).await;
    }
    if row.state.status == RunStatus::RequiresAction {
        return Ok(());
    }
    match answer(inner, &row).await {
        Err(AssistantsError::Run(RunError::Store(StoreError::Held { .. }))) => {
            inner.hub.is_held(id);
            return Ok(());
        }
        answered => answered?,
    }
    let outcome = match row.state.status {
        // Rows and journal begin at the same time, and may share a commit. The first worker begins
        // the run, too, so an error here is also its error.
        RunStatus::Queued if row.state.submitted.is_none() => {
            tokio::join!(engine_run(inner, &row, driven), begin(inner, id)).0
        }
        _ => engine_run(inner, &row, driven).await,
    };
    match inner.store.run(id).await? {
        Some(row) if row.state.status.is_terminal() => return Ok(()),
        Some(_) => {}
        // It was deleted while its lease was held.
        None => return sweep::delete_journal(inner, id).await,
    }
    if driven.stopped.is_cancelled() {
        return stopped(inner, id).await;
    }
    match outcome {
        Ok(outcome) if outcome.is_paused() => require_action(inner, id).await,
        // The assistants are being closed.
        Ok(outcome) if outcome.stopped() => Ok(()),
        Ok(outcome) => match outcome.into_output::<RunEnd>() {
            Ok(end) => ended(inner, id, &end).await,
            Err(error) => ended(inner, id, &failed(&error)).await,
        },
        // Another process drives the run, or has taken it over.
        Err(RunError::Store(StoreError::Held { .. } | StoreError::Fenced { .. })) => {
            inner.hub.is_held(id);
            Ok(())
        }
        Err(RunError::Cancelled { .. }) => Ok(()),
        Err(error @ RunError::Store(_)) => Err(error.into()),
        Err(error) => ended(inner, id, &failed(&error)).await,
    }
}

/// Puts submitted outputs into the journal, unless they are there.
async fn answer(inner: &Arc<Inner>, row: &RunRow) -> Result<(), AssistantsError> {
    let Some(outputs) = &row.state.submitted else { return Ok(()) };
    let runs = StoredRuns::new(inner.store.journals()).claim(Claim::default());
    let questions = match runs.questions(&row.state.id).await {
        // The journal begins anew; it is answered when it asks.
        Err(RunError::Store(StoreError::UnknownRun { .. })) => return Ok(()),
        questions => questions?,
    };
    if let Some(question) = questions.first() {
        runs.answer(&row.state.id, &question.id, outputs.clone()).await?;
    }
    Ok(())
}

/// Runs the engine's run of a run.
async fn engine_run(
    inner: &Arc<Inner>,
    row: &RunRow,
    driven: &Driven<'_>,
) -> Result<Outcome, RunError> {
    let id = row.state.id.clone();
    let (owned, run_id, run_row) = (Arc::clone(inner), id.clone(), row.clone());
    let files = inner.files.as_ref().and_then(|files| files(&row.tenant));
    let run = inner
        .runner
        .run(args!(id.clone()))
        .stored_in(inner.store.journals(), &id)
        .without_checkpoint_after(ThreadRunner::MAY_RUN_AGAIN)
        .attach(move |run| RunContext {
            inner: Arc::clone(&owned),
            id: run_id.clone(),
            run: run.clone(),
        })
        .attach(move |_| {
            let RunRow { state, settings, tenant, .. } = &run_row;
            let mut run = ToolRun::new(&state.id, &state.thread, &settings.assistant_id, tenant);
            run.metadata.clone_from(&settings.metadata);
            run.files.clone_from(&files);
            run
        });
    let mut handle = run.spawn();
    tokio::select! {
        outcome = &mut handle => return outcome,
        () = driven.stopped.cancelled() => {}
        () = inner.closing.cancelled() => {
            handle.stop();
            tokio::select! {
                outcome = &mut handle => return outcome,
                () = driven.stopped.cancelled() => {}
                () = tokio::time::sleep(inner.settings.grace) => {}
            }
        }
    }
    handle.cancel();
    handle.await
}

/// The engine's run has stopped: the run is cancelled or has expired.
async fn stopped(inner: &Arc<Inner>, id: &str) -> Result<(), AssistantsError> {
    expire(inner, id).await.map(|_| ())
}

async fn require_action(inner: &Arc<Inner>, id: &str) -> Result<(), AssistantsError> {
    let row = transition(inner, id, |row, _, changes| {
        // Outputs that were submitted before are given to the journal again, and the client is not
        // asked twice.
        if row.state.status == RunStatus::InProgress && row.state.submitted.is_none() {
            row.state.require_action(&row.settings, changes);
        }
        Ok(())
    })
    .await?;
    match row.state.status {
        RunStatus::Cancelling => stopped(inner, id).await,
        _ => Ok(()),
    }
}

/// Writes the end of a run, unless it is written.
///
/// # Errors
/// If the run does not exist, or the store fails.
pub(super) async fn ended(
    inner: &Arc<Inner>,
    id: &str,
    end: &RunEnd,
) -> Result<(), AssistantsError> {
    let partial = partial(inner, id).await?;
    transition(inner, id, |row, moment, changes| {
        let (state, settings) = (&mut row.state, &row.settings);
        match state.status {
            status if status.is_terminal() => {}
            RunStatus::Cancelling => state.cancelled(settings, &partial, moment, changes),
            _ => match end {
                RunEnd::Completed => state.complete(settings, moment, changes),
                RunEnd::Incomplete(reason) => state.stop_at(reason, settings, moment, changes),
                RunEnd::Failed(error) => {
                    state.fail(error, settings, &partial, moment, changes);
                }
            },
        }
        Ok(())
    })
    .await?;
    Ok(())
}

fn failed(error: &RunError) -> RunEnd {
    RunEnd::Failed(LastError::new("server_error", error.to_string()))
}
