//! A placeholder for the index without the feature `sqlite`.

use super::super::FileError;
use super::super::registry::Entry;

/// No value of this type exists.
#[derive(Debug)]
pub(in crate::files) enum Index {}

impl Index {
    pub(in crate::files) async fn load(&self) -> Result<Vec<Entry>, FileError> {
        match *self {}
    }

    pub(in crate::files) async fn add(&self, _: &Entry) -> Result<(), FileError> {
        match *self {}
    }

    pub(in crate::files) async fn remove(&self, _: &str) -> Result<(), FileError> {
        match *self {}
    }

    pub(in crate::files) async fn close(&self) {
        match *self {}
    }
}
