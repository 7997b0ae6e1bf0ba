//! Takes the JSON of a request apart, so that a refusal names the parameter.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::AssistantsError;
use super::object::Metadata;

/// The fields of an object that have not been read.
pub(super) struct Fields {
    /// The path of the object, with a `.` at its end unless it is the body.
    path: String,
    map: Map<String, Json>,
}

impl Fields {
    pub(super) fn of(json: Json) -> Result<Self, AssistantsError> {
        match json {
            Json::Object(map) => Ok(Self { path: String::new(), map }),
            // A request without a body.
            Json::Null => Ok(Self { path: String::new(), map: Map::new() }),
            other => {
                let found = kind(&other);
                Err(AssistantsError::bad(format!("The body must be a JSON object, not {found}.")))
            }
        }
    }

    /// The fields of an object at `path`.
    pub(super) fn at(path: &str, json: Json) -> Result<Self, AssistantsError> {
        match json {
            Json::Object(map) => Ok(Self { path: format!("{path}."), map }),
            other => Err(invalid(path, "an object", &other)),
        }
    }

    /// The path of a field.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    /// A field that is not null.
    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        self.map.remove(name).filter(|json| !json.is_null())
    }

    /// A field; `Some(None)` if it is null.
    pub(super) fn patch(&mut self, name: &str) -> Option<Option<Json>> {
        self.map.remove(name).map(|json| Some(json).filter(|json| !json.is_null()))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, AssistantsError> {
        let path = self.path(name);
        self.take(name).map(|json| text(&path, json)).transpose()
    }

    pub(super) fn text_patch(
        &mut self,
        name: &str,
    ) -> Result<Option<Option<String>>, AssistantsError> {
        let path = self.path(name);
        let found = self.patch(name);
        found.map(|json| json.map(|json| text(&path, json)).transpose()).transpose()
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, AssistantsError> {
        let path = self.path(name);
        let found = self.text(name)?.filter(|text| !text.is_empty());
        found.ok_or_else(|| missing(&path))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, AssistantsError> {
        let path = self.path(name);
        let read = |json: Json| json.as_bool().ok_or_else(|| invalid(&path, "a boolean", &json));
        self.take(name).map(read).transpose()
    }

    /// A whole number of at least `least`.
    pub(super) fn count(&mut self, name: &str, least: u64) -> Result<Option<u64>, AssistantsError> {
        let path = self.path(name);
        let read = |json: Json| match json.as_u64() {
            Some(n) if n >= least => Ok(n),
            _ => Err(invalid(&path, &format!("an integer of at least {least}"), &json)),
        };
        self.take(name).map(read).transpose()
    }

    /// A number from 0 to `most`.
    pub(super) fn number_patch(
        &mut self,
        name: &str,
        most: f64,
    ) -> Result<Option<Option<f64>>, AssistantsError> {
        let path = self.path(name);
        let read = |json: Json| match json.as_f64() {
            Some(n) if (0.0..=most).contains(&n) => Ok(n),
            _ => Err(invalid(&path, &format!("a number from 0 to {most}"), &json)),
        };
        self.patch(name).map(|json| json.map(read).transpose()).transpose()
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Json>>, AssistantsError> {
        let path = self.path(name);
        let read = |json: Json| match json {
            Json::Array(items) => Ok(items),
            other => Err(invalid(&path, "an array", &other)),
        };
        self.take(name).map(read).transpose()
    }

    pub(super) fn object(
        &mut self,
        name: &str,
    ) -> Result<Option<Map<String, Json>>, AssistantsError> {
        let path = self.path(name);
        let read = |json: Json| match json {
            Json::Object(map) => Ok(map),
            other => Err(invalid(&path, "an object", &other)),
        };
        self.take(name).map(read).transpose()
    }

    /// The metadata; `Some` of an empty map if they are null.
    pub(super) fn metadata(&mut self) -> Result<Option<Metadata>, AssistantsError> {
        let path = self.path("metadata");
        let Some(found) = self.patch("metadata") else { return Ok(None) };
        let Some(json) = found else { return Ok(Some(Metadata::new())) };
        metadata(&path, json).map(Some)
    }

    /// Refuses fields that nothing has read.
    pub(super) fn finish(self) -> Result<(), AssistantsError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => {
                let path = self.path(name);
                let message = format!("Unknown parameter: '{path}'.");
                Err(AssistantsError::BadRequest {
                    message,
                    param: Some(path),
                    code: Some("unknown_parameter".to_owned()),
                })
            }
        }
    }
}

/// Reads a part of a request whose type says what is right.
pub(super) fn read<T: DeserializeOwned>(path: &str, json: Json) -> Result<T, AssistantsError> {
    serde_json::from_value(json).map_err(|error| {
        AssistantsError::bad_param(path, format!("Invalid value for '{path}': {error}."))
    })
}

pub(super) fn text(path: &str, json: Json) -> Result<String, AssistantsError> {
    match json {
        Json::String(text) => Ok(text),
        other => Err(invalid(path, "a string", &other)),
    }
}

pub(super) fn missing(path: &str) -> AssistantsError {
    AssistantsError::BadRequest {
        message: format!("Missing required parameter: '{path}'."),
        param: Some(path.to_owned()),
        code: Some("missing_required_parameter".to_owned()),
    }
}

pub(super) fn invalid(path: &str, expected: &str, found: &Json) -> AssistantsError {
    let found = match found {
        Json::Number(n) => n.to_string(),
        Json::String(text) if text.len() <= 64 => format!("{text:?}"),
        other => kind(other).to_owned(),
    };
    AssistantsError::BadRequest {
        message: format!("Invalid value for '{path}': expected {expected}, got {found}."),
        param: Some(path.to_owned()),
        code: Some("invalid_type".to_owned()),
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

const MAX_PAIRS: usize = 16;
const MAX_KEY: usize = 64;
const MAX_VALUE: usize = 512;

/// Reads metadata. An object under `memory` is kept as its JSON.
fn metadata(path: &str, json: Json) -> Result<Metadata, AssistantsError> {
    let Json::Object(map) = json else { return Err(invalid(path, "an object", &json)) };
    if map.len() > MAX_PAIRS {
        let n = map.len();
        let message = format!("Invalid '{path}': {n} pairs, at most {MAX_PAIRS} are allowed.");
        return Err(AssistantsError::bad_param(path, message));
    }
    let pair = |(key, value): (String, Json)| {
        let at = format!("{path}.{key}");
        let value = match value {
            Json::Object(_) if key == "memory" => value.to_string(),
            value => text(&at, value)?,
        };
        for (what, text, most) in [("key", &key, MAX_KEY), ("value", &value, MAX_VALUE)] {
            if text.chars().count() > most {
                let message =
                    format!("Invalid '{path}': a {what} is longer than {most} characters.");
                return Err(AssistantsError::bad_param(at, message));
            }
        }
        Ok((key, value))
    };
    map.into_iter().map(pair).collect()
}
