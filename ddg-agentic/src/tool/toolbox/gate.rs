//! The gate of a tool: hooks and people before a call, hooks after it.

use ddg_core::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Entry;
use crate::hook::{HookStop, ToolUse};
use crate::message::{ToolCall, ToolMessage};
use crate::scope::{Called, Gate, Scope};
use crate::tool::error::Halt;
use crate::tool::{Approval, ToolError, ToolOutput, ToolResult, Verdict};

/// What has passed the gate.
pub(in crate::tool) enum Passed {
    /// The call, with these arguments.
    Call(Json),
    /// The result that a hook has given.
    Given(ToolOutput),
}

/// What hooks have decided about a call. It is saved with the worker, so that they are not asked
/// again when the worker runs again after a question.
#[derive(Clone, Serialize, Deserialize)]
struct Decided {
    /// The arguments of the model.
    of: Json,
    /// The arguments after the hooks.
    arguments: Json,
    /// Why a person is asked.
    reasons: Vec<String>,
    /// What the person is asked about; empty if nobody is.
    asks: Vec<String>,
    given: Option<ToolOutput>,
    /// The arguments of the person, after the hooks.
    replaced: Option<Json>,
}

impl Entry {
    /// Lets hooks decide about a call, and asks a person.
    pub(super) async fn pass(
        &self,
        call: &ToolCall,
        arguments: Json,
        cx: &Context,
    ) -> Result<Passed, Halt> {
        let scope = Scope::with_hooks(cx);
        if scope.is_none() && !self.options.approval {
            return Ok(Passed::Call(arguments));
        }
        let name = record(call);
        let kept = cx.local().get::<Decided>(&name).filter(|kept| kept.of == arguments);
        let mut decided = match kept {
            Some(kept) => kept,
            None => {
                let decided = self.decide(call, arguments, scope.as_deref(), cx).await?;
                cx.local().set(&name, decided.clone());
                decided
            }
        };
        if let Some(output) = decided.given {
            return Ok(Passed::Given(output));
        }
        if decided.asks.is_empty() {
            return Ok(Passed::Call(decided.arguments));
        }
        let approval = Approval {
            tool: self.name().to_owned(),
            arguments: decided.arguments.clone(),
            reason: decided.reasons.join("; "),
        };
        match cx.interact_with_human(approval).map_err(|waits| Halt::Fail(waits.into()))? {
            Verdict::Allow => Ok(Passed::Call(decided.arguments)),
            Verdict::Always => {
                if let Some(scope) = Scope::of(cx) {
                    scope.allow(decided.asks);
                }
                Ok(Passed::Call(decided.arguments))
            }
            Verdict::AllowWith { arguments } => {
                if let Some(replaced) = decided.replaced {
                    return Ok(Passed::Call(replaced));
                }
                if let Err(faults) = self.validator.check(&arguments) {
                    // The arguments of the person are wrong, not those of the model, so the model
                    // is not told.
                    let faults = faults.join("; ");
                    return Err(
                        self.denied(format!("what they gave in its place is wrong: {faults}"))
                    );
                }
                // Hooks that ask are satisfied: a person has decided.
                let again = self.decide(call, arguments, scope.as_deref(), cx).await?;
                if let Some(output) = again.given {
                    return Ok(Passed::Given(output));
                }
                decided.replaced = Some(again.arguments.clone());
                cx.local().set(&name, decided);
                Ok(Passed::Call(again.arguments))
            }
            Verdict::Deny { reason } => Err(self.denied(reason)),
        }
    }

