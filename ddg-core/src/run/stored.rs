//! Runs in a store: begins, continues or reads them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::plan::{Options, Origin, Plan};
use super::{Outcome, RunError};
use crate::automa::Program;
use crate::checkpoint::{
    Arrival, Checkpoint, CheckpointStore, Claim, InvalidRunId, RunId, RunStatus, StoreError,
};
use crate::durable::{Beginning, Journal, States, patiently, replay};
use crate::engine::{RunCore, RunGuard, Within, drive_stored};
use crate::event::{EarlySubscribers, EventFilter, EventStream};
use crate::machine::End;
use crate::values::Value;

/// The store of a run, and its id there.
#[derive(Clone)]
pub(super) struct Place {
    store: Arc<dyn CheckpointStore>,
    /// The id that the user gave, which may be invalid.
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

/// A stored run and its handle's requests. Requests made before the store has returned the run are
/// kept until it has.
pub(super) struct Claiming {
    subscribers: EarlySubscribers,
    stage: Mutex<Stage>,
    cancelled: CancellationToken,
    /// Whether the run is left for another process when it is stopped.
    leaves: Arc<AtomicBool>,
    /// When the run was begun by its caller, whenever its task is polled first.
    arrival: Arrival,
}

enum Stage {
    /// The store has not returned the run yet. The flags say what was requested meanwhile.
    Claimed {
        stop: bool,
        signals: Vec<(String, Value)>,
    },
    Begun(Arc<RunCore>),
}

impl Claiming {
    pub(super) fn new(subscribers: EarlySubscribers) -> Arc<Self> {
        let (stage, cancelled) = (
            Mutex::new(Stage::Claimed { stop: false, signals: Vec::new() }),
            CancellationToken::new(),
        );
        let (leaves, arrival) = (Arc::default(), Arrival::next());
        Arc::new(Self { subscribers, stage, cancelled, leaves, arrival })
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
            Stage::Begun(core) => core.stop(),
        }
    }

