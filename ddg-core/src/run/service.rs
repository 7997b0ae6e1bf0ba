//! A process of many runs: continues those that were left, and those whose time has come.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::builder::continued;
use super::{Outcome, RunBuilder, RunError, RunHandle};
use crate::automa::GraphAutoma;
use crate::checkpoint::{
    CheckpointPolicy, CheckpointStore, Claim, Page, RunFilter, RunId, RunRecord, StoreError,
};

type Configure = Arc<dyn Fn(RunBuilder) -> RunBuilder + Send + Sync>;
type OnEnd = Arc<dyn Fn(&RunId, &Result<Outcome, RunError>) + Send + Sync>;

/// Continues the runs of a store that wait for somebody to continue them, a limited number at once:
/// those that were left because their process has ended, those that were
/// [enqueued](RunBuilder::enqueue), and paused ones whose
/// [time has come](crate::Context::sleep_until) or whose [signal](crate::Context::signal) has
/// arrived. Any number of processes can serve one store; each run is continued by one of them.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use ddg_core::checkpoint::{MemoryStore, RunService, RunStatus, StoredRuns};
/// use ddg_core::prelude::*;
///
/// async fn remind(text: String, cx: Context) -> Result<String, WorkerError> {
///     cx.sleep_until(SystemTime::now() + Duration::from_millis(5))?;
///     Ok(text)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("reminder");
/// automa.add_func_as_worker("remind", remind, start().output())?;
/// let store = MemoryStore::new();
///
/// let service =
///     RunService::new(&store).automa(automa.clone()).poll(Duration::from_millis(5)).spawn();
/// automa.run(args!("tea")).stored_in(&store, "tea").enqueue().await?;
///
/// let runs = StoredRuns::new(&store);
/// while runs.record("tea").await?.status != RunStatus::Finished {
///     tokio::time::sleep(Duration::from_millis(5)).await;
/// }
/// service.stop().await;
/// assert_eq!(automa.run(()).stored_in(&store, "tea").output::<String>().await?, "tea");
/// # Ok(())
/// # }
/// ```
///
/// # Order
/// Runs are continued in the order in which they were added to the store. A run that ends with an
/// error is not tried again, unless it is still to be continued, for example because its store has
/// failed; then it is tried again after a pause that doubles, up to 5 minutes.
///
/// # Runs that kill their process
/// A run whose process has died while it was active is continued alone, without others like it,
/// until it has written a state. After [a number of attempts](Claim::max_attempts) it has failed.
#[derive(Clone)]
#[must_use = "a service does nothing until it is spawned"]
pub struct RunService {
    store: Arc<dyn CheckpointStore>,
    automata: BTreeMap<String, GraphAutoma>,
    at_once: usize,
    poll: Duration,
    claim: Claim,
    checkpoints: CheckpointPolicy,
    configure: Option<Configure>,
    on_end: Option<OnEnd>,
}

/// A handle to a [`RunService`] that was spawned. Dropping it stops the service at once: its runs
/// are left, as if the process had died.
#[derive(Debug)]
pub struct RunServiceHandle {
    stops: CancellationToken,
    task: AbortOnDropHandle<()>,
}

/// The default number of runs at once.
const AT_ONCE: usize = 64;

/// The default number of attempts. A deployment may kill a process more than once in a long step.
const MAX_ATTEMPTS: u64 = 5;

/// The default pause between two looks into the store.
const POLL: Duration = Duration::from_secs(1);

/// The longest pause before a run is tried again that could not be continued.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

impl RunService {
    /// Creates a service for the runs of `store`, which is cloned. It continues only runs of
    /// automata that are [registered](Self::automa).
    pub fn new(store: &(impl CheckpointStore + Clone + 'static)) -> Self {
        Self::of(Arc::new(store.clone()), Claim::default())
    }

    pub(super) fn of(store: Arc<dyn CheckpointStore>, claim: Claim) -> Self {
        Self {
            store,
            automata: BTreeMap::new(),
            at_once: AT_ONCE,
            poll: POLL,
            claim,
            checkpoints: CheckpointPolicy::default(),
            configure: None,
            on_end: None,
        }
    }

    /// Registers an automa by its name. One that has the same name is replaced.
    pub fn automa(mut self, automa: impl Into<GraphAutoma>) -> Self {
        let automa = automa.into();
        self.automata.insert(automa.name().to_owned(), automa);
        self
    }

    /// Sets how many runs are active at once, at least one; 64 by default.
    pub fn at_once(mut self, n: usize) -> Self {
        self.at_once = n.max(1);
        self
    }

    /// Sets the pause between two looks into the store while fewer runs are active than may be; 1
    /// second by default. A run is continued at most this much after its time.
    pub fn poll(mut self, pause: Duration) -> Self {
        self.poll = pause;
        self
    }

    /// Sets the owner of the leases and their time to live, as [`RunBuilder::claim`].
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claim = claim;
        self
    }

