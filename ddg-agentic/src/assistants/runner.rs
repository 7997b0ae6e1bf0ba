//! The automa of a run: prepares, asks the model, routes its reply to tools, and asks again.
//!
//! **Invariant.** The journal of the automa is the truth. Each worker looks first at what rows
//! already show of its work, because a process may have died between the rows and the journal: rows
//! that are ahead are read, and rows that are behind are written again. So a step is written to the
//! journal only if the rows do not show its results, as those of tools.

mod agent;
mod ask;
mod calls;
mod gather;
mod live;
mod turn;

use std::sync::Arc;

use ddg_core::graph::BuildError;
use ddg_core::prelude::*;
use ddg_core::run::ActiveRun;

use super::builder::Inner;
use super::object::{LastError, RunStatus};
use super::params::ToolOutputParams;
use super::rule::{Reply, ReplyCall, joined};
use super::store::RunRow;
use super::{AssistantsError, drive};
use crate::tool::ToolRun;
pub(super) use turn::RunEnd;
use turn::{Answered, Next, Replied, Said, Turn, next};

/// The automa of a run.
pub(super) struct ThreadRunner;

/// What the workers of a run need, attached to it.
pub(super) struct RunContext {
    pub(super) inner: Arc<Inner>,
    pub(super) id: String,
    pub(super) run: ActiveRun,
}

#[automa(output = RunEnd)]
impl ThreadRunner {
    /// Begins the run, and asks its tools for their instructions.
    #[worker(start)]
    async fn prepare(&self, run: String, cx: &Context) -> Result<Turn, WorkerError> {
        let here = here(cx)?;
        let row = drive::begin(&here.inner, &run).await?;
        let tool_run = cx.attached::<ToolRun>();
        let tools = here.inner.tools.now().await;
        let mut supplements: Vec<String> = Vec::new();
        for tool in &row.settings.tools {
            let Some(tool_run) = &tool_run else { break };
            let said = tools.instructions(tool.name(), tool_run);
            // Tools of one server have the same instructions.
            supplements.extend(said.filter(|said| !supplements.contains(said)));
        }
        let parts = supplements.iter().map(String::as_str);
        let system = joined([row.settings.instructions.as_str()].into_iter().chain(parts));
        Ok(Turn { number: 0, system, steps: Vec::new() })
    }

    /// Asks the model.
    #[worker(dependencies = [prepare])]
    async fn model(&self, turn: Turn, cx: &Context) -> Result<Replied, WorkerError> {
        let here = here(cx)?;
        let said = ask::ask(&here, &turn).await?;
        Ok(Replied { turn, said })
    }

    /// Starts the calls of the reply, or ends the run.
    #[worker(dependencies = [model])]
    async fn route(&self, replied: Replied, cx: &Context) -> Result<Replied, WorkerError> {
        let here = here(cx)?;
        let mut row = here.row().await?;
        if let Said::Reply(reply) = &replied.said {
            row = live::catch_up(&here.inner, row, replied.turn.number, reply).await?;
        }
        match next(&row.settings, row.state.usage, &replied) {
            Next::End(end) => cx.ferry_to(Self::FINISH, (end,)),
            Next::Wait => cx.ferry_to(Self::COLLECT_NOTHING, (replied.clone(),)),
            Next::Call(calls) => {
                let mut keys = Vec::new();
                for (n, call) in calls.into_iter().enumerate() {
                    let key = format!("tool_{}_{}_{}", call.name, replied.turn.number + 1, n + 1);
                    cx.add_func_as_worker(key.clone(), Self::CALL_TOOL, free());
                    cx.ferry_to(key.clone(), (call,));
                    keys.push(key);
                }
                cx.add_func_as_worker("collect", Self::COLLECT, after(keys).merge());
            }
        }
        Ok(replied)
    }

    /// Makes a call of a tool of the server.
    #[worker(detached)]
    async fn call_tool(&self, call: ReplyCall, cx: &Context) -> Result<Answered, WorkerError> {
        Ok(calls::call(&*here(cx)?, &call, cx).await?)
    }

