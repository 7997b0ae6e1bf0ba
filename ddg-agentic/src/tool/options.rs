//! Options of tool calls.

use std::time::Duration;

use ddg_core::worker::Retry;

/// Options of a tool's calls: timeout, concurrency, approval by a person, and handling of failures.
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
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOptions {
    pub(super) categories: Vec<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) max_concurrency: Option<usize>,
    pub(super) approval: bool,
    pub(super) max_output_bytes: usize,
    pub(super) on_failure: OnFailure,
    pub(super) retry: Option<Retry>,
    pub(super) at_provider: bool,
    pub(super) file_urls: Option<Duration>,
}

/// What happens after a tool has failed, panicked or timed out.
///
/// The model is always told about faults of the model or of a person: a tool that does not exist,
/// arguments that do not fit, a call that was denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// The model is told, and can react.
    #[default]
    TellModel,
    /// The tool is retried at once, and the model is told if that does not help. For waits between
    /// the attempts see [`ToolOptions::retry`].
    Retry {
        /// Number of further attempts.
        times: u32,
    },
    /// The run fails.
    FailRun,
}

impl ToolOptions {
    /// Default of [`max_output_bytes`](Self::max_output_bytes): 64 KiB.
    pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

    /// Creates options without a timeout, without a limit of concurrent calls and without approval.
    /// The model is told about failures.
    pub fn new() -> Self {
        Self {
            categories: Vec::new(),
            timeout: None,
            max_concurrency: None,
            approval: false,
            max_output_bytes: Self::MAX_OUTPUT_BYTES,
            on_failure: OnFailure::default(),
            retry: None,
            at_provider: false,
            file_urls: None,
        }
    }

    /// Sets the timeout of each attempt. The time for approval, or of waiting for other calls, does
    /// not count. A sync function runs to its end, and its result is dropped.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the maximum number of concurrent calls (at least one), in all runs that share the
    /// toolbox. Further calls wait. A call that has paused in an automa that is a tool does not
    /// count any more, also after it was resumed.
    #[must_use]
    pub fn max_concurrency(mut self, calls: usize) -> Self {
        self.max_concurrency = Some(calls.max(1));
        self
    }

    /// Asks a person before each call: the run pauses with an [`Approval`](super::Approval), and
    /// the answer is a [`Verdict`](super::Verdict).
    #[must_use]
    pub fn approval(mut self) -> Self {
        self.approval = true;
        self
    }

    /// Adds a category, by which [hooks](crate::hook::Hook) decide about the tool.
    ///
    /// ```
    /// use ddg_agentic::hook::Approve;
    /// use ddg_agentic::prelude::*;
    ///
    /// /// Pays somebody.
    /// #[tool]
    /// async fn pay(to: String) {}
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = ToolOptions::new().category("money");
    /// let tools = Toolbox::builder().with_options(pay::tool(), options).build()?;
    /// let agent =
    ///     ReActAutoma::new(OfflineModel::new()).tools(tools).hook(Approve::category("money"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.categories.push(category.into());
        self
    }

    /// Sets the maximum number of bytes of text for the model. Longer text is cut at a character
    /// boundary, with a note that says how much is missing.
    #[must_use]
    pub fn max_output_bytes(mut self, bytes: usize) -> Self {
        self.max_output_bytes = bytes;
        self
    }

    /// Sets what happens after the tool has failed, panicked or timed out.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Retries the tool after it has failed, panicked or timed out, with the waits of the policy.
    /// What happens if no attempt succeeds is set by [`on_failure`](Self::on_failure).
    ///
    /// A tool that wants other arguments instead, from the model, returns
    /// [`ToolError::Arguments`](super::ToolError::Arguments): the model is told at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ddg_agentic::tool::ToolOptions;
    /// use ddg_core::worker::Retry;
    ///
    /// let waits = Retry::times(3).delay(Duration::from_millis(200)).jitter();
    /// let options = ToolOptions::new().timeout(Duration::from_secs(5)).retry(waits);
    /// ```
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The further attempts after a failure.
    pub(super) fn retries(&self) -> Retry {
        self.retry.unwrap_or(match self.on_failure {
            OnFailure::Retry { times } => Retry::times(times as usize),
            OnFailure::TellModel | OnFailure::FailRun => Retry::times(0),
        })
    }

    /// Declares that the tool runs at the provider, which sees the conversation itself. The files
    /// of a call are those that the last message of a person names, and files in its result are
    /// ignored.
    #[must_use]
    pub fn at_provider(mut self) -> Self {
        self.at_provider = true;
        self
    }

    /// Adds URLs of files to the text for the model, valid for `expiry`. See
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
