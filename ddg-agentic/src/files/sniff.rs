//! Files whose ids stand in JSON or in a text.

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use super::id::{ids_in, is_id};
use super::{File, FileManager};

impl FileManager {
    /// The files whose ids are strings of `json`: whole strings, in arrays and as values of objects at any
    /// depth, in the order of the document, each as often as it is there. Ids of files that are not
    /// known are left out.
    pub fn sniff_value(&self, json: &Json) -> Vec<File> {
        let mut ids = Vec::new();
        // A stack of its own: arguments of models may be nested deeper than a thread's stack is.
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

    /// The files whose ids stand in `text`, with a boundary on both sides, in the order in which they
    /// stand there first, each once. Ids of files that are not known are left out.
    pub fn sniff_text(&self, text: &str) -> Vec<File> {
        let mut seen = FxHashSet::default();
        let ids = ids_in(text).map(|(_, id)| id).filter(|id| seen.insert(*id)).collect();
        self.find_all(ids)
    }

    /// Those of `ids` that are known, as they are at one moment.
    fn find_all(&self, ids: Vec<&str>) -> Vec<File> {
        let registry = self.0.lock();
        ids.into_iter().filter_map(|id| Some(registry.find(id).ok()?.file.clone())).collect()
    }
}
