//! Local spaces that outlive a run, as plain data.
//!
//! An automa with `keep_local_spaces` begins with the spaces of before. Where it is nested, they
//! last from one kickoff of it to the next within the outermost run; only when that has ended well
//! are they kept for later runs, so that a failed or cancelled run leaves nothing behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::values::Value;

/// The values of local spaces, by worker.
pub(crate) type Spaces = BTreeMap<Key, BTreeMap<String, Value>>;

/// The local spaces that an automa keeps, with those of the automata nested in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeptSpaces {
    /// `None` where the automa keeps none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) own: Option<Spaces>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) nested: BTreeMap<Key, KeptSpaces>,
}

impl KeptSpaces {
    /// Whether there is nothing to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_none() && self.nested.is_empty()
    }
}
