//! Keys of clients: who may send requests, and with which upstream.

mod entry;
mod error;
mod table;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use error::KeysError;
use table::Table;

use crate::tenant::Tenant;
use crate::upstream::Upstream;

/// The keys that a server accepts. Cheap to clone; clones share the keys.
///
/// Each key is one line, perhaps followed by settings of the models that its runs use:
///
/// ```text
/// # a comment
/// sk-first
/// sk-second  base_url=http://localhost:11434/v1 model=llama3
/// sk-third   api_key=sk-of-the-provider
/// ```
///
/// No key is in an error, in a log or in the `Debug` text.
///
/// ```
/// use ddg_server::Keys;
///
/// let keys = Keys::parse("sk-one model=small\nsk-two # the second\n")?;
/// assert_eq!(keys.len(), 2);
/// assert_eq!(format!("{keys:?}"), "Keys(2)");
///
/// let error = Keys::parse("sk-one colour=red").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "keys, line 1: there is no setting `colour`; write `base_url=`, `api_key=` or `model=`"
/// );
/// # Ok::<(), ddg_server::KeysError>(())
/// ```
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    /// Replaced as a whole, so that a request sees all of one file.
    table: RwLock<Arc<Table>>,
    file: Option<PathBuf>,
}

impl Keys {
    /// Reads keys from a text.
    ///
    /// # Errors
    /// If there is no key, a line is no key with settings, or a key occurs twice. The error names
    /// the line.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        Ok(Self::with(Table::parse("keys", text.lines())?, None))
    }

    /// Reads keys from a text that has commas instead of line breaks, such as an environment
    /// variable. `name` is what errors call it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_list(name: &str, text: &str) -> Result<Self, KeysError> {
        Ok(Self::with(Table::parse(name, text.split(','))?, None))
    }

    /// Reads keys from a file, which [`reload`](Self::reload) reads again.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), or if the file cannot be read.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, KeysError> {
        let file = file.as_ref();
        Ok(Self::with(Table::read(file)?, Some(file.to_owned())))
    }

    fn with(table: Table, file: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { table: RwLock::new(Arc::new(table)), file }))
    }

    /// Reads the file again. Keys that are gone are refused from then on; their objects are kept.
    /// Does nothing if the keys are not from a file.
    ///
    /// # Errors
    /// As [`read`](Self::read). The keys of before are kept.
    pub fn reload(&self) -> Result<(), KeysError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let table = Table::read(file)?;
        *self.0.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        Ok(())
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Whether there is no key. A list of keys has at least one, so this is never the case.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tenant of a key, if the key is known. The time that it takes does not depend on where
    /// the keys differ.
    pub(crate) fn tenant(&self, key: &[u8]) -> Option<Tenant> {
        self.table().tenant(key)
    }

    /// The upstream of a tenant; `None` if its key is gone.
    pub(crate) fn upstream(&self, tenant: &str) -> Option<Upstream> {
        self.table().upstream(tenant)
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.len())
    }
}
