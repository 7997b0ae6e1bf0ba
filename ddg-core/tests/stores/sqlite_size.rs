//! A long run whose steps change little leaves a small file.

use ddg_core::checkpoint::{CheckpointStore, Durability, Entry, RunStatus, SqliteStore};

use crate::setup::{claim, id};

/// A thousand steps of 200 bytes, with a whole state of 10 kB at every hundredth: the file, and its
/// log while it is open, together.
#[tokio::test]
async fn a_thousand_steps_take_less_than_a_megabyte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open_with(&path, Durability::ProcessCrash).await.unwrap();
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    for step in 0..1000 {
        let entry = match step % 100 {
            0 => Entry::full(step, vec![b'x'; 10_000]),
            _ => Entry::change(step, vec![b'x'; 200]),
        };
        store.put(&lease, RunStatus::Running, &[entry]).await.unwrap();
    }
    for step in 0..1000 {
        store.at(&id("run"), step).await.unwrap();
    }
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap());
    let n_bytes: u64 = files().map(|file| file.metadata().unwrap().len()).sum();
    assert!(n_bytes < 1_000_000, "{n_bytes} bytes: {:?}", files().collect::<Vec<_>>());
    store.close().await;
    let n_bytes = path.metadata().unwrap().len();
    assert!(n_bytes < 500_000, "{n_bytes} bytes");
}
