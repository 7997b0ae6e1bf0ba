//! What can be done with stored runs without running them.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::checkpoint::{
    CheckpointPolicy, CheckpointStore, Claim, Page, RunFilter, RunId, RunRecord, RunStatus,
    StepRecord, StoreError,
};
use crate::durable::{Beginning, Journal, replay};
use crate::machine::Question;
use crate::saved::Snapshot;
use crate::values::Data;

/// The runs of a store, of whichever automa: listed, read, answered, edited, forked, deleted.
///
/// Runs begin and go on with [`RunBuilder::stored_in`](crate::run::RunBuilder::stored_in); here is what
/// needs no automa. It is a cheap clone, to be kept in a server's state.
///
/// What only reads takes no lease, and sees a run that goes on as it was written last. What writes
/// claims the run while it does, as [`claim`](Self::claim) says.
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
/// Every method that takes the id of a run fails if it is no [`RunId`] or there is no such run, and
/// every method if the store fails.
///
/// # Cancel safety
/// Dropping a future before it is done leaves the store as it was or as it should become; a run that
/// was claimed is released in the background, where there is a runtime to do so (else its lease runs
/// out).
#[derive(Clone)]
pub struct StoredRuns {
    store: Arc<dyn CheckpointStore>,
    claim: Claim,
}

impl StoredRuns {
    /// The runs of `store`, which is cloned; an `Arc` of a store is a store.
    pub fn new(store: &(impl CheckpointStore + Clone + 'static)) -> Self {
        Self { store: Arc::new(store.clone()), claim: Claim::default() }
    }

    /// Sets who claims a run that is written to, and for how long at a time: this process, for 30
    /// seconds, unless this is set.
    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claim = claim;
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn CheckpointStore> {
        &self.store
    }

    /// All runs that pass `filter`, the one created last first.
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

    /// The runs of one `page` of a long [list](Self::list).
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

    /// The steps of which there is a state, first to last: each can be [read](Self::snapshot_at) and
    /// [forked](Self::fork).
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn history(&self, id: impl AsRef<str>) -> Result<Vec<StepRecord>, RunError> {
        Ok(self.store.steps(&run_id(id)?).await?)
    }

    /// The state of a run as it was written last.
    ///
    /// # Errors
    /// As [above](Self#errors), and if the run has no state yet.
    pub async fn snapshot(&self, id: impl AsRef<str>) -> Result<Snapshot, RunError> {
        let id = run_id(id)?;
        let latest = self.store.latest(&id).await?;
        let latest = latest.ok_or(StoreError::UnknownStep { run: id, step: 0, last: None })?;
        Ok(replay(&latest)?)
    }

    /// The state of a run after `step`, to be looked at, or changed and [resumed](crate::GraphAutoma::resume)
    /// as another run.
    ///
    /// # Errors
    /// As [above](Self#errors), and if there is no state of that step.
    pub async fn snapshot_at(&self, id: impl AsRef<str>, step: u64) -> Result<Snapshot, RunError> {
        Ok(replay(&self.store.at(&run_id(id)?, step).await?)?)
    }

    /// The questions of a run that wait for an answer, those of nested automata included, in kickoff
    /// order; none if it has not paused.
    ///
    /// # Errors
    /// As [above](Self#errors).
    pub async fn questions(&self, id: impl AsRef<str>) -> Result<Vec<Question>, RunError> {
        match self.store.latest(&run_id(id)?).await? {
            Some(latest) => Ok(replay(&latest)?.questions()),
            None => Ok(Vec::new()),
        }
    }

    /// Answers a question of a paused run, in the store; whoever runs the run next goes on with the
    /// answer.
    ///
    /// # Errors
    /// As [above](Self#errors); the run asks nothing, or not this, or it has been answered; somebody
    /// else has the run.
    pub async fn answer(
        &self,
        id: impl AsRef<str>,
        question: &str,
        answer: impl Data,
    ) -> Result<(), RunError> {
        self.edit(id, |snapshot| Ok(snapshot.answer(question, answer)?)).await
    }

    /// Changes the last state of a run that nobody runs, in the store. It has ended or failed as
    /// before; if it was running when its process died, it is paused now.
    ///
    /// # Errors
    /// As [above](Self#errors); what `change` gives, and then nothing is written; somebody else has
    /// the run.
    pub async fn edit(
        &self,
        id: impl AsRef<str>,
        change: impl FnOnce(&mut Snapshot) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let id = run_id(id)?;
        let (beginning, checkpoints) = (Beginning::Acquire, CheckpointPolicy::default());
        let cancelled = CancellationToken::new();
        let journal =
            Journal::claim(&self.store, &id, &self.claim, beginning, checkpoints, &cancelled);
        let journal = journal.await?;
        let edited = async {
            let mut snapshot = self.snapshot(id.as_str()).await?;
            change(&mut snapshot)?;
            let status = match self.store.find(&id).await?.status {
                RunStatus::Running => RunStatus::Paused,
                status => status,
            };
            journal.write(snapshot.into_run(), status).await
        }
        .await;
        journal.release().await;
        edited
    }

    /// Makes a new run `fork` of what run `id` was after `step`, paused and held by nobody. The run
    /// `id` is as it was.
    ///
    /// # Errors
    /// As [above](Self#errors); there is no state of that step, or there is a run `fork` already.
    pub async fn fork(
        &self,
        id: impl AsRef<str>,
        step: u64,
        fork: impl AsRef<str>,
    ) -> Result<(), RunError> {
        Ok(self.store.fork(&run_id(id)?, step, &run_id(fork)?).await?)
    }

    /// Deletes a run with its journal.
    ///
    /// # Errors
    /// As [above](Self#errors), and if somebody has the run.
    pub async fn delete(&self, id: impl AsRef<str>) -> Result<(), RunError> {
        Ok(self.store.delete(&run_id(id)?).await?)
    }
}

fn run_id(id: impl AsRef<str>) -> Result<RunId, RunError> {
    Ok(RunId::new(id.as_ref())?)
}

impl fmt::Debug for StoredRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRuns").field("store", &self.store).finish_non_exhaustive()
    }
}
