//! The workers of an agent.

use std::ops::Range;
use std::sync::Arc;

use ddg_core::Key;
use ddg_core::prelude::*;
use serde_json::{Value as Json, json};

use super::state::{News, State};
use super::{
    ASK_BACK, AgentEnd, AgentFailed, AgentOutcome, Limit, ReActAutoma, Task, ToolCallMode,
};
use crate::memory::{Conversation, Summary};
use crate::message::{AssistantMessage, Message, ToolArguments, ToolCall};
use crate::model::{ChatReply, ChatRequest, FinishReason, ModelError, Usage, Wanted, ask};
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
const STATE: &str = "state";

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
        state.hear(news);
        if !state.open_calls.is_empty() {
            self.act(state, cx);
            return Ok(());
        }
        let mail = self.mailboxes.take(state.mailbox.as_deref());
        state.conversation.messages.extend(mail);

        if let Some(limit) = self.limits.reached(&state) {
            return Err(self.fail(state, AgentEnd::StoppedByLimit { limit }, None).into());
        }
        let reply = match ask(&self.model, self.request(&state), cx).await {
            Ok(reply) => reply,
            Err(error) if error.is_context_overflow() && state.show_less() => {
                cx.emit("context_overflow", error.to_string());
                cx.ferry_to(Self::THINK, (News::default(),));
                cx.local().set(STATE, state);
                return Ok(());
            }
            Err(error) => {
                return Err(self.fail(state, AgentEnd::failed(&error), Some(error)).into());
            }
        };
        state.count(&reply);
        if let Some((question, others)) = self.question(&reply) {
            // Not the call itself, so that no call is left without a result.
            let text = [reply.message.text.trim(), &question].join("\n");
            state.say(&AssistantMessage::new(text.trim(), others.clone()));
            let told = others.iter().map(|call| Message::tool_error(call, NOT_CALLED));
            state.conversation.messages.extend(told);
            self.end(state, AgentEnd::ClarificationAsked { question }, cx);
        } else if reply.message.tool_calls.is_empty() {
            self.conclude(state, reply, cx)?;
        } else {
            state.say(&reply.message);
            state.call(&reply.message.tool_calls);
            match self.limits.repeats {
                Some(repeats) if state.n_repeats >= repeats => {
                    let told = reply.message.tool_calls.iter();
                    let told = told.map(|call| Message::tool_error(call, NOT_AGAIN));
                    state.conversation.messages.extend(told);
                    let end = AgentEnd::StoppedByLimit { limit: Limit::Repeats };
                    return Err(self.fail(state, end, None).into());
                }
                _ => self.act(state, cx),
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
    fn specs(&self) -> &Arc<[ToolSpec]> {
        self.specs.get_or_init(|| match self.may_ask {
            false => self.tools.specs(),
            true => self.tools.specs().iter().cloned().chain([ask_back()]).collect(),
        })
    }

    /// What the model is asked.
    fn request(&self, state: &State) -> ChatRequest {
        let system = self.system.iter().map(Message::system);
        let shown = match state.shown_from {
            None => self.memory.window(&state.conversation),
            Some(first) => state.conversation.shown_from(first),
        };
        let tries = state.tries.iter().cloned();
        let request = ChatRequest {
            messages: system.chain(shown).chain(tries).collect(),
            tools: Arc::clone(self.specs()),
            ..self.settings_after(state.turns)
        };
        match self.wanted() {
            Some(wanted) => wanted.ask(request, self.model.capabilities()),
            None => request,
        }
    }

    fn wanted(&self) -> Option<&Wanted> {
        self.answer.as_ref()?.as_deref().ok()
    }

    /// Adds a worker for each call that is open, or for the first, and one that collects what they
    /// give.
    fn act(&self, mut state: State, cx: &Context) {
        let begins = state.n_called == 0;
        let n_calls = match self.tool_calls {
            ToolCallMode::Parallel => state.open_calls.len(),
            ToolCallMode::Sequential => 1,
        };
        let mut keys: Vec<Key> = Vec::new();
        let calls: Vec<_> = state.open_calls.drain(..n_calls).collect();
        for call in calls {
            let key = state.next_key(&call.name);
            cx.add_worker(key.clone(), self.tools.call_worker(&call.name), free());
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
    fn conclude(
        &self,
        mut state: State,
        reply: ChatReply,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        match self.verdict(&reply) {
            Verdict::Answer(text) => {
                state.say(&reply.message);
                let mail = self.mailboxes.take_or_close(state.mailbox.as_deref());
                if mail.is_empty() {
                    let end = AgentEnd::Finished { text, finish: reply.finish };
                    self.end(state, end, cx);
                    return Ok(());
                }
                state.conversation.messages.extend(mail);
            }
            Verdict::End(end) => {
                state.say(&reply.message);
                return Err(self.fail(state, end, None));
            }
            Verdict::Again { faults, .. } if state.n_tries >= self.limits.tries => {
                let end = match reply.finish {
                    FinishReason::Length => AgentEnd::CutOff,
                    _ => AgentEnd::NoAnswer { faults },
                };
                return Err(self.fail(state, end, None));
            }
            Verdict::Again { told, .. } => state.try_again(&reply.message, told),
        }
        cx.ferry_to(Self::THINK, (News::default(),));
        cx.local().set(STATE, state);
        Ok(())
    }

    /// What is to be done about a reply without calls.
    fn verdict(&self, reply: &ChatReply) -> Verdict {
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
            _ => {}
        }
        let fault = match &reply.finish {
            FinishReason::MalformedCall => MALFORMED,
            _ => EMPTY,
        };
        let told = Message::user(fault);
        Verdict::Again { told, faults: vec![fault.to_owned()] }
    }

    /// Ends with an answer or a question.
    fn end(&self, state: State, end: AgentEnd, cx: &Context) {
        cx.ferry_to(Self::FINISH, (self.outcome(state, end),));
    }

    /// Ends with neither. `think` fails with it, and not `finish`: of a stored run that is run again, `think`
    /// runs again.
    fn fail(&self, state: State, end: AgentEnd, model_error: Option<ModelError>) -> AgentFailed {
        AgentFailed { outcome: Box::new(self.outcome(state, end)), model_error }
    }

    fn outcome(&self, mut state: State, end: AgentEnd) -> AgentOutcome {
        // What was said too late to be thought about is there for the next run.
        let mail = self.mailboxes.close(state.mailbox.as_deref());
        state.conversation.messages.extend(mail);
        state.end(end)
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

/// What is to be done about a reply without calls.
enum Verdict {
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
