//! The turn of an agent's run: its child agents, and how it ends early.

use std::sync::Arc;

use ddg_core::Context;
use ddg_core::free;
use ddg_core::run::ActiveRun;

use super::hooked::{Replied, publish_whole};
use super::state::State;
use super::view::Offer;
use super::workers::{THINK, Verdict};
use super::{AgentEnd, AgentFailed, ReActAutoma};
use crate::memory::{Conversation, LastMessages, Memory};
use crate::message::{Message, Messages};
use crate::model::{ChatRequest, ToolChoice};
use crate::scope::Gate;
use crate::subturn::{ChildNode, ChildResult, SubTurns, TurnAgent, TurnGuard, TurnState};

/// The result of a call that is skipped.
const SKIPPED: &str = "skipped";

/// The message to a parent with the result of a child.
fn told(result: &ChildResult) -> Message {
    let (id, agent, word) = (&result.id, &result.agent, result.status.word());
    Message::user(format!("[{id} ({agent}) {word}] {}", result.text()).trim_end())
}

impl ReActAutoma {
    /// Sets limits, models and named agents for the [child agents](crate::subturn) of the agent.
    #[must_use]
    pub fn subturns(mut self, subturns: SubTurns) -> Self {
        self.subturns = Some(Arc::new(subturns));
        self
    }

    /// The name of the agent's model.
    pub(crate) fn model_name(&self) -> &str {
        self.model.name()
    }

    /// The turn that is attached to each run of the agent.
    pub(super) fn turn_of_run(&self, run: &ActiveRun) -> TurnGuard {
        let agent = TurnAgent {
            name: self.name.clone(),
            model: Arc::clone(&self.model),
            tools: self.tools.clone(),
            subturns: self.subturns.clone(),
            is_member: self.is_member,
        };
        TurnGuard::new(agent, run, THINK)
    }

    /// Adds the results and the usage of children to the state.
    pub(super) fn hear_children(&self, state: &mut State, turn: &Arc<TurnState>, cx: &Context) {
        let (results, usage) = turn.read();
        if results.is_empty() && usage.total() == 0 {
            return;
        }
        state.conversation.messages.extend(results.iter().map(told));
        state.usage += usage;
        // Saved at once: the results are taken, even if this execution fails.
        state.clone().keep(cx);
    }

    /// Adds a worker for each new child. The worker shows the child in drawings of the graph.
    pub(super) fn draw_children(state: &mut State, turn: &Arc<TurnState>, cx: &Context) {
        for id in turn.begun_after(state.n_drawn) {
            cx.add_worker(id.clone(), ChildNode::new(id), free());
            state.n_drawn += 1;
        }
    }

    /// Takes the results of children at the end of a turn. If there are none, no more are accepted.
    /// Returns `None` if a child asks a person.
    pub(super) async fn last_of_children(&self, turn: &Arc<TurnState>) -> Option<Vec<Message>> {
        Some(turn.read_or_finish().await?.iter().map(told).collect())
    }

    /// Asks the model once more, without tools, with a hint of a person.
    pub(super) async fn end_with_hint(
        &self,
        mut state: State,
        hint: String,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        state.skip_calls();
        state.conversation.messages.push(Message::user(hint));
        if let Err(stop) = self.admit(&mut state, cx).await {
            return Err(self.halt(&mut state, stop, turn, cx).await);
        }
        let offer = match self.offer(&state, turn, cx).await {
            Ok(offer) => Offer { specs: Arc::new([]), ..offer },
            Err(error) => {
                return Err(self.fail(state, AgentEnd::of_setting(&error), None, turn, cx).await);
            }
        };
        let mut request = self.request(&offer, &state, turn);
        request.tool_choice = ToolChoice::default();
        let Replied { mut reply, refused, is_held, .. } = match self.reply(request, turn, cx).await
        {
            Ok(replied) => replied,
            Err(unasked) => return Err(self.fail_unasked(state, unasked, turn, cx).await),
        };
        turn.count(&reply);
        state.count(&reply);
        state.spent = turn.spent();
        // The request had no tools, so any call is invalid.
        reply.message.tool_calls.clear();
        if let Some(why) = refused {
            let end = AgentEnd::NoAnswer { faults: vec![why] };
            return Err(self.fail(state, end, None, turn, cx).await);
        }
        let end = match self.verdict(&reply, turn) {
            Verdict::Answer(text) => match self.pass_answer(text.clone(), cx).await {
                Ok(Gate::Pass(passed)) => {
                    if passed != text {
                        reply.message.text.clone_from(&passed);
                    }
                    AgentEnd::Finished { text: passed, finish: reply.finish.clone() }
                }
                Ok(Gate::Refused { why, .. }) => {
                    reply.message.text.clear();
                    AgentEnd::NoAnswer { faults: vec![why] }
                }
                Err(stop) => return Err(self.halt(&mut state, stop, turn, cx).await),
            },
            Verdict::End(end) => end,
            Verdict::Again { faults, .. } => AgentEnd::no_answer(&reply, faults),
        };
        if is_held {
            publish_whole(&reply.message, &reply, cx);
        }
        state.say(&reply.message);
        match end {
            AgentEnd::Finished { .. } => {
                self.end(state, end, turn, cx).await;
                Ok(())
            }
            end => Err(self.fail(state, end, None, turn, cx).await),
        }
    }

    /// Ends the run with the last text of the agent.
    pub(super) async fn end_early(
        &self,
        mut state: State,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        state.skip_calls();
        // The model cannot be asked again, so a text that is refused is left out.
        let text = match self.pass_answer(state.last_said(), cx).await {
            Ok(Gate::Pass(text)) => text,
            Ok(Gate::Refused { .. }) => String::new(),
            Err(stop) => return Err(self.halt(&mut state, stop, turn, cx).await),
        };
        self.end(state, AgentEnd::EndedEarly { text }, turn, cx).await;
        Ok(())
    }

    /// The messages that the model sees.
    pub(super) fn shown(&self, state: &State, turn: &Arc<TurnState>) -> Messages {
        let window = match state.shown_from {
            None if state.from == 0 => self.memory.window(&state.conversation),
            None => {
                let messages = state.conversation.shown_from(state.from);
                self.memory.window(&Conversation { messages, ..Conversation::default() })
            }
            Some(first) => state.conversation.shown_from(first.max(state.from)),
        };
        match turn.history() {
            Some(most) if window.len() > most => LastMessages::new(most)
                .window(&Conversation { messages: window, ..Conversation::default() }),
            _ => window,
        }
    }

    /// Applies the settings of a child to a request to its model.
    pub(super) fn with_child_settings(
        mut request: ChatRequest,
        state: &State,
        turn: &Arc<TurnState>,
    ) -> ChatRequest {
        if let Some(config) = turn.config() {
            config.apply(&mut request, state.turns);
        }
        request
    }
}

impl State {
    /// Adds a result for each call that is skipped.
    pub(super) fn skip_calls(&mut self) {
        for call in std::mem::take(&mut self.open_calls) {
            self.conversation.messages.push(Message::tool_error(&call, SKIPPED));
        }
    }

    /// The last text of the agent in this run.
    fn last_said(&self) -> String {
        let said = self.conversation.messages.iter().skip(self.n_before).rev();
        let mut said = said.filter_map(|message| match message {
            Message::Assistant(said) if !said.text.trim().is_empty() => Some(said.text.clone()),
            _ => None,
        });
        said.next().unwrap_or_default()
    }
}
