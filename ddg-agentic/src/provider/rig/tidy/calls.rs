//! The calls of a streamed reply of OpenAI's Chat Completions API: the call that each piece belongs
//! to, and names in pieces.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json, json};

use super::plain::Plain;

/// The calls so far.
#[derive(Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    /// The call that a server means by an index: the last that began there.
    by_index: FxHashMap<u64, usize>,
}

/// A call.
#[derive(Default)]
struct Call {
    id: Option<String>,
    /// The name as far as it has come.
    name: String,
    /// Whether the name has been sent on.
    is_told: bool,
    arguments: String,
    extent: Extent,
}

/// How far the JSON object of a text reaches, as the text comes. So a text is parsed when it may be
/// whole, and not with every piece.
#[derive(Default)]
struct Extent {
    /// How many objects and lists are open.
    depth: usize,
    in_string: bool,
    /// Whether the last character of a string was a backslash that counts.
    is_escaped: bool,
    /// Whether anything has been open.
    has_begun: bool,
}

impl Calls {
    /// Whether an event may be about calls, by its text.
    pub(super) fn concern(&self, event: &str) -> bool {
        event.contains("\"tool_calls\"")
            || event.contains("\"function_call\"")
            || self.calls.iter().any(Call::is_held) && event.contains("\"finish_reason\"")
    }

    /// Takes a further piece of arguments over that needs no change. Returns whether the event is
    /// one.
    pub(super) fn take_plain(&mut self, event: &str) -> bool {
        let Some(Plain { index, id, arguments }) = Plain::of(event) else { return false };
        let Some(place) = self.by_index.get(&index).copied() else { return false };
        let call = &self.calls[place];
        let is_same = usize::try_from(index).is_ok_and(|index| index == place)
            && id.is_none_or(|id| call.id.as_deref() == Some(&*id));
        if !is_same || !call.is_told || self.calls[..place].iter().any(Call::is_held) {
            return false;
        }
        self.calls[place].push(&arguments);
        true
    }

    /// Gives each piece of a call the index of its call, and keeps names until they are whole.
    pub(super) fn tidy(&mut self, choice: &mut Map<String, Json>) {
        let is_end = choice.get("finish_reason").is_some_and(|reason| !reason.is_null());
        let Some(delta) = choice.get_mut("delta").and_then(Json::as_object_mut) else { return };
        let mut tidied = Vec::new();
        if let Some(Json::Array(pieces)) = delta.get_mut("tool_calls") {
            for (nth, mut piece) in pieces.drain(..).enumerate() {
                let Some(place) = self.place(&piece, nth) else {
                    tidied.push(piece);
                    continue;
                };
                // The name of the call before is whole when the next begins.
                tidied.extend(self.calls[..place].iter_mut().enumerate().filter_map(told));
                self.calls[place].take(&mut piece, place);
                tidied.push(piece);
            }
        }
        if is_end {
            tidied.extend(self.untold());
        }
        if !tidied.is_empty() {
            delta.insert("tool_calls".to_owned(), tidied.into());
        }
    }

    /// Pieces with the names that have not been sent on.
    pub(super) fn untold(&mut self) -> Vec<Json> {
        self.calls.iter_mut().enumerate().filter_map(told).collect()
    }

    /// The call that a piece belongs to, which may be a new one. `nth` is its place in its event.
    /// `None` if it is of another kind.
    fn place(&mut self, piece: &Json, nth: usize) -> Option<usize> {
        let function = piece.get("function")?.as_object()?;
        let id = id_of(piece);
        let name = function.get("name").and_then(Json::as_str).filter(|name| !name.is_empty());
        let index = piece.get("index").and_then(Json::as_u64);
        let found = match (index, &id) {
            (Some(index), id) => self.by_index.get(&index).copied().filter(|place| {
                let call = &self.calls[*place];
                let is_other = id.is_some() && call.id.is_some() && call.id != *id;
                // Some servers send another id, and no name, with every piece of one call.
                !is_other || name.is_none() && !call.is_whole()
            }),
            (None, Some(_)) => self.calls.iter().position(|call| call.id == id),
            (None, None) => self.calls.len().checked_sub(1).filter(|last| match name {
                Some(name) => nth == 0 && self.calls[*last].continues_with(name),
                None => true,
            }),
        };
        let place = found.unwrap_or(self.calls.len());
        if found.is_none() {
            self.calls.push(Call::default());
            self.calls[place].id = id;
        } else if self.calls[place].id.is_none() {
            self.calls[place].id = id;
        }
        if let Some(index) = index {
            self.by_index.insert(index, place);
        }
        Some(place)
    }
}

