//! Ids of objects: a prefix that says the kind, and 24 characters that no other id has.

use uuid::Uuid;

/// Creates an id such as `run_0198c1f4…`. Ids of one process sort by time.
pub(super) fn new_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}

/// A source of ids, so that rules can be tested with ids that are known.
pub(super) trait Ids {
    /// A new id with this prefix.
    fn next(&mut self, prefix: &'static str) -> String;
}

/// Ids that are unique.
pub(super) struct UniqueIds;

impl Ids for UniqueIds {
    fn next(&mut self, prefix: &'static str) -> String {
        new_id(prefix)
    }
}
