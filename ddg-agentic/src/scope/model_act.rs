//! A request to a model, as observers and spans see it.

use std::sync::Arc;

use ddg_core::Context;
use tracing::Span;

use super::Scope;
use crate::gen_ai::ModelSpan;
use crate::model::{ChatModel, ChatReply, ChatRequest, ModelError};
use crate::observe::MomentKind;

/// Guard of a request: tells its end, also if the request is dropped.
pub(crate) struct ModelAct {
    scope: Option<Arc<Scope>>,
    span: ModelSpan,
    model: String,
    has_ended: bool,
}

impl ModelAct {
    /// Begins a request of the worker of `cx`.
    pub(crate) fn new(model: &dyn ChatModel, request: &ChatRequest, cx: &Context) -> Self {
        let scope = Scope::of(cx);
        let parent = scope.as_ref().map(|scope| scope.span());
        let conversation = scope.as_ref().and_then(|scope| scope.conversation());
        let records_content = scope.as_ref().is_some_and(|scope| scope.records_content());
        let span = ModelSpan::new(parent, model, request, conversation, records_content);
        let model = model.name().to_owned();
        if let Some(scope) = scope.as_ref().filter(|scope| scope.is_observed()) {
            let request = Arc::new(request.clone());
            scope.tell(MomentKind::ModelStarted { model: model.clone(), request });
        }
        Self { scope, span, model, has_ended: false }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.span().clone()
    }

    /// Ends the request.
    pub(crate) fn ended(
        mut self,
        reply: Result<ChatReply, ModelError>,
    ) -> Result<ChatReply, ModelError> {
        self.has_ended = true;
        let model = self.model.clone();
        match &reply {
            Ok(reply) => {
                let model = reply.model.clone().unwrap_or(model);
                self.span.ended(&model, reply);
                if let Some(scope) = self.scope.as_ref().filter(|scope| scope.is_observed()) {
                    let reply = Arc::new(reply.clone());
                    scope.tell(MomentKind::ModelEnded { model, reply });
                }
            }
            Err(error) => {
                self.span.failed(&error.kind(), &error.to_string());
                self.tell_failed(error.to_string());
            }
        }
        reply
    }

    fn tell_failed(&self, error: String) {
        if let Some(scope) = &self.scope {
            scope.tell(MomentKind::ModelFailed { model: self.model.clone(), error });
        }
    }
}

impl Drop for ModelAct {
    fn drop(&mut self) {
        if !self.has_ended {
            self.span.failed("cancelled", "cancelled");
            self.tell_failed("cancelled".to_owned());
        }
    }
}
