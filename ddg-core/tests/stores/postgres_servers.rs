//! Several stores share a database, and errors name the database.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ddg_core::checkpoint::{
    CheckpointStore, Entry, Page, PostgresStore, Rest, RunFilter, RunStatus, StoredRuns,
};
use ddg_core::prelude::*;
use expect_test::expect;
use futures::future;

use crate::contention::{assert_written, count, counted, prepare_count, write_steps};
use crate::setup::postgres::{Database, execute};
use crate::setup::{claim, id};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn many_make_the_same_tables() {
    let Some(database) = Database::new().await else { return };
    let connect = (0..8).map(|_| {
        let url = database.url().to_owned();
        tokio::spawn(async move { PostgresStore::connect(&url).await.unwrap() })
    });
    for (n, store) in future::join_all(connect).await.into_iter().enumerate() {
        let run = id(&format!("run {n}"));
        store.unwrap().create(&run, "automa", &claim("me")).await.unwrap();
    }
    database.drop().await;
}

#[tokio::test]
async fn many_stores_write_to_one_database() {
    let Some(database) = Database::new().await else { return };
    let connect =
        (0..4).map(|_| async { Arc::new(PostgresStore::connect(database.url()).await.unwrap()) });
    let stores = future::join_all(connect).await;
    prepare_count(&*stores[0]).await;
    let tasks = (0..16).map(|n| {
        let store = Arc::clone(&stores[n % stores.len()]);
        tokio::spawn(async move {
            write_steps(&*store, &format!("run {n}"), 25).await;
            count(&*store, &format!("task {n}"), 2).await;
        })
    });
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
    for n in 0..16 {
        assert_written(&*stores[0], &format!("run {n}"), 25).await;
    }
    assert_eq!(counted(&*stores[0]).await, 32);
    database.drop().await;
}

/// What version 1 wrote is there after the migration, and a run that was left then is left now.
#[tokio::test]
async fn tables_of_version_1() {
    let Some(database) = Database::new().await else { return };
    execute(database.url(), include_str!("../../migrations/postgres/1.sql")).await;
    let rows = "create table ddg_schema (version bigint not null);
        insert into ddg_schema values (1);
        insert into ddg_runs (run, automa, status, created, updated, step, full_step, token, held_until)
        values ('left', 'automa', 'running', 5, 6, 0, 0, 3, 0),
               ('ended', 'automa', 'finished', 7, 8, null, null, 1, 0);
        insert into ddg_states values (1, 0, 0, 6, '\\x7b7d');
        insert into ddg_results values (1, 4, '\\x31')";
    execute(database.url(), rows).await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    let found = store.latest(&id("left")).await.unwrap().unwrap();
    assert_eq!((found.full.as_slice(), found.results.len()), (&b"{}"[..], 1));
    let due = store.list(&RunFilter::default().due(), &Page::default()).await.unwrap();
    assert_eq!(due.iter().map(|run| run.run.as_str()).collect::<Vec<_>>(), ["left"]);
    store.close().await;
    database.drop().await;
}

/// [X21] The clock of the server is a day ahead of that of this process: a function of the same name
/// stands before that of the server.
#[tokio::test]
async fn leases_expire_by_the_clock_of_the_server() {
    let Some(database) = Database::new().await else { return };
    let shift = "create schema shifted; \
                 create table shifted.by (days integer); \
                 insert into shifted.by values (1); \
                 create function shifted.clock_timestamp() returns timestamptz language sql as \
                 'select pg_catalog.clock_timestamp() + days * interval ''1 day'' from shifted.by'";
    execute(database.url(), shift).await;
    let url = format!("{}&options[search_path]=shifted,pg_catalog,public", database.url());
    let store = PostgresStore::connect(&url).await.unwrap();
    let ahead = store.now().await.unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(ahead > DAY - Duration::from_secs(60), "{ahead:?}");

    let lease = store.create(&id("run"), "automa", &claim("ann")).await.unwrap();
    let until = store.find(&id("run")).await.unwrap().holder.unwrap().until;
    assert!(until > SystemTime::now() + DAY - Duration::from_secs(60));
    for entry in [Entry::full(0, ""), Entry::change(1, "")] {
        store.put(&lease, RunStatus::Running, &[entry]).await.unwrap();
        store.renew(&lease).await.unwrap();
        let held = store.acquire(&id("run"), &claim("bob")).await.unwrap_err();
        assert!(held.to_string().contains("is held by ann"), "{held}");
    }
    let rest = Rest::paused().until(SystemTime::now() + Duration::from_secs(3600));
    store.rest(&lease, &rest, &[]).await.unwrap();
    assert_eq!(store.list(&RunFilter::default().due(), &Page::default()).await.unwrap(), []);
    // Its lease expires when the clock of the server says so.
    execute(database.url(), "update shifted.by set days = 2").await;
    assert_eq!(store.list(&RunFilter::default().due(), &Page::default()).await.unwrap().len(), 1);
    store.acquire(&id("run"), &claim("bob")).await.unwrap();
    assert_eq!(store.delete_older_than(DAY, &RunFilter::default()).await.unwrap(), 0);
    execute(database.url(), "update shifted.by set days = 9").await;
    assert_eq!(store.delete_older_than(DAY, &RunFilter::default()).await.unwrap(), 1);
    store.close().await;
    database.drop().await;
}