    /// Stops the run, and leaves it for another process.
    pub(super) fn leave(&self) {
        self.leaves.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Keeps a signal for a run that the store does not have yet. Returns it if the run has begun.
    pub(super) fn keep(&self, name: String, value: Value) -> Option<(String, Value)> {
        match &mut *self.stage() {
            Stage::Claimed { signals, .. } => {
                signals.push((name, value));
                None
            }
            Stage::Begun(_) => Some((name, value)),
        }
    }

    /// Makes a run that waits in this process look for new signals.
    pub(super) fn look(&self) {
        if let Stage::Begun(core) = &*self.stage()
            && let Some(inbox) = core.inbox.get()
        {
            inbox.look();
        }
    }

    /// Cancels the run, which releases its lease before it ends.
    pub(super) fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Passes on the requests, when the store has returned the run.
    fn begin(&self, core: &Arc<RunCore>) {
        let mut stage = self.stage();
        let inbox = core.inbox.get_or_init(Box::default);
        if let Stage::Claimed { stop, signals } = &mut *stage {
            std::mem::take(signals).into_iter().for_each(|(name, value)| inbox.send(name, value));
            core.feed().adopt(&self.subscribers);
            // A subscription may come at any time, and events count time from the start of the run.
            core.feed().begin();
            if *stop {
                core.machine().stop();
            }
        }
        *stage = Stage::Begun(Arc::clone(core));
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stored run that can be driven. Its parts are kept, because it may be restored more than once.
struct Stored {
    program: Arc<Program>,
    origin: Origin,
    options: Options,
    store: Arc<dyn CheckpointStore>,
    id: RunId,
    claim: Claim,
}

/// A run in a store.
enum Found {
    /// Active, and claimed by this process.
    Active(Arc<RunCore>, Arc<Journal>),
    /// Ended.
    Ended(Arc<RunCore>),
}

/// Begins the run, continues it, or reads its outcome.
pub(super) async fn run(plan: Plan, claiming: Arc<Claiming>) -> Result<Outcome, RunError> {
    let automa = plan.automa();
    let found = async {
        let mut stored = Stored::new(plan)?;
        // A run inside another has the place of the other.
        stored.claim.arrival.get_or_insert(claiming.arrival);
        let found = stored.find(&claiming);
        let found = claiming.cancelled.run_until_cancelled(found).await;
        let cancelled = || RunError::Cancelled { automa: automa.to_string() };
        Ok((found.ok_or_else(cancelled)??, stored))
    };
    match found.await {
        Ok((Found::Active(core, journal), stored)) => stored.drive(core, journal, &claiming).await,
        Ok((Found::Ended(core), _)) => {
            claiming.begin(&core);
            let mut live = RunGuard::new(core);
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

impl Stored {
    fn new(plan: Plan) -> Result<Self, RunError> {
        let (program, origin, mut options) = plan.into_parts()?;
        let place = options.place.take().expect("only stored runs are looked for in a store");
        let claim = options.claim.take().unwrap_or_default();
        let (store, id) = place.into_parts()?;
        Ok(Self { program, origin, options, store, id, claim })
    }

    /// Claims the run unless it has ended, and waits for an unavailable store.
    async fn find(&self, claiming: &Claiming) -> Result<Found, RunError> {
        patiently(self.claim.patience, |again| async move {
            match self.find_once(claiming).await {
                // An earlier try may have claimed the run without getting the answer; that lease
                // expires.
                Err(RunError::Store(StoreError::Held { run, owner, left }))
                    if again && owner == self.claim.owner =>
                {
                    let source = StoreError::Held { run, owner, left }.into();
                    let (store, action) = ("the store".to_owned(), "claim the run");
                    Err(StoreError::Backend { store, action, source }.into())
                }
                found => found,
            }
        })
        .await
    }

    async fn find_once(&self, claiming: &Claiming) -> Result<Found, RunError> {
        let Self { program, store, id, .. } = self;
        let claim = async |beginning| {
            let (checkpoints, cancelled) = (self.options.checkpoints, &claiming.cancelled);
            let journal = Journal::claim(store, id, &self.claim, beginning, checkpoints, cancelled);
            let mut journal = journal.await?;
            journal.leaves = Arc::clone(&claiming.leaves);
            journal.unwritten.clone_from(&self.options.unwritten);
            Ok::<_, StoreError>(journal)
        };
        match store.find(id).await {
            Ok(record) if record.status == RunStatus::Finished => {
                if let Some(core) = last_state(&**store, id, program, self.within()).await?
                    && core.machine().is_idle()
                {
                    return Ok(Found::Ended(core));
                }
            }
            Ok(_) => {}
            Err(StoreError::UnknownRun { .. }) => {
                // Created first: a run that cannot begin must not be added to the store.
                let core = self.fresh()?;
                match claim(Beginning::Create(Arc::clone(program.automa()))).await {
                    Ok(journal) => {
                        let journal = Arc::new(journal);
                        return Ok(Found::Active(self.with(core, &journal), journal));
                    }
                    // Another process has added it in the meantime, so it is acquired below.
                    Err(StoreError::RunExists { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
        let journal = Arc::new(claim(Beginning::Acquire).await?);
        journal.may_try_again().await?;
        let found = async { self.from(store.latest(id).await?, &journal) };
        match found.await {
            Ok(core) => Ok(Found::Active(core, journal)),
            Err(error) => {
                // The run does not begin, so nothing else would release the lease.
                match &error {
                    RunError::Stateless { .. } => journal.fail(&error).await,
                    _ => journal.release().await,
                }
                Err(error)
            }
        }
    }

    /// Restores the run from its `latest` state; without one, the run begins.
    fn from(
        &self,
        latest: Option<Checkpoint>,
        journal: &Arc<Journal>,
    ) -> Result<Arc<RunCore>, RunError> {
        let core = match latest {
            Some(latest) => {
                let mut saved = journal.resume(&latest)?.into_run();
                // The questions of a run inside another are answered in the state of the other.
                if let (Some(_), Origin::Snapshot(given)) = (self.within(), &self.origin) {
                    saved.take_answers(given.run());
                }
                RunCore::resumed(Arc::clone(&self.program), saved, self.within())?
            }
            None => self.fresh()?,
        };
        Ok(self.with(core, journal))
    }

    fn fresh(&self) -> Result<Arc<RunCore>, RunError> {
        self.origin.clone().core(Arc::clone(&self.program), self.within())
    }

    /// The run that it is inside of.
    fn within(&self) -> Option<&Within> {
        self.options.within.as_ref()
    }

    fn with(&self, mut core: Arc<RunCore>, journal: &Arc<Journal>) -> Arc<RunCore> {
        self.options.set(&mut core);
        let unshared = Arc::get_mut(&mut core).expect("nobody else has a run that has not begun");
        unshared.states = Some(States::of(journal));
        core
    }

    /// Drives the run to its end.
    async fn drive(
        self,
        core: Arc<RunCore>,
        journal: Arc<Journal>,
        claiming: &Claiming,
    ) -> Result<Outcome, RunError> {
        claiming.begin(&core);
        let regain = || self.regain(&journal, claiming).boxed();
        drive_stored(RunGuard::new(core), &journal, regain).await
    }

    /// Restores the run from its last written state, after its lease has been regained.
    async fn regain(
        &self,
        journal: &Arc<Journal>,
        claiming: &Claiming,
    ) -> Result<Arc<RunCore>, RunError> {
        let regained = claiming.cancelled.run_until_cancelled(journal.regain()).await;
        let cancelled = || RunError::Cancelled { automa: self.program.automa().to_string() };
        let core = self.from(regained.ok_or_else(cancelled)??, journal)?;
        claiming.begin(&core);
        Ok(core)
    }
}

/// Adds the run to its store without running it.
pub(super) async fn enqueue(plan: Plan) -> Result<(), RunError> {
    if !plan.is_stored() {
        return Err(RunError::NoStore { automa: plan.automa().to_string() });
    }
    let stored = Stored::new(plan)?;
    let core = stored.fresh()?;
    let (beginning, cancelled) =
        (Beginning::Create(Arc::clone(stored.program.automa())), CancellationToken::new());
    let checkpoints = stored.options.checkpoints;
    let journal = Journal::claim(
        &stored.store,
        &stored.id,
        &stored.claim,
        beginning,
        checkpoints,
        &cancelled,
    );
    let journal = journal.await?;
    let written = journal.write(core.state()?, RunStatus::Running).await;
    journal.release().await;
    written
}

/// Reads the last state of the run without a lease. Nothing is written.
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

/// Restores the last state of the run; `None` if the run was added but has not written anything.
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
