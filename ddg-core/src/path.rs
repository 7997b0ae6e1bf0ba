//! Paths of workers: their key, and the keys of the automata around them.

use std::fmt;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::Key;

/// The path of a worker: the keys that lead to it from the automa that was run.
///
/// `inner/parse` is the worker `parse` of the nested automa `inner`. It serialises as the list of
/// keys.
///
/// ```
/// # use ddg_core::prelude::*;
/// async fn log(cx: Context) {
///     println!("{} runs in step {}", cx.path(), cx.step());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerPath {
    parent: Option<Arc<WorkerPath>>,
    key: Key,
}

impl WorkerPath {
    pub(crate) fn new(parent: Option<Arc<WorkerPath>>, key: Key) -> Self {
        Self { parent, key }
    }

    /// The key of the worker itself.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The path of the nested automa that contains the worker, if there is one.
    pub fn parent(&self) -> Option<&WorkerPath> {
        self.parent.as_deref()
    }
}

impl WorkerPath {
    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.keys().len()
    }

    /// The last `n` keys, the innermost first.
    pub(crate) fn last(&self, n: usize) -> Vec<&str> {
        self.keys().into_iter().rev().take(n).map(Key::as_str).collect()
    }

    /// The keys, outermost first.
    fn keys(&self) -> Vec<&Key> {
        let mut keys = vec![&self.key];
        let mut parent = self.parent();
        while let Some(path) = parent {
            keys.push(&path.key);
            parent = path.parent();
        }
        keys.reverse();
        keys
    }
}

impl fmt::Display for WorkerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys().into_iter().map(Key::as_str).collect();
        f.pad(&keys.join("/"))
    }
}

impl Serialize for WorkerPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.keys())
    }
}

impl<'de> Deserialize<'de> for WorkerPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = Vec::<Key>::deserialize(deserializer)?;
        let nest = |parent: Option<Self>, key| Some(Self::new(parent.map(Arc::new), key));
        keys.into_iter().fold(None, nest).ok_or_else(|| D::Error::custom("a path without keys"))
    }
}