impl Call {
    /// Takes over a piece: its name until it is whole, and its arguments.
    fn take(&mut self, piece: &mut Json, place: usize) {
        piece["index"] = json!(place);
        if id_of(piece).is_some_and(|id| self.id.as_ref() != Some(&id)) {
            piece["id"] = Json::Null;
        }
        let Some(Json::Object(function)) = piece.get_mut("function") else { return };
        if let Some(Json::String(name)) = function.remove("name")
            && !self.is_told
        {
            // Some servers repeat the name with every piece, whole or as far as it has come.
            match name.starts_with(&self.name) {
                true => self.name = name,
                false => self.name.push_str(&name),
            }
        }
        match function.get("arguments") {
            None | Some(Json::Null) => return,
            Some(Json::String(text)) if text.is_empty() => return,
            Some(Json::String(text)) => self.push(text),
            Some(whole) => self.push(&whole.to_string()),
        }
        if self.is_held() {
            self.is_told = true;
            function.insert("name".to_owned(), json!(self.name));
        }
    }

    /// Adds a piece of the arguments.
    fn push(&mut self, piece: &str) {
        self.arguments.push_str(piece);
        self.extent.reach(piece);
    }

    fn is_held(&self) -> bool {
        !self.is_told && !self.name.is_empty()
    }

    /// Whether a piece with a name, and nothing else that tells, belongs to this call.
    fn continues_with(&self, name: &str) -> bool {
        match self.arguments.is_empty() {
            true => true,
            false => self.name == name && !self.is_whole(),
        }
    }

    fn is_whole(&self) -> bool {
        self.extent.may_be_whole()
            && serde_json::from_str::<Map<String, Json>>(&self.arguments).is_ok()
    }
}

impl Extent {
    /// Reads on. What is no JSON is never whole, so its braces do not matter.
    fn reach(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = self.in_string,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => (self.depth, self.has_begun) = (self.depth + 1, true),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn may_be_whole(&self) -> bool {
        self.has_begun && self.depth == 0 && !self.in_string
    }
}

/// A piece with the name of a call, if it has not been sent on.
fn told((place, call): (usize, &mut Call)) -> Option<Json> {
    if !call.is_held() {
        return None;
    }
    call.is_told = true;
    Some(json!({ "index": place, "function": { "name": call.name } }))
}

/// The id of a piece, if it has one.
fn id_of(piece: &Json) -> Option<String> {
    match piece.get("id") {
        Some(Json::String(id)) if !id.is_empty() && id != "null" => Some(id.clone()),
        Some(Json::Number(id)) => Some(id.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Extent;

    /// The places in `text` after which it may be whole, a character at a time.
    fn ends(text: &str) -> Vec<usize> {
        let mut extent = Extent::default();
        let mut ends = Vec::new();
        for (at, character) in text.char_indices() {
            extent.reach(character.encode_utf8(&mut [0; 4]));
            if extent.may_be_whole() {
                ends.push(at + character.len_utf8());
            }
        }
        ends
    }

    #[test]
    fn a_text_is_parsed_once_when_its_object_ends() {
        for text in [
            "{}",
            r#"{"a":[1,{"b":"}]"}]}"#,
            r#"{"a\"}":"\\","c":"{[\\\""}"#,
            r#"{"é":"}","b":"\ud83d\ude00"}"#,
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
            assert_eq!(ends(text), [text.len()], "{text}");
        }
        for text in ["", "\"{}\"", "null", "{\"a\": \"}\""] {
            assert_eq!(ends(text), [0; 0], "{text}");
        }
    }
}
