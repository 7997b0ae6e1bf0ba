//! How `think` ends the run: with an outcome, or with an error that has one.

use std::sync::Arc;

use ddg_core::prelude::*;

use crate::model::ModelError;
use crate::react::state::State;
use crate::react::{AgentEnd, AgentFailed, AgentOutcome, ReActAutoma};
use crate::scope::Scope;
use crate::subturn::TurnState;

impl ReActAutoma {
    /// Ends the run with an answer, a question, or its result so far.
    pub(in crate::react) async fn end(
        &self,
        state: State,
        end: AgentEnd,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) {
        cx.ferry_to(Self::FINISH, (self.outcome(state, end, turn, cx).await,));
    }

    /// The error of a run with none of these. `think` fails with it, not `finish`, so that `think`
    /// runs again when a stored run is run again.
    pub(in crate::react) async fn fail(
        &self,
        state: State,
        end: AgentEnd,
        model_error: Option<ModelError>,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> AgentFailed {
        AgentFailed { outcome: Box::new(self.outcome(state, end, turn, cx).await), model_error }
    }

    async fn outcome(
        &self,
        mut state: State,
        end: AgentEnd,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> AgentOutcome {
        // Messages that came too late for the model are kept for the next run.
        let mail = match end {
            // The other agent reads on.
            AgentEnd::HandedOver { .. } => Vec::new(),
            _ => self.mailboxes.close(state.mailbox.as_deref()),
        };
        state.conversation.messages.extend(self.admit_late(mail, cx).await);
        let (children, usage) = turn.finish();
        state.usage += usage;
        if let Some(scope) = Scope::of(cx) {
            scope.used(state.usage);
            if scope.is_root() || self.is_member {
                state.conversation.standing.allowed = scope.allowed();
            }
        }
        state.end(end, &self.name, children)
    }
}
