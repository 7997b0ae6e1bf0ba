//! Operations on stored runs that do not run them.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Outcome, RunError, RunService};
use crate::automa::GraphAutoma;
use crate::checkpoint::{
    Arrival, CheckpointPolicy, CheckpointStore, Claim, Page, RunFilter, RunId, RunRecord,
    RunStatus, StepRecord, StoreError,
};
use crate::durable::{Beginning, Journal, recheck, replay, whole};
use crate::machine::Question;
use crate::saved::Snapshot;
use crate::values::{Data, Value};

/// The runs of a store, of any automa: list, read, answer, edit, fork and delete them.
///
/// [`RunBuilder::stored_in`](crate::run::RunBuilder::stored_in) begins and continues runs; the
/// methods here need no automa. A `StoredRuns` is cheap to clone, and can be kept in the state of a
/// server.
///
/// Methods that only read take no lease, and see an active run as it was last written. Methods that
/// write claim the run meanwhile, as set by [`claim`](Self::claim).
///
/// ```
/// use ddg_core::checkpoint::{MemoryStore, RunFilter, RunStatus, StoredRuns};
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("pay");
/// automa.add_func_as_worker("pay", async |cx: Context| -> Result<bool, WorkerError> {
///     Ok(cx.interact_with_human("Pay?".to_owned())?)
/// }, start().output())?;
/// let store = MemoryStore::new();
/// automa.run(()).stored_in(&store, "pay-1").await?;
///
/// let runs = StoredRuns::new(&store);
/// let waiting = RunFilter::default().status(RunStatus::Paused);
/// for run in runs.list(&waiting).await? {
///     let id = run.run.as_str();
///     for question in runs.questions(id).await? {
///         runs.answer(id, &question.id, true).await?;
///     }
/// }
/// assert!(automa.run(()).stored_in(&store, "pay-1").output::<bool>().await?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Every method that takes the id of a run fails if it is not a valid [`RunId`] or the run does not
/// exist, and every method fails if the store fails.
///
/// # Cancel safety
/// If a future is dropped before it is done, the call has either taken effect as a whole or not at
/// all. The lease of a claimed run is released in the background.
#[derive(Clone)]
pub struct StoredRuns {
    store: Arc<dyn CheckpointStore>,
    claim: Claim,
}

impl StoredRuns {
    /// Creates a view of `store`, which is cloned. An `Arc` of a store is a store.
    pub fn new(store: &(impl CheckpointStore + Clone + 'static)) -> Self {
        Self { store: Arc::new(store.clone()), claim: Claim::default() }
    }

    /// Sets the owner and the time to live of the lease under which runs are written. The default
    /// is this process, for 30 seconds.
    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claim = claim;
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn CheckpointStore> {
        &self.store
    }

    /// Lists all runs that pass `filter`, newest first.
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn list(&self, filter: &RunFilter) -> Result<Vec<RunRecord>, RunError> {
        let mut page = Page::default();
        let mut runs = Vec::new();
        loop {
            let some = self.store.list(filter, &page).await?;
            let is_last = some.len() < page.limit;
            if let Some(last) = some.last() {
                page = page.next(last);
            }
            runs.extend(some);
            if is_last {
                return Ok(runs);
            }
        }
    }

    /// Lists the runs of one `page` of a long [list](Self::list).
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn list_page(
        &self,
        filter: &RunFilter,
        page: &Page,
    ) -> Result<Vec<RunRecord>, RunError> {
        Ok(self.store.list(filter, page).await?)
    }

    /// The record of a run: its status, its holder, and when it wakes.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, RunStatus, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("two");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| a + 1, after(["a"]).output())?;
    /// let store = MemoryStore::new();
    /// automa.run(()).stored_in(&store, "two-1").await?;
    /// let runs = StoredRuns::new(&store);
    /// let record = runs.record("two-1").await?;
    /// assert_eq!(record.status, RunStatus::Finished);
    /// assert!(record.holder.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn record(&self, id: impl AsRef<str>) -> Result<RunRecord, RunError> {
        Ok(self.store.find(&run_id(id)?).await?)
    }

