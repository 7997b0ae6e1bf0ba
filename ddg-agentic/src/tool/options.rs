//! How the calls of a tool go.

use std::time::Duration;

/// How the calls of a tool go: how long they may take, how many there are at a time, whether a
/// person is asked before, and what becomes of one that fails.
///
/// ```
/// use std::time::Duration;
/// use ddg_agentic::tool::{OnFailure, ToolOptions};
///
/// let options = ToolOptions::new()
///     .timeout(Duration::from_secs(10))
///     .max_concurrency(2)
///     .approval()
///     .on_failure(OnFailure::Retry { times: 2 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOptions {
    pub(super) timeout: Option<Duration>,
    pub(super) max_concurrency: Option<usize>,
    pub(super) approval: bool,
    pub(super) max_output_bytes: usize,
    pub(super) on_failure: OnFailure,
    pub(super) at_provider: bool,
    pub(super) file_urls: Option<Duration>,
}

/// What becomes of a call whose tool fails, panics or takes too long.
///
/// What the model or a person is to blame for (a tool that does not exist, arguments that do not fit,
/// a call that is denied) the model is told in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// The model is told, and can react to it.
    #[default]
    TellModel,
    /// It is tried again at once, and the model is told if that does not help.
    Retry {
        /// How many more times.
        times: u32,
    },
    /// The run fails.
    FailRun,
}

impl ToolOptions {
    /// How many bytes a call gives a model to read unless
    /// [`max_output_bytes`](Self::max_output_bytes) says otherwise: 64 KiB.
    pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

    /// No timeout, any number of calls at a time, nobody is asked, and the model is told of failures.
    pub fn new() -> Self {
        Self {
            timeout: None,
            max_concurrency: None,
            approval: false,
            max_output_bytes: Self::MAX_OUTPUT_BYTES,
            on_failure: OnFailure::default(),
            at_provider: false,
            file_urls: None,
        }
    }

    /// Gives each attempt this long. The time that a person takes to approve, or that a call waits for
    /// others, does not count. A sync function runs to its end all the same; what it gives is dropped.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets at most `calls` (at least one) go on at a time, in all runs that share the toolbox; the
    /// others wait for their turn. A call that has paused within an automa that is a tool does not count
    /// any more, also when it goes on.
    #[must_use]
    pub fn max_concurrency(mut self, calls: usize) -> Self {
        self.max_concurrency = Some(calls.max(1));
        self
    }

    /// Asks a person before each call: the run pauses with an [`Approval`](super::Approval), to be
    /// answered by a [`Verdict`](super::Verdict).
    #[must_use]
    pub fn approval(mut self) -> Self {
        self.approval = true;
        self
    }

    /// Cuts what the model is told after so many bytes, at the end of a character, and says how much is
    /// missing.
    #[must_use]
    pub fn max_output_bytes(mut self, bytes: usize) -> Self {
        self.max_output_bytes = bytes;
        self
    }

    /// Sets what becomes of a call whose tool fails, panics or takes too long.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Says that the tool runs at the provider, which sees the conversation itself: the files of a call are those that
    /// the last message of a person names, and it gives none, whatever its text says.
    #[must_use]
    pub fn at_provider(mut self) -> Self {
        self.at_provider = true;
        self
    }

    /// Asks for addresses of files in what the model is told, good for `expiry`; see
    /// [`ReActAutoma::file_urls`](crate::ReActAutoma::file_urls).
    #[must_use]
    pub fn file_urls(mut self, expiry: Duration) -> Self {
        self.file_urls = Some(expiry);
        self
    }
}

impl Default for ToolOptions {
    fn default() -> Self {
        Self::new()
    }
}
