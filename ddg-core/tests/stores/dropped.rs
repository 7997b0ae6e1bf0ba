//! Every call of a store is dropped after every number of polls: the store goes on to work, and keeps
//! nothing locked.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use ddg_core::checkpoint::{
    CheckpointStore, Claim, Entry, Page, Rest, RunFilter, RunService, RunStatus, StoreError,
    StoredRuns,
};
use ddg_core::prelude::*;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};

use crate::setup::{Setup, id, on_every_store};

on_every_store! {
    every_call_can_be_dropped_at_every_poll,
    every_run_can_be_dropped_at_every_poll,
    every_operation_on_a_run_can_be_dropped_at_every_poll,
    every_answer_can_be_dropped_at_every_poll,
    every_continuation_can_be_dropped_at_every_poll,
}

/// What a future gives within so many polls.
async fn within<T>(mut future: impl Future<Output = T> + Unpin, n_polls: usize) -> Option<T> {
    let mut n = 0;
    poll_fn(|task| {
        if n == n_polls {
            return Poll::Ready(None);
        }
        n += 1;
        future.poll_unpin(task).map(Some)
    })
    .await
}

/// Does something as soon as the run is held by nobody. What was dropped gives it back in the
/// background, after it has taken it perhaps; a cancellation takes it from whoever holds it.
async fn when_free<T>(action: impl AsyncFn() -> Result<T, RunError>) -> Result<T, RunError> {
    let done = async {
        loop {
            match action().await {
                Err(
                    RunError::Store(StoreError::Held { .. } | StoreError::Fenced { .. })
                    | RunError::Cancelled { .. },
                ) => tokio::task::yield_now().await,
                done => return done,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), done).await.expect("it is given back")
}

type Call = for<'a> fn(&'a dyn CheckpointStore, &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

const CALLS: &[(&str, Call)] = &[
    ("create", |store, run| {
        async move { store.create(&id(run), "automa", &Claim::default()).await.map(|_| ()) }.boxed()
    }),
    ("acquire", |store, _| {
        async move { store.acquire(&id("free"), &Claim::default()).await.map(|_| ()) }.boxed()
    }),
    ("put", |store, run| {
        async move {
            let lease = store.create(&id(run), "automa", &Claim::default()).await?;
            store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await?;
            store.renew(&lease).await?;
            store.release(&lease).await
        }
        .boxed()
    }),
    ("read", |store, _| {
        async move {
            store.latest(&id("free")).await?;
            store.at(&id("free"), 0).await?;
            store.steps(&id("free")).await?;
            store.find(&id("free")).await?;
            store.list(&RunFilter::default(), &Page::default()).await.map(|_| ())
        }
        .boxed()
    }),
    ("rest", |store, run| {
        async move {
            let lease = store.create(&id(run), "automa", &Claim::default()).await?;
            let waits = Rest::paused().until(store.now().await?).awaits(["paid".to_owned()], 0);
            store.rest(&lease, &waits, &[Entry::full(0, "zero")]).await
        }
        .boxed()
    }),
    ("signal", |store, _| {
        async move {
            store.signal(&id("free"), "paid", b"1").await?;
            store.signals(&id("free"), 0).await.map(|_| ())
        }
        .boxed()
    }),
    ("fork", |store, run| async move { store.fork(&id("free"), 0, &id(run)).await }.boxed()),
    ("delete", |store, _| {
        async move {
            store.delete_older_than(Duration::from_secs(3600), &RunFilter::default()).await?;
            store.delete(&id("unknown")).await
        }
        .boxed()
    }),
];

async fn every_call_can_be_dropped_at_every_poll(setup: &Setup) {
    let store = &*setup.store;
    let lease = store.create(&id("free"), "automa", &Claim::default()).await.unwrap();
    store.put(&lease, RunStatus::Paused, &[Entry::full(0, "zero")]).await.unwrap();
    for (name, call) in CALLS {
        for n_polls in 0.. {
            // What an acquisition that was dropped has taken belongs to nobody who could release it.
            let taken = store.acquire(&id("free"), &Claim::default().by_force()).await.unwrap();
            store.release(&taken).await.unwrap();
            let done = within(call(store, &format!("{name} {n_polls}")), n_polls).await;
            let latest = store.latest(&id("free")).await.unwrap().unwrap();
            assert_eq!(latest.full, b"zero", "{name} {n_polls}");
            if let Some(done) = done {
                let refused = matches!(done, Err(StoreError::UnknownRun { .. }));
                assert!(done.is_ok() || refused && *name == "delete", "{name}: {done:?}");
                break;
            }
        }
    }
    setup.assert_idle().await;
}

/// Doubles its argument, and adds the answer to a question.
fn asks() -> GraphAutoma {
    let mut automa = GraphAutoma::new("asks");
    let double = async |x: i64| x * 2;
    automa.add_func_as_worker("double", double, start()).unwrap();
    let ask = async |x: i64, cx: Context| -> Result<i64, WorkerError> {
        Ok(x + cx.interact_with_human::<i64>("How many?".to_owned())?)
    };
    automa.add_func_as_worker("ask", ask, after(["double"]).output()).unwrap();
    automa
}

async fn every_run_can_be_dropped_at_every_poll(setup: &Setup) {
    let (store, automa) = (&setup.store, asks());
    let runs = StoredRuns::new(store);
    for n_polls in 0.. {
        let id = format!("run {n_polls}");
        let run = || automa.run(args!(1)).stored_in(store, &id);
        let mut done = within(run().outcome().boxed(), n_polls).await.is_some();
        let outcome = when_free(async || run().outcome().await).await.unwrap();
        assert!(outcome.is_paused());
        let question = outcome.questions().remove(0).id;
        let answered = within(runs.answer(&id, &question, 40_i64).boxed(), n_polls).await;
        done &= answered.is_some();
        if !runs.questions(&id).await.unwrap().is_empty() {
            let answered = when_free(async || runs.answer(&id, &question, 40_i64).await).await;
            // What was dropped may have answered in the meantime.
            assert!(matches!(answered, Ok(()) | Err(RunError::Answer(_))), "{answered:?}");
        }
        done &= within(run().outcome().boxed(), n_polls).await.is_some();
        let output = when_free(async || run().output::<i64>().await).await;
        assert_eq!(output.unwrap(), 42, "{n_polls}");
        if done {
            break;
        }
    }
    setup.assert_idle().await;
}

type Operation = for<'a> fn(&'a StoredRuns, &'a str) -> BoxFuture<'a, Result<(), RunError>>;

/// All that can be done with a paused run, by its id.
const OPERATIONS: &[(&str, Operation)] = &[
    ("record", |runs, run| runs.record(run).map_ok(drop).boxed()),
    ("snapshot", |runs, run| runs.snapshot(run).map_ok(drop).boxed()),
    ("snapshot_at", |runs, run| runs.snapshot_at(run, 1).map_ok(drop).boxed()),
    ("history", |runs, run| runs.history(run).map_ok(drop).boxed()),
    ("questions", |runs, run| runs.questions(run).map_ok(drop).boxed()),
    ("list", |runs, _| async { runs.list(&RunFilter::default()).await.map(drop) }.boxed()),
    ("list_page", |runs, _| {
        async { runs.list_page(&RunFilter::default(), &Page::default()).await.map(drop) }.boxed()
    }),
    ("signal", |runs, run| runs.signal(run, "paid", 1).boxed()),
    ("cancel", |runs, run| runs.cancel(run).map_ok(drop).boxed()),
    ("take_over", |runs, run| runs.take_over(run).boxed()),
    ("edit", |runs, run| runs.edit(run, |_| Ok(())).boxed()),
    ("fork", |runs, run| async move { runs.fork(run, 1, format!("fork of {run}")).await }.boxed()),
    ("delete", |runs, run| runs.delete(run).boxed()),
];

/// Whatever is dropped, the run is free soon, and comes to its right end; unless it was deleted.
async fn every_operation_on_a_run_can_be_dropped_at_every_poll(setup: &Setup) {
    let (store, automa) = (&setup.store, asks());
    let runs = StoredRuns::new(store);
    for (name, operation) in OPERATIONS {
        for n_polls in 0.. {
            let id = format!("{name} {n_polls}");
            let run = || automa.run(args!(1)).stored_in(store, &id);
            let question = run().outcome().await.unwrap().questions().remove(0).id;
            let done = within(operation(&runs, &id), n_polls).await;
            assert!(done.as_ref().is_none_or(Result::is_ok), "{id}: {done:?}");
            let answered = when_free(async || runs.answer(&id, &question, 40_i64).await).await;
            match answered {
                Err(RunError::Store(StoreError::UnknownRun { .. })) if *name == "delete" => {}
                answered => {
                    answered.unwrap();
                    let output = when_free(async || run().output::<i64>().await).await;
                    assert_eq!(output.unwrap(), 42, "{id}");
                }
            }
            if done.is_some() {
                break;
            }
        }
    }
    setup.assert_idle().await;
}

/// An answer counts once, whether the one that was dropped was written or not.
async fn every_answer_can_be_dropped_at_every_poll(setup: &Setup) {
    let (store, automa) = (&setup.store, asks());
    let runs = StoredRuns::new(store);
    for n_polls in 0.. {
        let id = format!("run {n_polls}");
        let run = || automa.run(args!(1)).stored_in(store, &id);
        let question = run().outcome().await.unwrap().questions().remove(0).id;
        let done = within(runs.answer(&id, &question, 40_i64).boxed(), n_polls).await;
        match when_free(async || runs.answer(&id, &question, 40_i64).await).await {
            Ok(()) => assert!(done.is_none(), "{id}: answered twice"),
            Err(RunError::Answer(_)) => {}
            Err(error) => panic!("{id}: {error}"),
        }
        let output = when_free(async || run().output::<i64>().await).await;
        assert_eq!(output.unwrap(), 42, "{id}");
        if let Some(done) = done {
            done.unwrap();
            break;
        }
    }
    setup.assert_idle().await;
}

/// Runs that are added, continued by a service, and signalled by their handle.
async fn every_continuation_can_be_dropped_at_every_poll(setup: &Setup) {
    let (store, automa) = (&setup.store, asks());
    let runs = StoredRuns::new(store);
    for n_polls in 0.. {
        let id = format!("run {n_polls}");
        let run = || automa.run(args!(1)).stored_in(store, &id);
        let mut done = within(run().enqueue().boxed(), n_polls).await.is_some();
        done &= within(runs.resume_all([&automa]).boxed(), n_polls).await.is_some();
        let service = RunService::new(store).automa(automa.clone()).spawn();
        done &= within(service.stop().boxed(), n_polls).await.is_some();
        let handle = automa.run(args!(1)).stored_in(store, format!("handle {n_polls}")).spawn();
        done &= within(handle.signal("paid", 1).boxed(), n_polls).await.is_some();
        drop(handle);
        done &= within(run().simulate(|_| 0).boxed_local(), n_polls).await.is_some();

        let outcome = when_free(async || run().outcome().await).await.unwrap();
        assert!(outcome.is_paused(), "{id}");
        let question = outcome.questions().remove(0).id;
        when_free(async || runs.answer(&id, &question, 40_i64).await).await.unwrap();
        let output = when_free(async || run().output::<i64>().await).await;
        assert_eq!(output.unwrap(), 42, "{id}");
        if done {
            break;
        }
    }
    setup.assert_idle().await;
}

/// A store that was not opened to its end leaves nothing behind that keeps another from opening.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn opening_a_file_can_be_dropped_at_every_poll() {
    use ddg_core::checkpoint::SqliteStore;
    for n_polls in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.db");
        let done = within(SqliteStore::open(&path).boxed(), n_polls).await;
        let store = SqliteStore::open(&path).await.unwrap();
        store.create(&id("run"), "automa", &Claim::default()).await.unwrap();
        if done.is_some() {
            break;
        }
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn connecting_can_be_dropped_at_every_poll() {
    use ddg_core::checkpoint::PostgresStore;
    for n_polls in 0.. {
        let Some(database) = crate::setup::postgres::Database::new().await else { return };
        let done = within(PostgresStore::connect(database.url()).boxed(), n_polls).await;
        let store = PostgresStore::connect(database.url()).await.unwrap();
        store.create(&id("run"), "automa", &Claim::default()).await.unwrap();
        store.close().await;
        let is_done = done.is_some();
        drop(done);
        database.drop().await;
        if is_done {
            break;
        }
    }
}
