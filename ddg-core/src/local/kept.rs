//! Local spaces that outlive a run, as plain data.
//!
//! An automa with `keep_local_spaces` starts with the local spaces of its previous run. If it is
//! nested, they last from one kickoff to the next within the outermost run. They are kept for later
//! runs only when the outermost run has ended successfully, so a failed or cancelled run leaves
//! nothing behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::values::Value;

/// The values of local spaces, by worker.
pub(crate) type Spaces = BTreeMap<Key, BTreeMap<String, Value>>;

/// The local spaces that an automa keeps, and those of the automata nested in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeptSpaces {
    /// `None` if the automa does not keep its local spaces.
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
