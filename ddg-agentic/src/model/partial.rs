//! Typed answers while they stream.

mod json;

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::ChatChunk;
use super::wanted::{MOST_PLACES, THOUGHT, Wanted};
use json::PartialJson;

/// The beginning of a model's thinking, where it is a part of the text.
const THINKS: &str = "<think>";

/// The part of a typed answer that has arrived, while the model still writes it.
///
/// `T` is the [type of the answer](crate::ReActAutoma::answer), or the type that is
/// [extracted](super::ChatModelExt::extract). The pieces come from the model's
/// [stream](super::ChatModel::stream), or from the events of an agent's run.
///
/// Texts grow as they arrive; numbers, words such as `true` and keys appear when they are whole.
/// Thinking, fences and words around the JSON are left out. The value is that of the current reply:
/// it is void when a reply begins anew, when the model calls tools, and when a reply turns out not
/// to have a `T`, so that the model is asked again. The answer itself, checked, is in the
/// [outcome](crate::AgentOutcome::answer) of the run.
///
/// ```
/// use ddg_agentic::model::{ChatChunk, PartialAnswer};
/// use ddg_agentic::schemars::{self, JsonSchema};
/// use serde::Deserialize;
/// use serde_json::json;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Trip { city: String, days: u32 }
///
/// /// What there may be of a trip.
/// #[derive(Deserialize)]
/// struct Shown { city: Option<String>, days: Option<u32> }
///
/// let mut trip = PartialAnswer::<Trip>::new();
/// trip.push(&ChatChunk::Text("Sure! {\"city\": \"Del".into()));
/// assert_eq!(trip.json(), Some(&json!({ "city": "Del" })));
///
/// trip.push(&ChatChunk::Text("ft\", \"days\": 2".into()));
/// let shown: Shown = trip.get().ok_or("nothing has arrived")?;
/// assert_eq!((shown.city.as_deref(), shown.days), (Some("Delft"), None));
///
/// trip.push(&ChatChunk::Text("}".into()));
/// assert_eq!(trip.get::<Trip>().map(|trip| trip.days), Some(2));
/// # Ok::<(), &str>(())
/// ```
pub struct PartialAnswer<T> {
    /// `None` if the type has no valid schema, so that no agent can have such an answer.
    wanted: Option<Wanted>,
    reply: Reply,
    of: PhantomData<fn() -> T>,
}

/// What has arrived of a reply.
#[derive(Default)]
struct Reply {
    text: String,
    /// Where the text is read next.
    at: usize,
    /// How much of the text has been searched for the end of the thinking.
    searched: usize,
    /// Where the JSON begins.
    from: usize,
    json: Option<PartialJson>,
    /// Number of places that were read as JSON.
    n_places: usize,
    /// Whether the JSON is whole, and what is wanted.
    is_found: bool,
    has_calls: bool,
    has_ended: bool,
}

impl<T: JsonSchema + DeserializeOwned> PartialAnswer<T> {
    /// Creates an answer. None of it has arrived.
    pub fn new() -> Self {
        Self { wanted: Wanted::new::<T>().ok(), reply: Reply::default(), of: PhantomData }
    }
}

impl<T> PartialAnswer<T> {
    /// Reads a piece of a reply. Returns whether it may have changed the value. The time is
    /// proportional to the length of the piece.
    pub fn push(&mut self, piece: &ChatChunk) -> bool {
        let had = self.json().is_some();
        if self.reply.has_ended || matches!(piece, ChatChunk::Restart { .. }) {
            self.reply = Reply::default();
        }
        match piece {
            ChatChunk::Text(text) if !self.reply.has_calls => {
                self.reply.text.push_str(text);
                let has_read = self.reply.read(self.wanted.as_ref());
                return has_read || had != self.json().is_some();
            }
            ChatChunk::ToolCall { .. } => {
                self.reply = Reply { has_calls: true, ..Reply::default() };
            }
            ChatChunk::End { .. } => self.reply.has_ended = true,
            ChatChunk::Text(_)
            | ChatChunk::Thinking(_)
            | ChatChunk::Reasoning(_)
            | ChatChunk::Restart { .. } => {}
        }
        had != self.json().is_some()
    }

    /// The value so far; `None` if none of it has arrived.
    pub fn json(&self) -> Option<&Json> {
        let json = self.reply.json.as_ref()?.value();
        self.unwrapped(json)
    }

    /// The value so far as a `P`: a type whose fields may be missing, such as fields of the type
    /// `Option`, or `T` itself once all of it has arrived. A text that is not whole is left out if
    /// there is no `P` with it, for example the beginning of the name of an enum's variant. `None`
    /// if what has arrived is not a `P`.
    pub fn get<P: DeserializeOwned>(&self) -> Option<P> {
        let value = self.json()?;
        P::deserialize(value).ok().or_else(|| {
            let without = self.reply.json.as_ref()?.without_open_text()?;
            P::deserialize(self.unwrapped(&without)?).ok()
        })
    }

    /// The value in `json`, which is an object.
    fn unwrapped<'a>(&self, json: &'a Json) -> Option<&'a Json> {
        match &self.wanted {
            Some(wanted) if wanted.is_in_object() => json.get("value"),
            _ => Some(json).filter(|json| json.is_object()),
        }
    }
}

impl Reply {
    /// Reads what has been added to the text. Returns whether some of it is JSON.
    fn read(&mut self, wanted: Option<&Wanted>) -> bool {
        self.leave_thoughts_out();
        if self.is_found || self.at == 0 && self.thinks() {
            return false;
        }
        let mut has_read = false;
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let Some(json) = &mut self.json else {
                let Some((place, bracket)) = rest.match_indices(['{', '[']).next() else {
                    self.at = self.text.len();
                    break;
                };
                if self.n_places == MOST_PLACES {
                    self.at = self.text.len();
                    break;
                }
                self.n_places += 1;
                self.from = self.at + place;
                self.at = self.from + bracket.len();
                self.json = bracket.chars().next().map(PartialJson::new);
                has_read = true;
                continue;
            };
            has_read = true;
            match json.push(rest) {
                Ok(n_bytes) => self.at += n_bytes,
                // It only looked like JSON. There may be some in it.
                Err(_) => (self.json, self.at) = (None, self.from + 1),
            }
            let Some(json) = self.json.as_ref().filter(|json| json.has_ended()) else { continue };
            if wanted.is_none_or(|wanted| wanted.fits(json.value())) {
                self.is_found = true;
                break;
            }
            self.json = None;
        }
        has_read
    }

    /// What the model has thought is not its answer. If the whole text is the JSON, it has no
    /// thoughts.
    fn leave_thoughts_out(&mut self) {
        if self.json.is_some() && self.text[..self.from].trim().is_empty() {
            return;
        }
        let tail = self.searched.saturating_sub(THOUGHT.len() - 1);
        let tail = self.text.floor_char_boundary(tail);
        if let Some(at) = self.text[tail..].rfind(THOUGHT) {
            let text = std::mem::take(&mut self.text);
            let searched = text.len();
            *self = Self { at: tail + at + THOUGHT.len(), text, ..Self::default() };
            self.searched = searched;
        }
        self.searched = self.text.len();
    }

    /// Whether the text begins with thinking, or may do so.
    fn thinks(&self) -> bool {
        let text = self.text.trim_start();
        text.starts_with(THINKS) || THINKS.starts_with(text)
    }
}

impl<T: JsonSchema + DeserializeOwned> Default for PartialAnswer<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for PartialAnswer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartialAnswer(`{}`: {:?})", type_name::<T>(), self.json())
    }
}
