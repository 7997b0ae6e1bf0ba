//! What `think` makes of a reply: an answer, a question to the person, an end, or another try.

use std::sync::Arc;

use ddg_core::prelude::*;
use serde_json::{Value as Json, json};

use crate::message::{AssistantMessage, Message, ToolArguments, ToolCall};
use crate::model::{ChatReply, FinishReason, Wanted};
use crate::react::hooked::publish_whole;
use crate::react::state::{News, State};
use crate::react::{ASK_BACK, AgentEnd, AgentFailed, ReActAutoma};
use crate::scope::Gate;
use crate::subturn::TurnState;
use crate::tool::ToolSpec;

/// Message to a model whose reply is empty.
const EMPTY: &str = "Your answer is empty. Give one, or call a tool.";

/// Message to a model whose call the provider could not parse.
const MALFORMED: &str = "Your call of a tool was malformed. Call it again, or answer.";

/// Message to a model whose reply was cut off within its calls.
const CUT_IN_CALLS: &str = "Your reply was cut off in the middle of a call of a tool. Call it again \
                            with shorter arguments, or answer.";

/// Result of calls in the same reply as a question to the person.
const NOT_CALLED: &str = "not called, since the person was asked; call it again if it is needed";

/// What to do with a reply without calls.
pub(in crate::react) enum Verdict {
    /// The reply is the answer.
    Answer(String),
    /// The run ends without an answer.
    End(AgentEnd),
    /// The model is told what is wrong, and asked again.
    Again { told: Message, faults: Vec<String> },
}

impl ReActAutoma {
    /// Ends the run with the reply, or tells the model what is wrong with it.
    pub(super) async fn conclude(
        &self,
        mut state: State,
        mut reply: ChatReply,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        match self.verdict(&reply, turn) {
            Verdict::Answer(mut text) => {
                if !std::mem::replace(&mut state.is_passed, true) {
                    match self.pass_answer(text.clone(), cx).await {
                        Ok(Gate::Pass(passed)) => {
                            if passed != text {
                                reply.message.text.clone_from(&passed);
                                text = passed;
                            }
                        }
                        Ok(Gate::Refused { why, .. }) => {
                            return self.again(state, &reply, why, turn, cx).await;
                        }
                        Err(stop) => return Err(self.halt(&mut state, stop, turn, cx).await),
                    }
                }
                let mut told = self.mailboxes.take_or_close(state.mailbox.as_deref());
                if told.is_empty() {
                    told = match self.last_of_children(turn).await {
                        Some(told) => told,
                        None if !turn.waits_for_people() => Vec::new(),
                        None => {
                            self.hold(state, reply, cx);
                            return Ok(());
                        }
                    };
                }
                if std::mem::take(&mut state.is_held) {
                    publish_whole(&reply.message, &reply, cx);
                }
                state.say(&reply.message);
                if told.is_empty() {
                    let end = AgentEnd::Finished { text, finish: reply.finish };
                    self.end(state, end, turn, cx).await;
                    return Ok(());
                }
                state.conversation.messages.extend(told);
            }
            Verdict::End(end) => {
                state.say(&reply.message);
                return Err(self.fail(state, end, None, turn, cx).await);
            }
            Verdict::Again { faults, .. } if state.n_tries >= self.limits.tries => {
                return Err(self
                    .fail(state, AgentEnd::no_answer(&reply, faults), None, turn, cx)
                    .await);
            }
            Verdict::Again { told, .. } => state.try_again(&reply.message, told),
        }
        cx.ferry_to(Self::THINK, (News::default(),));
        state.keep(cx);
        Ok(())
    }

    /// Ends the run with a question to the person.
    pub(super) async fn ask_back(
        &self,
        mut state: State,
        reply: ChatReply,
        question: String,
        others: Vec<ToolCall>,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        let question = match self.pass_answer(question, cx).await {
            Ok(Gate::Pass(question)) => question,
            Ok(Gate::Refused { why, .. }) => return self.again(state, &reply, why, turn, cx).await,
            Err(stop) => return Err(self.halt(&mut state, stop, turn, cx).await),
        };
        // The call itself is left out, so that no call is without a result.
        let text = [reply.message.text.trim(), &question].join("\n");
        let said = AssistantMessage::new(text.trim(), others.clone());
        if std::mem::take(&mut state.is_held) {
            publish_whole(&said, &reply, cx);
        }
        state.say(&said);
        let told = others.iter().map(|call| Message::tool_error(call, NOT_CALLED));
        state.conversation.messages.extend(told);
        self.end(state, AgentEnd::ClarificationAsked { question }, turn, cx).await;
        Ok(())
    }

