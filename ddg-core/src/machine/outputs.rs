//! The last output of each worker of a run.

use crate::graph::WorkerId;
use crate::values::Value;

/// Outputs by worker, in blocks that are allocated when a worker of the block gives its first
/// output. Memory grows with the workers that have run, not with the graph.
pub(crate) struct Outputs(Vec<Option<Box<Block>>>);

// Small enough that a run of few workers allocates little, large enough that the list of blocks is
// short.
const BLOCK: usize = 16;

type Block = [Option<Value>; BLOCK];

impl Outputs {
    /// Creates room for `n` workers.
    pub(crate) fn new(n: usize) -> Self {
        Self(vec![None; n.div_ceil(BLOCK)])
    }

    /// Makes room for added workers.
    pub(crate) fn grow(&mut self, n: usize) {
        if n > self.0.len() * BLOCK {
            self.0.resize(n.div_ceil(BLOCK), None);
        }
    }

    #[inline]
    pub(crate) fn get(&self, worker: WorkerId) -> Option<&Value> {
        let block = self.0[worker.index() / BLOCK].as_ref()?;
        block[worker.index() % BLOCK].as_ref()
    }

    #[inline]
    pub(crate) fn set(&mut self, worker: WorkerId, output: Value) {
        let block = self.0[worker.index() / BLOCK].get_or_insert_default();
        block[worker.index() % BLOCK] = Some(output);
    }

    /// Takes the output of one worker out.
    pub(crate) fn take(&mut self, worker: WorkerId) -> Option<Value> {
        let block = self.0[worker.index() / BLOCK].as_mut()?;
        block[worker.index() % BLOCK].take()
    }

    /// Drops all outputs.
    pub(crate) fn clear(&mut self) {
        self.0.fill(None);
    }
}
