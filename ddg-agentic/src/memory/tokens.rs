//! Counters of tokens.

use std::sync::Arc;

use crate::message::{ContentPart, Message};

/// A counter of tokens.
pub trait CountTokens: Send + Sync + 'static {
    /// The number of tokens of a text.
    fn text(&self, text: &str) -> usize;

    /// The number of tokens of a message. By default the tokens of its texts, calls and arguments,
    /// 4 more for what separates messages, and 1,000 for each image.
    fn message(&self, message: &Message) -> usize {
        let content: usize = match message {
            Message::System { text } => self.text(text),
            Message::User { content } => {
                let parts = content.iter().map(|part| match part {
                    ContentPart::Text { text } => self.text(text),
                    ContentPart::Image { .. } => TOKENS_OF_IMAGE,
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
                of_call + self.text(&message.content)
            }
        };
        content + TOKENS_OF_FRAME
    }
}

/// Tokens that separate one message from the next.
const TOKENS_OF_FRAME: usize = 4;
/// An image of 1,024 by 1,024 pixels takes 700 to 1,400 tokens, depending on the provider.
const TOKENS_OF_IMAGE: usize = 1000;

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