    /// Sends a run a signal: a worker that [waits for it](crate::Context::signal), now or later,
    /// receives `value`. The run may be active in another process. If it is paused and waits for a
    /// signal of this name, it is to be continued; a [`RunService`](super::RunService) does that.
    ///
    /// ```
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async |cx: Context| cx.signal::<u32>("paid"), start().output())?;
    /// let store = MemoryStore::new();
    /// assert!(automa.run(()).stored_in(&store, "order-7").await?.is_paused());
    ///
    /// let runs = StoredRuns::new(&store);
    /// runs.signal("order-7", "paid", 30_u32).await?;          // in any process
    /// let ended = runs.resume_all([&automa]).await?;
    /// assert_eq!(ended.len(), 1);
    /// assert_eq!(automa.run(()).stored_in(&store, "order-7").output::<u32>().await?, 30);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors), if the run has finished, and if `value` has no JSON form.
    pub async fn signal(
        &self,
        id: impl AsRef<str>,
        name: impl Into<String>,
        value: impl Data,
    ) -> Result<(), RunError> {
        send(&*self.store, &run_id(id)?, name.into(), &Value::new(value)).await
    }

    /// Cancels a run, also if another process holds it. Returns whether it was active or paused; a
    /// run that has ended stays as it is.
    ///
    /// The status is cancelled at once, and nothing that the run does from now on is written. A
    /// holder in this process stops at once. One in another process stops when it writes or renews
    /// its lease next, which is after a third of the [time to live](Claim::ttl) at the latest, and
    /// ends with [`RunError::Cancelled`].
    ///
    /// A cancelled run is not continued by a [`RunService`](super::RunService). Run again, it
    /// continues from its last step.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, RunStatus, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async |cx: Context| cx.signal::<u32>("paid"), start().output())?;
    /// let store = MemoryStore::new();
    /// automa.run(()).stored_in(&store, "order-7").await?;
    /// let runs = StoredRuns::new(&store);
    /// assert!(runs.cancel("order-7").await?);
    /// assert_eq!(runs.record("order-7").await?.status, RunStatus::Cancelled);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn cancel(&self, id: impl AsRef<str>) -> Result<bool, RunError> {
        let id = run_id(id)?;
        if !self.store.find(&id).await?.status.may_be_cancelled() {
            return Ok(false);
        }
        // From the moment at which the run is taken from its holder, this has to be completed.
        let runs = self.clone();
        whole(async move { runs.take_and_cancel(&id).await }).await
    }

    async fn take_and_cancel(&self, id: &RunId) -> Result<bool, RunError> {
        // Together: a holder that finds the run taken must see why.
        let journal = self.taken(id, self.claim_first().cancelling()).await?;
        let cancelled = async {
            let status = self.store.find(id).await?.status;
            if status.may_be_cancelled() {
                // A store of somebody else, which does not cancel by claims.
                journal.cancel().await?;
            }
            // It may have ended in the meantime.
            Ok(status.may_be_cancelled() || status == RunStatus::Cancelled)
        }
        .await;
        journal.release().await;
        recheck(id);
        cancelled
    }

    /// Takes a run from its holder and leaves it, so that it can be run here or by a
    /// [`RunService`](super::RunService). For people who know that the holder is gone, or should
    /// not continue. A holder that is still active stops as [`cancel`](Self::cancel) says, with
    /// [`StoreError::Fenced`].
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("wait");
    /// automa.add_func_as_worker("wait", async || std::future::pending::<()>().await, start())?;
    /// let store = MemoryStore::new();
    /// let run = automa.run(()).stored_in(&store, "wait-1").spawn();
    /// tokio::task::yield_now().await;
    /// StoredRuns::new(&store).take_over("wait-1").await?;
    /// assert!(run.await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn take_over(&self, id: impl AsRef<str>) -> Result<(), RunError> {
        let id = run_id(id)?;
        if self.store.find(&id).await?.holder.is_some() {
            self.taken(&id, self.claim_first()).await?.release().await;
            recheck(&id);
        }
        Ok(())
    }

    /// The claim of a request that does not wait behind the runs of this process.
    fn claim_first(&self) -> Claim {
        Claim { arrival: Some(Arrival::FIRST), ..self.claim.clone() }
    }

    async fn taken(&self, id: &RunId, claim: Claim) -> Result<Journal, RunError> {
        let claim = claim.by_force();
        let (checkpoints, cancelled) = (CheckpointPolicy::default(), CancellationToken::new());
        let journal =
            Journal::claim(&self.store, id, &claim, Beginning::Acquire, checkpoints, &cancelled);
        Ok(journal.await?)
    }

    /// Continues all runs of these automata that are to be continued now: those that were left, and
    /// paused ones whose time has come. Returns each with how it has ended this time; runs that
    /// another process is faster with are left out.
    ///
    /// Up to 64 runs are active at once, in the order in which they were added to the store. For a
    /// process that keeps doing so, see [`RunService`](super::RunService).
    ///
    /// # Errors
    /// If the store fails. The error of a run is in the list.
    ///
    /// # Cancel safety
    /// If the future is dropped, the runs are left again after the last step that was written.
    pub async fn resume_all<'a>(
        &self,
        automata: impl IntoIterator<Item = &'a GraphAutoma>,
    ) -> Result<Vec<(RunId, Result<Outcome, RunError>)>, RunError> {
        let service = RunService::of(Arc::clone(&self.store), self.claim.clone());
        let service = automata.into_iter().fold(service, |all, one| all.automa(one.clone()));
        service.run_all().await
    }

    /// Lists the states of a run, first to last. Each can be [read](Self::snapshot_at) and
    /// [forked](Self::fork).
    ///
    /// There is one for each step. Steps of nested automata have states as well, and so have the
    /// settlings of a rolling run; all are numbered together, so a number can be higher than the
    /// step of the run.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("two");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| a + 1, after(["a"]).output())?;
    /// let store = MemoryStore::new();
    /// automa.run(()).stored_in(&store, "two-1").await?;
    /// let runs = StoredRuns::new(&store);
    /// for state in runs.history("two-1").await? {
    ///     println!("{}: {} bytes", state.step, state.n_bytes);
    /// }
    /// assert_eq!(runs.snapshot_at("two-1", 1).await?.output("a").expect("it ran").get::<i32>()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn history(&self, id: impl AsRef<str>) -> Result<Vec<StepRecord>, RunError> {
        Ok(self.store.steps(&run_id(id)?).await?)
    }

    /// Reads the last state of a run.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("two");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| a + 1, after(["a"]).output())?;
    /// let store = MemoryStore::new();
    /// automa.run(()).stored_in(&store, "two-1").await?;
    /// let runs = StoredRuns::new(&store);
    /// let last = runs.snapshot("two-1").await?;
    /// assert_eq!(last.output("b").expect("it ran").get::<i32>()?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors), and if the run has no state yet.
    pub async fn snapshot(&self, id: impl AsRef<str>) -> Result<Snapshot, RunError> {
        let id = run_id(id)?;
        let latest = self.store.latest(&id).await?;
        let latest = latest.ok_or(StoreError::UnknownStep { run: id, step: 0, last: None })?;
        Ok(replay(&latest)?)
    }

    /// Reads the state of a run with the number `step`, to inspect it, or to change it and
    /// [resume](crate::GraphAutoma::resume) it as another run.
    ///
    /// # Errors
    /// As [above](Self#errors), and if there is no state of that step.
    pub async fn snapshot_at(&self, id: impl AsRef<str>, step: u64) -> Result<Snapshot, RunError> {
        Ok(replay(&self.store.at(&run_id(id)?, step).await?)?)
    }

    /// Lists the unanswered questions of a run in kickoff order, including those of nested
    /// automata. The list is empty if the run is not paused.
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn questions(&self, id: impl AsRef<str>) -> Result<Vec<Question>, RunError> {
        match self.store.latest(&run_id(id)?).await? {
            Some(latest) => Ok(replay(&latest)?.questions()),
            None => Ok(Vec::new()),
        }
    }

    /// Stores the answer to a question of a paused run. The next process that runs it continues
    /// with the answer.
    ///
    /// # Errors
    /// As [above](Self#errors), if the run has no such question, if the question has an answer, and
    /// if the lease of the run is held.
    pub async fn answer(
        &self,
        id: impl AsRef<str>,
        question: &str,
        answer: impl Data,
    ) -> Result<(), RunError> {
        self.edit(id, |snapshot| Ok(snapshot.answer(question, answer)?)).await
    }

    /// Changes the last state of an inactive run in the store. Its status stays as it is. If
    /// workers of the run ask or wait, the changed state is a further one, and the last one stays.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("two");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async |a: i32, cx: Context| -> Result<i32, WorkerError> {
    ///     Ok(a + cx.interact_with_human::<i32>("How many more?")?)
    /// }, after(["a"]).output())?;
    /// let store = MemoryStore::new();
    /// automa.run(()).stored_in(&store, "two-1").await?;
    /// let runs = StoredRuns::new(&store);
    /// runs.edit("two-1", |snapshot| Ok(snapshot.answer("b#1.1", 6)?)).await?;
    /// assert_eq!(automa.run(()).stored_in(&store, "two-1").output::<i32>().await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors), the error of `change`, after which nothing is written, and if the
    /// lease of the run is held.
    pub async fn edit(
        &self,
        id: impl AsRef<str>,
        change: impl FnOnce(&mut Snapshot) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let id = run_id(id)?;
        let (beginning, checkpoints) = (Beginning::Acquire, CheckpointPolicy::default());
        let (claim, cancelled) = (self.claim_first(), CancellationToken::new());
        let journal = Journal::claim(&self.store, &id, &claim, beginning, checkpoints, &cancelled);
        let journal = journal.await?;
        let edited = async {
            let mut snapshot = self.snapshot(id.as_str()).await?;
            let asks = !snapshot.run().interrupted().is_empty();
            change(&mut snapshot)?;
            let status = self.store.find(&id).await?.status;
            let mut saved = snapshot.into_run();
            if asks {
                // The state that asks stays, so that it can be answered otherwise in a fork.
                saved.set_number(saved.number() + 1);
            }
            journal.write(saved, status).await
        }
        .await;
        journal.release().await;
        edited
    }

    /// Adds a run `fork` with the state of run `id` with the number `step`. The fork is paused, and
    /// its lease is free. The run `id` does not change.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("two");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| a + 1, after(["a"]).output())?;
    /// let store = MemoryStore::new();
    /// automa.run(()).stored_in(&store, "two-1").await?;
    /// StoredRuns::new(&store).fork("two-1", 1, "two-2").await?;
    /// assert_eq!(automa.run(()).stored_in(&store, "two-2").output::<i32>().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors), if there is no state of that step, and if there is a run `fork`.
    pub async fn fork(
        &self,
        id: impl AsRef<str>,
        step: u64,
        fork: impl AsRef<str>,
    ) -> Result<(), RunError> {
        Ok(self.store.fork(&run_id(id)?, step, &run_id(fork)?).await?)
    }

    /// Deletes a run and its journal.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::checkpoint::{MemoryStore, RunFilter, StoredRuns};
    ///
    /// let mut automa = GraphAutoma::new("two");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| a + 1, after(["a"]).output())?;
    /// let store = MemoryStore::new();
    /// automa.run(()).stored_in(&store, "two-1").await?;
    /// let runs = StoredRuns::new(&store);
    /// runs.delete("two-1").await?;
    /// assert!(runs.list(&RunFilter::default()).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [above](Self#errors), and if the lease of the run is held.
    pub async fn delete(&self, id: impl AsRef<str>) -> Result<(), RunError> {
        Ok(self.store.delete(&run_id(id)?).await?)
    }
}

/// Sends a signal to a run.
pub(super) async fn send(
    store: &dyn CheckpointStore,
    id: &RunId,
    name: String,
    value: &Value,
) -> Result<(), RunError> {
    let json = match value.written() {
        Ok(json) => json,
        Err(source) => return Err(RunError::Signal { name, source }),
    };
    let record = store.find(id).await?;
    if record.status == RunStatus::Finished {
        return Err(StoreError::Ended { run: id.clone(), status: record.status }.into());
    }
    Ok(store.signal(id, &name, json.to_string().as_bytes()).await?)
}

fn run_id(id: impl AsRef<str>) -> Result<RunId, RunError> {
    Ok(RunId::new(id.as_ref())?)
}

impl fmt::Debug for StoredRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRuns").field("store", &self.store).finish_non_exhaustive()
    }
}
