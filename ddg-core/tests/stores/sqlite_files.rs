//! An SQLite file outlives its store, is shared by several stores, and is left unchanged if its
//! format is unknown.

use std::path::Path;
use std::sync::Arc;

use ddg_core::checkpoint::{
    CheckpointStore, Durability, Entry, Page, RunFilter, RunStatus, SqliteStore, StoreError,
};
use expect_test::{Expect, expect};
use futures::future;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};

use crate::contention::{assert_written, count, counted, prepare_count, write_steps};
use crate::setup::{claim, id};

async fn put_one(store: &SqliteStore, run: &str) {
    let lease = store.create(&id(run), "automa", &claim("me")).await.unwrap();
    let entries = [Entry::full(0, "zero"), Entry::change(1, "+1")];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
}

#[tokio::test]
async fn a_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ünser %20?#.db");
    for durability in [Durability::PowerFailure, Durability::ProcessCrash] {
        let run = format!("{durability:?}");
        let store = SqliteStore::open_with(&path, durability).await.unwrap();
        put_one(&store, &run).await;
        let before = (store.find(&id(&run)).await.unwrap(), store.latest(&id(&run)).await.unwrap());
        drop(store);
        let store = SqliteStore::open(&path).await.unwrap();
        let now = (store.find(&id(&run)).await.unwrap(), store.latest(&id(&run)).await.unwrap());
        assert_eq!(now, before);
    }
}

#[tokio::test]
async fn a_closed_file_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("runs.db")).await.unwrap();
    put_one(&store, "run").await;
    store.latest(&id("run")).await.unwrap();
    store.close().await;
    let files = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["runs.db"]);
}

#[tokio::test]
async fn many_make_the_same_file() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = Arc::new(folder.path().join("runs.db"));
        let tasks = (0..8).map(|n| {
            let path = Arc::clone(&path);
            tokio::spawn(async move {
                let store = SqliteStore::open(&*path).await.unwrap();
                put_one(&store, &format!("run {n}")).await;
            })
        });
        for task in future::join_all(tasks).await {
            task.unwrap();
        }
    }
}

/// SQLite itself does not wait for others when it switches to a log.
#[tokio::test]
async fn a_file_that_another_program_is_writing_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    connection.execute("create table notes (note text); begin immediate").await.unwrap();

    let opening = tokio::spawn(async move { SqliteStore::open(&path).await });
    for _ in 0..1000 {
        connection.execute("insert into notes values ('mine')").await.unwrap();
        assert!(!opening.is_finished());
    }
    connection.execute("commit").await.unwrap();
    put_one(&opening.await.unwrap().unwrap(), "run").await;
}

#[tokio::test]
async fn many_stores_write_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let open = (0..4).map(|_| async { Arc::new(SqliteStore::open(&path).await.unwrap()) });
    let stores = future::join_all(open).await;
    prepare_count(&*stores[0]).await;
    let tasks = (0..16).map(|n| {
        let store = Arc::clone(&stores[n % stores.len()]);
        tokio::spawn(async move {
            write_steps(&*store, &format!("run {n}"), 25).await;
            count(&*store, &format!("task {n}"), 1).await;
        })
    });
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
    for n in 0..16 {
        assert_written(&*stores[0], &format!("run {n}"), 25).await;
    }
    assert_eq!(counted(&*stores[0]).await, 16);
}

#[track_caller]
fn refused(opened: Result<SqliteStore, StoreError>, folder: &Path, expected: &Expect) {
    let message = opened.unwrap_err().to_string();
    expected.assert_eq(&message.replace(folder.to_str().unwrap(), "/folder"));
}

#[tokio::test]
async fn tables_of_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open(&path).await.unwrap();
    put_one(&store, "run").await;
    store.close().await;
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    connection.execute("update ddg_schema set version = 99").await.unwrap();

    refused(
        SqliteStore::open(&path).await,
        folder.path(),
        &expect![
            "SQLite database `/folder/runs.db` has tables of version 99, but this program knows versions up to 2: run it with a newer ddg-core"
        ],
    );
    connection.execute("update ddg_schema set version = 2").await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert!(store.latest(&id("run")).await.unwrap().is_some());
}