    /// Asks the model again after a reply that was cut off before any of its calls was whole. A
    /// call that is only told that its arguments are malformed would be made again without a bound.
    pub(super) async fn cut_in_calls(
        &self,
        mut state: State,
        reply: &ChatReply,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        if state.n_tries >= self.limits.tries {
            return Err(self.fail(state, AgentEnd::CutOff, None, turn, cx).await);
        }
        let said = AssistantMessage::new(&reply.message.text, []);
        state.try_again(&said, Message::user(CUT_IN_CALLS));
        cx.ferry_to(Self::THINK, (News::default(),));
        state.keep(cx);
        Ok(())
    }

    /// Tells the model why a hook does not accept its reply, and asks it again.
    pub(super) async fn again(
        &self,
        mut state: State,
        reply: &ChatReply,
        why: String,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        if state.n_tries >= self.limits.tries {
            let end = AgentEnd::NoAnswer { faults: vec![why] };
            return Err(self.fail(state, end, None, turn, cx).await);
        }
        // Calls without results are refused by providers.
        state.try_again(&AssistantMessage::new(&reply.message.text, []), Message::user(why));
        cx.ferry_to(Self::THINK, (News::default(),));
        state.keep(cx);
        Ok(())
    }

    /// What to do with a reply without calls.
    pub(in crate::react) fn verdict(&self, reply: &ChatReply, turn: &Arc<TurnState>) -> Verdict {
        let silent = reply.message.says_nothing();
        match (&reply.finish, self.wanted()) {
            (FinishReason::Refusal, _) => {
                return Verdict::End(AgentEnd::Refused { text: reply.message.text.clone() });
            }
            (FinishReason::ContentFilter, _) if silent => return Verdict::End(AgentEnd::Filtered),
            // Asking again would not help: the reasoning was too long, or the limit of tokens is
            // too low.
            (FinishReason::Length, _) if silent => return Verdict::End(AgentEnd::CutOff),
            (_, Some(wanted)) if !silent => {
                return match wanted.read(reply) {
                    Ok(json) => Verdict::Answer(json.to_string()),
                    Err(faults) => Verdict::Again { told: Wanted::again(&faults), faults },
                };
            }
            (_, None) if !silent => return Verdict::Answer(reply.message.text.clone()),
            (FinishReason::MalformedCall, _) => {}
            // An empty answer of a child stays empty: its parent decides what that means.
            (_, None) if turn.config().is_some() => return Verdict::Answer(String::new()),
            _ => {}
        }
        let fault = match &reply.finish {
            FinishReason::MalformedCall => MALFORMED,
            _ => EMPTY,
        };
        let told = Message::user(fault);
        Verdict::Again { told, faults: vec![fault.to_owned()] }
    }

    /// The question of the model to the person, if any, and the other calls of its reply.
    pub(super) fn question(
        &self,
        reply: &ChatReply,
        state: &State,
    ) -> Option<(String, Vec<ToolCall>)> {
        if state.withheld.iter().any(|name| name == ASK_BACK) {
            return None;
        }
        let asks = |call: &&ToolCall| self.may_ask && call.name == ASK_BACK;
        let call = reply.message.tool_calls.iter().find(asks)?;
        let others = reply.message.tool_calls.iter().filter(|call| !asks(call)).cloned().collect();
        let question = match &call.arguments {
            ToolArguments::Json(arguments) => arguments.get("question").and_then(Json::as_str),
            ToolArguments::Malformed(_) => None,
        };
        Some((question.map_or_else(|| call.arguments.to_text(), str::to_owned), others))
    }
}

/// Whether a reply was cut off before any of its calls was whole.
pub(super) fn is_cut_in_calls(reply: &ChatReply) -> bool {
    let calls = &reply.message.tool_calls;
    let is_cut = |call: &ToolCall| matches!(call.arguments, ToolArguments::Malformed(_));
    reply.finish == FinishReason::Length && !calls.is_empty() && calls.iter().all(is_cut)
}

/// The tool with which the model asks the person a question. It is never called: it ends the run.
pub(super) fn ask_back() -> ToolSpec {
    let parameters = json!({
        "type": "object",
        "properties": { "question": { "type": "string", "description": "What to ask." } },
        "required": ["question"],
        "additionalProperties": false,
    });
    let description = "Asks the person a question, if the task cannot be done without the answer.";
    ToolSpec::new(ASK_BACK, description, parameters)
}
