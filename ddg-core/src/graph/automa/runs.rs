//! The ways to run an automa: to its end, as a task, prepared, kept, from a snapshot, in a test.

use std::sync::Arc;

use super::GraphAutoma;
use crate::args::IntoArgs;
use crate::checkpoint::CheckpointStore;
use crate::run::{Durable, Kickoff, Outcome, Prepared, Run, RunError};
use crate::snapshot::Snapshot;
use crate::values::RunResult;

impl GraphAutoma {
    /// Runs it to its end and gives the output of the output worker that ran last.
    ///
    /// Positional arguments reach every start worker; named ones reach every worker, at any depth,
    /// that has a parameter of that name. Without an output, the result is null: `()`, or `None`
    /// of an `Option`.
    ///
    /// # Errors
    /// The graph is invalid, the inputs reach nobody, a step failed, or the output is no `T`.
    ///
    /// # Cancel safety
    /// Dropping the future stops the workers of the run. Blocking workers run to their end; their
    /// output is dropped.
    pub async fn run<T: RunResult>(&self, args: impl IntoArgs) -> Result<T, RunError> {
        self.outcome(args).await?.into_output()
    }

    /// Like [`run`](Self::run), but gives everything there is to say about the run.
    ///
    /// # Errors
    /// As [`run`](Self::run), but for the output's type.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn outcome(&self, args: impl IntoArgs) -> Result<Outcome, RunError> {
        crate::run::run(self, args.into_args()).await
    }

    /// Runs it with one worker polled at a time, the next one as `choose` says: for tests that
    /// try how workers interleave.
    ///
    /// `choose` is given the kickoffs of the step that can get on, in kickoff order, and gives
    /// the place of one (past the end means the last). The result is that of
    /// [`outcome`](Self::outcome), whatever is chosen.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("pair");
    /// automa.add_func_as_worker("a", async || "a".to_owned(), start())?;
    /// automa.add_func_as_worker("b", async || "b".to_owned(), start())?;
    /// automa.add_func_as_worker("ab", async |v: Vec<String>| v.concat(), after(["a", "b"]).merge().output())?;
    /// for first in [0, 1] {
    ///     let outcome = automa.simulate((), |ready| first.min(ready.len() - 1)).await?;
    ///     assert_eq!(outcome.into_output::<String>()?, "ab");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`outcome`](Self::outcome).
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn simulate(
        &self,
        args: impl IntoArgs,
        choose: impl FnMut(&[Kickoff]) -> usize,
    ) -> Result<Outcome, RunError> {
        crate::run::simulate(self, args.into_args(), choose).await
    }

    /// Continues a run that was stopped and saved.
    ///
    /// # Errors
    /// As [`outcome`](Self::outcome), and if the snapshot is not of a run of this automa.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run). The snapshot is consumed; keep a clone to try again.
    pub async fn resume(&self, snapshot: Snapshot) -> Result<Outcome, RunError> {
        self.prepare_resume(snapshot).outcome().await
    }

    /// Prepares a run without beginning it: to [subscribe](Prepared::events) to its events before
    /// the first comes, or to set what holds for this run alone.
    ///
    /// What it begins with (the graph, kept local spaces, the callbacks of the process) is what
    /// there is now.
    pub fn prepare(&self, args: impl IntoArgs) -> Prepared {
        crate::run::prepare(self, args.into_args())
    }

    /// Prepares a saved run to go on, without letting it yet; see [`prepare`](Self::prepare).
    pub fn prepare_resume(&self, snapshot: Snapshot) -> Prepared {
        crate::run::prepare_resumed(self, snapshot)
    }

    /// Lets its runs be kept in `store`, so that they survive their process; see [`Durable`].
    pub fn durable(&self, store: impl CheckpointStore + 'static) -> Durable<'_> {
        Durable::new(self, Arc::new(store))
    }

    /// The same with a store that is shared.
    pub fn durable_in(&self, store: Arc<dyn CheckpointStore>) -> Durable<'_> {
        Durable::new(self, store)
    }

    /// Starts a run as a task of its own and gives a handle to it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(&self, args: impl IntoArgs) -> Run {
        self.prepare(args).start()
    }
}
