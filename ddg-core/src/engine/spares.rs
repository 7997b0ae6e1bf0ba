//! What ended executions leave behind for the next ones: memory of futures, contexts, and the graph
//! that plain calls are made through.

use std::sync::Arc;

use super::{Effects, Kickoff, Replay, RunCore};
use crate::args::Args;
use crate::context::Context;
use crate::graph::{Topology, WorkerId};
use crate::machine::{Cause, KickoffId};
use crate::worker::{Body, Rooms};

/// What the next executions in the same task use again.
#[derive(Default)]
pub(super) struct Spares {
    pub(super) rooms: Rooms,
    /// Contexts of ended executions, by worker: a loop comes back to the same few.
    contexts: [Option<Context>; CONTEXTS],
    /// The declared graph, as plain calls hold it.
    topology: Option<Arc<Topology<Arc<Body>>>>,
}

const CONTEXTS: usize = 4;

/// A kickoff that begins. Its body is `payload`, or else that of the declared graph.
pub(super) struct Kicked {
    pub(super) id: KickoffId,
    pub(super) worker: WorkerId,
    pub(super) payload: Option<Arc<Body>>,
    pub(super) cause: Cause,
    pub(super) step: u64,
}

impl Spares {
    /// The declared graph, without a count if an ended call has left it here.
    #[inline]
    pub(super) fn topology(&mut self, core: &RunCore) -> Arc<Topology<Arc<Body>>> {
        self.topology.take().unwrap_or_else(|| Arc::clone(&core.program.topology))
    }

    #[inline]
    pub(super) fn keep_topology(&mut self, topology: Arc<Topology<Arc<Body>>>) {
        self.topology = Some(topology);
    }

    /// A context: that of an earlier execution of the same worker, if there is one.
    #[inline]
    pub(super) fn context(
        &mut self,
        core: &Arc<RunCore>,
        kicked: Kicked,
        args: &Args,
        effects: Effects,
        replay: Option<Box<Replay>>,
    ) -> Context {
        let Kicked { id, worker, payload, cause, step } = kicked;
        let body = payload
            .as_ref()
            .unwrap_or_else(|| &core.program.topology.nodes[worker.index()].payload);
        let place = &mut self.contexts[worker.index() % CONTEXTS];
        match place.take().filter(|context| Arc::ptr_eq(context.body(), body)) {
            Some(context) => context.again(id, cause, step, args, effects, replay),
            None => {
                let body = Arc::clone(body);
                let kickoff = Kickoff { id, worker, body, cause, step };
                Context::new(Arc::clone(core), kickoff, args, effects, replay)
            }
        }
    }

    /// Keeps the context of an execution that has ended.
    #[inline]
    pub(super) fn keep(&mut self, context: Context) {
        let place = context.worker().index() % CONTEXTS;
        self.contexts[place] = Some(context);
    }

    /// Drops the contexts: they keep the local spaces of workers that may have been removed.
    pub(super) fn drop_contexts(&mut self) {
        self.contexts = Default::default();
    }
}
