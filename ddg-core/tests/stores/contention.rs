//! Many tasks at once: no writer is refused because others write, and nothing is lost.

use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, Entry, RunStatus, StoreError};
use futures::future;

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    each_writes_to_its_own_run,
    all_count_in_one_run,
    one_of_many_takes_a_run,
    reads_are_whole_while_another_writes,
    a_put_that_is_given_up_is_done_or_not,
}

const N_TASKS: usize = 16;

/// Sixteen tasks, a hundred steps each.
async fn each_writes_to_its_own_run(Setup { store, .. }: &Setup) {
    let tasks = (0..N_TASKS).map(|n| {
        let store = Arc::clone(store);
        tokio::spawn(async move { write_steps(&*store, &format!("run {n}"), 100).await })
    });
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
    for n in 0..N_TASKS {
        assert_written(&**store, &format!("run {n}"), 100).await;
    }
}

pub(crate) async fn write_steps(store: &dyn CheckpointStore, run: &str, n_steps: u64) {
    let lease = store.create(&id(run), "automa", &claim(run)).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, run)]).await.unwrap();
    for step in 1..=n_steps {
        let entries = [Entry::change(step, format!("{run} {step}"))];
        store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    }
    store.release(&lease).await.unwrap();
}

pub(crate) async fn assert_written(store: &dyn CheckpointStore, run: &str, n_steps: u64) {
    let found = store.latest(&id(run)).await.unwrap().unwrap();
    let changes: Vec<_> = (1..=n_steps).map(|n| format!("{run} {n}").into_bytes()).collect();
    assert_eq!(found.changes, changes);
}

/// Each takes the run, reads a number in it, writes the next, lets the run go.
async fn all_count_in_one_run(Setup { store, .. }: &Setup) {
    prepare_count(&**store).await;
    let tasks = (0..4).map(|n| {
        let store = Arc::clone(store);
        tokio::spawn(async move { count(&*store, &format!("task {n}"), 10).await })
    });
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
    assert_eq!(counted(&**store).await, 40);
}

pub(crate) async fn prepare_count(store: &dyn CheckpointStore) {
    let lease = store.create(&id("count"), "automa", &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "0")]).await.unwrap();
    store.release(&lease).await.unwrap();
}

pub(crate) async fn count(store: &dyn CheckpointStore, owner: &str, n_times: usize) {
    for _ in 0..n_times {
        let lease = loop {
            match store.acquire(&id("count"), &claim(owner)).await {
                Ok(lease) => break lease,
                Err(StoreError::Held { .. }) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        };
        let next = counted(store).await + 1;
        let entries = [Entry::full(next, next.to_string())];
        store.put(&lease, RunStatus::Running, &entries).await.unwrap();
        store.release(&lease).await.unwrap();
    }
}

pub(crate) async fn counted(store: &dyn CheckpointStore) -> u64 {
    let found = store.latest(&id("count")).await.unwrap().unwrap();
    String::from_utf8(found.full).unwrap().parse().unwrap()
}

async fn one_of_many_takes_a_run(Setup { store, .. }: &Setup) {
    for round in 0..10 {
        let run = id(&format!("run {round}"));
        let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
        store.release(&lease).await.unwrap();
        let tasks = (0..N_TASKS).map(|n| {
            let (store, run) = (Arc::clone(store), run.clone());
            tokio::spawn(async move { store.acquire(&run, &claim(&format!("task {n}"))).await })
        });
        let mut leases = Vec::new();
        for task in future::join_all(tasks).await {
            match task.unwrap() {
                Ok(lease) => leases.push(lease),
                Err(StoreError::Held { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(leases.len(), 1);
    }
}

/// Each put replaces the state and its result by those of one number.
async fn reads_are_whole_while_another_writes(Setup { store, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    let put = async |n: u64| {
        let entries = [
            Entry::full(2 * n, n.to_string()),
            Entry::change(2 * n + 1, n.to_string()),
            Entry::result(2 * n + 1, 0, n.to_string()),
        ];
        store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    };
    put(0).await;
    let reader = {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            loop {
                let found = store.latest(&id("run")).await.unwrap().unwrap();
                assert_eq!(found.changes, std::slice::from_ref(&found.full));
                assert_eq!(found.results.values().collect::<Vec<_>>(), [&found.full]);
                if found.full == b"100" {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    for n in 1..=100 {
        put(n).await;
    }
    reader.await.unwrap();
}

/// Each time one moment later; what has been given up is put again.
async fn a_put_that_is_given_up_is_done_or_not(Setup { store, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("run")).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "run")]).await.unwrap();
    for step in 1..=40 {
        let entries = [Entry::change(step, format!("run {step}")), Entry::result(step, 0, "r")];
        let given_up = async {
            for _ in 0..step {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = given_up => {}
            done = store.put(&lease, RunStatus::Running, &entries) => done.unwrap(),
        }
        let found = store.latest(&id("run")).await.unwrap().unwrap();
        let done = found.step == step;
        assert_eq!(found.step, if done { step } else { step - 1 });
        assert_eq!(found.results.len(), usize::from(done || step > 1));
        store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    }
    assert_written(&**store, "run", 40).await;
}
