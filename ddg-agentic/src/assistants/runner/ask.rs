//! Asks the model, and writes its reply as it comes.

use std::sync::Arc;

use futures::{FutureExt, StreamExt};

use super::live::Live;
use super::turn::{Said, Turn};
use super::{RunContext, agent, gather, reply_of, server_error};
use crate::assistants::AssistantsError;
use crate::assistants::id::UniqueIds;
use crate::assistants::object::LastError;
use crate::assistants::request::{Asked, choice, has_image, request};
use crate::assistants::rule::Splitter;
use crate::assistants::store::RunRow;
use crate::model::{ChatModel, ChatStream, ModelError, ToolChoice};

/// Number of pieces that are written at once.
const BATCH: usize = 64;

/// Asks the model for the reply of a turn.
///
/// # Errors
/// If the run is no longer at work, or the store fails.
pub(super) async fn ask(here: &Arc<RunContext>, turn: &Turn) -> Result<Said, AssistantsError> {
    let row = here.row().await?;
    if let Some(reply) = reply_of(&row, turn.number) {
        return Ok(Said::Reply(reply));
    }
    let mut live = Live::new(&here.inner, row);
    live.abandon().await?;
    let row = live.row.clone();
    if let Some(reason) = limit(&row) {
        return Ok(Said::Limit(reason.to_owned()));
    }
    let model = match model(here, &row) {
        Ok(model) => model,
        Err(message) => return Ok(server_error(message)),
    };
    let messages = gather::conversation(here, &row, turn).await?;
    if messages.iter().any(has_image) && !model.capabilities().images {
        let message = format!("The model '{}' does not take images.", row.settings.model);
        return Ok(Said::Failed(LastError::new("invalid_prompt", message)));
    }
    let choice = choice(&row.settings, turn.number, here.inner.settings.max_steps);
    let drops_calls = choice == ToolChoice::None;
    let written = row.state.usage.completion_tokens;
    let max_output_tokens =
        row.settings.max_completion_tokens.map(|most| most.saturating_sub(written));
    let asked = Asked { system: &turn.system, messages, choice, max_output_tokens };
    let request = request(&row.settings, asked, &here.inner.tools.now().await);
    let taken =
        turn.steps.iter().flat_map(|step| step.calls.iter().map(|(call, _)| call.id.clone()));
    let splitter = Splitter::new(drops_calls, taken.collect());
    match model.stream(request).await {
        Ok(stream) => read(&mut live, stream, splitter).await,
        Err(error) => Ok(failed(&error)),
    }
}

/// Reads the reply, and writes all pieces that are there at once.
async fn read(
    live: &mut Live<'_>,
    mut stream: ChatStream,
    mut splitter: Splitter,
) -> Result<Said, AssistantsError> {
    let mut ids = UniqueIds;
    loop {
        let (mut pieces, mut reply, mut failure) = (Vec::new(), None, None);
        let mut next = stream.next().await;
        loop {
            match next {
                None => failure = Some(server_error("the model's reply broke off before its end")),
                Some(Err(error)) => failure = Some(failed(&error)),
                Some(Ok(chunk)) => reply = splitter.take(chunk, &mut ids, &mut pieces),
            }
            if reply.is_some() || failure.is_some() || pieces.len() >= BATCH {
                break;
            }
            // What is ready already belongs to the same write.
            match stream.next().now_or_never() {
                Some(ready) => next = ready,
                None => break,
            }
        }
        live.write(&pieces, reply.as_ref()).await?;
        if let Some(reply) = reply {
            return Ok(Said::Reply(reply));
        }
        if let Some(failure) = failure {
            return Ok(failure);
        }
    }
}

/// The limit that the run has reached.
fn limit(row: &RunRow) -> Option<&'static str> {
    let reached = |most: Option<u64>, used: u64| most.is_some_and(|most| used >= most);
    let (settings, usage) = (&row.settings, row.state.usage);
    if reached(settings.max_completion_tokens, usage.completion_tokens) {
        return Some("max_completion_tokens");
    }
    let prompt = usage.prompt_tokens;
    reached(settings.max_prompt_tokens, prompt).then_some("max_prompt_tokens")
}

/// The agent of that name, else the model of the tenant.
fn model(here: &Arc<RunContext>, row: &RunRow) -> Result<Arc<dyn ChatModel>, String> {
    let name = &row.settings.model;
    if let Some(agent) = here.inner.agents.get(name) {
        return Ok(Arc::new(agent::AgentModel::new(name, agent, here, row.state.turn)));
    }
    here.inner.models.model(&row.tenant, name)
}

/// The failure of a run because of its model.
fn failed(error: &ModelError) -> Said {
    Said::Failed(LastError::new(code(error), error.to_string()))
}

fn code(error: &ModelError) -> &'static str {
    match error {
        ModelError::Status { status: 400 | 413 | 422, .. } => "invalid_prompt",
        ModelError::Status { status: 429, .. } => "rate_limit_exceeded",
        ModelError::ContextOverflow { .. }
        | ModelError::Unsupported { .. }
        | ModelError::TooMuchMedia { .. } => "invalid_prompt",
        ModelError::AllFailed { failures } => failures.last().map_or("server_error", code),
        _ => "server_error",
    }
}
