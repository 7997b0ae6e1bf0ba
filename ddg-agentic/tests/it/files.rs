//! Files that tools and agents pass by id. Tests cite the rules of `docs/files.md` by number.

mod agents;
mod cancelling;
mod closing;
mod creating;
mod disks;
mod ids;
mod isolation;
mod linearisable;
mod looking;
mod provider;
mod pruning;
mod retrieving;
mod sniffing;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

/// How many rounds a test of races has: many at night, a few otherwise.
pub(crate) fn rounds(nightly: usize, gate: usize) -> usize {
    if std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1") { nightly } else { gate }
}

/// What is in a folder, sorted.
fn within(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A UUID that no file has.
const NOBODYS: &str = "file-local-00000000-0000-4000-8000-000000000000";