    /// Lets hooks decide about the result of a call.
    pub(in crate::tool) async fn passed_on(
        &self,
        call: &ToolCall,
        arguments: Json,
        output: Result<ToolOutput, ToolError>,
        cx: &Context,
    ) -> Result<ToolOutput, ToolError> {
        let Some(scope) = Scope::with_hooks(cx) else { return output };
        let used = self.used(call, arguments);
        let told = match &output {
            Ok(output) => {
                let told = ToolMessage::new(call, &output.content);
                let told = told.with_images(output.images.clone());
                told.with_attachments(output.attachments.clone())
            }
            Err(error) => ToolMessage::error(call, error.to_string()),
        };
        let result = self.passed(scope.after_tool(&used, told.clone(), cx).await)?;
        if result == told {
            return output;
        }
        let ToolMessage { content, images, attachments, is_error, .. } = result;
        match (is_error, output) {
            (true, _) => Err(ToolError::Changed { tool: self.name().to_owned(), message: content }),
            (false, Ok(output)) => Ok(ToolOutput { content, images, attachments, ..output }),
            (false, Err(_)) => {
                Ok(ToolOutput { content, images, attachments, ..ToolOutput::default() })
            }
        }
    }

    /// Lets hooks decide about the result of a call of an automa.
    pub(in crate::tool) async fn passed_result(
        &self,
        call: &ToolCall,
        arguments: Json,
        mut result: ToolResult,
        cx: &Context,
    ) -> ToolResult {
        let Some(scope) = Scope::with_hooks(cx) else { return result };
        let used = self.used(call, arguments);
        let decided = scope.after_tool(&used, result.message.clone(), cx).await;
        result.message = self
            .passed(decided)
            .unwrap_or_else(|error| ToolMessage::error(call, error.to_string()));
        result
    }

    /// Forgets what was decided about a call that has ended.
    pub(in crate::tool) fn forget(call: &ToolCall, cx: &Context) {
        cx.local().remove(&record(call));
    }

    /// What hooks decide, and whether a person is to be asked.
    async fn decide(
        &self,
        call: &ToolCall,
        arguments: Json,
        scope: Option<&Scope>,
        cx: &Context,
    ) -> Result<Decided, Halt> {
        let mut decided = Decided {
            of: arguments.clone(),
            arguments,
            reasons: Vec::new(),
            asks: Vec::new(),
            given: None,
            replaced: None,
        };
        let mut asks: Vec<(String, Option<String>)> = Vec::new();
        if let Some(scope) = scope {
            let mut used = self.used(call, decided.arguments.clone());
            let check = |arguments: &Json| self.validator.check(arguments);
            match self.passed(scope.before_tool(&mut used, check, cx).await)? {
                Called::Given(output) => decided.given = Some(*output),
                Called::Tool { arguments, asks: why } => {
                    decided.arguments = arguments;
                    asks = why;
                }
            }
        }
        if self.options.approval && decided.given.is_none() {
            asks.push((String::new(), None));
        }
        if asks.is_empty() {
            return Ok(decided);
        }
        let around = Scope::of(cx);
        let allowed = around.as_ref().map(|scope| scope.allowed()).unwrap_or_default();
        let path = around.as_ref().map(|scope| scope.path()).unwrap_or_default();
        for (reason, category) in asks {
            let key = match category {
                Some(category) => format!("category {category}"),
                None => format!("tool {path}/{}", self.name()),
            };
            if !allowed.contains(&key) {
                decided.reasons.extend(Some(reason).filter(|reason| !reason.is_empty()));
                decided.asks.push(key);
            } else if let Some(scope) = &around {
                scope.tell_allowed(self.name(), cx);
            }
        }
        Ok(decided)
    }

    fn used(&self, call: &ToolCall, arguments: Json) -> ToolUse {
        ToolUse {
            id: call.id.clone(),
            tool: self.name().to_owned(),
            arguments,
            categories: self.options.categories.clone(),
        }
    }

    /// What passes; or the error for the model.
    fn passed<T>(&self, decided: Result<Gate<T>, HookStop>) -> Result<T, ToolError> {
        let tool = || self.name().to_owned();
        match decided {
            Ok(Gate::Pass(passed)) => Ok(passed),
            Ok(Gate::Refused { hook, why }) => Err(ToolError::Refused { tool: tool(), hook, why }),
            Err(stop) => Err(ToolError::Stopped { tool: tool(), stop }),
        }
    }

    fn denied(&self, reason: String) -> Halt {
        ToolError::Denied { tool: self.name().to_owned(), reason }.into()
    }
}

/// The local value with what hooks have decided about a call.
fn record(call: &ToolCall) -> String {
    format!("decided {} {}", call.name, call.id)
}
