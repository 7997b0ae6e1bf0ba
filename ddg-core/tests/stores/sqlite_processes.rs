//! Several processes share a file, and a run whose process was killed can be acquired at once.

use std::path::Path;
use std::time::{Duration, SystemTime};

use ddg_core::checkpoint::{
    CheckpointStore, Claim, Entry, RunFilter, RunService, RunStatus, SqliteStore, StoreError,
    StoredRuns,
};
use ddg_core::prelude::*;

use crate::contention::{assert_written, count, counted, prepare_count, write_steps};
use crate::setup::id;
use crate::setup::process::{Process, say, wait_to_be_told};

/// Which test has started this process, and on which file.
const ROLE: &str = "DDG_TEST_ROLE";
const FILE: &str = "DDG_TEST_FILE";

fn begin(role: &str, path: &Path) -> Process {
    let vars = [(ROLE, role), (FILE, path.to_str().unwrap())];
    Process::start("sqlite_processes::a_process_of_its_own", &vars)
}

/// What the other tests start as processes of their own, with a role; without one, there is nothing
/// to do.
#[tokio::test]
async fn a_process_of_its_own() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let store = SqliteStore::open(std::env::var(FILE).unwrap()).await.unwrap();
    match role.as_str() {
        "hold" => {
            let lease = store.create(&id("run"), "automa", &Claim::default()).await.unwrap();
            let entries = [Entry::full(0, "zero")];
            store.put(&lease, RunStatus::Running, &entries).await.unwrap();
            say("held");
            wait_to_be_told();
            let refused = store.put(&lease, RunStatus::Finished, &[]).await.unwrap_err();
            assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
        }
        "count" => {
            say("ready");
            wait_to_be_told();
            count(&store, "child", 50).await;
            write_steps(&store, "child", 100).await;
        }
        "serve" => serve(store).await,
        other => panic!("{other}?"),
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_run_of_a_killed_process_is_free_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let mut process = begin("hold", &path);
    process.wait_for("held");
    let store = SqliteStore::open(&path).await.unwrap();
    let refused = store.acquire(&id("run"), &Claim::default()).await.unwrap_err();
    let StoreError::Held { owner, .. } = refused else { panic!("{refused}") };
    assert!(owner.name().contains(&process.child.id().to_string()), "{owner}");

    process.child.kill().unwrap();
    process.child.wait().unwrap();
    let lease = store.acquire(&id("run"), &Claim::default()).await.unwrap();
    let entries = [Entry::change(1, "+1")];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    assert_eq!(store.latest(&id("run")).await.unwrap().unwrap().full, b"zero");
}

/// Continues the runs of the store until none is to be continued. One of them kills the process.
async fn serve(store: SqliteStore) {
    let runs = StoredRuns::new(&store);
    let service = RunService::new(&store)
        .automa(harmless())
        .automa(deadly())
        .poll(Duration::from_millis(10))
        .spawn();
    loop {
        let open = [RunStatus::Running, RunStatus::Paused];
        let lists = open.map(|status| RunFilter::default().status(status));
        let mut n_open = 0;
        for filter in lists {
            n_open += runs.list(&filter).await.unwrap().len();
        }
        if n_open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.stop().await;
}

fn harmless() -> GraphAutoma {
    let mut automa = GraphAutoma::new("harmless");
    let step = async |n: u64, cx: Context| -> Result<(), WorkerError> {
        if n == 3 {
            cx.sleep_until(SystemTime::now() + Duration::from_millis(50))?;
        }
        if n < 6 {
            cx.ferry_to("step", (n + 1,));
        } else {
            cx.ferry_to("end", (n,));
        }
        Ok(())
    };
    automa.add_func_as_worker("step", step, start()).unwrap();
    automa.add_func_as_worker("end", async |n: u64| n, free().output()).unwrap();
    automa
}

fn deadly() -> GraphAutoma {
    let mut automa = GraphAutoma::new("deadly");
    automa.add_func_as_worker("first", async || 1_u64, start()).unwrap();
    let die = async |_: u64| -> u64 { std::process::abort() };
    automa.add_func_as_worker("die", die, after(["first"]).output()).unwrap();
    automa
}

/// [X17] [X18] A run that aborts its process, among others: each new process continues all of them, until
/// the deadly one has failed. The others end.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_run_that_kills_its_process_fails_and_the_others_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for n in 0..10 {
        if n == 4 {
            deadly().run(()).stored_in(&store, "deadly").enqueue().await.unwrap();
        }
        let run = harmless().run(args!(0_u64)).stored_in(&store, format!("run {n}"));
        run.enqueue().await.unwrap();
    }
    let mut n_deaths = 0;
    loop {
        let mut process = begin("serve", &path);
        if process.child.wait().unwrap().success() {
            break;
        }
        n_deaths += 1;
        assert!(n_deaths < 20, "it does not end");
    }
    let runs = StoredRuns::new(&store);
    for n in 0..10 {
        let record = runs.record(format!("run {n}")).await.unwrap();
        assert_eq!(record.status, RunStatus::Finished, "{:?}", record.reason);
    }
    let record = runs.record("deadly").await.unwrap();
    assert_eq!((record.status, n_deaths), (RunStatus::Failed, 5));
    assert!(record.reason.unwrap().contains("death of their process"));
}

/// [X16] A run that another process holds is cancelled, and that process finds out.
#[tokio::test]
async fn a_run_of_another_process_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let mut process = begin("hold", &path);
    process.wait_for("held");
    let store = SqliteStore::open(&path).await.unwrap();
    assert!(StoredRuns::new(&store).cancel("run").await.unwrap());
    assert_eq!(store.find(&id("run")).await.unwrap().status, RunStatus::Cancelled);
    process.join();
}

/// A process that was only slow, and that was thought dead, finds out when it writes.
#[tokio::test]
async fn a_slow_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let mut process = begin("hold", &path);
    process.wait_for("held");
    let later = SystemTime::now() + Claim::default().ttl * 2;
    let store = SqliteStore::open(&path).await.unwrap().with_clock(move || later);
    store.acquire(&id("run"), &Claim::default()).await.unwrap();
    process.join();
}

#[tokio::test]
async fn two_processes_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open(&path).await.unwrap();
    prepare_count(&store).await;
    let mut process = begin("count", &path);
    process.wait_for("ready");
    process.tell_to_go_on();
    count(&store, "parent", 50).await;
    write_steps(&store, "parent", 100).await;
    process.join();
    assert_eq!(counted(&store).await, 100);
    assert_written(&store, "parent", 100).await;
    assert_written(&store, "child", 100).await;
}
