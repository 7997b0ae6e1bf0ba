//! When a run is written to a store.

/// When the state of a run is written to its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointPolicy {
    /// After every Dynamic Step: of a run whose process dies, at most the step that was under way
    /// runs again.
    #[default]
    EveryStep,
    /// When the run begins, pauses, is stopped, or ends.
    OnPause,
    /// After every Dynamic Step, and in a step the result of each worker as it ends, several of
    /// them in one write: of a run whose process dies, only the workers that were under way run
    /// again. For steps with many workers, or costly ones. A worker's result that has no JSON form,
    /// or that adds a worker which cannot be found again, is not written before the step is.
    EveryWorker,
}