    /// Collects the results of tools in the order of the calls, and removes their workers.
    #[worker(detached)]
    async fn collect(
        &self,
        results: Vec<Answered>,
        #[from(route)] replied: Replied,
        cx: &Context,
    ) -> Result<(), WorkerError> {
        for worker in cx.automa().dependencies(cx.key()).unwrap_or_default() {
            cx.remove_worker(worker);
        }
        cx.remove_worker(cx.key().clone());
        self.answered(replied, results, cx).await
    }

    /// Continues when the server makes none of the calls.
    #[worker]
    async fn collect_nothing(&self, replied: Replied, cx: &Context) -> Result<(), WorkerError> {
        self.answered(replied, Vec::new(), cx).await
    }

    /// Waits for the outputs of the client's functions.
    #[worker]
    async fn wait(
        &self,
        replied: Replied,
        results: Vec<Answered>,
        cx: &Context,
    ) -> Result<(), WorkerError> {
        let outputs: Vec<ToolOutputParams> = cx.interact_with_human("tool_outputs".to_owned())?;
        let here = here(cx)?;
        drive::begin(&here.inner, &here.id).await?;
        let mut results = results;
        results.extend(outputs.into_iter().map(Answered::of));
        cx.ferry_to(Self::MODEL, (replied.with(&results),));
        Ok(())
    }

    /// Writes the end of the run, and returns it. Clients need not wait for the journal's end.
    #[worker(output)]
    async fn finish(&self, end: RunEnd, cx: &Context) -> Result<RunEnd, WorkerError> {
        let here = here(cx)?;
        drive::ended(&here.inner, &here.id, &end).await?;
        Ok(end)
    }
}

impl ThreadRunner {
    /// The workers that may run again after a crash although they have ended: each finds its work
    /// in the rows.
    pub(super) const MAY_RUN_AGAIN: [&str; 4] = ["prepare", "model", "route", "finish"];

    /// The automa of all runs.
    pub(super) fn automa() -> Result<GraphAutoma, BuildError> {
        Ok(Self.build()?.into_graph())
    }

    /// The results of the server's tools are there: continues with the model, or waits for the
    /// client.
    async fn answered(
        &self,
        replied: Replied,
        results: Vec<Answered>,
        cx: &Context,
    ) -> Result<(), WorkerError> {
        let here = here(cx)?;
        let row = calls::write(&here, &results).await?;
        let calls = replied.calls();
        let external = calls.iter().any(|call| row.settings.is_external(&call.name));
        match (external, row.settings.response.is_some()) {
            (false, _) => cx.ferry_to(Self::MODEL, (replied.with(&results),)),
            // The client sends the outputs with its next request.
            (true, true) => cx.ferry_to(Self::FINISH, (RunEnd::Completed,)),
            (true, false) => cx.ferry_to(Self::WAIT, (replied, results)),
        }
        Ok(())
    }
}

impl RunContext {
    /// The run as it is now.
    ///
    /// # Errors
    /// If it does not exist, or is no longer at work.
    pub(super) async fn row(&self) -> Result<RunRow, AssistantsError> {
        let row = self.inner.store.run(&self.id).await?;
        let row = row.ok_or_else(|| AssistantsError::not_found("run", &self.id))?;
        match row.state.status {
            RunStatus::InProgress => Ok(row),
            status => Err(drive::no_longer(&self.id, status)),
        }
    }
}

/// What the run's workers need.
fn here(cx: &Context) -> Result<Arc<RunContext>, WorkerError> {
    cx.attached::<RunContext>()
        .ok_or_else(|| WorkerError::msg("the runner of threads runs within `Assistants` only"))
}

/// The failure of a run for which there is no model.
fn server_error(message: impl Into<String>) -> Said {
    Said::Failed(LastError::new("server_error", message))
}

/// The reply that rows show, if they are ahead of the journal.
fn reply_of(row: &RunRow, turn: u32) -> Option<Reply> {
    row.state.last_reply.clone().filter(|_| row.state.turn > turn)
}
