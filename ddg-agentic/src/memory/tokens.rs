//! Counters of tokens.

use std::sync::Arc;

use crate::message::{Attachment, Audio, ContentPart, Document, MediaSource, Message};

/// A counter of tokens.
pub trait CountTokens: Send + Sync + 'static {
    /// The number of tokens of a text.
    fn text(&self, text: &str) -> usize;

    /// The number of tokens of a message. By default the tokens of its texts, calls and arguments,
    /// 4 more for what separates messages, 1,000 for each image, one for every 100 bytes of a
    /// document that is not text (1,000 at least) and one for every 500 bytes of a recording.
    fn message(&self, message: &Message) -> usize {
        let content: usize = match message {
            Message::System { text } => self.text(text),
            Message::User { content } => {
                let parts = content.iter().map(|part| match part {
                    ContentPart::Text { text } => self.text(text),
                    ContentPart::Image { .. } => TOKENS_OF_IMAGE,
                    ContentPart::Document { document } => of_document(self, document),
                    ContentPart::Audio { audio } => of_audio(audio),
                });
                parts.sum()
            }
            Message::Assistant(message) => {
                let calls = message.tool_calls.iter().map(|call| {
                    let arguments = call.arguments.to_text();
                    self.text(&call.id) + self.text(&call.name) + self.text(&arguments)
                });
                self.text(&message.text) + calls.sum::<usize>()
            }
            Message::Tool(message) => {
                let of_call = self.text(&message.call_id) + self.text(&message.name);
                let attached = message.attachments.iter().map(|attachment| match attachment {
                    Attachment::Document(document) => of_document(self, document),
                    Attachment::Audio(audio) => of_audio(audio),
                });
                let media = message.images.len() * TOKENS_OF_IMAGE + attached.sum::<usize>();
                of_call + self.text(&message.content) + media
            }
        };
        content + TOKENS_OF_FRAME
    }
}

/// Tokens that separate one message from the next.
const TOKENS_OF_FRAME: usize = 4;
/// An image of 1,024 by 1,024 pixels takes 700 to 1,400 tokens, depending on the provider.
const TOKENS_OF_IMAGE: usize = 1000;
/// A page of a PDF takes 1,500 to 3,000 tokens, and 20 to 300 kB.
const BYTES_OF_DOCUMENT_TOKEN: usize = 100;
/// A second takes 10 to 32 tokens, and 16 (MP3) or 32 kB (WAV).
const BYTES_OF_AUDIO_TOKEN: usize = 500;

fn of_document<C: CountTokens + ?Sized>(counter: &C, document: &Document) -> usize {
    match (document.text(), &document.source) {
        (Some(text), _) => counter.text(&text),
        (None, MediaSource::Base64(_)) => {
            (document.source.n_bytes() / BYTES_OF_DOCUMENT_TOKEN).max(TOKENS_OF_IMAGE)
        }
        (None, MediaSource::Url(_) | MediaSource::FileId(_)) => TOKENS_OF_IMAGE,
    }
}

fn of_audio(audio: &Audio) -> usize {
    audio.source.n_bytes().div_ceil(BYTES_OF_AUDIO_TOKEN)
}

/// Estimates tokens without a table: a quarter of the bytes of a text, rounded up.
///
/// For English and code this is a little more than most models count, for other scripts it is about
/// equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EstimatedTokens;

impl CountTokens for EstimatedTokens {
    fn text(&self, text: &str) -> usize {
        text.len().div_ceil(4)
    }
}

impl<C: CountTokens + ?Sized> CountTokens for Arc<C> {
    fn text(&self, text: &str) -> usize {
        (**self).text(text)
    }

    fn message(&self, message: &Message) -> usize {
        (**self).message(message)
    }
}
