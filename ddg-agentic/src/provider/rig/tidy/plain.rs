//! A further piece of the arguments of a call, as most servers send it. It is borrowed from the
//! event, because a reply has many of them, and nothing in it has to change.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A piece of the arguments of the call at `index`, and nothing else about calls.
pub(super) struct Plain<'a> {
    pub(super) index: u64,
    /// The id of the call, which some servers repeat.
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) arguments: Cow<'a, str>,
}

impl<'a> Plain<'a> {
    /// The piece of an event; `None` if the event is of any other form.
    pub(super) fn of(event: &'a str) -> Option<Self> {
        let Event { choices: (choice,) } = serde_json::from_str(event).ok()?;
        let Delta { tool_calls: (piece,), function_call } = choice.delta;
        let Piece { index, id, function } = piece;
        let is_plain = choice.index.unwrap_or(0) == 0
            && choice.finish_reason.is_none()
            && function_call.is_none()
            && function.name.is_none_or(|name| name.is_empty());
        is_plain.then_some(Self { index, id, arguments: function.arguments })
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    choices: (Choice<'a>,),
}

#[derive(Deserialize)]
struct Choice<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    delta: Delta<'a>,
    finish_reason: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    tool_calls: (Piece<'a>,),
    function_call: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    index: u64,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Cow<'a, str>,
}
