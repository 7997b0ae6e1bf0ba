//! Running an automa, from its beginning or from a snapshot.

use super::RunBuilder;
use crate::args::IntoArgs;
use crate::automa::GraphAutoma;
use crate::saved::Snapshot;

impl GraphAutoma {
    /// A run that begins with `args`: `.await` it, or say more about it first; see [`RunBuilder`]
    /// for all that can be said.
    ///
    /// Each start worker takes as many of the positional arguments as it has parameters for; named ones
    /// reach every worker, at any depth, that has a parameter of that name.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| x * 2, start().output())?;
    ///
    /// let outcome: Outcome = automa.run(args!(21)).await?;
    /// assert_eq!(outcome.steps(), 1);
    /// let y: i64 = automa.run(args!(21)).output().await?;
    /// assert_eq!(y, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn run(&self, args: impl IntoArgs) -> RunBuilder {
        RunBuilder::new(self, args.into_args())
    }

    /// A run that goes on from where it was stopped or paused and saved, otherwise as
    /// [`run`](Self::run). The snapshot is consumed; keep a clone to try again.
    ///
    /// That the snapshot is not of a run of this automa is an error of the run.
    pub fn resume(&self, snapshot: Snapshot) -> RunBuilder {
        RunBuilder::resumed(self, snapshot)
    }
}
