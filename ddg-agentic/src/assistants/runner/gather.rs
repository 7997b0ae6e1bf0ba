//! Gathers what a model is asked: messages of the thread, files, and tool steps.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::RunContext;
use super::turn::{ToolStep, Turn};
use crate::assistants::AssistantsError;
use crate::assistants::object::{self, MessageStatus};
use crate::assistants::rule::{Images, Kind, last, prompt_of_message, transcript};
use crate::assistants::store::RunRow;
use crate::files::FileManager;
use crate::message::{Image, Message, ToolArguments, ToolCall};

/// The conversation for a model, without the instructions.
///
/// # Errors
/// If the store fails.
pub(super) async fn conversation(
    here: &RunContext,
    row: &RunRow,
    turn: &Turn,
) -> Result<Vec<Message>, AssistantsError> {
    let store = &here.inner.store;
    let files = here.inner.files.as_ref().and_then(|files| files(&row.tenant));
    let Some(own) = &row.settings.response else {
        let messages = store.messages(&row.state.thread).await?;
        let messages: Vec<_> =
            messages.into_iter().filter(|message| is_read(row, message)).collect();
        let seen = last(&messages, row.settings.truncation.last_messages);
        let seen = row.settings.memory.seen(seen);
        let images = images(seen.iter(), files.as_ref()).await;
        let thread = seen.iter().filter_map(|message| prompt_of_message(message, &images));
        return Ok(thread.chain(turn.steps.iter().flat_map(step)).collect());
    };
    let mut items = match &own.conversation {
        Some(conversation) => store.items(conversation).await?,
        None => Vec::new(),
    };
    items.extend(match own.conversation {
        Some(_) => store.items_of_run(&row.state.id).await?,
        None => store.items_up_to(&row.state.id).await?,
    });
    items.retain(|item| match item {
        Kind::Message(message) => is_read(row, message),
        Kind::Call { .. } => true,
    });
    let messages = items.iter().filter_map(|item| match item {
        Kind::Message(message) => Some(message),
        Kind::Call { .. } => None,
    });
    let images = images(messages, files.as_ref()).await;
    Ok(transcript(&items, &images))
}

/// Whether the model reads a message: one that it is writing, or has to write again, does not
/// count.
fn is_read(row: &RunRow, message: &object::Message) -> bool {
    let is_own =
        message.run_id.as_ref() == Some(&row.state.id) && message.role == object::Role::Assistant;
    match message.status {
        MessageStatus::Completed => true,
        MessageStatus::InProgress => false,
        MessageStatus::Incomplete => !is_own,
    }
}

/// A tool step: one message with all calls, and one for each output.
fn step(step: &ToolStep) -> Vec<Message> {
    let calls = step.calls.iter().map(|(call, _)| {
        ToolCall::new(&call.id, &call.name, ToolArguments::parse(&call.arguments))
    });
    let calls: Vec<_> = calls.collect();
    let results = calls.iter().zip(&step.calls);
    let results: Vec<_> =
        results.map(|(call, (_, output))| Message::tool_result(call, output)).collect();
    [Message::calls(calls)].into_iter().chain(results).collect()
}

/// The files that messages name. A file that is gone is left out.
async fn images(
    messages: impl Iterator<Item = &object::Message>,
    files: Option<&FileManager>,
) -> Images {
    let mut images = Images::default();
    let Some(files) = files else { return images };
    for message in messages {
        for file in &message.attachments {
            if let Some(found) = files.try_look_up(&file.file_id) {
                images.names.insert(file.file_id.clone(), found.filename().to_owned());
            }
        }
        for part in &message.content {
            let object::ContentPart::ImageFile { image_file } = part else { continue };
            let id = &image_file.file_id;
            if let Some(found) = files.try_look_up(id)
                && let Ok(bytes) = files.read(id).await
            {
                let (media_type, base64) =
                    (found.media_type().to_owned(), BASE64_STANDARD.encode(&bytes));
                images.contents.insert(id.clone(), Image::Data { media_type, base64 });
            }
        }
    }
    images
}
