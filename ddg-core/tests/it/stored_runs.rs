//! Stored runs are read without a lease, and ended ones are never written.

use ddg_core::checkpoint::{
    CheckpointStore, Claim, MemoryStore, Owner, RunFilter, RunId, RunStatus, StoreError, StoredRuns,
};
use ddg_core::prelude::*;

use crate::gated_store::GatedStore;

/// Asks how many, and gives twice that.
fn asking() -> GraphAutoma {
    let mut automa = GraphAutoma::new("asking");
    let ask = async |cx: Context| cx.interact_with_human::<i64>("how many?".to_owned());
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    automa.add_func_as_worker("twice", async |n: i64| n * 2, after(["ask"]).output()).unwrap();
    automa
}

fn somebody() -> Claim {
    Claim::new(Owner::named("somebody"), Claim::default().ttl)
}

/// [X14]
#[tokio::test]
async fn a_held_run_can_be_read_and_not_written() {
    let (automa, store) = (asking(), MemoryStore::new());
    automa.run(()).stored_in(&store, "a").await.unwrap();
    let id = RunId::new("a").unwrap();
    let lease = store.acquire(&id, &somebody()).await.unwrap();

    let runs = StoredRuns::new(&store);
    let question = runs.questions("a").await.unwrap().remove(0);
    assert_eq!(runs.snapshot("a").await.unwrap().questions().len(), 1);
    assert_eq!(runs.snapshot_at("a", 0).await.unwrap().step(), 0);
    assert_eq!(
        runs.history("a").await.unwrap().len(),
        1 + runs.snapshot("a").await.unwrap().step() as usize
    );
    assert_eq!(runs.list(&RunFilter::default()).await.unwrap().len(), 1);

    let refused = runs.answer("a", &question.id, 3_i64).await.unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::Held { .. })), "{refused}");
    let refused = runs.delete("a").await.unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::Held { .. })), "{refused}");

    store.release(&lease).await.unwrap();
    runs.answer("a", &question.id, 3_i64).await.unwrap();
    assert_eq!(runs.questions("a").await.unwrap().len(), 0);
    assert_eq!(automa.run(()).stored_in(&store, "a").output::<i64>().await.unwrap(), 6);
    runs.delete("a").await.unwrap();
    let gone = runs.questions("a").await.unwrap_err();
    assert!(matches!(gone, RunError::Store(StoreError::UnknownRun { .. })), "{gone}");
}

/// [X5] [X14]
#[tokio::test]
async fn an_ended_run_is_read_while_its_lease_is_held() {
    let mut automa = GraphAutoma::new("double");
    automa.add_func_as_worker("double", async |x: i64| x * 2, start().output()).unwrap();
    automa.keep_local_spaces();
    let store = GatedStore::open_for(100);
    let first: i64 = automa.run(args!(4)).stored_in(&store, "a").output().await.unwrap();
    _ = store.puts();
    let id = RunId::new("a").unwrap();
    store.acquire(&id, &somebody()).await.unwrap();
    let token = store.record("a").await.holder;

    let again = automa.run(args!(5)).stored_in(&store, "a").await.unwrap();
    assert_eq!((again.steps(), again.stopped(), again.is_paused()), (1, false, false));
    assert_eq!((first, again.into_output::<i64>().unwrap()), (8, 8));
    let handle = automa.run(()).stored_in(&store, "a").spawn();
    assert_eq!(handle.output::<i64>().await.unwrap(), 8);
    assert_eq!(store.puts(), [""; 0]);
    assert_eq!(store.record("a").await.holder, token);
}

/// A run that has ended does not bring back the local spaces that it has left then.
#[tokio::test]
async fn reading_an_ended_run_does_not_change_the_local_spaces_that_are_kept() {
    let mut automa = GraphAutoma::new("visits");
    let count = async |cx: Context| {
        cx.local().update("n", |n: &mut u32| {
            *n += 1;
            *n
        })
    };
    automa.add_func_as_worker("count", count, start().output()).unwrap();
    automa.keep_local_spaces();
    let store = MemoryStore::new();
    assert_eq!(automa.run(()).stored_in(&store, "a").output::<u32>().await.unwrap(), 1);
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2);
    assert_eq!(automa.run(()).stored_in(&store, "a").output::<u32>().await.unwrap(), 1);
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 3);
}

/// [X14] More than a page of them.
#[tokio::test]
async fn all_runs_are_listed() {
    let store = MemoryStore::new();
    for n in 0..250 {
        let id = RunId::new(format!("run-{n}")).unwrap();
        let lease = store.create(&id, "many", &Claim::default()).await.unwrap();
        let status = if n % 50 == 0 { RunStatus::Paused } else { RunStatus::Running };
        store.put(&lease, status, &[ddg_core::checkpoint::Entry::full(0, "{}")]).await.unwrap();
    }
    let runs = StoredRuns::new(&store).claim(somebody());
    assert_eq!(runs.list(&RunFilter::default()).await.unwrap().len(), 250);
    let paused = RunFilter::default().status(RunStatus::Paused);
    assert_eq!(runs.list(&paused).await.unwrap().len(), 5);
}
