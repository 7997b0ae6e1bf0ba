//! A child as a worker of its parent's graph.

use ddg_core::args::Args;
use ddg_core::{Context, GraphAutoma, Worker, WorkerError, graph::BuildError};

/// What stands for a child in the graph of the run that has begun it, where it is drawn. Its run is its own,
/// so nobody is to ferry to it.
pub(crate) struct ChildNode {
    id: String,
}

impl ChildNode {
    pub(crate) fn new(id: String) -> Self {
        Self { id }
    }

    /// Lets snapshots of runs of `automa` find such workers again.
    ///
    /// # Errors
    /// The name is taken.
    pub(crate) fn register_in(automa: &mut GraphAutoma) -> Result<(), BuildError> {
        automa.register_worker_with("subturn", |node: &Self| node.id.clone(), Self::new)
    }
}

impl Worker for ChildNode {
    type Output = ();

    async fn run(&self, _: Args, _: &Context) -> Result<(), WorkerError> {
        let Self { id } = self;
        let why =
            format!("`{id}` is a child agent, whose run is its own: begin another with a `Turn`");
        Err(WorkerError::msg(why))
    }
}
