//! All stores of a process on one file share its writer, which commits several writes together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use ddg_core::checkpoint::{
    CheckpointStore, Claim, Durability, Entry, RunFilter, RunService, RunStatus, SqliteStore,
    StoreError, StoredRuns,
};
use ddg_core::prelude::*;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, future};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

use crate::contention::{assert_written, write_steps};
use crate::setup::{TTL, claim, id};

/// Whatever they guarantee, and however many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_of_one_process_never_meet_a_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let durabilities = [Durability::PowerFailure, Durability::ProcessCrash];
    let open = (0..6).map(|n| SqliteStore::open_with(&path, durabilities[n % 2]));
    let stores: Vec<_> = future::try_join_all(open).await.unwrap();
    let tasks = stores.iter().enumerate().map(|(n, store)| {
        let store = store.clone();
        tokio::spawn(async move { write_steps(&store, &format!("run {n}"), 50).await })
    });
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
    for n in 0..6 {
        assert_written(&stores[0], &format!("run {n}"), 50).await;
    }
}

/// A link is another name of the same file.
#[cfg(unix)]
#[tokio::test]
async fn a_file_is_known_by_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let first = SqliteStore::open(&path).await.unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let second = SqliteStore::open(&link).await.unwrap();
    assert_eq!(shared(&first), shared(&second));
    let other = SqliteStore::open(folder.path().join("other.db")).await.unwrap();
    assert_ne!(shared(&first), shared(&other));
}

/// The address of what `store` shares with others, from its debug text.
#[cfg(unix)]
fn shared(store: &SqliteStore) -> String {
    let text = format!("{store:?}");
    let (_, rest) = text.split_once("Inode(").unwrap();
    rest.split_once(')').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_file_is_closed_by_its_last_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let first = SqliteStore::open(&path).await.unwrap();
    let second = SqliteStore::open(&path).await.unwrap();
    let clone = first.clone();
    first.close().await;
    let refused = clone.create(&id("a"), "automa", &claim("me")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Backend { .. }), "{refused}");
    write_steps(&second, "run", 3).await;
    second.close().await;
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["runs.db"]);
    // Opened anew after that.
    let third = SqliteStore::open(&path).await.unwrap();
    assert_written(&third, "run", 3).await;
    write_steps(&third, "more", 3).await;
}

/// A file that is replaced under the same name is another file.
#[tokio::test]
async fn a_new_file_of_the_same_name_is_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let first = SqliteStore::open(&path).await.unwrap();
    write_steps(&first, "run", 1).await;
    for name in ["runs.db", "runs.db-wal", "runs.db-shm"] {
        _ = std::fs::rename(folder.path().join(name), folder.path().join(format!("old-{name}")));
    }
    let second = SqliteStore::open(&path).await.unwrap();
    assert_eq!(second.list(&RunFilter::default(), &Default::default()).await.unwrap(), []);
    write_steps(&second, "run", 2).await;
    assert_written(&second, "run", 2).await;
}

/// The log of the file grows by a commit, whatever is in it; so commits can be counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_at_the_same_time_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut leases = Vec::new();
    for n in 0..64 {
        let lease = store.create(&id(&format!("run {n}")), "automa", &claim("me")).await.unwrap();
        store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
        leases.push(lease);
    }
    // Another program keeps the file locked, so that all writes wait at the same time.
    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    other.execute("begin immediate").await.unwrap();
    let puts = leases.iter().map(|lease| {
        let (store, lease) = (store.clone(), lease.clone());
        tokio::spawn(async move {
            store.put(&lease, RunStatus::Running, &[Entry::change(1, "one")]).await.unwrap();
        })
    });
    let puts: Vec<_> = puts.collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(puts.iter().all(|put| !put.is_finished()));
    let wal = |folder: &std::path::Path| {
        std::fs::metadata(folder.join("runs.db-wal")).map_or(0, |file| file.len())
    };
    let size = wal(folder.path());
    other.execute("rollback").await.unwrap();
    for put in puts {
        put.await.unwrap();
    }
    // A commit of its own for each would write each page of the table of runs anew.
    let grown = wal(folder.path()).saturating_sub(size);
    assert!(grown < 64 * 4096, "the log has grown by {grown} bytes");
    for n in 0..64 {
        assert_eq!(store.latest(&id(&format!("run {n}"))).await.unwrap().unwrap().step, 1);
    }
    other.close().await.unwrap();
}

