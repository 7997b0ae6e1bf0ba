//! Runs are deleted one by one or by age, but not while their lease is held.

use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, Entry, Page, RunFilter, RunStatus, StoreError};

use crate::setup::{Setup, TTL, claim, id, on_every_store};

on_every_store! {
    a_deleted_run_is_gone,
    a_held_run_stays,
    by_age,
    by_age_and_status,
    a_held_run_is_not_too_old,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn add(store: &dyn CheckpointStore, run: &str, status: RunStatus) {
    let lease = store.create(&id(run), "automa", &claim("me")).await.unwrap();
    let entries = [Entry::full(0, "zero"), Entry::change(1, "+1"), Entry::result(1, 0, "r")];
    store.put(&lease, status, &entries).await.unwrap();
    store.release(&lease).await.unwrap();
}

async fn left(store: &dyn CheckpointStore) -> Vec<String> {
    let records = store.list(&RunFilter::default(), &Page::default()).await.unwrap();
    records.into_iter().map(|record| record.run.to_string()).rev().collect()
}

async fn a_deleted_run_is_gone(Setup { store, .. }: &Setup) {
    add(&**store, "run", RunStatus::Finished).await;
    add(&**store, "other", RunStatus::Finished).await;
    let other = store.latest(&id("other")).await.unwrap();
    store.delete(&id("run")).await.unwrap();
    assert_eq!(left(&**store).await, ["other"]);
    assert_eq!(store.latest(&id("other")).await.unwrap(), other);

    // No data is left for another run of the same name.
    store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    assert_eq!(store.latest(&id("run")).await.unwrap(), None);
    assert_eq!(store.steps(&id("run")).await.unwrap(), []);
}

async fn a_held_run_stays(Setup { store, clock, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    let refused = store.delete(&id("run")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "")]).await.unwrap();
    clock.advance(TTL);
    store.delete(&id("run")).await.unwrap();
    let refused = store.put(&lease, RunStatus::Running, &[]).await.unwrap_err();
    assert!(matches!(refused, StoreError::UnknownRun { .. }), "{refused}");
}

async fn by_age(Setup { store, clock, .. }: &Setup) {
    for run in ["a", "b", "c"] {
        add(&**store, run, RunStatus::Finished).await;
        clock.advance(DAY);
    }
    // What counts is the last change.
    let lease = store.acquire(&id("a"), &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Paused, &[]).await.unwrap();
    store.release(&lease).await.unwrap();

    let all = RunFilter::default();
    assert_eq!(store.delete_older_than(DAY * 3, &all).await.unwrap(), 0);
    assert_eq!(store.delete_older_than(DAY * 2, &all).await.unwrap(), 1);
    assert_eq!(left(&**store).await, ["a", "c"]);
    assert_eq!(store.delete_older_than(Duration::MAX, &all).await.unwrap(), 0);
    assert_eq!(store.delete_older_than(Duration::ZERO, &all).await.unwrap(), 2);
    assert_eq!(left(&**store).await, [""; 0]);
}

async fn by_age_and_status(Setup { store, clock, .. }: &Setup) {
    add(&**store, "paused", RunStatus::Paused).await;
    add(&**store, "finished", RunStatus::Finished).await;
    clock.advance(DAY);
    let elsewhere = RunFilter::default().automa("other");
    assert_eq!(store.delete_older_than(DAY, &elsewhere).await.unwrap(), 0);
    let finished = RunFilter::default().status(RunStatus::Finished);
    assert_eq!(store.delete_older_than(DAY, &finished).await.unwrap(), 1);
    assert_eq!(left(&**store).await, ["paused"]);
}

async fn a_held_run_is_not_too_old(Setup { store, clock, .. }: &Setup) {
    let lease = store.create(&id("held"), "automa", &claim("me")).await.unwrap();
    clock.advance(DAY);
    store.renew(&lease).await.unwrap();
    assert_eq!(store.delete_older_than(DAY, &RunFilter::default()).await.unwrap(), 0);
    clock.advance(TTL);
    assert_eq!(store.delete_older_than(DAY, &RunFilter::default()).await.unwrap(), 1);
}
