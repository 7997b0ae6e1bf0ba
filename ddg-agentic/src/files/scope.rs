//! Serialisation of `File`s in values: as their id, which is resolved when the value is read.
//!
//! Serde passes no context to the types that it reads and writes. So the context is in thread-local
//! variables while a value is read or written, which happens without a break on one thread.

use std::cell::RefCell;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

use super::file::Record;
use super::{File, FileError, FileManager};

thread_local! {
    /// The manager that resolves ids while a value is read.
    static MANAGER: RefCell<Option<FileManager>> = const { RefCell::new(None) };
    /// How files are serialised.
    static WRITING: RefCell<Writing> = const { RefCell::new(Writing::Ids) };
}

/// How files are serialised.
enum Writing {
    /// As their ids.
    Ids,
    /// As their ids, which are collected.
    Collecting(Vec<File>),
    /// With all of their metadata, so that they can be read without a manager.
    Records,
}

/// Drop guard that restores the thread-local variable, also after a panic.
struct Restore<F: FnMut()>(F);

impl<F: FnMut()> Drop for Restore<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Calls `read`, which resolves ids with `files`.
pub(crate) fn reading<T>(files: Option<&FileManager>, read: impl FnOnce() -> T) -> T {
    let mut before = MANAGER.replace(files.cloned());
    let _restore = Restore(move || drop(MANAGER.replace(before.take())));
    read()
}

/// Serialises a value, and returns the files in it.
pub(crate) fn collecting<T>(write: impl FnOnce() -> T) -> (T, Vec<File>) {
    let mut before = Some(WRITING.replace(Writing::Collecting(Vec::new())));
    let _restore = Restore(move || drop(WRITING.replace(before.take().unwrap_or(Writing::Ids))));
    let written = write();
    match WRITING.replace(Writing::Ids) {
        Writing::Collecting(files) => (written, files),
        Writing::Ids | Writing::Records => (written, Vec::new()),
    }
}

/// Serialises a value with all metadata of its files.
pub(crate) fn with_records<T>(write: impl FnOnce() -> T) -> T {
    let mut before = Some(WRITING.replace(Writing::Records));
    let _restore = Restore(move || drop(WRITING.replace(before.take().unwrap_or(Writing::Ids))));
    write()
}

/// For `serialize_with` of lists of files that must be readable without a manager.
pub(crate) fn records<S: Serializer>(files: &[File], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(files.iter().map(File::record))
}

impl Serialize for File {
    /// Serialises the id.
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
    /// Deserialises an id, where a manager can resolve it: in the arguments of a tool.
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

/// The `format` in the schema of a file.
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