    /// Sets when the runs are written, as [`RunBuilder::checkpoints`].
    pub fn checkpoints(mut self, checkpoints: CheckpointPolicy) -> Self {
        self.checkpoints = checkpoints;
        self
    }

    /// Sets further options of each run, such as its handlers.
    pub fn configure(
        mut self,
        configure: impl Fn(RunBuilder) -> RunBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Arc::new(configure));
        self
    }

    /// Calls `on_end` with each run that has ended, paused or failed.
    pub fn on_end(
        mut self,
        on_end: impl Fn(&RunId, &Result<Outcome, RunError>) + Send + Sync + 'static,
    ) -> Self {
        self.on_end = Some(Arc::new(on_end));
        self
    }

    /// Starts the service as a task.
    ///
    /// # Panics
    /// If called outside a tokio runtime.
    #[must_use = "dropping the handle stops the service"]
    pub fn spawn(self) -> RunServiceHandle {
        let stops = CancellationToken::new();
        let served = Serving::new(self, stops.clone()).serve();
        RunServiceHandle { stops, task: AbortOnDropHandle::new(tokio::spawn(served)) }
    }

    /// Continues all runs that are to be continued now. Returns each with how it has ended.
    pub(super) async fn run_all(self) -> Result<Vec<Resumed>, RunError> {
        let mut serving = Serving::new(self, CancellationToken::new());
        serving.collects = Some(Vec::new());
        serving.look(usize::MAX).await?;
        serving.begin();
        while serving.ended().await {
            serving.begin();
        }
        Ok(serving.collects.unwrap_or_default())
    }

    /// The next `n` runs that are to be continued, without those that `skips` names.
    async fn due(
        &self,
        n: usize,
        skips: impl Fn(&RunId) -> bool,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let mut found = Vec::new();
        for name in self.automata.keys() {
            let filter = RunFilter::default().automa(name).due();
            let mut page = Page::default().oldest_first();
            let mut n_found = 0;
            loop {
                let some = self.store.list(&filter, &page).await?;
                let is_last = some.len() < page.limit;
                if let Some(last) = some.last() {
                    page = page.next(last);
                }
                let some = some.into_iter().filter(|record| !skips(&record.run));
                let before = found.len();
                found.extend(some);
                n_found += found.len() - before;
                if is_last || n_found >= n {
                    break;
                }
            }
        }
        found.sort_by(|a, b| (a.created, &a.run).cmp(&(b.created, &b.run)));
        found.truncate(n);
        Ok(found)
    }
}

impl RunServiceHandle {
    /// Stops the service: it begins nothing more, its active runs are left after their current
    /// step, and this returns when they have released their leases.
    ///
    /// # Cancel safety
    /// If the future is dropped, the runs are left at once, in the middle of their step.
    pub async fn stop(self) {
        self.stops.cancel();
        _ = self.task.await;
    }
}

/// A run that was continued, and how it has ended this time.
pub(super) type Resumed = (RunId, Result<Outcome, RunError>);

/// A service at work.
struct Serving {
    service: RunService,
    stops: CancellationToken,
    /// Runs that are to be continued, as far as they were read.
    next: VecDeque<RunRecord>,
    active: JoinSet<Result<Outcome, RunError>>,
    /// The active runs by task.
    ids: BTreeMap<Id, RunId>,
    /// Runs that could not be continued: the number of tries, and when the next one may be.
    delayed: BTreeMap<RunId, (u32, Instant)>,
    /// Admits one run at a time whose process has died.
    suspects: Arc<Semaphore>,
    /// The runs that have ended, if somebody wants them.
    collects: Option<Vec<Resumed>>,
}

impl Serving {
    fn new(service: RunService, stops: CancellationToken) -> Self {
        Self {
            service,
            stops,
            next: VecDeque::new(),
            active: JoinSet::new(),
            ids: BTreeMap::new(),
            delayed: BTreeMap::new(),
            suspects: Arc::new(Semaphore::new(1)),
            collects: None,
        }
    }

    async fn serve(mut self) {
        let stops = self.stops.clone();
        loop {
            let free = self.service.at_once.saturating_sub(self.active.len());
            if self.next.is_empty() && free > 0 {
                // Read ahead, so that not every end of a run is a look into the store.
                if let Err(error) = self.look(4 * self.service.at_once).await {
                    tracing::warn!(%error, "the runs of a store cannot be listed");
                }
            }
            self.begin();
            let full = self.active.len() >= self.service.at_once;
            let waits_for_poll = self.next.is_empty() && !full;
            // Without more to begin, the end of a run is no reason for a look before its time.
            let pause = waits_for_poll.then_some(self.service.poll);
            let waited = async {
                match pause {
                    Some(pause) => self.ended_for(pause).await,
                    None => _ = self.ended().await,
                }
            };
            if stops.run_until_cancelled(waited).await.is_none() {
                break;
            }
        }
        while self.ended().await {}
    }

