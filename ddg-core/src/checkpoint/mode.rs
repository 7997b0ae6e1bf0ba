//! When a run is written to a store.

/// When the state of a run is written to its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checkpoints {
    /// After every Dynamic Step: of a run whose process dies, at most the step that was under way
    /// runs again.
    #[default]
    EveryStep,
    /// When the run begins, pauses, is stopped, or ends.
    OnPause,
}
