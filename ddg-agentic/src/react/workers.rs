//! The workers of an agent.

use std::ops::Range;
use std::sync::Arc;

use ddg_core::Key;
use ddg_core::prelude::*;
use serde_json::{Value as Json, json};

use super::state::{News, State};
use super::{
    ASK_BACK, AgentEnd, AgentFailed, AgentOutcome, Limit, Limits, ReActAutoma, Task, ToolCallMode,
};
use crate::memory::{Conversation, Summary};
use crate::message::{AssistantMessage, Message, ToolArguments, ToolCall};
use crate::model::{ChatReply, ChatRequest, FinishReason, ModelError, Usage, Wanted, ask};
use crate::subturn::{SubTurnError, TurnState};
use crate::tool::{ToolResult, ToolSpec};

/// What a model is told that has said nothing.
const EMPTY: &str = "Your answer is empty. Give one, or call a tool.";

/// What a model is told whose provider could not read its call.
const MALFORMED: &str = "Your call of a tool was malformed. Call it again, or answer.";

/// What a model is told of calls beside its question to the person.
const NOT_CALLED: &str = "not called, since the person was asked; call it again if it is needed";

/// What a model is told of calls that it has made too often.
const NOT_AGAIN: &str = "not called: the same call was made again and again";

/// After how many failures a run asks for no more summaries.
const MOST_FAILED_SUMMARIES: u32 = 2;

/// Where `think` keeps its [`State`]. It is written last, so that an execution that is given up leaves
/// nothing behind.
pub(super) const STATE: &str = "state";

/// The key of the worker in whose local space everything is that the agent remembers.
pub(super) const THINK: &str = "think";

#[automa(fragment = workers)]
impl ReActAutoma {
    /// Takes what the run is given to do.
    #[worker(start)]
    async fn begin(&self, task: Value) -> Result<News, WorkerError> {
        let (task, given) = self.with_files(Task::of(&task)?).await?;
        Ok(News { task: Some(task), given, ..News::default() })
    }

    /// Asks the model how to go on, and sees to it that it is done.
    #[worker(dependencies = [begin])]
    async fn think(&self, mut news: News, cx: &Context) -> Result<(), WorkerError> {
        let mut state: State = cx.local().get(STATE).unwrap_or_default();
        self.add_files_at_provider(&mut news, &state);
        let turn = &turn(cx)?;
        if news.task.is_some() {
            turn.begins();
        }
        state.hear(news);
        turn.count_again(state.usage);
        turn.recover().await;
        turn.settle_called();
        self.hear_children(&mut state, turn, cx);
        Self::draw_children(&mut state, turn, cx);
        if let Some(hint) = turn.take_hint() {
            return Ok(self.end_with_hint(state, hint, turn, cx).await?);
        }
        if turn.is_to_finish() {
            self.end_early(state, turn, cx);
            return Ok(());
        }
        if !state.open_calls.is_empty() {
            self.act(state, turn, cx);
            return Ok(());
        }
        let mail = self.mailboxes.take(state.mailbox.as_deref());
        state.conversation.messages.extend(mail);

        if let Some(limit) = self.limits_of(turn).reached(&state) {
            return Err(self.fail(state, AgentEnd::StoppedByLimit { limit }, None, turn).into());
        }
        let reply = match ask(turn.model(), self.request(&state, turn), cx).await {
            Ok(reply) => reply,
            Err(error) if error.is_context_overflow() && state.show_less() => {
                cx.emit("context_overflow", error.to_string());
                cx.ferry_to(Self::THINK, (News::default(),));
                cx.local().set(STATE, state);
                return Ok(());
            }
            Err(error) => {
                return Err(self.fail(state, AgentEnd::failed(&error), Some(error), turn).into());
            }
        };
        turn.count(reply.usage);
        state.count(&reply);
        if let Some((question, others)) = self.question(&reply) {
            // Not the call itself, so that no call is left without a result.
            let text = [reply.message.text.trim(), &question].join("\n");
            state.say(&AssistantMessage::new(text.trim(), others.clone()));
            let told = others.iter().map(|call| Message::tool_error(call, NOT_CALLED));
            state.conversation.messages.extend(told);
            self.end(state, AgentEnd::ClarificationAsked { question }, turn, cx);
        } else if reply.message.tool_calls.is_empty() {
            self.conclude(state, reply, turn, cx).await?;
        } else {
            state.say(&reply.message);
            state.call(&reply.message.tool_calls);
            match self.limits.repeats {
                Some(repeats) if state.n_repeats >= repeats => {
                    let told = reply.message.tool_calls.iter();
                    let told = told.map(|call| Message::tool_error(call, NOT_AGAIN));
                    state.conversation.messages.extend(told);
                    let end = AgentEnd::StoppedByLimit { limit: Limit::Repeats };
                    return Err(self.fail(state, end, None, turn).into());
                }
                // What was asked for meanwhile is seen to first.
                _ if turn.is_interrupted() || turn.is_to_finish() => {
                    cx.ferry_to(Self::THINK, (News::default(),));
                    cx.local().set(STATE, state);
                }
                _ => self.act(state, turn, cx),
            }
        }
        Ok(())
    }

