//! A durable run is prepared, subscribed to, started, cancelled and dropped like any other, and
//! releases its lease.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use ddg_core::checkpoint::{CheckpointStore, RunId, RunStatus, StoreError};
use ddg_core::event::{EventFilter, EventKind, EventStream};
use ddg_core::prelude::*;
use expect_test::expect;
use tokio::sync::Notify;

use crate::gated_store::GatedStore;

const PLENTY: usize = 1_000;

/// `first` returns its argument; `second` waits for the gate, and adds one.
fn two_steps() -> (GraphAutoma, Arc<Notify>) {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let mut automa = GraphAutoma::new("two");
    automa.add_func_as_worker("first", async |x: i64| x, start()).unwrap();
    let second = move |x: i64| {
        let opened = Arc::clone(&opened);
        async move {
            opened.notified().await;
            x + 1
        }
    };
    automa.add_func_as_worker("second", second, after(["first"]).output()).unwrap();
    (automa, gate)
}

/// Waits for the event that `wanted` is looking for.
async fn wait_for(events: &mut EventStream, wanted: impl Fn(&EventKind) -> bool) {
    while let Some(event) = events.next().await {
        if wanted(&event.unwrap().kind) {
            return;
        }
    }
    panic!("it never came");
}

async fn all(mut events: EventStream) -> String {
    let mut lines = String::new();
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        lines += &format!("{}: {}\n", event.step, event.kind);
    }
    lines
}

/// Waits until nobody holds the run.
async fn until_free(store: &GatedStore) {
    while store.record("a").await.holder.is_some() {
        tokio::task::yield_now().await;
    }
}

