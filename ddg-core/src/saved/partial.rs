//! States that are only about the workers that have changed. What they cost does not depend on how
//! many workers the run has reached.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

use super::Saved;
use crate::key::Key;

impl Saved {
    /// Whether the maps by worker are about some workers only.
    pub(crate) fn is_partial(&self) -> bool {
        self.only.is_some()
    }

    /// Replaces this state by the `next`, which may be partial.
    pub(crate) fn follow(&mut self, mut next: Self) {
        if let Some(only) = next.only.take() {
            next.crossed = joined(take(&mut self.crossed), next.crossed, &only);
            next.outputs = joined(take(&mut self.outputs), next.outputs, &only);
            next.departed = joined(take(&mut self.departed), next.departed, &only);
            next.dealt = joined(take(&mut self.dealt), next.dealt, &only);
            next.locals = joined(take(&mut self.locals), next.locals, &only);
            let marked = next.declared;
            next.declared = self.declared.take();
            if let (Some(declared), Some(marked)) = (&mut next.declared, marked) {
                declared.join(marked);
            }
        }
        *self = next;
    }
}

/// `all`, with the entries of the keys `only` as they are in `some`.
fn joined<V>(
    mut all: BTreeMap<Key, V>,
    mut some: BTreeMap<Key, V>,
    only: &BTreeSet<Key>,
) -> BTreeMap<Key, V> {
    for key in only {
        match some.remove(key) {
            Some(value) => _ = all.insert(key.clone(), value),
            None => _ = all.remove(key),
        }
    }
    all
}
