//! The run for which a tool is called.

use std::collections::BTreeMap;

use crate::files::FileManager;

/// The run of an assistant for which a tool is called. A tool reads it with
/// [`Context::attached`](ddg_core::Context::attached).
///
/// ```
/// use ddg_agentic::tool;
/// use ddg_agentic::tool::ToolRun;
/// use ddg_core::Context;
///
/// /// Tells who is asking.
/// #[tool]
/// async fn who(cx: &Context) -> String {
///     match cx.attached::<ToolRun>() {
///         Some(run) => format!("{} in {}", run.tenant, run.thread),
///         None => "nobody".to_owned(),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolRun {
    /// The id of the run.
    pub run: String,
    /// The id of the thread or conversation.
    pub thread: String,
    /// The id of the assistant; empty for a response.
    pub assistant: String,
    /// The tenant.
    pub tenant: String,
    /// The metadata of the run.
    pub metadata: BTreeMap<String, String>,
    /// The files of the tenant.
    pub files: Option<FileManager>,
}

impl ToolRun {
    /// Creates a run without metadata and files.
    pub fn new(
        run: impl Into<String>,
        thread: impl Into<String>,
        assistant: impl Into<String>,
        tenant: impl Into<String>,
    ) -> Self {
        Self {
            run: run.into(),
            thread: thread.into(),
            assistant: assistant.into(),
            tenant: tenant.into(),
            metadata: BTreeMap::new(),
            files: None,
        }
    }
}
