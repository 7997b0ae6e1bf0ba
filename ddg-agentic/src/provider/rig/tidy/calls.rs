//! The calls of a streamed reply of OpenAI's Chat Completions API: the call that each piece belongs
//! to, and names in pieces.

use rustc_hash::FxHashMap;

use serde_json::{Map, Value as Json, json};

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
}

impl Calls {
    /// Whether an event may be about calls, by its text.
    pub(super) fn concern(&self, event: &str) -> bool {
        event.contains("\"tool_calls\"")
            || event.contains("\"function_call\"")
            || self.calls.iter().any(Call::is_held) && event.contains("\"finish_reason\"")
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
            Some(Json::String(text)) => self.arguments.push_str(text),
            Some(whole) => self.arguments.push_str(&whole.to_string()),
        }
        if self.is_held() {
            self.is_told = true;
            function.insert("name".to_owned(), json!(self.name));
        }
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
        serde_json::from_str::<Map<String, Json>>(&self.arguments).is_ok()
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
