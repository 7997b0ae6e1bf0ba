//! Workers that are declared but placed only at run time.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Spec;
use crate::key::Key;

/// Declared workers by name.
#[derive(Clone, Default)]
pub(crate) struct Catalogue(IndexMap<Key, Arc<Spec>, rustc_hash::FxBuildHasher>);

impl Catalogue {
    pub(crate) fn get(&self, name: &Key) -> Option<&Arc<Spec>> {
        self.0.get(name)
    }

    pub(super) fn insert(&mut self, name: Key, spec: Arc<Spec>) -> Option<Arc<Spec>> {
        self.0.insert(name, spec)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Arc<Spec>)> {
        self.0.iter()
    }
}