#[tokio::test]
async fn written_runs_exist_after_connecting_again() {
    let Some(database) = Database::new().await else { return };
    let store = PostgresStore::connect(database.url()).await.unwrap();
    write_steps(&store, "run", 10).await;
    store.close().await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    assert_written(&store, "run", 10).await;
    database.drop().await;
}

#[tokio::test]
async fn stores_in_different_schemas_are_apart() {
    let Some(database) = Database::new().await else { return };
    for schema in ["one", "two"] {
        execute(database.url(), &format!("create schema {schema}")).await;
        let url = format!("{}&options[search_path]={schema}", database.url());
        write_steps(&PostgresStore::connect(&url).await.unwrap(), "run", 3).await;
    }
    database.drop().await;
}

#[tokio::test]
async fn tables_of_a_newer_version() {
    let Some(database) = Database::new().await else { return };
    PostgresStore::connect(database.url()).await.unwrap();
    execute(database.url(), "update ddg_schema set version = 99").await;
    let refused = PostgresStore::connect(database.url()).await.unwrap_err().to_string();
    let (place, rest) = refused.split_once(" has ").unwrap();
    assert!(place.starts_with("PostgreSQL database `ddg_test_"), "{place}");
    expect![[r#"tables of version 99, but this program knows versions up to 2: run it with a newer ddg-core"#]]
        .assert_eq(rest);
    database.drop().await;
}

#[tokio::test]
async fn no_server_at_the_address() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().to_str().unwrap();
    let url = format!("postgres://user:secret@localhost/runs?host={socket}");
    let refused = PostgresStore::connect(&url).await.unwrap_err().to_string();
    expect!["PostgreSQL database `runs` at /folder cannot be opened: No such file or directory (os error 2); the server must run and accept the URL's user, password and database"].assert_eq(&refused.replace(socket, "/folder"));
}

#[tokio::test]
async fn text_that_is_not_a_url() {
    let refused = PostgresStore::connect("runs of secret").await.unwrap_err().to_string();
    expect!["a PostgreSQL database cannot be opened: relative URL without a base; its URL should read `postgres://user:password@host:port/database`"].assert_eq(&refused);
}

/// Sessions are cut all the time, as by a server that restarts: runs go on, and every step counts once.
#[tokio::test(flavor = "multi_thread")]
async fn runs_continue_when_their_sessions_are_cut() {
    let Some(database) = Database::new().await else { return };
    let store = PostgresStore::connect(database.url()).await.unwrap();
    let mut automa = GraphAutoma::new("count");
    let url = database.url().to_owned();
    let count = move |n: u32, cx: Context| {
        let url = url.clone();
        async move {
            let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
                       where datname = current_database() and pid <> pg_backend_pid()";
            execute(&url, cut).await;
            if n < 20 {
                cx.ferry_to("count", (n + 1,));
            }
            n
        }
    };
    automa.add_func_as_worker("count", count, start().output()).unwrap();
    let n: u32 = automa.run(args!(0_u32)).stored_in(&store, "run").output().await.unwrap();
    assert_eq!(n, 20);
    let steps = StoredRuns::new(&store).history("run").await.unwrap();
    assert_eq!(steps.len(), 22);
    store.close().await;
    database.drop().await;
}
