//! Why a hook stops a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a hook stops a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HookStop {
    /// The name of the reason, for programs, such as `card_number`.
    pub name: String,
    /// The reason, for people.
    pub message: String,
    /// The name of the hook.
    #[serde(default)]
    pub hook: String,
}

impl HookStop {
    /// The name of the reason of a hook that failed or panicked.
    pub const FAILED: &str = "hook_failed";

    /// Creates a reason.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), hook: String::new() }
    }

    /// Sets the name of the hook.
    pub(crate) fn by(mut self, hook: &str) -> Self {
        hook.clone_into(&mut self.hook);
        self
    }
}

impl fmt::Display for HookStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, message, hook } = self;
        write!(f, "stopped by the hook `{hook}` ({name}): {message}")
    }
}
