//! Approval by a person, by condition or by category.

use std::fmt;

use ddg_core::WorkerError;

use super::{BeforeTool, Hook, HookRun, ToolUse};

/// A hook that asks a person before some tool calls: by condition, or by the category of the tool.
///
/// The question is an [`Approval`](crate::tool::Approval), and the answer a
/// [`Verdict`](crate::tool::Verdict). With [`Verdict::Always`](crate::tool::Verdict::Always) the
/// person is not asked again in the run, and in all runs of its conversation.
///
/// ```
/// use ddg_agentic::hook::Approve;
/// use ddg_agentic::prelude::*;
/// use serde_json::json;
///
/// /// Pays somebody.
/// #[tool]
/// async fn pay(euros: u64) -> String {
///     format!("paid {euros}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let model = ScriptedModel::new()
/// #     .calls([20, 300].map(|n| ToolCall::new(format!("call_{n}"), "pay", json!({ "euros": n }))))
/// #     .text("Paid.");
/// let agent = ReActAutoma::new(model)
///     .tools(Toolbox::builder().with(pay::tool()).build()?)
///     .hook(Approve::when("more than 100 euros", |call| call.arguments["euros"].as_u64() > Some(100)))
///     .hook(Approve::category("dangerous"));
/// let agent = Agent::new(agent)?;
/// let Said::Paused { outcome, .. } = agent.say("ada", "Pay 20, and 300.").await? else { panic!() };
/// let [question] = &outcome.questions()[..] else { panic!("only the second call is asked about") };
/// assert_eq!(question.content.to_json()?["reason"], "more than 100 euros");
/// let said = agent.answer("ada", &question.id, Verdict::Allow).await?;
/// assert!(matches!(said, Said::Ended(outcome) if outcome.text() == "Paid."));
/// # Ok(())
/// # }
/// ```
pub struct Approve {
    reason: String,
    category: Option<String>,
    asks: Box<dyn Fn(&ToolUse) -> bool + Send + Sync>,
}

impl Approve {
    /// Asks before calls for which `asks` returns `true`. The person is told `reason`.
    pub fn when(
        reason: impl Into<String>,
        asks: impl Fn(&ToolUse) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { reason: reason.into(), category: None, asks: Box::new(asks) }
    }

    /// Asks before each call of a tool of this [category](crate::tool::ToolOptions::category).
    /// "Always" then covers all tools of the category.
    pub fn category(category: impl Into<String>) -> Self {
        let category = category.into();
        let of = category.clone();
        Self {
            reason: format!("it is in the category `{category}`"),
            category: Some(category),
            asks: Box::new(move |call| call.is_of(&of)),
        }
    }
}

impl Hook for Approve {
    fn name(&self) -> &str {
        "approve"
    }

    fn passes_pieces(&self) -> bool {
        true
    }

    async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        Ok(match (self.asks)(call) {
            true => {
                BeforeTool::Ask { reason: self.reason.clone(), category: self.category.clone() }
            }
            false => BeforeTool::Go,
        })
    }
}

impl fmt::Debug for Approve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Approve({})", self.reason)
    }
}
