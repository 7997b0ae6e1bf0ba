//! The last output of each worker of a run.

use super::pages::Pages;
use crate::graph::WorkerId;
use crate::values::Value;

/// Outputs by worker.
pub(crate) struct Outputs(Pages<Option<Value>, PAGE>);

// Small enough that a run of few workers of a large graph allocates little, large enough that the
// list of pages is short.
const PAGE: usize = 128;

impl Outputs {
    /// Creates room for `n` workers.
    pub(crate) fn new(n: usize) -> Self {
        Self(Pages::new(n))
    }

    /// Makes room for added workers.
    pub(crate) fn grow(&mut self, n: usize) {
        self.0.grow(n);
    }

    #[inline]
    pub(crate) fn get(&self, worker: WorkerId) -> Option<&Value> {
        self.0.get(worker.index())?.as_ref()
    }

    #[inline]
    pub(crate) fn set(&mut self, worker: WorkerId, output: Value) {
        *self.0.at(worker.index()) = Some(output);
    }

    /// Takes the output of one worker out.
    pub(crate) fn take(&mut self, worker: WorkerId) -> Option<Value> {
        self.0.get_mut(worker.index())?.take()
    }

    /// Drops all outputs.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