    /// Takes what the tools of a turn gave, in the order of the calls, and removes their workers.
    #[worker(detached)]
    async fn collect(&self, results: Vec<Value>, cx: &Context) -> Result<(), WorkerError> {
        for worker in cx.automa().dependencies(cx.key()).unwrap_or_default() {
            cx.remove_worker(worker);
        }
        cx.remove_worker(cx.key().clone());
        let mut news = News::default();
        for result in results {
            if let Ok(ToolResult { message, usage, files }) = result.get() {
                news.messages.push(message.into());
                news.files.push(files);
                news.usage += usage;
            } else {
                match result.get::<Option<(Summary, Usage)>>()? {
                    Some((summary, usage)) => {
                        news.summary = Some(summary);
                        news.usage += usage;
                    }
                    None => news.summary_failed = true,
                }
            }
        }
        cx.ferry_to(Self::THINK, (news,));
        Ok(())
    }

    /// Summarises a part of the conversation, while the tools run. An agent without a summary goes on,
    /// so a failure is only told.
    #[worker(detached)]
    async fn summarise(
        &self,
        conversation: Conversation,
        range: Range<usize>,
        cx: &Context,
    ) -> Option<(Summary, Usage)> {
        match self.memory.summarise(&conversation, range).await {
            Ok(summary) => Some(summary),
            Err(error) => {
                cx.emit("summary_failed", error.to_string());
                None
            }
        }
    }

    /// Where the run ends.
    #[worker(output)]
    async fn finish(&self, outcome: AgentOutcome) -> AgentOutcome {
        outcome
    }
}

impl ReActAutoma {
    /// What the model may call.
    fn specs(&self, turn: &TurnState) -> Arc<[ToolSpec]> {
        let specs = || match self.may_ask {
            false => turn.tools().specs(),
            true => turn.tools().specs().iter().cloned().chain([ask_back()]).collect(),
        };
        match turn.config() {
            None => Arc::clone(self.specs.get_or_init(specs)),
            Some(_) => specs(),
        }
    }

    /// When the turn stops without an answer.
    fn limits_of(&self, turn: &TurnState) -> Limits {
        Limits { turns: turn.turns(self.limits.turns), ..self.limits }
    }

    /// What the model is asked.
    fn request(&self, state: &State, turn: &TurnState) -> ChatRequest {
        self.request_with(self.specs(turn), state, turn)
    }

    /// What the model is asked that may call `tools`.
    pub(super) fn request_with(
        &self,
        tools: Arc<[ToolSpec]>,
        state: &State,
        turn: &TurnState,
    ) -> ChatRequest {
        let system = self.system.iter().map(Message::system);
        let tries = state.tries.iter().cloned();
        let request = ChatRequest {
            messages: system.chain(self.shown(state, turn)).chain(tries).collect(),
            tools,
            ..self.settings_after(state.turns)
        };
        let request = Self::with_child_settings(request, turn);
        match self.wanted() {
            Some(wanted) => wanted.ask(request, turn.model().capabilities()),
            None => request,
        }
    }

    fn wanted(&self) -> Option<&Wanted> {
        self.answer.as_ref()?.as_deref().ok()
    }

    /// Adds a worker for each call that is open, or for the first, and one that collects what they
    /// give.
    fn act(&self, mut state: State, turn: &TurnState, cx: &Context) {
        let begins = state.n_called == 0;
        let n_calls = match self.tool_calls {
            ToolCallMode::Parallel => state.open_calls.len(),
            ToolCallMode::Sequential => 1,
        };
        let mut keys: Vec<Key> = Vec::new();
        let calls: Vec<_> = state.open_calls.drain(..n_calls).collect();
        for call in calls {
            let key = state.next_key(&call.name);
            cx.add_worker(key.clone(), turn.tools().call_worker(&call.name), free());
            cx.ferry_to(key.clone(), (call,));
            keys.push(key.into());
        }
        if begins
            && state.n_failed_summaries < MOST_FAILED_SUMMARIES
            && let Some(range) = self.memory.due(&state.conversation)
        {
            cx.add_func_as_worker("summarise", Self::SUMMARISE, free());
            cx.ferry_to("summarise", (state.conversation.clone(), range));
            keys.push("summarise".into());
        }
        cx.add_func_as_worker("collect", Self::COLLECT, after(keys).merge());
        cx.local().set(STATE, state);
    }

