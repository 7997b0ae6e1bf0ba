//! Transcripts: a part of a conversation as text, for a model that summarises it.

use std::borrow::Cow;
use std::ops::Range;

use crate::memory::Conversation;
use crate::message::{ContentPart, Message};

/// The number of bytes shown of a long text, at its start and at its end.
const BYTES_OF_HEAD: usize = 6000;
const BYTES_OF_TAIL: usize = 2000;

/// The messages of `range` as text. Summaries replace the messages that they cover, and system
/// messages are left out.
pub(super) fn transcript(conversation: &Conversation, range: &Range<usize>) -> String {
    let mut lines = Vec::new();
    let mut place = range.start;
    while let Some(message) = conversation.messages.range(place..range.end).next() {
        let mut within = conversation.summaries.iter().map(|summary| &summary.range);
        let found = within.position(|inner| inner.start == place && inner.end <= range.end);
        match found.map(|found| &conversation.summaries[found]) {
            Some(summary) if !summary.range.is_empty() => {
                lines.push(format!("Earlier summary: {}", summary.text));
                place = summary.range.end;
            }
            _ => {
                lines.extend(told(message));
                place += 1;
            }
        }
    }
    let text = lines.join("\n\n").replace("</conversation", "<\\/conversation");
    format!("<conversation>\n{text}\n</conversation>")
}

/// A message as lines.
fn told(message: &Message) -> Vec<String> {
    match message {
        Message::System { .. } => Vec::new(),
        Message::User { content } => {
            let parts = content.iter().map(|part| match part {
                ContentPart::Text { text } => clipped(text),
                ContentPart::Image { .. } => "[an image]".into(),
                ContentPart::Document { document } => match document.text() {
                    Some(text) => format!("{}\n{}", document.heading(), clipped(&text)).into(),
                    None => format!("[{document}]").into(),
                },
                ContentPart::Audio { .. } => "[a recording]".into(),
            });
            vec![format!("Person: {}", parts.collect::<Vec<_>>().join("\n"))]
        }
        Message::Assistant(message) => {
            let text = (!message.text.is_empty()).then(|| clipped(&message.text));
            let said = text.map(|text| format!("Assistant: {text}"));
            let calls = message.tool_calls.iter().map(|call| {
                let arguments = call.arguments.to_text();
                format!("Assistant calls {} [{}]: {}", call.name, call.id, clipped(&arguments))
            });
            said.into_iter().chain(calls).collect()
        }
        Message::Tool(message) => {
            let gives = if message.is_error { "fails" } else { "gives" };
            let content = clipped(&message.content);
            vec![format!("Tool {} [{}] {gives}: {content}", message.name, message.call_id)]
        }
    }
}

/// A long text without its middle.
fn clipped(text: &str) -> Cow<'_, str> {
    if text.len() <= BYTES_OF_HEAD + BYTES_OF_TAIL {
        return text.into();
    }
    let (head, rest) = text.split_at(text.floor_char_boundary(BYTES_OF_HEAD));
    let (middle, tail) = rest.split_at(rest.ceil_char_boundary(rest.len() - BYTES_OF_TAIL));
    format!("{head}\n[{} bytes are left out here]\n{tail}", middle.len()).into()
}