/// What version 1 wrote is there after the migration, and a run that was left then is left now.
#[tokio::test]
async fn tables_of_version_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    connection.execute(include_str!("../../migrations/sqlite/1.sql")).await.unwrap();
    let rows = "create table ddg_schema (version bigint not null);
        insert into ddg_schema values (1);
        insert into ddg_runs (run, automa, status, created, updated, step, full_step, token, held_until)
        values ('left', 'automa', 'running', 5, 6, 0, 0, 3, 0),
               ('ended', 'automa', 'finished', 7, 8, null, null, 1, 0);
        insert into ddg_states values (1, 0, 0, 6, x'7b7d');
        insert into ddg_results values (1, 4, x'31')";
    connection.execute(rows).await.unwrap();
    connection.close().await.unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    let found = store.latest(&id("left")).await.unwrap().unwrap();
    assert_eq!((found.full.as_slice(), found.results.len()), (&b"{}"[..], 1));
    let due = store.list(&RunFilter::default().due(), &Page::default()).await.unwrap();
    assert_eq!(due.iter().map(|run| run.run.as_str()).collect::<Vec<_>>(), ["left"]);
    let lease = store.acquire(&id("left"), &claim("me")).await.unwrap();
    assert_eq!((lease.token, lease.attempts), (4, 0));
    store.put(&lease, RunStatus::Running, &[Entry::change(1, "+1")]).await.unwrap();
    let found = store.latest(&id("left")).await.unwrap().unwrap();
    assert_eq!((found.changes.len(), found.results.len()), (1, 0));
}

#[tokio::test]
async fn a_file_that_is_not_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let notes = "not a database, whatever its name says; ".repeat(200);
    std::fs::write(&path, &notes).unwrap();
    refused(
        SqliteStore::open(&path).await,
        folder.path(),
        &expect![
            "SQLite database `/folder/notes.txt` cannot be opened: (code: 26) file is not a database; the folder must exist and be writable, and the file, if there is one, must be an SQLite database"
        ],
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
}

#[tokio::test]
async fn a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    refused(
        SqliteStore::open(folder.path().join("nowhere/runs.db")).await,
        folder.path(),
        &expect![
            "SQLite database `/folder/nowhere/runs.db` cannot be opened: (code: 14) unable to open database file; the folder must exist and be writable, and the file, if there is one, must be an SQLite database"
        ],
    );
}

#[tokio::test]
async fn a_table_that_has_been_tampered_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open(&path).await.unwrap();
    put_one(&store, "run").await;
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let mut messages = String::new();
    for tampering in [
        "update ddg_runs set status = 'tired'",
        "update ddg_runs set status = 'paused', step = -1",
        "update ddg_runs set step = 1, run = ''",
        "update ddg_runs set run = 'run', automa = x'00'",
        "update ddg_runs set automa = 'automa'; drop table ddg_states",
    ] {
        connection.execute(tampering).await.unwrap();
        let broken = match store.list(&Default::default(), &Default::default()).await {
            Err(broken) => broken,
            Ok(_) => store.latest(&id("run")).await.unwrap_err(),
        };
        messages += &format!("{broken}\n");
    }
    expect![[r#"
        SQLite database `/folder/runs.db` could not list runs: "tired" is not the status of a run: write running, paused, finished, failed or cancelled
        SQLite database `/folder/runs.db` could not list runs: a number in a row is negative: -1
        SQLite database `/folder/runs.db` could not list runs: "" cannot be the id of a run: an id has 1 to 200 bytes and no control characters
        SQLite database `/folder/runs.db` could not list runs: expected a text in a row, found bytes
        SQLite database `/folder/runs.db` could not read a run: (code: 1) no such table: ddg_states
    "#]].assert_eq(&messages.replace(folder.path().to_str().unwrap(), "/folder"));
}
