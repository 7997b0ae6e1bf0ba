//! Converts streamed replies of rig.

use std::sync::Arc;

use futures::{Stream, StreamExt, stream};
use rig_core::completion::AssistantContent;
use rig_core::streaming::{CompletionStream, Item, Part, PartKind, StreamEvent};

use super::answer;
use super::call_ids::CallIds;
use super::extras::Extras;
use super::failure::Failures;
use super::signature::Signatures;
use super::silent;
use crate::message::Reasoning;
use crate::model::{ChatChunk, ModelError};

/// A streamed reply.
pub(super) struct Pieces {
    stream: CompletionStream,
    ids: CallIds,
    extras: Arc<Extras>,
    failures: Failures,
    model: String,
    /// The calls that have begun, with the names that have been sent.
    calls: Vec<(Part, String)>,
    signatures: Signatures,
    /// The signature of what has just ended, which is sent next.
    signature: Option<Reasoning>,
}

impl Pieces {
    pub(super) fn new(
        stream: CompletionStream,
        ids: CallIds,
        extras: Arc<Extras>,
        failures: Failures,
        model: &str,
    ) -> Self {
        let model = model.to_owned();
        let (signatures, signature) = (Signatures::default(), None);
        Self { stream, ids, extras, failures, model, calls: Vec::new(), signatures, signature }
    }

    /// The pieces, up to the end or the first error.
    pub(super) fn chunks(self) -> impl Stream<Item = Result<ChatChunk, ModelError>> + Send {
        stream::unfold(Some(self), |pieces| async {
            let mut pieces = pieces?;
            let failures = pieces.failures.clone();
            loop {
                if let Some(signature) = pieces.signature.take() {
                    return Some((Ok(ChatChunk::Reasoning(signature)), Some(pieces)));
                }
                let extras = Arc::clone(&pieces.extras);
                match extras.scope(silent(pieces.stream.next())).await {
                    Some(Ok(Item::Event(event))) => {
                        if let Some(chunk) = pieces.chunk(event) {
                            return Some((Ok(chunk), Some(pieces)));
                        }
                    }
                    Some(Ok(Item::Unknown(_))) => {}
                    Some(Err(error)) => return Some((Err(failures.of(&error)), None)),
                    None => {
                        let end = silent(pieces.stream.finish()).await;
                        let end = end.map_err(|error| failures.of(&error));
                        let end = end.and_then(|response| {
                            let finish = failures.finish(answer::finish(&response))?;
                            Ok(ChatChunk::End { finish, usage: answer::usage(&response.usage) })
                        });
                        return Some((end, None));
                    }
                }
            }
        })
    }

    /// The piece for an event, if there is one. The id of a call comes at its end.
    fn chunk(&mut self, event: StreamEvent) -> Option<ChatChunk> {
        match event {
            StreamEvent::Start { part, kind: PartKind::ToolCall, name } => {
                let name = name.map(String::from).unwrap_or_default();
                self.calls.push((part, name.clone()));
                self.of_call(part, None, Some(name), String::new())
            }
            StreamEvent::Text { text, .. } => Some(ChatChunk::Text(text)),
            StreamEvent::Arguments { part, json } => self.of_call(part, None, None, json),
            StreamEvent::End { part, content: AssistantContent::ToolCall(call) } => {
                let place = self.calls.iter().position(|(begun, _)| *begun == part)?;
                let id = self.ids.id(&call.id, place);
                self.signature = self.signature_of(&AssistantContent::ToolCall(call.clone()), &id);
                let told = self.calls[place].1.as_str();
                let name = call.function.name.strip_prefix(told).filter(|rest| !rest.is_empty());
                self.of_call(part, Some(id), name.map(str::to_owned), String::new())
            }
            StreamEvent::Reasoning { text, .. } => Some(ChatChunk::Thinking(text)),
            StreamEvent::End { content: AssistantContent::Reasoning(thought), .. } => {
                Some(ChatChunk::Reasoning(answer::reasoning(thought, &self.model)))
            }
            StreamEvent::End { content, .. } => {
                self.signature = self.signature_of(&content, "");
                None
            }
            StreamEvent::Start { .. } => None,
        }
    }

    fn signature_of(&mut self, content: &AssistantContent, id: &str) -> Option<Reasoning> {
        self.signatures.of(content, answer::signed(content, id)?, &self.model)
    }

    fn of_call(
        &self,
        part: Part,
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    ) -> Option<ChatChunk> {
        let index = self.calls.iter().position(|(begun, _)| *begun == part)?;
        Some(ChatChunk::ToolCall { index, id, name, arguments })
    }
}
