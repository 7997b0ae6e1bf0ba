//! Runs that are kept in a store: how one is begun there, gone on with, or read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::Plan;
use super::{Outcome, RunError};
use crate::automa::Program;
use crate::checkpoint::{CheckpointStore, InvalidRunId, RunId, RunStatus, StoreError};
use crate::durable::{Journal, replay};
use crate::engine::{RunCore, RunGuard, Within, drive};
use crate::event::{EarlySubscribers, EventFilter, EventStream};
use crate::machine::End;

/// Where a run is kept.
pub(super) struct Place {
    store: Arc<dyn CheckpointStore>,
    /// What was given as the run's id may be none.
    id: Result<RunId, InvalidRunId>,
}

impl Place {
    pub(super) fn new(store: Arc<dyn CheckpointStore>, id: &str) -> Self {
        Self { store, id: RunId::new(id) }
    }

    /// Its store and the run's id.
    ///
    /// # Errors
    /// The id is none.
    pub(super) fn into_parts(self) -> Result<(Arc<dyn CheckpointStore>, RunId), InvalidRunId> {
        Ok((self.store, self.id?))
    }
}

/// A stored run on its way: what is asked of it before its store has given it is kept until then.
pub(super) struct Claiming {
    subscribers: EarlySubscribers,
    stage: Mutex<Stage>,
}

enum Stage {
    /// Its store has not given it; whether it is to stop, or is cancelled, once it has.
    Claimed {
        stop: bool,
        cancel: bool,
    },
    Begun(Arc<RunCore>),
}

impl Claiming {
    pub(super) fn new(subscribers: EarlySubscribers) -> Arc<Self> {
        let stage = Mutex::new(Stage::Claimed { stop: false, cancel: false });
        Arc::new(Self { subscribers, stage })
    }

    pub(super) fn events(&self, filter: EventFilter) -> EventStream {
        match &*self.stage() {
            Stage::Claimed { .. } => self.subscribers.subscribe(filter),
            Stage::Begun(core) => core.feed().subscribe(filter),
        }
    }

    pub(super) fn stop(&self) {
        match &mut *self.stage() {
            Stage::Claimed { stop, .. } => *stop = true,
            Stage::Begun(core) => core.machine().stop(),
        }
    }

    /// Cancels the run, which gives its lease back before it ends.
    pub(super) fn cancel(&self) {
        match &mut *self.stage() {
            Stage::Claimed { cancel, .. } => *cancel = true,
            Stage::Begun(core) => cancel_journal(core),
        }
    }

    /// The store has given the run.
    fn begin(&self, core: &Arc<RunCore>) {
        let mut stage = self.stage();
        if let Stage::Claimed { stop, cancel } = *stage {
            core.feed().adopt(&self.subscribers);
            // Somebody may subscribe at any time.
            core.feed().begin();
            if stop {
                core.machine().stop();
            }
            if cancel {
                cancel_journal(core);
            }
            *stage = Stage::Begun(Arc::clone(core));
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cancel_journal(core: &RunCore) {
    if let Some(journal) = &core.journal {
        journal.cancel();
    }
}

/// What a store has of a run.
enum Found {
    /// To be gone on with, by whoever has claimed it here.
    Active(RunGuard),
    /// At its end.
    Ended(RunGuard),
}

/// Begins the run, goes on with it, or reads how it has ended.
pub(super) async fn run(plan: Plan, claiming: Arc<Claiming>) -> Result<Outcome, RunError> {
    match find(plan).await {
        Ok(Found::Active(live)) => {
            claiming.begin(&live.core);
            drive(live).await
        }
        Ok(Found::Ended(mut live)) => {
            claiming.begin(&live.core);
            live.begin();
            let ended = Ok(Outcome::new(&live.core, End::Finished));
            live.end(&ended);
            ended
        }
        Err(error) => {
            claiming.subscribers.fail(&error);
            Err(error)
        }
    }
}

/// Claims the run, unless it has ended.
async fn find(plan: Plan) -> Result<Found, RunError> {
    let (program, origin, mut options) = plan.into_parts()?;
    let place = options.place.take().expect("only stored runs are looked for in a store");
    let (store, id) = place.into_parts()?;
    let within = options.within.take();
    let within = within.as_ref();
    let claim = options.claim.take().unwrap_or_default();
    let checkpoints = options.checkpoints;
    let fresh = || origin.clone().core(Arc::clone(&program), within);

    let mut begun = None;
    match store.find(&id).await {
        Ok(record) if record.status == RunStatus::Finished => {
            if let Some(core) = last_state(&*store, &id, &program, within).await?
                && core.machine().is_idle()
            {
                return Ok(Found::Ended(RunGuard::new(core)));
            }
        }
        Ok(_) => {}
        Err(StoreError::UnknownRun { .. }) => {
            // A run that cannot begin is not added.
            let core = fresh()?;
            match store.create(&id, program.automa(), &claim).await {
                Ok(lease) => begun = Some((core, lease)),
                // Somebody was quicker.
                Err(StoreError::RunExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    }

    let (mut core, journal) = match begun {
        Some((core, lease)) => (core, Journal::new(store, lease, checkpoints)),
        None => {
            let lease = store.acquire(&id, &claim).await?;
            let mut journal = Journal::new(Arc::clone(&store), lease, checkpoints);
            let found = async {
                match store.latest(&id).await? {
                    Some(checkpoint) => {
                        let saved = journal.resume(&checkpoint)?.into_run();
                        RunCore::resumed(Arc::clone(&program), saved, within)
                    }
                    // It was added, and has not begun.
                    None => fresh(),
                }
            };
            match found.await {
                Ok(core) => (core, journal),
                Err(error) => {
                    journal.release().await;
                    return Err(error);
                }
            }
        }
    };
    options.set(&mut core);
    let unshared = Arc::get_mut(&mut core).expect("nobody else has a run that has not begun");
    unshared.journal = Some(Box::new(journal));
    Ok(Found::Active(RunGuard::new(core)))
}

/// The run from where its store has it, without a lease: nothing of it is written.
pub(super) async fn read(plan: Plan) -> Result<RunGuard, RunError> {
    let (program, origin, mut options) = plan.into_parts()?;
    let place = options.place.take().expect("only stored runs are looked for in a store");
    let (store, id) = place.into_parts()?;
    let within = options.within.take();
    let within = within.as_ref();
    let core = match last_state(&*store, &id, &program, within).await {
        Err(RunError::Store(StoreError::UnknownRun { .. })) | Ok(None) => {
            origin.core(program, within)
        }
        Ok(Some(core)) => Ok(core),
        Err(error) => Err(error),
    };
    let mut core = core?;
    options.set(&mut core);
    Ok(RunGuard::new(core))
}

/// The run as it was written last; `None` if it was added, and has not begun.
async fn last_state(
    store: &dyn CheckpointStore,
    id: &RunId,
    program: &Arc<Program>,
    within: Option<&Within>,
) -> Result<Option<Arc<RunCore>>, RunError> {
    let Some(checkpoint) = store.latest(id).await? else { return Ok(None) };
    let saved = replay(&checkpoint)?.into_run();
    RunCore::resumed(Arc::clone(program), saved, within).map(Some)
}
