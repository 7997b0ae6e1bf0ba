//! The next request of `think` to the model, its reply, and what `think` does if there is none.

use std::sync::Arc;

use ddg_core::prelude::*;
use tokio::time::timeout;

use super::verdict::ask_back;
use crate::message::Message;
use crate::model::{ChatReply, ChatRequest, Wanted};
use crate::react::hooked::{Replied, Unasked};
use crate::react::limits::cost_of;
use crate::react::state::{News, State};
use crate::react::view::Offer;
use crate::react::{AgentEnd, AgentFailed, Limits, ReActAutoma};
use crate::subturn::TurnState;
use crate::tool::ToolSpec;

impl ReActAutoma {
    /// The next reply of the model, with the state after it. Returns `None` if `think` has done
    /// something else.
    pub(super) async fn next_reply(
        &self,
        mut state: State,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<Option<(State, ChatReply)>, AgentFailed> {
        self.hear_children(&mut state, turn, cx);
        Self::draw_children(&mut state, turn, cx);
        if let Some(hint) = turn.take_hint() {
            self.end_with_hint(state, hint, turn, cx).await?;
            return Ok(None);
        }
        if turn.is_to_finish() {
            self.end_early(state, turn, cx).await?;
            return Ok(None);
        }
        if !state.open_calls.is_empty() {
            self.act(state, turn, cx);
            return Ok(None);
        }
        let mail = self.mailboxes.take(state.mailbox.as_deref());
        state.conversation.messages.extend(mail);

        if let Err(stop) = self.admit(&mut state, cx).await {
            return Err(self.halt(&mut state, stop, turn, cx).await);
        }
        let cost = || cost_of(&turn.spent(), &self.prices);
        if let Some(end) = self.limits_of(turn).reached(&state, cost) {
            return Err(self.fail(state, end, None, turn, cx).await);
        }
        let offer = match self.offer(&state, turn, cx).await {
            Ok(offer) => offer,
            Err(error) => {
                return Err(self.fail(state, AgentEnd::of_setting(&error), None, turn, cx).await);
            }
        };
        let asked = self.reply(self.request(&offer, &state, turn), turn, cx);
        let Some(replied) = self.within_time(&state, asked).await else {
            let most = self.limits.time.unwrap_or_default();
            return Err(self.fail(state, Limits::out_of_time(most), None, turn, cx).await);
        };
        let Replied { reply, refused, withheld, is_held } = match replied {
            Ok(replied) => replied,
            Err(Unasked::Model(error)) if error.is_context_overflow() && state.show_less() => {
                cx.emit("context_overflow", error.to_string());
                cx.ferry_to(Self::THINK, (News::default(),));
                state.keep(cx);
                return Ok(None);
            }
            Err(unasked) => return Err(self.fail_unasked(state, unasked, turn, cx).await),
        };
        turn.count(&reply);
        state.count(&reply);
        (state.offered, state.withheld, state.is_held) = (offer.names, withheld, is_held);
        state.spent = turn.spent();
        if let Some(why) = refused {
            self.again(state, &reply, why, turn, cx).await?;
            return Ok(None);
        }
        Ok(Some((state, reply)))
    }

    /// The tools that the model may call.
    pub(in crate::react) fn specs(&self, turn: &Arc<TurnState>) -> Arc<[ToolSpec]> {
        let specs = || {
            let mut own = self.transfer_specs(turn);
            own.extend(self.may_ask.then(ask_back));
            match own.is_empty() {
                true => turn.tools().specs(),
                false => turn.tools().specs().iter().cloned().chain(own).collect(),
            }
        };
        match turn.config() {
            None => Arc::clone(self.specs.get_or_init(specs)),
            Some(_) => specs(),
        }
    }

    /// The limits of the turn.
    fn limits_of(&self, turn: &Arc<TurnState>) -> Limits {
        Limits { turns: turn.turns(self.limits.turns), ..self.limits }
    }

    /// Awaits the reply of the model, or returns `None` if the time of the run is up before.
    async fn within_time<T>(&self, state: &State, reply: impl Future<Output = T>) -> Option<T> {
        match self.limits.time {
            None => Some(reply.await),
            Some(most) => timeout(most.saturating_sub(state.worked), reply).await.ok(),
        }
    }

    /// The next request to the model.
    pub(in crate::react) fn request(
        &self,
        offer: &Offer,
        state: &State,
        turn: &Arc<TurnState>,
    ) -> ChatRequest {
        let mut messages = self.shown(state, turn);
        if !offer.system.is_empty() {
            messages.insert(0, Message::system(&offer.system));
        }
        let tools = Arc::clone(&offer.specs);
        messages.extend(state.tries.iter().cloned());
        let request = ChatRequest { messages, tools, ..self.settings_after(state.turns) };
        let request = Self::with_child_settings(request, state, turn);
        match self.wanted() {
            Some(wanted) => wanted.ask(request, turn.model().capabilities()),
            None => request,
        }
    }

    pub(super) fn wanted(&self) -> Option<&Wanted> {
        self.answer.as_ref()?.as_deref().ok()
    }
}
