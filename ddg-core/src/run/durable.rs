//! Runs that are kept in a store, and survive their process.

use std::fmt;
use std::sync::Arc;

use super::{Outcome, Prepared, RunError};
use crate::args::IntoArgs;
use crate::automa::GraphAutoma;
use crate::checkpoint::{CheckpointStore, Checkpoints, Claim, Lease, RunId, RunStatus, StoreError};
use crate::durable::{Journal, replay};
use crate::engine::RunCore;
use crate::saved::Snapshot;

/// An automa whose runs are kept in a store; made by
/// [`GraphAutoma::durable`](crate::GraphAutoma::durable).
///
/// A run is written as it begins, after every step (or only when it pauses, see
/// [`checkpoints`](Self::checkpoints)), and as it ends. A step's effects outside the run happen
/// before the step is written; a process that dies in between lets them happen again, so give them
/// a name (the run and [`Context::kickoff_id`](crate::Context::kickoff_id)) by which the other side
/// can tell, or make them such that twice is as good as once.
///
/// ```
/// use ddg_core::checkpoint::MemoryStore;
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("order");
/// automa.add_func_as_worker("ship", async |cx: Context| -> Result<String, WorkerError> {
///     let address: String = cx.interact_with_human("Where to?".to_owned())?;
///     Ok(format!("shipped to {address}"))
/// }, start().output())?;
/// let durable = automa.durable(MemoryStore::new());
///
/// let paused = durable.run("order-7", ()).await?;
/// let question = paused.questions().remove(0);
/// drop(paused);                                           // the process ends, say
/// durable.answer("order-7", &question.id, "Tokyo".to_owned()).await?;
/// let outcome = durable.run("order-7", ()).await?;        // goes on where it was
/// assert_eq!(outcome.into_output::<String>()?, "shipped to Tokyo");
/// # Ok(())
/// # }
/// ```
pub struct Durable<'a> {
    automa: &'a GraphAutoma,
    store: Arc<dyn CheckpointStore>,
    checkpoints: Checkpoints,
    claim: Claim,
}

impl<'a> Durable<'a> {
    pub(crate) fn new(automa: &'a GraphAutoma, store: Arc<dyn CheckpointStore>) -> Self {
        Self { automa, store, checkpoints: Checkpoints::default(), claim: Claim::default() }
    }

