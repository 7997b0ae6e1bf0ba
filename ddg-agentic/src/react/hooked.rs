//! The hooks of an agent around its requests, its replies and its answer.

use std::ops::Range;
use std::sync::Arc;

use ddg_core::Context;
use ddg_core::run::ActiveRun;

use super::state::State;
use super::workers::THINK;
use super::{AgentEnd, AgentFailed, ReActAutoma};
use crate::hook::{Hook, HookStop};
use crate::message::Message;
pub(super) use crate::model::publish_whole;
use crate::model::{ChatReply, ChatRequest, ModelError, ToolChoice, ask, ask_silently};
use crate::observe::{Observer, ObserverRef};
use crate::scope::{Asked, Gate, Scope, Scoped};
use crate::subturn::TurnState;

/// The text in place of a message that a hook does not let in.
const WITHHELD: &str = "[a message was left out]";

/// What the model was asked, and what it has replied.
pub(super) struct Replied {
    pub(super) reply: ChatReply,
    /// Why a hook does not accept the reply.
    pub(super) refused: Option<String>,
    /// The tools that hooks have taken out of the request.
    pub(super) withheld: Vec<String>,
    /// Whether the pieces of the reply have not been published.
    pub(super) is_held: bool,
}

/// Why there is no reply.
pub(super) enum Unasked {
    Model(ModelError),
    Stopped(HookStop),
}

impl ReActAutoma {
    /// Adds a [hook](crate::hook::Hook), which decides after those that were added before.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Adds an [observer](crate::observe::Observer), which is told what the agent does.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(ObserverRef::new(observer));
        self
    }

    /// Records what people, models and tools say in the [spans](crate::gen_ai) of the agent.
    /// Defaults to not recording it: it may be private. An agent among its tools has its own
    /// setting.
    #[must_use]
    pub fn record_content(mut self, record: bool) -> Self {
        self.records_content = record;
        self
    }

    /// The scope that is attached to each run of the agent.
    pub(super) fn scope_of_run(&self, run: &ActiveRun) -> Scope {
        let of = Scoped {
            agent: &self.name,
            model: &*self.model,
            hooks: &self.hooks,
            observers: &self.observers,
            records_content: self.records_content,
        };
        Scope::new(&of, run, THINK)
    }

    /// Asks the model, with hooks before and after it.
    pub(super) async fn reply(
        &self,
        request: ChatRequest,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<Replied, Unasked> {
        let Some(scope) = Scope::with_hooks(cx) else {
            let reply = ask(turn.model(), request, cx).await.map_err(Unasked::Model)?;
            return Ok(Replied { reply, refused: None, withheld: Vec::new(), is_held: false });
        };
        let (choice, tools) = (request.tool_choice.clone(), Arc::clone(&request.tools));
        let asked = scope.before_model(Box::new(request), cx).await.map_err(Unasked::Stopped)?;
        let is_held = !scope.passes_pieces();
        let mut withheld = Vec::new();
        let reply = match asked {
            Asked::Replied(reply) => *reply,
            Asked::Model(request) => {
                let no_tools =
                    request.tool_choice == ToolChoice::None && choice != ToolChoice::None;
                let is_left =
                    |name: &str| !no_tools && request.tools.iter().any(|spec| spec.name == name);
                let names = tools.iter().map(|spec| &spec.name);
                withheld.extend(names.filter(|name| !is_left(name)).cloned());
                let reply = match is_held {
                    true => ask_silently(turn.model(), *request, cx).await,
                    false => ask(turn.model(), *request, cx).await,
                };
                reply.map_err(Unasked::Model)?
            }
        };
        let usage = reply.usage;
        let before = reply.clone();
        let (reply, refused) = match scope.after_model(reply, cx).await.map_err(Unasked::Stopped)? {
            Gate::Pass(reply) => (reply, None),
            Gate::Refused { why, .. } => (before, Some(why)),
        };
        Ok(Replied { reply: ChatReply { usage, ..reply }, refused, withheld, is_held })
    }

    /// Lets hooks decide about messages that are new in the conversation.
    pub(super) async fn admit(&self, state: &mut State, cx: &Context) -> Result<(), HookStop> {
        let n_messages = state.conversation.messages.len();
        let from = std::mem::replace(&mut state.n_admitted, n_messages);
        let Some(scope) = Scope::with_hooks(cx) else { return Ok(()) };
        for place in from..n_messages {
            let message = state.conversation.messages.get(place);
            let Some(message @ Message::User { .. }) = message.cloned() else { continue };
            let admitted = match scope.on_input(message.clone(), cx).await {
                Ok(admitted) => admitted,
                Err(stop) => {
                    state.withhold(place..n_messages);
                    return Err(stop);
                }
            };
            if admitted != message
                && let Some(place) = state.conversation.messages.get_mut(place)
            {
                *place = admitted;
            }
        }
        Ok(())
    }

    /// Lets hooks decide about the text with which the run ends.
    pub(super) async fn pass_answer(
        &self,
        text: String,
        cx: &Context,
    ) -> Result<Gate<String>, HookStop> {
        match Scope::with_hooks(cx) {
            Some(scope) => scope.on_answer(text, cx).await,
            None => Ok(Gate::Pass(text)),
        }
    }

    /// Lets hooks decide about messages that came too late for the model.
    pub(super) async fn admit_late(&self, mail: Vec<Message>, cx: &Context) -> Vec<Message> {
        let Some(scope) = Scope::with_hooks(cx) else { return mail };
        let mut admitted = Vec::new();
        for message in mail {
            let message = scope.on_input(message, cx).await;
            admitted.push(message.unwrap_or_else(|_| Message::user(WITHHELD)));
        }
        admitted
    }

    /// The end of a run that a hook has stopped, if one has.
    pub(super) async fn stopped_by_hook(
        &self,
        state: &mut State,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Option<AgentFailed> {
        let stop = Scope::with_hooks(cx)?.stopped()?;
        Some(self.halt(state, stop, turn, cx).await)
    }

    /// Ends the run because a hook has stopped it.
    pub(super) async fn halt(
        &self,
        state: &mut State,
        stop: HookStop,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> AgentFailed {
        let mut state = std::mem::take(state);
        state.skip_calls();
        self.fail(state, AgentEnd::StoppedByHook { stop }, None, turn, cx).await
    }

    /// Ends the run whose request to the model has no reply.
    pub(super) async fn fail_unasked(
        &self,
        mut state: State,
        unasked: Unasked,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> AgentFailed {
        match unasked {
            Unasked::Stopped(stop) => self.halt(&mut state, stop, turn, cx).await,
            Unasked::Model(error) => {
                self.fail(state, AgentEnd::failed(&error), Some(error), turn, cx).await
            }
        }
    }
}

impl State {
    /// Takes messages of people out of the conversation, which hooks have not let in: the next run
    /// must not show them to the model.
    fn withhold(&mut self, places: Range<usize>) {
        for place in places {
            if let Some(message @ Message::User { .. }) = self.conversation.messages.get_mut(place)
            {
                *message = Message::user(WITHHELD);
            }
        }
    }
}
