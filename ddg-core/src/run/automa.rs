//! Methods that run an automa, from its start or from a snapshot.

use super::RunBuilder;
use crate::args::IntoArgs;
use crate::automa::GraphAutoma;
use crate::saved::Snapshot;

impl GraphAutoma {
    /// Creates a run with the arguments `args`. `.await` it, or set options first; see
    /// [`RunBuilder`].
    ///
    /// Each start worker takes as many of the positional arguments as it has parameters for. Named
    /// ones reach every worker, at any depth, that has a parameter of that name.
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

    /// Creates a run that resumes `snapshot`, a saved run that was stopped or paused. Otherwise as
    /// [`run`](Self::run). The snapshot is consumed; keep a clone to try again.
    ///
    /// If the snapshot is not of a run of this automa, the run ends with that error.
    pub fn resume(&self, snapshot: Snapshot) -> RunBuilder {
        RunBuilder::resumed(self, snapshot)
    }
}