/// [X7]
#[tokio::test]
async fn a_stored_run_has_events_from_its_start_and_when_it_resumes() {
    let (automa, gate) = two_steps();
    let store = GatedStore::open_for(PLENTY);
    let prepared = automa.run(args!(1)).stored_in(&store, "a");
    let mut events = prepared.events(EventFilter::all());
    let run = prepared.spawn();
    wait_for(&mut events, |kind| matches!(kind, EventKind::StepSettled { .. })).await;
    run.cancel();
    wait_for(&mut events, |kind| matches!(kind, EventKind::RunCancelled)).await;
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));

    gate.notify_one();
    let prepared = automa.run(()).stored_in(&store, "a");
    let events = prepared.events(EventFilter::all());
    assert_eq!(prepared.output::<i64>().await.unwrap(), 2);
    expect![[r#"
        0: run of `two` started
        2: started: `second` (dependencies)
        2: `second` started
        2: `second` finished: 2
        2: settled: `second`: 2
        2: run finished: 2
    "#]]
    .assert_eq(&all(events).await);

    // It has ended: there is nothing to see.
    let prepared = automa.run(()).stored_in(&store, "a");
    let events = prepared.events(EventFilter::all());
    assert_eq!(prepared.spawn().output::<i64>().await.unwrap(), 2);
    expect![[r#"
        0: run of `two` started
        2: run finished: 2
    "#]]
    .assert_eq(&all(events).await);
}

/// [X7]
#[tokio::test]
async fn its_end_is_published_when_it_is_written() {
    let (automa, gate) = two_steps();
    gate.notify_one();
    // Its beginning and two steps; the end waits.
    let store = GatedStore::open_for(3);
    let prepared = automa.run(args!(1)).stored_in(&store, "a");
    let mut events = prepared.events(EventFilter::all());
    let run = prepared.spawn();
    wait_for(&mut events, |kind| matches!(kind, EventKind::StepSettled { .. })).await;
    wait_for(&mut events, |kind| matches!(kind, EventKind::StepSettled { .. })).await;
    while store.puts().last().map(String::as_str) != Some("finished: ") {
        tokio::task::yield_now().await;
    }
    assert!(futures::poll!(std::pin::pin!(events.next())).is_pending());

    store.let_through(1);
    wait_for(&mut events, |kind| matches!(kind, EventKind::RunFinished { .. })).await;
    let record = store.record("a").await;
    assert_eq!((record.status, record.holder), (RunStatus::Finished, None));
    assert_eq!(run.output::<i64>().await.unwrap(), 2);
}

/// [X7] What cannot be written is a failure, also to those who watch.
#[tokio::test]
async fn an_end_that_cannot_be_written_is_published_as_a_failure() {
    let (automa, gate) = two_steps();
    gate.notify_one();
    let store = GatedStore::open_for(3);
    let prepared = automa.run(args!(1)).stored_in(&store, "a");
    let events = prepared.events(EventFilter::all());
    let run = prepared.spawn();
    while store.puts().last().map(String::as_str) != Some("finished: ") {
        tokio::task::yield_now().await;
    }
    store.steal("a").await;
    store.let_through(PLENTY);
    let error = run.await.unwrap_err();
    assert!(matches!(error, RunError::Store(StoreError::Fenced { .. })), "{error}");
    let told = all(events).await;
    assert!(told.ends_with(&format!("2: run failed: {error}\n")), "{told}");
}

/// [X8]
#[tokio::test]
async fn dropped_before_it_has_begun_it_is_not_in_the_store() {
    let (automa, gate) = two_steps();
    let store = GatedStore::open_for(PLENTY);
    let prepared = automa.run(args!(1)).stored_in(&store, "a");
    let mut events = prepared.events(EventFilter::all());
    drop(prepared);
    assert!(events.next().await.is_none());
    let unknown = store.find(&RunId::new("a").unwrap()).await.unwrap_err();
    assert!(matches!(unknown, StoreError::UnknownRun { .. }), "{unknown}");
    // So the next one's arguments count.
    gate.notify_one();
    let run = automa.run(args!(2)).stored_in(&store, "a");
    assert_eq!(run.output::<i64>().await.unwrap(), 3);
}

/// [X8] [X2] What is asked of a run before its store has given it is not forgotten.
#[tokio::test]
async fn a_run_cancelled_before_the_store_has_returned_it_is_not_added() {
    let (automa, gate) = two_steps();
    let store = GatedStore::open_for(PLENTY);
    let run = automa.run(args!(1)).stored_in(&store, "a").spawn();
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
    assert_eq!(store.puts(), [""; 0]);
    let unknown = store.find(&RunId::new("a").unwrap()).await.unwrap_err();
    assert!(matches!(unknown, StoreError::UnknownRun { .. }), "{unknown}");
    gate.notify_one();
    let run = automa.run(args!(2)).stored_in(&store, "a");
    assert_eq!(run.output::<i64>().await.unwrap(), 3);
}

/// [X3] [X7]
#[tokio::test]
async fn stopped_and_watched_before_the_store_has_given_it() {
    let (automa, _) = two_steps();
    let store = GatedStore::open_for(PLENTY);
    let run = automa.run(args!(1)).stored_in(&store, "a").spawn();
    let events = run.events(EventFilter::all());
    run.stop();
    assert!(run.await.unwrap().stopped());
    assert_eq!(store.record("a").await.status, RunStatus::Paused);
    expect![[r#"
        0: run of `two` started
        0: run stopped: null
    "#]]
    .assert_eq(&all(events).await);
}

/// [X8] [X2]
#[tokio::test]
async fn a_cancelled_run_is_released_before_it_ends() {
    let (automa, gate) = two_steps();
    let store = GatedStore::open_for(PLENTY);
    let prepared = automa.run(args!(1)).stored_in(&store, "a");
    let mut events = prepared.events(EventFilter::all());
    let run = prepared.spawn();
    wait_for(
        &mut events,
        |kind| matches!(kind, EventKind::WorkerStarted { worker, .. } if worker == "second"),
    )
    .await;
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
    let record = store.record("a").await;
    assert_eq!((record.status, record.step), (RunStatus::Cancelled, Some(1)));

    gate.notify_one();
    assert_eq!(
        automa.run(()).stored_in(&store, "a").await.unwrap().into_output::<i64>().unwrap(),
        2
    );
}

/// [X8]
#[tokio::test]
async fn a_dropped_run_is_released_in_the_background() {
    let (automa, gate) = two_steps();
    let store = GatedStore::open_for(PLENTY);
    {
        let running = automa.run(args!(1)).stored_in(&store, "a").outcome();
        let mut running = std::pin::pin!(running);
        poll_fn(|task| {
            assert!(running.as_mut().poll(task).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(store.record("a").await.holder.is_some());
    }
    until_free(&store).await;
    gate.notify_one();
    assert_eq!(
        automa.run(()).stored_in(&store, "a").await.unwrap().into_output::<i64>().unwrap(),
        2
    );
}

/// [X5]
#[tokio::test]
async fn a_run_that_cannot_begin_is_not_in_the_store() {
    let (automa, _) = two_steps();
    let store = GatedStore::open_for(PLENTY);
    let error = automa.run(args!(typo = 1)).stored_in(&store, "a").await.unwrap_err();
    assert!(matches!(error, RunError::UnknownInput { .. }), "{error}");
    let unknown = store.find(&RunId::new("a").unwrap()).await.unwrap_err();
    assert!(matches!(unknown, StoreError::UnknownRun { .. }), "{unknown}");
}

/// [X6] A state of another automa is refused, and the run is released.
#[tokio::test]
async fn a_run_of_another_automa_is_refused_and_released() {
    let (automa, gate) = two_steps();
    gate.notify_one();
    let store = GatedStore::open_for(PLENTY);
    automa.run(args!(1)).stored_in(&store, "a").await.unwrap();
    let other = GraphAutoma::new("other");
    let error = other.run(()).stored_in(&store, "a").await.unwrap_err();
    expect![
        "this is automa `other`, but the snapshot is of a run of `two`: resume it with that one"
    ]
    .assert_eq(&error.to_string());
    assert_eq!(store.record("a").await.holder, None);
}
