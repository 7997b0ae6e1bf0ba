//! When a run is written to its store.

/// When the state of a run is written to its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointPolicy {
    /// After every Dynamic Step, also of nested automata. If the process dies, at most the current
    /// step of each automa that was running runs again.
    #[default]
    EveryStep,
    /// When the run begins, pauses, is stopped, or ends. Steps of nested automata are not
    /// written.
    OnPause,
    /// After every Dynamic Step, also of nested automata; within a step, also the result of each
    /// worker as it ends, several in one write. If the process dies, only the workers that were
    /// running run again.
    ///
    /// Use it for steps with many or costly workers. A result without a JSON form, or one that adds
    /// a worker that cannot be resolved again, is not written before the step is.
    EveryWorker,
}
