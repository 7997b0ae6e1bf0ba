//! The workers of an agent.

use std::ops::Range;
use std::sync::Arc;

use ddg_core::Key;
use ddg_core::prelude::*;
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use super::hooked::{Replied, Unasked, publish};
use super::limits::cost_of;
use super::state::{News, State};
use super::view::Offer;
use super::{
    ASK_BACK, AgentEnd, AgentFailed, AgentOutcome, Limits, ReActAutoma, Task, ToolCallMode,
};
use crate::memory::{Conversation, Summary};
use crate::message::{AssistantMessage, Message, ToolArguments, ToolCall};
use crate::model::{ChatReply, ChatRequest, FinishReason, ModelError, Usage, Wanted};
use crate::scope::{Gate, Scope};
use crate::subturn::{SubTurnError, TurnState};
use crate::tool::{ToolResult, ToolSpec};

/// Message to a model whose reply is empty.
const EMPTY: &str = "Your answer is empty. Give one, or call a tool.";

/// Message to a model whose call the provider could not parse.
const MALFORMED: &str = "Your call of a tool was malformed. Call it again, or answer.";

/// Result of calls in the same reply as a question to the person.
const NOT_CALLED: &str = "not called, since the person was asked; call it again if it is needed";

/// Result of calls that were repeated too often.
const NOT_AGAIN: &str = "not called: the same call was made again and again";

/// Maximum number of calls that run concurrently. Further calls of the turn follow them.
const MOST_AT_ONCE: usize = 64;

/// Maximum number of bytes of the images that the tools of one step give the model.
const MAX_TURN_IMAGES: usize = 16 << 20;

/// Number of failures after which a run asks for no more summaries.
const MOST_FAILED_SUMMARIES: u32 = 2;

/// The key of the worker whose local space contains the whole state of the agent.
pub(super) const THINK: &str = "think";

#[automa(fragment = workers)]
impl ReActAutoma {
    /// Reads the task of the run.
    #[worker(start)]
    async fn begin(&self, task: Value) -> Result<News, WorkerError> {
        let (task, given) = self.with_files(Task::of(&task)?).await?;
        Ok(News { task: Some(task), given, ..News::default() })
    }

    /// Asks the model for the next action, and starts it.
    #[worker(dependencies = [begin])]
    async fn think(&self, mut news: News, cx: &Context) -> Result<(), WorkerError> {
        let mut state = State::of_last_turn(cx);
        self.add_files_at_provider(&mut news, &state);
        let turn = &turn(cx)?;
        if news.task.is_some() {
            self.tools.inputs().try_for_each(|input| input.check(cx))?;
            turn.begins();
        }
        turn.recover().await;
        if turn.waits_for_people() {
            // Before anything changes, because this execution is then repeated.
            turn.go_on_or_pass_on(cx)?;
        }
        self.cap_outputs(&mut news, &mut state);
        let begins = news.task.is_some();
        let handed = news.handed.take();
        state.hear(news);
        if let Some(scope) = Scope::of(cx) {
            scope.is_about(state.mailbox.as_deref());
            if begins {
                scope.begins(&state.conversation.standing.allowed);
            }
        }
        state.worked += turn.lap();
        turn.count_again(state.usage, &state.spent);
        turn.settle_called();
        if let Some(stopped) = self.stopped_by_hook(&mut state, turn, cx).await {
            return Err(stopped.into());
        }
        if begins && self.has_active(&mut state) {
            self.begin_active(state, cx);
            return Ok(());
        }
        if let Some(outcome) = handed {
            match self.hear_member(state, *outcome, turn, cx).await? {
                Some(now) => state = now,
                None => return Ok(()),
            }
        }
        let reply = match state.held.take() {
            Some(reply) => *reply,
            None => match self.next_reply(state, turn, cx).await? {
                Some((now, reply)) => {
                    state = now;
                    reply
                }
                None => return Ok(()),
            },
        };
        if turn.waits_for_people() && turn.asks() {
            self.hold(state, reply, cx);
            return Ok(());
        }
        if let Some(asked) = self.asked_handoff(&reply, &state, turn) {
            self.hand_over(state, reply, asked, turn, cx).await?;
        } else if let Some((question, others)) = self.question(&reply, &state) {
            self.ask_back(state, reply, question, others, turn, cx).await?;
        } else if reply.message.tool_calls.is_empty() {
            self.conclude(state, reply, turn, cx).await?;
        } else {
            if std::mem::take(&mut state.is_held) {
                publish(&reply.message, cx);
            }
            state.say(&reply.message);
            state.call(&reply.message.tool_calls);
            state.refuse_calls(turn.tools());
            match self.limits.repeats {
                Some(repeats) if state.n_repeats >= repeats => {
                    let calls = std::mem::take(&mut state.open_calls);
                    let told = calls.iter().map(|call| Message::tool_error(call, NOT_AGAIN));
                    state.conversation.messages.extend(told);
                    let end = Limits::repeated(state.n_repeats + 1);
                    return Err(self.fail(state, end, None, turn, cx).await.into());
                }
                // A request to interrupt or finish came meanwhile, or all calls were refused:
                // `think` handles it first.
                _ if turn.is_interrupted()
                    || turn.is_to_finish()
                    || state.open_calls.is_empty() =>
                {
                    cx.ferry_to(Self::THINK, (News::default(),));
                    state.keep(cx);
                }
                _ => self.act(state, turn, cx),
            }
        }
        Ok(())
    }

