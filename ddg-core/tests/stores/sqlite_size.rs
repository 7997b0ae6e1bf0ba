//! A long run whose steps change little leaves a small file.

use ddg_core::checkpoint::{
    CheckpointStore, Durability, Entry, RunStatus, SqliteStore, StoredRuns,
};
use ddg_core::prelude::*;

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

/// The same of a real run, which changes 200 bytes of its state in each step.
#[tokio::test]
async fn a_run_of_a_thousand_steps_takes_less_than_a_megabyte() {
    let mut automa = GraphAutoma::new("letters");
    let write = async |n: u64, cx: Context| {
        let letter = char::from(b'a' + (n % 26) as u8);
        cx.local().set("text", String::from(letter).repeat(200));
        if n < 1000 {
            cx.ferry_to("write", (n + 1,));
        }
    };
    automa.add_func_as_worker("write", write, start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let open = async || SqliteStore::open_with(&path, Durability::ProcessCrash).await.unwrap();
    let store = open().await;
    let runs = StoredRuns::new(&store);
    automa.run(args!(1_u64)).stored_in(&store, "run").await.unwrap();
    for step in 1..=1000 {
        let json = serde_json::to_string(&runs.snapshot_at("run", step).await.unwrap()).unwrap();
        let letter = char::from(b'a' + (step % 26) as u8);
        assert!(json.contains(&String::from(letter).repeat(200)), "step {step}: {json}");
    }
    drop((store, runs));
    open().await.close().await;
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap());
    let n_bytes: u64 = files().map(|file| file.metadata().unwrap().len()).sum();
    println!("{n_bytes} bytes");
    assert!(n_bytes < 1_000_000, "{n_bytes} bytes: {:?}", files().collect::<Vec<_>>());
}
