//! When a run is written to its store.

/// When the state of a run is written to its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointPolicy {
    /// After every Dynamic Step. If the process dies, at most the current step runs again.
    #[default]
    EveryStep,
    /// When the run begins, pauses, is stopped, or ends.
    OnPause,
    /// After every Dynamic Step; within a step, also the result of each worker as it ends, several
    /// in one write. If the process dies, only the workers that were running run again.
    ///
    /// Use it for steps with many or costly workers. A result without a JSON form, or one that adds
    /// a worker that cannot be resolved again, is not written before the step is.
    EveryWorker,
}
