//! Finds the files in arguments, in the places where their schema has files.

use serde_json::{Map, Value as Json};

use super::scope::FORMAT;
use super::{File, FileError, FileManager};

/// Maximum depth to which arguments and schemas are followed together. Arguments are less deep, but
/// a schema can refer to itself without descending in the arguments.
const DEEPEST: usize = 256;

/// Whether a schema has a file in any place.
pub(crate) fn has_files(schema: &Json) -> bool {
    let mut rest = vec![schema];
    while let Some(schema) = rest.pop() {
        match schema {
            Json::Object(map) if map.get("format").is_some_and(|format| format == FORMAT) => {
                return true;
            }
            Json::Object(map) => rest.extend(map.values()),
            Json::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    false
}

/// The files of `json` in places that are files in `schema`, and in places that may be any JSON.
///
/// # Errors
/// If a place that can only be a file does not have the id of one.
pub(crate) fn files_at_places(
    files: &FileManager,
    schema: &Json,
    json: &Json,
) -> Result<Vec<File>, FileError> {
    let mut walk = Walk { files, root: schema, found: Vec::new() };
    walk.follow(schema, json, true, 0)?;
    Ok(walk.found)
}

struct Walk<'a> {
    files: &'a FileManager,
    root: &'a Json,
    found: Vec<File>,
}

impl<'a> Walk<'a> {
    /// Follows one place. `only` says whether no other schema applies to it.
    fn follow(
        &mut self,
        schema: &'a Json,
        json: &Json,
        only: bool,
        depth: usize,
    ) -> Result<(), FileError> {
        if depth > DEEPEST {
            return Ok(());
        }
        let Json::Object(map) = schema else {
            if schema == &Json::Bool(true) {
                self.found.extend(self.files.sniff_value(json));
            }
            return Ok(());
        };
        if says_nothing(map) {
            self.found.extend(self.files.sniff_value(json));
            return Ok(());
        }
        if let (Some(true), Json::String(id)) =
            (map.get("format").map(|format| format == FORMAT), json)
        {
            match self.files.look_up(id) {
                Ok(file) => self.found.push(file),
                // If the place may be something else, only its reader knows whether this is a
                // fault.
                Err(error) if only => return Err(error),
                Err(_) => {}
            }
            return Ok(());
        }
        if let Some(target) = map.get("$ref").and_then(Json::as_str) {
            let target = target.strip_prefix('#').and_then(|path| self.root.pointer(path));
            if let Some(target) = target {
                self.follow(target, json, only, depth + 1)?;
            }
        }
        for (key, only) in [("allOf", only), ("anyOf", false), ("oneOf", false)] {
            for schema in map.get(key).and_then(Json::as_array).into_iter().flatten() {
                self.follow(schema, json, only, depth + 1)?;
            }
        }
        match json {
            Json::Object(fields) => {
                let properties = map.get("properties").and_then(Json::as_object);
                for (name, field) in fields {
                    let schema = properties.and_then(|properties| properties.get(name));
                    if let Some(schema) = schema.or_else(|| map.get("additionalProperties")) {
                        self.follow(schema, field, only, depth + 1)?;
                    }
                }
            }
            Json::Array(items) => {
                let first = map.get("prefixItems").and_then(Json::as_array);
                for (n, item) in items.iter().enumerate() {
                    let schema = first.and_then(|first| first.get(n));
                    if let Some(schema) = schema.or_else(|| map.get("items")) {
                        self.follow(schema, item, only, depth + 1)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether the schema accepts any JSON.
fn says_nothing(schema: &Map<String, Json>) -> bool {
    const NOTES: [&str; 4] = ["title", "description", "default", "examples"];
    schema.keys().all(|key| NOTES.contains(&key.as_str()))
}

/// The files that a tool's result names, if it is an object or a list as a whole.
pub(crate) fn files_of_result(files: &FileManager, content: &str) -> Vec<File> {
    if !content.trim_start().starts_with(['{', '[']) || !content.contains("file-") {
        return Vec::new();
    }
    serde_json::from_str(content).map(|json| files.sniff_value(&json)).unwrap_or_default()
}

/// Removes duplicates, and keeps the first occurrence of each file.
pub(crate) fn each_once(files: Vec<File>) -> Vec<File> {
    let mut once: Vec<File> = Vec::with_capacity(files.len());
    for file in files {
        if !once.iter().any(|known| known.id() == file.id()) {
            once.push(file);
        }
    }
    once
}
