//! A disk that is full for a while, by a library that is loaded before the system's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, Claim, Entry, RunStatus, SqliteStore, StoreError};
use ddg_core::prelude::*;

use crate::setup::id;

const FILE: &str = "DDG_TEST_FAULTY_FILE";
const FAULT: &str = "DDG_TEST_FAULT";

/// Compiles the library.
fn library(folder: &Path) -> PathBuf {
    let library = folder.join("disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stores/sqlite_faults/disk.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, Path::new(source)])
        .status();
    assert!(compiled.unwrap().success());
    library
}

#[test]
fn a_disk_that_was_full_once() {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite_faults::a_process_with_a_faulty_disk", "--nocapture"])
        .env("LD_PRELOAD", library(folder.path()))
        .env(FILE, folder.path().join("runs.db"))
        .env(FAULT, folder.path().join("fault"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("all is well"), "{said}");
}

/// What the other test starts as a process of its own; without it, there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_a_faulty_disk() {
    let (Ok(file), Ok(fault)) = (std::env::var(FILE), std::env::var(FAULT)) else { return };
    let fault = Arc::new(PathBuf::from(fault));
    let store = SqliteStore::open(file).await.unwrap();

    // A store that has met a full disk works again as soon as there is room.
    let lease = store.create(&id("put"), "automa", &Claim::default()).await.unwrap();
    std::fs::write(&*fault, "").unwrap();
    let full = store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap_err();
    assert!(full.is_transient(), "{full}");
    assert!(full.to_string().contains("could not put entries: "), "{full}");
    let refused = store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await;
    assert!(matches!(refused, Err(StoreError::Backend { .. })), "{refused:?}");
    std::fs::remove_file(&*fault).unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
    assert_eq!(store.latest(&id("put")).await.unwrap().unwrap().full, b"zero");

    // A run waits for room, and goes on.
    let mut automa = GraphAutoma::new("two");
    let breaks = Arc::clone(&fault);
    let first = move || {
        std::fs::write(&*breaks, "").unwrap();
        async { 1 }
    };
    automa.add_func_as_worker("first", first, start()).unwrap();
    automa.add_func_as_worker("second", async |x: i64| x + 1, after(["first"]).output()).unwrap();
    let mends = Arc::clone(&fault);
    let mended = std::thread::spawn(move || {
        while std::fs::metadata(&*mends).map_or(0, |fault| fault.len()) < 3 {
            std::thread::yield_now();
        }
        std::fs::remove_file(&*mends).unwrap();
    });
    let n: i64 = automa.run(()).stored_in(&store, "run").output().await.unwrap();
    assert_eq!(n, 2);
    mended.join().unwrap();
    println!("\nall is well");
}
