//! A fork starts with the state of another run after a step, and is independent of it afterwards.

use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, Entry, ForkedFrom, RunStatus, StoreError};

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    a_fork_is_as_the_run_was,
    a_fork_of_the_last_step_has_its_results,
    neither_sees_what_the_other_does,
    a_fork_can_be_edited,
    a_fork_of_a_fork,
    a_fork_outlives_its_origin,
    what_cannot_be_forked,
}

/// A run with states of steps 0, 1, 4 (whole), 5, 6 and a result.
async fn fill(store: &dyn CheckpointStore, run: &str) {
    let lease = store.create(&id(run), "automa", &claim("me")).await.unwrap();
    let entries = [
        Entry::full(0, "zero"),
        Entry::change(1, "+1"),
        Entry::full(4, "four"),
        Entry::change(5, "+5"),
        Entry::change(6, "+6"),
        Entry::result(6, 3, "three"),
    ];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
}

async fn a_fork_is_as_the_run_was(Setup { store, clock, .. }: &Setup) {
    fill(&**store, "run").await;
    clock.advance(Duration::from_secs(5));
    for step in [0, 1, 4, 5] {
        let fork = id(&format!("fork {step}"));
        store.fork(&id("run"), step, &fork).await.unwrap();
        let original = store.at(&id("run"), step).await.unwrap();
        assert_eq!(store.latest(&fork).await.unwrap().unwrap(), original);
        assert!(original.results.is_empty());
    }
    let record = store.find(&id("fork 5")).await.unwrap();
    assert_eq!(record.automa, "automa");
    assert_eq!(record.origin, Some(ForkedFrom::new(id("run"), 5)));
    assert_eq!(record.status, RunStatus::Paused);
    assert_eq!((record.created, record.updated), (clock.now(), clock.now()));
    assert_eq!((record.step, record.holder), (Some(5), None));
    let steps = store.steps(&id("fork 5")).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.step).collect::<Vec<_>>(), [4, 5]);
}

async fn a_fork_of_the_last_step_has_its_results(Setup { store, .. }: &Setup) {
    fill(&**store, "run").await;
    store.fork(&id("run"), 6, &id("fork")).await.unwrap();
    let found = store.latest(&id("fork")).await.unwrap().unwrap();
    assert_eq!(found.results.into_iter().collect::<Vec<_>>(), [(3, b"three".to_vec())]);
}

async fn neither_sees_what_the_other_does(Setup { store, clock, .. }: &Setup) {
    fill(&**store, "run").await;
    store.fork(&id("run"), 5, &id("fork")).await.unwrap();
    let run_before = store.latest(&id("run")).await.unwrap();
    let lease = store.acquire(&id("fork"), &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::change(6, "another six")]).await.unwrap();
    assert_eq!(store.latest(&id("run")).await.unwrap(), run_before);

    let fork_before = store.latest(&id("fork")).await.unwrap();
    clock.advance(crate::setup::TTL);
    let lease = store.acquire(&id("run"), &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::change(7, "+7")]).await.unwrap();
    assert_eq!(store.latest(&id("fork")).await.unwrap(), fork_before);
}

async fn a_fork_can_be_edited(Setup { store, .. }: &Setup) {
    fill(&**store, "run").await;
    store.fork(&id("run"), 6, &id("fork")).await.unwrap();
    let lease = store.acquire(&id("fork"), &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Paused, &[Entry::full(6, "edited")]).await.unwrap();
    let found = store.latest(&id("fork")).await.unwrap().unwrap();
    assert_eq!((found.full, found.changes, found.results.len()), (b"edited".to_vec(), vec![], 0));
}

async fn a_fork_of_a_fork(Setup { store, .. }: &Setup) {
    fill(&**store, "run").await;
    store.fork(&id("run"), 5, &id("fork")).await.unwrap();
    store.fork(&id("fork"), 4, &id("of a fork")).await.unwrap();
    let original = store.at(&id("run"), 4).await.unwrap();
    assert_eq!(store.latest(&id("of a fork")).await.unwrap().unwrap(), original);
    let origin = store.find(&id("of a fork")).await.unwrap().origin.unwrap();
    assert_eq!(origin, ForkedFrom::new(id("fork"), 4));
}

async fn a_fork_outlives_its_origin(Setup { store, clock, .. }: &Setup) {
    fill(&**store, "run").await;
    store.fork(&id("run"), 5, &id("fork")).await.unwrap();
    let before = (store.find(&id("fork")).await.unwrap(), store.latest(&id("fork")).await.unwrap());
    clock.advance(crate::setup::TTL);
    store.delete(&id("run")).await.unwrap();
    let now = (store.find(&id("fork")).await.unwrap(), store.latest(&id("fork")).await.unwrap());
    assert_eq!(now, before);
}

async fn what_cannot_be_forked(Setup { store, .. }: &Setup) {
    fill(&**store, "run").await;
    for step in [2, 7, u64::MAX] {
        let refused = store.fork(&id("run"), step, &id("fork")).await.unwrap_err();
        assert!(matches!(refused, StoreError::UnknownStep { last: Some(6), .. }), "{refused}");
    }
    let refused = store.fork(&id("run"), 5, &id("run")).await.unwrap_err();
    assert!(matches!(refused, StoreError::RunExists { .. }), "{refused}");
    let refused = store.find(&id("fork")).await.unwrap_err();
    assert!(matches!(refused, StoreError::UnknownRun { .. }), "{refused}");
}
