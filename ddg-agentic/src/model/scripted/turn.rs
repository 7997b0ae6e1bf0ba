//! A reply of a script, with its conditions.

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::message::Message;
use crate::model::{ChatChunk, ChatReply, ChatRequest, ModelError};

pub(super) struct Turn {
    pub(super) checks: Vec<Check>,
    pub(super) gate: Option<BoxFuture<'static, ()>>,
    pub(super) answer: Answer,
}

pub(super) enum Answer {
    Reply(Result<ChatReply, ModelError>),
    Stream(BoxStream<'static, Result<ChatChunk, ModelError>>),
}

/// A condition on a request.
pub(super) enum Check {
    /// The text of its last message.
    Last(String),
    /// The names of the tools that it offers.
    Tools(Vec<String>),
    Own(Box<dyn FnOnce(&ChatRequest) + Send>),
}

impl Check {
    /// Checks the request.
    ///
    /// # Errors
    /// What was expected, and what the request is.
    pub(super) fn run(self, request: &ChatRequest) -> Result<(), String> {
        match self {
            Self::Last(expected) => {
                let last = request.messages.last().map(Message::text).unwrap_or_default();
                expect("the last message is", &expected, &last)
            }
            Self::Tools(expected) => {
                let offered: Vec<_> = request.tools.iter().map(|tool| tool.name.clone()).collect();
                expect("the tools are", &expected, &offered)
            }
            Self::Own(check) => {
                check(request);
                Ok(())
            }
        }
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &T,
    found: &T,
) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("{what} {found:?}, and should be {expected:?}"))
}
