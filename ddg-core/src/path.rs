//! Where a worker is: its key, and those of the automata around it.

use std::fmt;
use std::sync::Arc;

use crate::key::Key;

/// The keys that lead from the automa that was run to a worker: `inner/parse` is worker `parse`
/// of the nested automa `inner`.
///
/// ```
/// # use ddg_core::prelude::*;
/// async fn log(cx: Context) {
///     println!("{} runs in step {}", cx.path(), cx.step());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    parent: Option<Arc<Path>>,
    key: Key,
}

impl Path {
    pub(crate) fn new(parent: Option<Arc<Path>>, key: Key) -> Self {
        Self { parent, key }
    }

    /// The worker's own key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The nested automa that the worker is in, if it is in one.
    pub fn parent(&self) -> Option<&Path> {
        self.parent.as_deref()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keys = vec![self.key.as_str()];
        let mut parent = self.parent();
        while let Some(path) = parent {
            keys.push(path.key.as_str());
            parent = path.parent();
        }
        keys.reverse();
        f.pad(&keys.join("/"))
    }
}
