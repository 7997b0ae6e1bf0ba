//! The workers of an agent.

mod asking;
mod ending;
mod verdict;

use std::ops::Range;
use std::sync::Arc;

use ddg_core::Key;
use ddg_core::prelude::*;

use super::hooked::publish_whole;
use super::state::{News, State};
use super::{AgentOutcome, Limits, ReActAutoma, Task, ToolCallMode};
use crate::memory::{Conversation, Summary};
use crate::message::Message;
use crate::model::{ChatReply, Usage, within};
use crate::scope::Scope;
use crate::subturn::{SubTurnError, TurnState};
use crate::tool::ToolResult;

pub(super) use verdict::Verdict;
use verdict::is_cut_in_calls;

/// Result of calls that were repeated too often.
const NOT_AGAIN: &str = "not called: the same call was made again and again";

/// Maximum number of calls that run concurrently. Further calls of the turn follow them.
const MOST_AT_ONCE: usize = 64;

/// Maximum number of bytes of the images, documents and recordings that the tools of one step give
/// the model.
const MAX_TURN_MEDIA: usize = 16 << 20;

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
        if is_cut_in_calls(&reply) {
            self.cut_in_calls(state, &reply, turn, cx).await?;
        } else if let Some(asked) = self.asked_handoff(&reply, &state, turn) {
            self.hand_over(state, reply, asked, turn, cx).await?;
        } else if let Some((question, others)) = self.question(&reply, &state) {
            self.ask_back(state, reply, question, others, turn, cx).await?;
        } else if reply.message.tool_calls.is_empty() {
            self.conclude(state, reply, turn, cx).await?;
        } else {
            if std::mem::take(&mut state.is_held) {
                publish_whole(&reply.message, &reply, cx);
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
        match within(cx, self.memory.summarise(&conversation, range)).await {
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
    /// Keeps a reply until the question of a child is answered.
    fn hold(&self, mut state: State, reply: ChatReply, cx: &Context) {
        state.held = Some(Box::new(reply));
        cx.ferry_to(Self::THINK, (News::default(),));
        state.keep(cx);
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
        let (mut n_left, mut left_for_media) = (results.len(), MAX_TURN_MEDIA);
        for result in results {
            // What short results leave is for the longer ones.
            let share = left / n_left;
            left_for_media -= result.cap(share, left_for_media);
            left -= result.content.len().min(left);
            n_left -= 1;
            state.n_output_bytes += result.content.len();
        }
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
}

/// The turn of this run of an agent.
fn turn(cx: &Context) -> Result<Arc<TurnState>, SubTurnError> {
    TurnState::of(cx).ok_or(SubTurnError::OutsideTurn)
}