    /// Sets when a run is written.
    #[must_use]
    pub fn checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        self.checkpoints = checkpoints;
        self
    }

    /// Sets who claims the runs, and for how long at a time: this process, for 30 seconds, unless
    /// this is set. A claim is renewed as long as the run goes on.
    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claim = claim;
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn CheckpointStore> {
        &self.store
    }

    /// Begins the run `id` with `args`, or goes on with it from where the store has it; `args` are
    /// not looked at then. A run that has come to its end gives its outcome again, without running
    /// anything.
    ///
    /// # Errors
    /// As [`GraphAutoma::outcome`](crate::GraphAutoma::outcome); the store fails, or somebody else
    /// has the run. A run that failed is tried again from its last step.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run after the last step that was written, as if its process
    /// had died, and gives it back in the background, where there is a runtime to do so (else its
    /// lease runs out). Blocking workers that are running then go on unattended.
    pub async fn run(&self, id: impl AsRef<str>, args: impl IntoArgs) -> Result<Outcome, RunError> {
        self.prepare(id, args).await?.outcome().await
    }

    /// The same, but not begun yet: to watch the run from its beginning, or to start it as a task
    /// of its own.
    ///
    /// The run is claimed, so nobody else can go on with it. Dropped before it has begun, it has
    /// written nothing, and gives the run back.
    ///
    /// ```
    /// use ddg_core::checkpoint::MemoryStore;
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async || "shipped".to_owned(), start().output())?;
    /// let durable = automa.durable(MemoryStore::new());
    ///
    /// let prepared = durable.prepare("order-7", ()).await?;
    /// let mut events = prepared.events();
    /// let run = prepared.start();
    /// while let Some(event) = events.next().await {
    ///     println!("{}", event?);
    /// }
    /// assert_eq!(run.output::<String>().await?, "shipped");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The graph is invalid, a named argument reaches nobody, or the state that the store has is
    /// not one of this automa; the store fails, or somebody else has the run.
    ///
    /// # Cancel safety
    /// Dropping the future gives the run back.
    pub async fn prepare(
        &self,
        id: impl AsRef<str>,
        args: impl IntoArgs,
    ) -> Result<Prepared, RunError> {
        let id = run_id(id)?;
        let topology = self.automa.compiled()?;
        let args = args.into_args();
        let fresh = || RunCore::top(Arc::clone(&topology), args.clone());
        let (lease, core) = match self.store.acquire(&id, &self.claim).await {
            Ok(lease) => (lease, None),
            Err(StoreError::UnknownRun { .. }) => {
                // A run that cannot begin is not added.
                let core = fresh()?;
                match self.store.create(&id, self.automa.name(), &self.claim).await {
                    Ok(lease) => (lease, Some(core)),
                    // Somebody was quicker.
                    Err(StoreError::RunExists { .. }) => {
                        (self.store.acquire(&id, &self.claim).await?, None)
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        };
        let mut journal = self.journal(lease);
        let found = async {
            if let Some(core) = core {
                return Ok(core);
            }
            match self.store.latest(&id).await? {
                Some(checkpoint) => {
                    let saved = journal.resume(&checkpoint)?.into_run();
                    RunCore::resumed(Arc::clone(&topology), saved)
                }
                // It was added, and has not begun.
                None => fresh(),
            }
        };
        match found.await {
            Ok(core) => Ok(Prepared::new(self.automa, Ok(core)).written_to(journal)),
            Err(error) => {
                journal.release().await;
                Err(error)
            }
        }
    }

    /// The state of a run as it was written last.
    ///
    /// # Errors
    /// There is no such run, it has no state yet, or the store fails.
    pub async fn snapshot(&self, id: impl AsRef<str>) -> Result<Snapshot, RunError> {
        let id = run_id(id)?;
        let latest = self.store.latest(&id).await?;
        let latest = latest.ok_or(StoreError::UnknownStep { run: id, step: 0, last: None })?;
        Ok(replay(&latest)?)
    }

    /// The state of a run after `step`, to be looked at, or changed and put in a fork's place.
    ///
    /// # Errors
    /// There is no such run or step, or the store fails.
    pub async fn snapshot_at(&self, id: impl AsRef<str>, step: u64) -> Result<Snapshot, RunError> {
        Ok(replay(&self.store.at(&run_id(id)?, step).await?)?)
    }

    /// Answers a question of a paused run, in the store; the next [`run`](Self::run) goes on with
    /// it.
    ///
    /// # Errors
    /// The run asks nothing, or not this, or it has been answered; somebody else has the run, or
    /// the store fails.
    pub async fn answer(
        &self,
        id: impl AsRef<str>,
        question: &str,
        answer: impl crate::values::Data,
    ) -> Result<(), RunError> {
        self.edit(id, |snapshot| Ok(snapshot.answer(question, answer)?)).await
    }

    /// Changes the last state of a run that nobody runs, in the store. It has ended or failed as
    /// before; if it was running when its process died, it is paused now.
    ///
    /// # Errors
    /// What `change` gives, and then nothing is written; somebody else has the run, or the store
    /// fails.
    pub async fn edit(
        &self,
        id: impl AsRef<str>,
        change: impl FnOnce(&mut Snapshot) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let id = run_id(id)?;
        let lease = self.store.acquire(&id, &self.claim).await?;
        let journal = self.journal(lease);
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

    /// Makes a new run `fork` of what run `id` was after `step`; [`run`](Self::run) goes on with
    /// it. The run `id` is as it was.
    ///
    /// # Errors
    /// There is no such run or step, there is a run `fork` already, or the store fails.
    pub async fn fork(
        &self,
        id: impl AsRef<str>,
        step: u64,
        fork: impl AsRef<str>,
    ) -> Result<(), RunError> {
        Ok(self.store.fork(&run_id(id)?, step, &run_id(fork)?).await?)
    }

    fn journal(&self, lease: Lease) -> Journal {
        Journal::new(Arc::clone(&self.store), lease, self.checkpoints)
    }
}

fn run_id(id: impl AsRef<str>) -> Result<RunId, RunError> {
    Ok(RunId::new(id.as_ref())?)
}

impl fmt::Debug for Durable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Durable")
            .field("automa", &self.automa.name())
            .field("store", &self.store)
            .field("checkpoints", &self.checkpoints)
            .finish()
    }
}
