//! A tool call, as observers and spans see it.

use std::sync::{Arc, Mutex, PoisonError};

use ddg_core::Context;
use ddg_core::run::ActiveRun;
use serde_json::Value as Json;
use tracing::Span;

use super::Scope;
use crate::gen_ai::ToolSpan;
use crate::message::{ToolCall, ToolMessage};
use crate::observe::MomentKind;
use crate::tool::ToolSpec;

/// The end of a call that was dropped, or that waits for a person.
const INTERRUPTED: &str = "interrupted";

/// Guard of a tool call: tells its end, also if the call is dropped.
pub(crate) struct ToolAct {
    scope: Option<Arc<Scope>>,
    span: ToolSpan,
    tool: String,
    call_id: String,
    has_ended: bool,
}

/// The call of an automa that is a tool, attached to the run around the automa.
pub(crate) struct CallAct {
    act: Mutex<Option<ToolAct>>,
    scope: Option<Arc<Scope>>,
    span: Span,
}

impl ToolAct {
    /// Begins a call in the worker of `cx`.
    pub(crate) fn new(tool: &ToolSpec, call: &ToolCall, arguments: &Json, cx: &Context) -> Self {
        Self::within(Scope::of(cx), tool, call, arguments)
    }

    fn within(
        scope: Option<Arc<Scope>>,
        tool: &ToolSpec,
        call: &ToolCall,
        arguments: &Json,
    ) -> Self {
        let parent = scope.as_ref().map(|scope| scope.span());
        let records_content = scope.as_ref().is_some_and(|scope| scope.records_content());
        let span = ToolSpan::new(parent, tool, call, arguments, records_content);
        let act = Self {
            scope,
            span,
            tool: tool.name.clone(),
            call_id: call.id.clone(),
            has_ended: false,
        };
        if let Some(scope) = act.scope.as_ref().filter(|scope| scope.is_observed()) {
            scope.tell(MomentKind::ToolStarted {
                tool: act.tool.clone(),
                call_id: act.call_id.clone(),
                arguments: arguments.clone(),
            });
        }
        act
    }

    pub(crate) fn span(&self) -> Span {
        self.span.span().clone()
    }

    /// Ends the call with its result, which may be an error.
    pub(crate) fn ended(mut self, result: &ToolMessage) {
        self.has_ended = true;
        if result.is_error {
            return self.failed("tool_error", &result.content);
        }
        self.span.ended(&result.content);
        if let Some(scope) = self.scope.as_ref().filter(|scope| scope.is_observed()) {
            scope.tell(MomentKind::ToolEnded {
                tool: self.tool.clone(),
                call_id: self.call_id.clone(),
                result: Arc::new(result.clone()),
            });
        }
    }

    fn failed(&self, kind: &str, error: &str) {
        self.span.failed(kind, error);
        if let Some(scope) = &self.scope {
            scope.tell(MomentKind::ToolFailed {
                tool: self.tool.clone(),
                call_id: self.call_id.clone(),
                error: error.to_owned(),
            });
        }
    }
}

impl Drop for ToolAct {
    fn drop(&mut self) {
        if !self.has_ended {
            self.failed(INTERRUPTED, INTERRUPTED);
        }
    }
}

impl CallAct {
    /// Begins the call of `run`.
    pub(crate) fn new(run: &ActiveRun, tool: &ToolSpec, call: &ToolCall, arguments: &Json) -> Self {
        let scope = Scope::around(run);
        let act = ToolAct::within(scope.clone(), tool, call, arguments);
        let span = act.span();
        Self { act: Mutex::new(Some(act)), scope, span }
    }

    /// Whether the scope around the call is `scope`.
    pub(super) fn is_within(&self, scope: &Arc<Scope>) -> bool {
        self.scope.as_ref().is_some_and(|around| Arc::ptr_eq(around, scope))
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Ends the call with its result.
    pub(crate) fn ended(&self, result: &ToolMessage) {
        let act = self.act.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(act) = act {
            act.ended(result);
        }
    }
}
