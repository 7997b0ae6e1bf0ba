//! Errors of lists of keys.

use ddg_core::__report::{shown, shown_lines};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A list of keys is wrong. The text contains no key.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A line is wrong.
    #[error("{place}, line {line}: {reason}", place = shown(.place), reason = shown_lines(.reason))]
    Line {
        /// The file, or the name of the list.
        place: String,
        /// The number of the line, or of the entry of a list with commas.
        line: usize,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// There is no key.
    #[error(
        "{place}: there is no key; write one key a line, or leave the keys out",
        place = shown(.place)
    )]
    Empty {
        /// The file, or the name of the list.
        place: String,
    },
    /// The file cannot be read.
    #[error(
        "could not read the keys in {}: {source}",
        shown(&file.display()), source = shown_lines(.source)
    )]
    Io {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
}
