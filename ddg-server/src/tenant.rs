//! Owners of objects: one for each key.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// The owner of objects, as it stands in rows of the store. It follows from the key, and the key
/// does not follow from it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tenant(Arc<str>);

impl Tenant {
    /// The owner of all objects of a server without keys.
    pub(crate) fn of_everybody() -> Self {
        Self("local".into())
    }

    pub(crate) fn of_key(key: &str) -> Self {
        // With a prefix, so that the name is not the hash of the key that is in lists of leaks.
        let hash = Sha256::new().chain_update("ddg tenant ").chain_update(key).finalize();
        let name: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self(name.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({})", self.0)
    }
}