/// A refused write of many changes nothing about the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refused_write_does_not_affect_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("runs.db")).await.unwrap();
    let tasks = (0..200).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let run = id(&format!("run {}", n / 2));
            store.create(&run, "automa", &claim("me")).await.is_ok()
        })
    });
    let made = future::join_all(tasks).await;
    assert_eq!(made.into_iter().filter(|made| *made.as_ref().unwrap()).count(), 100);
    let lease = store.create(&id("x"), "automa", &Claim::default()).await.unwrap();
    let puts = (0..50).map(|n| {
        let (store, lease) = (store.clone(), lease.clone());
        tokio::spawn(async move {
            match n % 5 {
                // A number that the database does not have: the statement itself fails.
                0 => {
                    let entries = [Entry::full(u64::MAX, "")];
                    store.put(&lease, RunStatus::Running, &entries).await.is_err()
                }
                _ => {
                    let run = id(&format!("new {n}"));
                    store.create(&run, "automa", &claim("me")).await.is_ok()
                }
            }
        })
    });
    for put in future::join_all(puts).await {
        assert!(put.unwrap());
    }
    for n in (0..50).filter(|n| n % 5 > 0) {
        store.find(&id(&format!("new {n}"))).await.unwrap();
    }
}

/// [X15] The writes of runs that came earlier are executed first; but the one that has waited
/// longest is soon among them, whatever its run, and so are renewals. The clock of the store counts
/// what is executed.
#[tokio::test]
async fn writes_are_executed_in_the_order_in_which_their_runs_came() {
    const N: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let n_executed = AtomicU64::new(0);
    let store = SqliteStore::open(&path).await.unwrap().with_clock(move || {
        UNIX_EPOCH + Duration::from_millis(n_executed.fetch_add(1, Ordering::SeqCst))
    });
    let mut leases = Vec::new();
    for n in 0..N + 5 {
        let lease = store.create(&id(&format!("run {n}")), "automa", &claim("me")).await.unwrap();
        store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
        leases.push(lease);
    }
    let renewed = leases.split_off(N);
    // Another program keeps the file locked, while the writes come in the opposite order.
    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    other.execute("begin immediate").await.unwrap();
    let change = [Entry::change(1, "one")];
    let puts = leases.iter().rev().map(|lease| store.put(lease, RunStatus::Running, &change));
    let mut puts: Vec<_> = puts.collect();
    for put in &mut puts {
        assert!(put.now_or_never().is_none(), "the file is locked");
    }
    // Leases are renewed meanwhile, too.
    let mut renewals: Vec<_> = renewed.iter().map(|lease| store.renew(lease)).collect();
    for renewal in &mut renewals {
        assert!(renewal.now_or_never().is_none(), "the file is locked");
    }
    other.execute("rollback").await.unwrap();
    other.close().await.unwrap();
    future::try_join_all(puts).await.unwrap();
    future::try_join_all(renewals).await.unwrap();

    let mut executed = Vec::new();
    for (n, lease) in leases.iter().enumerate() {
        executed.push((store.find(&lease.run).await.unwrap().updated, format!("run {n}")));
    }
    for (n, lease) in renewed.iter().enumerate() {
        let until = store.find(&lease.run).await.unwrap().holder.unwrap().until;
        executed.push((until - TTL, format!("renewal {n}")));
    }
    executed.sort_unstable();
    let order: Vec<_> = executed.into_iter().map(|(_, what)| what).collect();
    let place = |what: &str| order.iter().position(|next| next == what).unwrap();
    for n in 0..N / 2 {
        assert!(place(&format!("run {n}")) <= n + n / 3 + 1 + renewed.len(), "{order:?}");
    }
    for n in 0..renewed.len() {
        assert!(place(&format!("renewal {n}")) <= 2 * n + 1, "{order:?}");
    }
    assert!(place(&format!("run {}", N - 1)) < 8, "the first that waited: {order:?}");
    assert!(place(&format!("run {}", N - 2)) < 16, "the second that waited: {order:?}");
}