    /// Collects the results of the tools of a turn, in the order of the calls, and removes their
    /// workers.
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

    /// Takes the conversation back from another agent of the team.
    #[worker(detached)]
    async fn take_back(&self, outcome: AgentOutcome, cx: &Context) {
        for worker in cx.automa().dependencies(cx.key()).unwrap_or_default() {
            cx.remove_worker(worker);
        }
        cx.remove_worker(cx.key().clone());
        let handed = Some(Box::new(outcome));
        cx.ferry_to(Self::THINK, (News { handed, ..News::default() },));
    }

    /// Summarises a part of the conversation while the tools run. The agent continues without a
    /// summary, so a failure is only reported as an event.
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

    /// Returns the outcome of the run.
    #[worker(output)]
    async fn finish(&self, outcome: AgentOutcome) -> AgentOutcome {
        outcome
    }
}

impl ReActAutoma {
    /// The next reply of the model, with the state after it. Returns `None` if `think` has done
    /// something else.
    async fn next_reply(
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
            Err(Unasked::Stopped(stop)) => return Err(self.halt(&mut state, stop, turn, cx).await),
            Err(Unasked::Model(error)) if error.is_context_overflow() && state.show_less() => {
                cx.emit("context_overflow", error.to_string());
                cx.ferry_to(Self::THINK, (News::default(),));
                state.keep(cx);
                return Ok(None);
            }
            Err(Unasked::Model(error)) => {
                return Err(self
                    .fail(state, AgentEnd::failed(&error), Some(error), turn, cx)
                    .await);
            }
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

    /// Keeps a reply until the question of a child is answered.
    fn hold(&self, mut state: State, reply: ChatReply, cx: &Context) {
        state.held = Some(Box::new(reply));
        cx.ferry_to(Self::THINK, (News::default(),));
        state.keep(cx);
    }

    /// The tools that the model may call.
    pub(super) fn specs(&self, turn: &Arc<TurnState>) -> Arc<[ToolSpec]> {
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

    /// Cuts the results of the tools of a turn to the maximum for all of them: the longest first.
    fn cap_outputs(&self, news: &mut News, state: &mut State) {
        let results = news.messages.iter_mut().filter_map(|message| match message {
            Message::Tool(result) => Some(result),
            _ => None,
        });
        let mut results: Vec<_> = results.collect();
        let mut left = self.max_turn_output.saturating_sub(state.n_output_bytes);
        results.sort_by_key(|result| result.content.len());
        let (mut n_left, mut left_for_images) = (results.len(), MAX_TURN_IMAGES);
        for result in results {
            // What short results leave is for the longer ones.
            let share = left / n_left;
            left_for_images -= result.cap(share, left_for_images);
            left -= result.content.len().min(left);
            n_left -= 1;
            state.n_output_bytes += result.content.len();
        }
    }

    /// The next request to the model.
    pub(super) fn request(
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

    fn wanted(&self) -> Option<&Wanted> {
        self.answer.as_ref()?.as_deref().ok()
    }

    /// Adds a worker for each open call, or for the first one, and a worker that collects the
    /// results.
    fn act(&self, mut state: State, turn: &Arc<TurnState>, cx: &Context) {
        let begins = state.n_called == 0;
        let n_calls = match self.tool_calls {
            ToolCallMode::Parallel => state.open_calls.len().min(MOST_AT_ONCE),
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
        state.keep(cx);
    }

    /// Adds the worker that takes the conversation back from the agent at `key`.
    pub(super) fn take_back_after(key: String, cx: &Context) {
        cx.add_func_as_worker("take_back", Self::TAKE_BACK, after([key]));
    }

    /// Ends the run with the reply, or tells the model what is wrong with it.
    async fn conclude(
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
                    publish(&reply.message, cx);
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
    async fn ask_back(
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
            publish(&said, cx);
        }
        state.say(&said);
        let told = others.iter().map(|call| Message::tool_error(call, NOT_CALLED));
        state.conversation.messages.extend(told);
        self.end(state, AgentEnd::ClarificationAsked { question }, turn, cx).await;
        Ok(())
    }

    /// Tells the model why a hook does not accept its reply, and asks it again.
    async fn again(
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
    pub(super) fn verdict(&self, reply: &ChatReply, turn: &Arc<TurnState>) -> Verdict {
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

    /// Ends the run with an answer, a question, or its result so far.
    pub(super) async fn end(
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
    pub(super) async fn fail(
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

    /// The question of the model to the person, if any, and the other calls of its reply.
    fn question(&self, reply: &ChatReply, state: &State) -> Option<(String, Vec<ToolCall>)> {
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

/// The turn of this run of an agent.
fn turn(cx: &Context) -> Result<Arc<TurnState>, SubTurnError> {
    TurnState::of(cx).ok_or(SubTurnError::OutsideTurn)
}

/// What to do with a reply without calls.
pub(super) enum Verdict {
    /// The reply is the answer.
    Answer(String),
    /// The run ends without an answer.
    End(AgentEnd),
    /// The model is told what is wrong, and asked again.
    Again { told: Message, faults: Vec<String> },
}

/// The tool with which the model asks the person a question. It is never called: it ends the run.
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
