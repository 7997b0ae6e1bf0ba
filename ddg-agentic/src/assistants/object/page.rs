//! Pages of lists, and what is left of deleted objects.

use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// Always `list`.
    pub object: String,
    /// The objects.
    pub data: Vec<T>,
    /// The id of the first one.
    pub first_id: Option<String>,
    /// The id of the last one.
    pub last_id: Option<String>,
    /// Whether there are more in the direction of the page.
    pub has_more: bool,
}

impl<T> Page<T> {
    pub(in crate::assistants) fn new(found: Vec<(String, T)>, has_more: bool) -> Self {
        let first_id = found.first().map(|(id, _)| id.clone());
        let last_id = found.last().map(|(id, _)| id.clone());
        let data = found.into_iter().map(|(_, object)| object).collect();
        Self { object: "list".to_owned(), data, first_id, last_id, has_more }
    }
}

/// The answer to a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deleted {
    /// The id of the object.
    pub id: String,
    /// The kind, such as `thread.deleted`.
    pub object: String,
    /// Always true.
    pub deleted: bool,
}

impl Deleted {
    pub(in crate::assistants) fn new(id: &str, object: &str) -> Self {
        Self { id: id.to_owned(), object: object.to_owned(), deleted: true }
    }
}
