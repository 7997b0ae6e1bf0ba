//! The workers of an agent.

use std::ops::Range;
use std::sync::Arc;

use ddg_core::Key;
use ddg_core::prelude::*;
use serde_json::{Value as Json, json};

use super::state::{News, State};
use super::{ASK_BACK, AgentEnd, AgentOutcome, Limits, ReActAutoma, Task, ToolCallMode};
use crate::memory::{Conversation, Summary};
use crate::message::{Message, ToolArguments};
use crate::model::{ChatReply, ChatRequest, Usage, Wanted, ask};
use crate::subturn::{SubTurnError, TurnState};
use crate::tool::{ToolResult, ToolSpec};

/// What a model is told that has said nothing.
const EMPTY: &str = "Your answer is empty. Give one, or call a tool.";

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
            self.end_with_hint(state, hint, turn, cx).await;
            return Ok(());
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

        if let Some(limit) = self.limits_of(turn).reached(state.turns, &state.usage) {
            self.end(state, AgentEnd::StoppedByLimit { limit }, turn, cx);
            return Ok(());
        }
        let reply = match ask(turn.model(), self.request(&state.conversation, turn), cx).await {
            Ok(reply) => reply,
            Err(error) => {
                self.end(state, AgentEnd::failed(&error), turn, cx);
                return Ok(());
            }
        };
        turn.count(reply.usage);
        if let Some(question) = self.question(&reply) {
            // Not the call itself, so that no call is left without a result.
            let text = [reply.message.text.trim(), &question].join("\n");
            state.say(&ChatReply::text(text.trim()).usage(reply.usage));
            self.end(state, AgentEnd::ClarificationAsked { question }, turn, cx);
        } else if reply.message.tool_calls.is_empty() {
            state.say(&reply);
            self.conclude(state, reply, turn, cx).await;
        } else {
            state.say(&reply);
            match turn.is_interrupted() || turn.is_to_finish() {
                // What was asked for meanwhile is seen to first.
                true => {
                    cx.ferry_to(Self::THINK, (News::default(),));
                    cx.local().set(STATE, state);
                }
                false => self.act(state, turn, cx),
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
            } else if let Some((summary, usage)) = result.get::<Option<(Summary, Usage)>>()? {
                news.summary = Some(summary);
                news.usage += usage;
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
    pub(super) fn request(&self, conversation: &Conversation, turn: &TurnState) -> ChatRequest {
        let system = self.system.iter().map(Message::system);
        let messages = system.chain(self.shown(conversation, turn));
        let request = ChatRequest::new(messages).tools(self.specs(turn));
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
        for call in state.open_calls.drain(..n_calls) {
            state.n_called += 1;
            let key = format!("tool_{}_{}_{}", call.name, state.turns, state.n_called);
            cx.add_worker(key.clone(), turn.tools().call_worker(&call.name), free());
            cx.ferry_to(key.clone(), (call,));
            keys.push(key.into());
        }
        if begins && let Some(range) = self.memory.due(&state.conversation) {
            cx.add_func_as_worker("summarise", Self::SUMMARISE, free());
            cx.ferry_to("summarise", (state.conversation.clone(), range));
            keys.push("summarise".into());
        }
        cx.add_func_as_worker("collect", Self::COLLECT, after(keys).merge());
        cx.local().set(STATE, state);
    }

    /// Ends with what the model says, or tells it what is wrong with that.
    async fn conclude(&self, state: State, reply: ChatReply, turn: &TurnState, cx: &Context) {
        let messages = match self.answer_of(&reply, turn) {
            Ok(text) => {
                let mail = self.mailboxes.take_or_close(state.mailbox.as_deref());
                let told = match mail.is_empty() {
                    true => self.last_of_children(turn).await,
                    false => mail,
                };
                if told.is_empty() {
                    let end = AgentEnd::Finished { text, finish: reply.finish };
                    return self.end(state, end, turn, cx);
                }
                told
            }
            Err(told) => vec![told],
        };
        cx.ferry_to(Self::THINK, (News { messages, ..News::default() },));
        cx.local().set(STATE, state);
    }

    /// The answer, or what the model is told of what is none.
    fn answer_of(&self, reply: &ChatReply, turn: &TurnState) -> Result<String, Message> {
        match self.wanted() {
            Some(wanted) => wanted
                .read(reply)
                .map(|json| json.to_string())
                .map_err(|faults| Wanted::again(&faults)),
            // An empty answer of a child stays empty: its parent knows what to make of it.
            None if reply.message.says_nothing() && turn.config().is_none() => {
                Err(Message::user(EMPTY))
            }
            None => Ok(reply.message.text.clone()),
        }
    }

    pub(super) fn end(&self, mut state: State, end: AgentEnd, turn: &TurnState, cx: &Context) {
        // What was said too late to be thought about is there for the next run.
        let mail = self.mailboxes.close(state.mailbox.as_deref());
        state.conversation.messages.extend(mail);
        let (children, usage) = turn.finish();
        state.usage += usage;
        cx.ferry_to(Self::FINISH, (state.end(end, children),));
    }

    /// What the model asks the person, if it does.
    fn question(&self, reply: &ChatReply) -> Option<String> {
        let mut calls = reply.message.tool_calls.iter();
        let call = calls.find(|call| self.may_ask && call.name == ASK_BACK)?;
        let question = match &call.arguments {
            ToolArguments::Json(arguments) => arguments.get("question").and_then(Json::as_str),
            ToolArguments::Malformed(_) => None,
        };
        Some(question.map_or_else(|| call.arguments.to_text(), str::to_owned))
    }
}

/// The turn that this run of an agent is.
fn turn(cx: &Context) -> Result<Arc<TurnState>, SubTurnError> {
    TurnState::of(cx).ok_or(SubTurnError::OutsideTurn)
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
