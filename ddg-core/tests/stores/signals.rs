//! Signals to a run are kept in order, and wake a run that waits for them.

use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, Entry, Rest, RunStatus, SignalRecord, StoreError};

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    signals_are_numbered_in_order,
    a_signal_reaches_a_held_run,
    a_signal_wakes_a_run_that_waits_for_it,
    another_signal_does_not_wake_it,
    a_signal_that_came_first_wakes_it,
    a_signal_that_was_seen_does_not_wake_it,
    a_fork_has_the_signals,
    an_unknown_run_takes_no_signal,
    many_send_at_once,
}

fn signal(number: u64, name: &str, body: &str) -> SignalRecord {
    SignalRecord::new(number, name, body)
}

async fn wake_at(store: &dyn CheckpointStore, run: &str) -> Option<std::time::SystemTime> {
    store.find(&id(run)).await.unwrap().wake_at
}

async fn signals_are_numbered_in_order(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    store.release(&lease).await.unwrap();
    assert_eq!(store.signals(&run, 0).await.unwrap(), []);
    for (name, body) in [("b", "1"), ("a", ""), ("b", "\u{0}3")] {
        store.signal(&run, name, body.as_bytes()).await.unwrap();
    }
    let all = [signal(1, "b", "1"), signal(2, "a", ""), signal(3, "b", "\u{0}3")];
    assert_eq!(store.signals(&run, 0).await.unwrap(), all);
    assert_eq!(store.signals(&run, 2).await.unwrap(), all[2..]);
    assert_eq!(store.signals(&run, u64::MAX).await.unwrap(), []);
    assert_eq!(store.find(&run).await.unwrap().n_signals, 3);
}

async fn a_signal_reaches_a_held_run(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let before = store.find(&run).await.unwrap();
    store.signal(&run, "a", b"1").await.unwrap();
    let mut after = store.find(&run).await.unwrap();
    assert_eq!(after.n_signals, 1);
    after.n_signals = 0;
    assert_eq!(after, before);
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "")]).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::change(1, "")]).await.unwrap();
    assert_eq!(store.signals(&run, 0).await.unwrap(), [signal(1, "a", "1")]);
}

async fn a_signal_wakes_a_run_that_waits_for_it(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let later = clock.now() + Duration::from_secs(60);
    let rest = Rest::paused().until(later).awaits(["a".to_owned(), "b".to_owned()], 0);
    store.rest(&lease, &rest, &[]).await.unwrap();
    store.release(&lease).await.unwrap();
    store.signal(&run, "b", b"").await.unwrap();
    assert_eq!(wake_at(&**store, "run").await, Some(clock.now()));
    let now = clock.now();
    clock.advance(Duration::from_secs(1));
    store.signal(&run, "a", b"").await.unwrap();
    assert_eq!(wake_at(&**store, "run").await, Some(now));
}

async fn another_signal_does_not_wake_it(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let later = clock.now() + Duration::from_secs(60);
    let rest = Rest::paused().until(later).awaits(["a".to_owned()], 0);
    store.rest(&lease, &rest, &[]).await.unwrap();
    store.signal(&run, "b", b"").await.unwrap();
    assert_eq!(wake_at(&**store, "run").await, Some(later));
    store.put(&lease, RunStatus::Running, &[]).await.unwrap();
    store.signal(&run, "a", b"").await.unwrap();
    assert_eq!(wake_at(&**store, "run").await, None);
}

async fn a_signal_that_came_first_wakes_it(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    store.signal(&run, "a", b"").await.unwrap();
    store.signal(&run, "b", b"").await.unwrap();
    store.rest(&lease, &Rest::paused().awaits(["b".to_owned()], 1), &[]).await.unwrap();
    assert_eq!(wake_at(&**store, "run").await, Some(clock.now()));
}

async fn a_signal_that_was_seen_does_not_wake_it(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    store.signal(&run, "a", b"").await.unwrap();
    store.signal(&run, "b", b"").await.unwrap();
    store.rest(&lease, &Rest::paused().awaits(["a".to_owned()], 1), &[]).await.unwrap();
    assert_eq!(wake_at(&**store, "run").await, None);
    store.rest(&lease, &Rest::paused().awaits(["a".to_owned()], 0), &[]).await.unwrap();
    assert!(wake_at(&**store, "run").await.is_some());
}

async fn a_fork_has_the_signals(Setup { store, .. }: &Setup) {
    let (run, fork) = (id("run"), id("fork"));
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "")]).await.unwrap();
    store.signal(&run, "a", b"1").await.unwrap();
    store.fork(&run, 0, &fork).await.unwrap();
    store.signal(&run, "a", b"2").await.unwrap();
    store.signal(&fork, "b", b"3").await.unwrap();
    let expected = [signal(1, "a", "1"), signal(2, "b", "3")];
    assert_eq!(store.signals(&fork, 0).await.unwrap(), expected);
    store.delete(&fork).await.unwrap();
    assert_eq!(store.signals(&run, 0).await.unwrap().len(), 2);
}

async fn an_unknown_run_takes_no_signal(Setup { store, .. }: &Setup) {
    let refused = store.signal(&id("run"), "a", b"").await.unwrap_err();
    assert!(matches!(refused, StoreError::UnknownRun { .. }), "{refused}");
    let refused = store.signals(&id("run"), 0).await.unwrap_err();
    assert!(matches!(refused, StoreError::UnknownRun { .. }), "{refused}");
}

async fn many_send_at_once(Setup { store, .. }: &Setup) {
    let run = id("run");
    store.create(&run, "automa", &claim("me")).await.unwrap();
    let sends = (0..40).map(|n| {
        let (store, run) = (std::sync::Arc::clone(store), run.clone());
        tokio::spawn(async move { store.signal(&run, "a", n.to_string().as_bytes()).await })
    });
    for sent in futures::future::join_all(sends).await {
        sent.unwrap().unwrap();
    }
    let found = store.signals(&run, 0).await.unwrap();
    assert!(found.iter().map(|signal| signal.number).eq(1..=40));
    let mut bodies: Vec<u32> =
        found.iter().map(|s| String::from_utf8(s.body.clone()).unwrap().parse().unwrap()).collect();
    bodies.sort_unstable();
    assert!(bodies.into_iter().eq(0..40));
}