/// Takes six steps.
fn steps() -> GraphAutoma {
    let mut automa = GraphAutoma::new("steps");
    let step = async |n: u64, id: u64, cx: Context| match n {
        0..4 => cx.ferry_to("step", (n + 1, id)),
        _ => cx.ferry_to("end", (id,)),
    };
    automa.add_func_as_worker("step", step, start()).unwrap();
    automa.add_func_as_worker("end", async |id: u64| id, free().output()).unwrap();
    automa
}

/// [X15] Durable runs at once on one file: none fails for load alone, and their memory is bounded.
/// In the night there are 10,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runs_at_once_end_well() {
    let n_runs = if std::env::var_os("DDG_NIGHTLY").is_some() { 10_000 } else { 500 };
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("runs.db")).await.unwrap();
    let automa = steps();
    let (began, before) = (std::time::Instant::now(), most_memory());
    let runs = (0..n_runs)
        .map(|n: u64| automa.run(args!(0_u64, n)).stored_in(&store, format!("run {n}")).spawn());
    let ended = runs.enumerate().map(|(n, run)| async move {
        assert_eq!(run.output::<u64>().await.unwrap(), n as u64);
        n
    });
    let ended: FuturesUnordered<_> = ended.collect();
    let order: Vec<_> = ended.collect().await;
    let memory = most_memory() - before;
    let distance = |(place, n): (usize, &usize)| place.abs_diff(*n);
    let distances: Vec<_> = order.iter().enumerate().map(distance).collect();
    let furthest = *distances.iter().max().unwrap();
    println!(
        "{n_runs} runs of 6 steps in {:?}: {memory} KiB; they ended {} places from that of their \
         arrival on average, and {furthest} at most",
        began.elapsed(),
        distances.iter().sum::<usize>() / distances.len()
    );
    // The runs of one transaction continue in any order, and so do those of the next.
    assert!(furthest < 4 * 256, "a run ended {furthest} places from that of its arrival");
    // The tasks of a debug build are larger.
    let of_each = if cfg!(debug_assertions) { 64 } else { 32 };
    assert!(memory < of_each * n_runs + 64 * 1024, "{memory} KiB for {n_runs} runs");
    let finished = RunFilter::default().status(RunStatus::Finished);
    assert_eq!(StoredRuns::new(&store).list(&finished).await.unwrap().len(), n_runs as usize);
}

/// The same runs, enqueued and served: a bounded number is active, in the order of arrival.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_enqueued_runs_end_in_the_order_of_their_arrival() {
    let n_runs = if std::env::var_os("DDG_NIGHTLY").is_some() { 10_000 } else { 500 };
    const AT_ONCE: usize = 64;
    let before = most_memory();
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("runs.db")).await.unwrap();
    let automa = steps();
    for n in 0..n_runs as u64 {
        // The order of runs that were added in the same millisecond is that of their ids.
        let run = automa.run(args!(0_u64, n)).stored_in(&store, format!("run {n:05}"));
        run.enqueue().await.unwrap();
    }
    let (ended, mut all) = tokio::sync::mpsc::unbounded_channel();
    let service = RunService::new(&store)
        .automa(automa)
        .at_once(AT_ONCE)
        .poll(Duration::from_millis(10))
        .on_end(move |_, outcome| {
            let output = outcome.as_ref().unwrap().output().get::<u64>().unwrap();
            ended.send(output).unwrap();
        })
        .spawn();
    let mut order = Vec::new();
    while order.len() < n_runs {
        order.push(all.recv().await.unwrap() as usize);
    }
    service.stop().await;
    let memory = most_memory() - before;
    println!("{n_runs} runs, {AT_ONCE} at once: {memory} KiB");
    // It does not grow with the number of runs. (Other tests of this process may add to it.)
    assert!(memory < 256 * 1024, "{memory} KiB");
    for (place, n) in order.iter().enumerate() {
        assert!(place.abs_diff(*n) < 4 * AT_ONCE, "run {n} was the {place}th to end");
    }
    order.sort_unstable();
    assert!(order.into_iter().eq(0..n_runs));
}

/// The greatest resident memory so far in KiB; 0 where it cannot be read.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
