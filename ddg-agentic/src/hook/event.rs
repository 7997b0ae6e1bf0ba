//! Decisions of hooks, as events.

use ddg_core::Context;
use serde::{Deserialize, Serialize};

use super::HookStop;

/// A hook has decided otherwise than to let pass. Published as the event `hook`. It has no content
/// of messages, which a hook may have removed for a reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HookEvent {
    /// The name of the hook.
    pub hook: String,
    /// The name of the agent that acts.
    pub agent: String,
    /// The method of the hook, such as `before_tool`.
    pub at: String,
    /// The name of the tool, if it is about a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What it has decided.
    pub decision: Decision,
}

/// What a hook has decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// Something was changed.
    Changed,
    /// The hook gave a reply or a result in place of the model or the tool.
    Gave,
    /// The model is told why not.
    Refused {
        /// Why.
        why: String,
    },
    /// A person is asked.
    Asked {
        /// Why.
        reason: String,
    },
    /// A person is not asked, because they have said "always" before.
    AllowedBefore,
    /// The run ends.
    Stopped {
        /// Why.
        stop: HookStop,
    },
}

impl HookEvent {
    /// The name of the event.
    pub const NAME: &str = "hook";

    pub(crate) fn tell(self, cx: &Context) {
        tracing::debug!(hook = %self.hook, at = %self.at, decision = ?self.decision, "a hook decided");
        cx.emit(Self::NAME, self);
    }
}
