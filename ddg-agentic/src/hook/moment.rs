//! The run in which a hook decides.

use std::fmt;

use ddg_core::values::TypeMismatch;
use ddg_core::{Context, Data};

/// The run in which a hook decides.
#[derive(Clone)]
pub struct HookRun {
    pub(crate) agent: String,
    pub(crate) is_own: bool,
    pub(crate) cx: Context,
}

impl HookRun {
    /// The name of the agent that acts. It may be inside the agent of the hook.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Whether the agent that acts is the agent of the hook, and not one inside it.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// The input `name` of the run, such as the user who is speaking; `None` if there is none.
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn input<T: Data>(&self, name: &str) -> Result<Option<T>, TypeMismatch> {
        self.cx.input(name)
    }

    /// The context of the worker that acts: that of the model, or of the tool call. A hook asks a
    /// person with [`BeforeTool::Ask`](super::BeforeTool::Ask), not with the context.
    pub fn context(&self) -> &Context {
        &self.cx
    }
}

impl fmt::Debug for HookRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookRun({} at {})", self.agent, self.cx.path())
    }
}
