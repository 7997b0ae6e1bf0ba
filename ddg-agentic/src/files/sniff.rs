//! Finds ids of files in JSON and in text.

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use super::id::{ids_in, is_id};
use super::{File, FileManager};

impl FileManager {
    /// The files whose ids are strings in `json`: whole strings, in arrays and as values of objects
    /// at any depth, in the order of the document, as often as they occur. Unknown ids are left
    /// out.
    pub fn sniff_value(&self, json: &Json) -> Vec<File> {
        let mut ids = Vec::new();
        // An explicit stack, because arguments of models may be nested deeper than recursion
        // allows.
        let mut rest = vec![json];
        while let Some(json) = rest.pop() {
            match json {
                Json::String(text) if is_id(text) => ids.push(text.as_str()),
                Json::Array(items) => rest.extend(items.iter().rev()),
                Json::Object(map) => {
                    let from = rest.len();
                    rest.extend(map.values());
                    rest[from..].reverse();
                }
                _ => {}
            }
        }
        self.find_all(ids)
    }

    /// The files whose ids occur in `text` with a boundary on both sides, in the order of their
    /// first occurrence, each once. Unknown ids are left out.
    pub fn sniff_text(&self, text: &str) -> Vec<File> {
        let mut seen = FxHashSet::default();
        let ids = ids_in(text).map(|(_, id)| id).filter(|id| seen.insert(*id)).collect();
        self.find_all(ids)
    }

    /// The files of `ids` that are known, at one moment.
    fn find_all(&self, ids: Vec<&str>) -> Vec<File> {
        let registry = self.0.lock();
        ids.into_iter().filter_map(|id| Some(registry.find(id).ok()?.file.clone())).collect()
    }
}
