//! How `File`s within values meet a manager: a file is written as its id, and read by looking the id up.
//!
//! Serde hands nothing from the outside to the types that it reads and writes, so what they need stands
//! beside the thread while a value is read or written, which is done in one go.

use std::cell::RefCell;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

use super::file::Record;
use super::{File, FileError, FileManager};

thread_local! {
    /// In which ids that are read are looked up.
    static MANAGER: RefCell<Option<FileManager>> = const { RefCell::new(None) };
    /// What is done with files that are written.
    static WRITING: RefCell<Writing> = const { RefCell::new(Writing::Ids) };
}

/// What is done with files that are written.
enum Writing {
    /// Their ids are written.
    Ids,
    /// The same, and they are collected.
    Collecting(Vec<File>),
    /// All that is known of them is written, so that they can be read without a manager.
    Records,
}

/// Drop guard that puts back what stood beside the thread before, also after a panic.
struct Restore<F: FnMut()>(F);

impl<F: FnMut()> Drop for Restore<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs `read`, which looks up the ids of files in `files`.
pub(crate) fn reading<T>(files: Option<&FileManager>, read: impl FnOnce() -> T) -> T {
    let mut before = MANAGER.replace(files.cloned());
    let _restore = Restore(move || drop(MANAGER.replace(before.take())));
    read()
}

/// Writes a value, and gives the files in it.
pub(crate) fn collecting<T>(write: impl FnOnce() -> T) -> (T, Vec<File>) {
    let mut before = Some(WRITING.replace(Writing::Collecting(Vec::new())));
    let _restore = Restore(move || drop(WRITING.replace(before.take().unwrap_or(Writing::Ids))));
    let written = write();
    match WRITING.replace(Writing::Ids) {
        Writing::Collecting(files) => (written, files),
        Writing::Ids | Writing::Records => (written, Vec::new()),
    }
}

/// Writes a value, with all that is known of the files in it.
pub(crate) fn with_records<T>(write: impl FnOnce() -> T) -> T {
    let mut before = Some(WRITING.replace(Writing::Records));
    let _restore = Restore(move || drop(WRITING.replace(before.take().unwrap_or(Writing::Ids))));
    write()
}

/// How lists of files are written that have to be read without a manager, by `serialize_with`.
pub(crate) fn records<S: Serializer>(files: &[File], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(files.iter().map(File::record))
}

impl Serialize for File {
    /// As its id.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let as_record = WRITING.with_borrow_mut(|writing| match writing {
            Writing::Ids => false,
            Writing::Collecting(files) => {
                files.push(self.clone());
                false
            }
            Writing::Records => true,
        });
        match as_record {
            true => self.record().serialize(serializer),
            false => serializer.serialize_str(self.id()),
        }
    }
}

impl<'de> Deserialize<'de> for File {
    /// From an id, where there is a manager to look it up: in the arguments of a tool.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;

        impl<'de> Visitor<'de> for Reading {
            type Value = File;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a file")
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<File, E> {
                let found = MANAGER.with_borrow(|files| match files {
                    Some(files) => files.look_up(id),
                    None => Err(FileError::NoManager { id: id.to_owned() }),
                });
                found.map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<File, A::Error> {
                Record::deserialize(MapAccessDeserializer::new(map)).map(File::new)
            }
        }

        deserializer.deserialize_any(Reading)
    }
}

/// What the schema of a file has as its `format`.
pub(crate) const FORMAT: &str = "ddg-file";

impl JsonSchema for File {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "File".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": FORMAT })
    }
}