    /// Ends with what the model says, or tells it what is wrong with that.
    async fn conclude(
        &self,
        mut state: State,
        reply: ChatReply,
        turn: &TurnState,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        match self.verdict(&reply, turn) {
            Verdict::Answer(text) => {
                state.say(&reply.message);
                let mail = self.mailboxes.take_or_close(state.mailbox.as_deref());
                let told = match mail.is_empty() {
                    true => self.last_of_children(turn).await,
                    false => mail,
                };
                if told.is_empty() {
                    let end = AgentEnd::Finished { text, finish: reply.finish };
                    self.end(state, end, turn, cx);
                    return Ok(());
                }
                state.conversation.messages.extend(told);
            }
            Verdict::End(end) => {
                state.say(&reply.message);
                return Err(self.fail(state, end, None, turn));
            }
            Verdict::Again { faults, .. } if state.n_tries >= self.limits.tries => {
                return Err(self.fail(state, AgentEnd::no_answer(&reply, faults), None, turn));
            }
            Verdict::Again { told, .. } => state.try_again(&reply.message, told),
        }
        cx.ferry_to(Self::THINK, (News::default(),));
        cx.local().set(STATE, state);
        Ok(())
    }

    /// What is to be done about a reply without calls.
    pub(super) fn verdict(&self, reply: &ChatReply, turn: &TurnState) -> Verdict {
        let silent = reply.message.says_nothing();
        match (&reply.finish, self.wanted()) {
            (FinishReason::Refusal, _) => {
                return Verdict::End(AgentEnd::Refused { text: reply.message.text.clone() });
            }
            (FinishReason::ContentFilter, _) if silent => return Verdict::End(AgentEnd::Filtered),
            // To ask for the same once more is no use: it has thought too long, or has too little room.
            (FinishReason::Length, _) if silent => return Verdict::End(AgentEnd::CutOff),
            (_, Some(wanted)) if !silent => {
                return match wanted.read(reply) {
                    Ok(json) => Verdict::Answer(json.to_string()),
                    Err(faults) => Verdict::Again { told: Wanted::again(&faults), faults },
                };
            }
            (_, None) if !silent => return Verdict::Answer(reply.message.text.clone()),
            (FinishReason::MalformedCall, _) => {}
            // An empty answer of a child stays empty: its parent knows what to make of it.
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

    /// Ends with an answer, a question, or what there is.
    pub(super) fn end(&self, state: State, end: AgentEnd, turn: &TurnState, cx: &Context) {
        cx.ferry_to(Self::FINISH, (self.outcome(state, end, turn),));
    }

    /// Ends with none of these. `think` fails with it, and not `finish`: of a stored run that is run again,
    /// `think` runs again.
    pub(super) fn fail(
        &self,
        state: State,
        end: AgentEnd,
        model_error: Option<ModelError>,
        turn: &TurnState,
    ) -> AgentFailed {
        AgentFailed { outcome: Box::new(self.outcome(state, end, turn)), model_error }
    }

    fn outcome(&self, mut state: State, end: AgentEnd, turn: &TurnState) -> AgentOutcome {
        // What was said too late to be thought about is there for the next run.
        let mail = self.mailboxes.close(state.mailbox.as_deref());
        state.conversation.messages.extend(mail);
        let (children, usage) = turn.finish();
        state.usage += usage;
        state.end(end, children)
    }

    /// What the model asks the person, if it does, and the other calls of its reply.
    fn question(&self, reply: &ChatReply) -> Option<(String, Vec<ToolCall>)> {
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

/// The turn that this run of an agent is.
fn turn(cx: &Context) -> Result<Arc<TurnState>, SubTurnError> {
    TurnState::of(cx).ok_or(SubTurnError::OutsideTurn)
}

/// What is to be done about a reply without calls.
pub(super) enum Verdict {
    /// It is the answer.
    Answer(String),
    /// There will be none.
    End(AgentEnd),
    /// The model is told what is wrong with it.
    Again { told: Message, faults: Vec<String> },
}

/// The tool with which the model asks the person back. It is never called: it ends the run.
fn ask_back() -> ToolSpec {
    let parameters = json!({
        "type": "object",
        "properties": { "question": { "type": "string", "description": "What to ask." } },
        "required": ["question"],
        "additionalProperties": false,
    });
    let description = "Asks the person a question, if the task cannot be done without the answer.";
    ToolSpec::new(ASK_BACK, description, parameters)
}
