//! Calls of tools of the server.

use ddg_core::{Context, WorkerError};
use tokio::time::timeout;

use super::RunContext;
use super::turn::Answered;
use crate::assistants::AssistantsError;
use crate::assistants::drive;
use crate::assistants::object::{AssistantTool, Usage};
use crate::assistants::params::ToolOutputParams;
use crate::assistants::rule::ReplyCall;
use crate::assistants::store::RunRow;
use crate::message::{ToolArguments, ToolCall};
use crate::tool::Toolbox;

/// Makes a call. Whatever goes wrong is an output that the model sees.
///
/// # Errors
/// If the run is no longer at work, or the store fails.
pub(super) async fn call(
    here: &RunContext,
    call: &ReplyCall,
    cx: &Context,
) -> Result<Answered, AssistantsError> {
    let row = here.row().await?;
    let inner = &here.inner;
    let answer = |output: String, usage: Usage| Answered {
        output: ToolOutputParams::new(&call.id, output),
        usage,
    };
    let offered = |tool: &AssistantTool| *tool == AssistantTool::Server(call.name.clone());
    if !row.settings.tools.iter().any(offered) {
        return Ok(answer(unknown(&row, &call.name), Usage::default()));
    }
    let tools = tools_of(here, &row);
    // Waiting for a turn is not the fault of the tool, and counts to no time limit.
    let turn = inner.tool_turns.acquire().await;
    let made = ToolCall::new(&call.id, &call.name, ToolArguments::parse(&call.arguments));
    let limit = inner.settings.tool_timeout;
    let called = timeout(limit, tools.call(&made, cx)).await;
    drop(turn);
    Ok(match called {
        Ok(Ok(result)) => answer(result.message.content, result.usage.into()),
        Ok(Err(error)) => answer(failure(cx, &call.name, &error), Usage::default()),
        Err(_) => {
            let seconds = limit.as_secs_f64();
            let text = format!("tool `{}`: no result within {seconds} seconds", call.name);
            answer(text, Usage::default())
        }
    })
}

fn failure(cx: &Context, tool: &str, error: &WorkerError) -> String {
    match cx.is_waiting() {
        true => format!("tool `{tool}`: it asks a person, and there is nobody to answer"),
        false => format!("tool `{tool}`: {error}"),
    }
}

/// The tools, with the files of the run's tenant.
fn tools_of(here: &RunContext, row: &RunRow) -> Toolbox {
    let tools = &here.inner.tools;
    let files = here.inner.files.as_ref().and_then(|files| files(&row.tenant));
    match files.map(|files| tools.with_files(&files)) {
        Some(Ok(tools)) => tools,
        Some(Err(_)) | None => tools.clone(),
    }
}

fn unknown(row: &RunRow, name: &str) -> String {
    let known: Vec<_> =
        row.settings.tools.iter().map(|tool| format!("`{}`", tool.name())).collect();
    match known.as_slice() {
        [] => format!("There is no tool `{name}`; there are no tools."),
        known => format!("There is no tool `{name}`; there are {}.", known.join(", ")),
    }
}

/// Writes the outputs of the calls of a reply, unless they were written before.
///
/// # Errors
/// If the run is no longer at work, or the store fails.
pub(super) async fn write(
    here: &RunContext,
    results: &[Answered],
) -> Result<RunRow, AssistantsError> {
    let outputs: Vec<_> = results.iter().map(|result| result.output.clone()).collect();
    let mut usage = Usage::default();
    results.iter().for_each(|result| usage.add(result.usage));
    drive::at_work(&here.inner, &here.id, |row, moment, changes| {
        row.state.outputs(&row.settings, &outputs, usage, moment, changes);
        Ok(())
    })
    .await
}
