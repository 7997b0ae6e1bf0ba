//! A child as a worker of its parent's graph.

use ddg_core::args::Args;
use ddg_core::{Context, GraphAutoma, Worker, WorkerError, graph::BuildError};

/// Placeholder of a child in the graph of its parent's run, so that drawings show the child. The
/// child has a run of its own, so nothing ferries to the placeholder.
pub(crate) struct ChildNode {
    id: String,
}

impl ChildNode {
    pub(crate) fn new(id: String) -> Self {
        Self { id }
    }

    /// Registers the placeholder, so that snapshots of runs of `automa` can restore it.
    ///
    /// # Errors
    /// If the name is taken.
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