    /// Reads up to `n` runs that are to be continued.
    async fn look(&mut self, n: usize) -> Result<(), StoreError> {
        let now = Instant::now();
        let active: BTreeSet<_> = self.ids.values().collect();
        let is_delayed = |run: &RunId| self.delayed.get(run).is_some_and(|(_, until)| *until > now);
        let found = self.service.due(n, |run| active.contains(run) || is_delayed(run)).await?;
        self.next.extend(found);
        Ok(())
    }

    /// Begins as many runs as may be active.
    fn begin(&mut self) {
        while self.active.len() < self.service.at_once
            && let Some(record) = self.next.pop_front()
        {
            let Some(automa) = self.service.automata.get(&record.automa) else { continue };
            let service = &self.service;
            let run = continued(automa, Arc::clone(&service.store), record.run.as_str());
            let mut claim = service.claim.clone();
            claim.max_attempts.get_or_insert(MAX_ATTEMPTS);
            let run = run.claim(claim).checkpoints(service.checkpoints);
            let run = match &service.configure {
                Some(configure) => configure(run),
                None => run,
            };
            let stops = self.stops.clone();
            let store = Arc::clone(&service.store);
            let suspects = (record.attempts > 0).then(|| Arc::clone(&self.suspects));
            let id = record.run.clone();
            let task = self.active.spawn(async move {
                match suspects {
                    None => leave_when(stops, run.spawn()).await,
                    Some(suspects) => {
                        let Ok(turn) = suspects.acquire_owned().await else {
                            return Err(RunError::Cancelled { automa: record.automa });
                        };
                        // The next one has its turn as soon as this one has got further.
                        let watched = tokio::spawn(async move {
                            has_written(&*store, &record.run).await;
                            drop(turn);
                        });
                        let _watched = AbortOnDropHandle::new(watched);
                        leave_when(stops, run.spawn()).await
                    }
                }
            });
            self.ids.insert(task.id(), id);
        }
    }

    /// Takes the runs that end within `pause`.
    async fn ended_for(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        loop {
            match tokio::time::timeout_at(until, self.ended()).await {
                Ok(true) => {}
                Ok(false) => return tokio::time::sleep_until(until).await,
                Err(_) => return,
            }
        }
    }

    /// Waits until one run has ended. Returns false if none is active.
    async fn ended(&mut self) -> bool {
        let Some(joined) = self.active.join_next_with_id().await else { return false };
        let (id, ended) = match joined {
            Ok((id, ended)) => (id, ended),
            Err(error) => {
                // A panic of a subscriber or a store is that of its run alone.
                tracing::error!(%error, "a run has panicked");
                self.ids.remove(&error.id());
                return true;
            }
        };
        let Some(run) = self.ids.remove(&id) else { return true };
        if let Some(on_end) = &self.service.on_end {
            on_end(&run, &ended);
        }
        match &ended {
            // Another process was faster.
            Err(RunError::Store(StoreError::Held { .. } | StoreError::UnknownRun { .. })) => {
                return true;
            }
            Err(error) => {
                tracing::warn!(%run, %error, "a run has ended with an error");
                let (n, _) = self.delayed.get(&run).copied().unwrap_or((0, Instant::now()));
                let pause = Duration::from_secs(1 << n.min(9)).min(LONGEST_PAUSE);
                let now = Instant::now();
                // A run that has failed is not listed again, and needs no pause.
                self.delayed.retain(|_, (_, until)| *until + LONGEST_PAUSE > now);
                self.delayed.insert(run.clone(), (n + 1, now + pause));
            }
            Ok(_) => _ = self.delayed.remove(&run),
        }
        if let Some(collects) = &mut self.collects {
            collects.push((run, ended));
        }
        true
    }
}

/// Waits for the end of a run, and leaves it when the service stops.
async fn leave_when(
    stops: CancellationToken,
    run: RunHandle<Outcome>,
) -> Result<Outcome, RunError> {
    let mut run = run;
    if let Some(ended) = stops.run_until_cancelled(&mut run).await {
        return ended;
    }
    run.leave();
    run.await
}

/// Waits until a run that was attempted before has written a state.
async fn has_written(store: &dyn CheckpointStore, run: &RunId) {
    loop {
        tokio::time::sleep(POLL).await;
        if store.find(run).await.is_ok_and(|record| record.attempts == 0) {
            return;
        }
    }
}

impl fmt::Debug for RunService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunService")
            .field("store", &self.store)
            .field("automata", &self.automata.keys())
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}
