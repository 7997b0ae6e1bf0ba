//! Asks the model, and writes its reply as it comes.

use std::pin::pin;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};

use super::live::Live;
use super::turn::{Said, Turn};
use super::{RunContext, agent, gather, reply_of, server_error};
use crate::assistants::AssistantsError;
use crate::assistants::id::UniqueIds;
use crate::assistants::object::LastError;
use crate::assistants::request::{Asked, choice, has_image, request};
use crate::assistants::rule::{ReplyPiece, Splitter};
use crate::assistants::store::RunRow;
use crate::model::{ChatChunk, ChatModel, ChatStream, ModelError, ToolChoice};

/// Maximum number of pieces that are written at once.
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
        Ok(stream) => read(&mut live, Incoming::new(stream, splitter)).await,
        Err(error) => Ok(failed(&error)),
    }
}

/// Reads the reply, and writes it piece by piece. What arrives during a write belongs to the next
/// one, so a reply waits for the disk a few times, however many its pieces are.
async fn read(live: &mut Live<'_>, mut incoming: Incoming) -> Result<Said, AssistantsError> {
    loop {
        if incoming.pieces.is_empty() {
            incoming.more().await;
        }
        let pieces = std::mem::take(&mut incoming.pieces);
        let said = incoming.said.take();
        let reply = match &said {
            Some(Said::Reply(reply)) => Some(reply),
            _ => None,
        };
        incoming.meanwhile(live.write(&pieces, reply)).await?;
        if let Some(said) = said {
            return Ok(said);
        }
    }
}

/// What has arrived of a reply, and is not written yet.
struct Incoming {
    stream: ChatStream,
    splitter: Splitter,
    pieces: Vec<ReplyPiece>,
    /// The end of the reply, until it is taken.
    said: Option<Said>,
    is_over: bool,
}

impl Incoming {
    fn new(stream: ChatStream, splitter: Splitter) -> Self {
        Self { stream, splitter, pieces: Vec::new(), said: None, is_over: false }
    }

    fn has_room(&self) -> bool {
        !self.is_over && self.pieces.len() < BATCH
    }

    /// Waits until there is something to write, and takes all that is there. Does nothing if there
    /// is no room.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing that has arrived is lost.
    async fn more(&mut self) {
        if !self.has_room() {
            return;
        }
        let n_before = self.pieces.len();
        while self.has_room() {
            // What is ready already belongs to the same write.
            let next = match self.pieces.len() == n_before {
                true => self.stream.next().await,
                false => match self.stream.next().now_or_never() {
                    Some(next) => next,
                    None => return,
                },
            };
            self.take(next);
        }
    }

    /// Awaits `write`, and takes what arrives until then.
    async fn meanwhile<T>(&mut self, write: impl Future<Output = T>) -> T {
        let mut write = pin!(write);
        loop {
            tokio::select! {
                biased;
                written = &mut write => return written,
                () = self.more(), if self.has_room() => {}
            }
        }
    }

    fn take(&mut self, next: Option<Result<ChatChunk, ModelError>>) {
        self.said = match next {
            None => Some(server_error("the model's reply broke off before its end")),
            Some(Err(error)) => Some(failed(&error)),
            Some(Ok(chunk)) => {
                let reply = self.splitter.take(chunk, &mut UniqueIds, &mut self.pieces);
                reply.map(Said::Reply)
            }
        };
        self.is_over = self.said.is_some();
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
