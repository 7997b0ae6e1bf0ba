//! Every store answers random calls in random order as the one in memory does.
#![cfg(any(feature = "sqlite", feature = "postgres"))]

use std::fmt::Write;
use std::time::Duration;

use ddg_core::checkpoint::{
    CheckpointStore, Entry, EntryKind, Lease, Page, RunFilter, RunStatus, StoreError,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::setup::{Setup, TTL, claim, id};

const RUNS: [&str; 3] = ["a", "b", "c"];
const OWNERS: [&str; 2] = ["ann", "bob"];
const STEPS: u64 = 6;

/// Something asked of a store; runs and owners by number.
#[derive(Clone, Debug)]
enum Request {
    Create { run: usize, owner: usize },
    Acquire { run: usize, owner: usize },
    Renew { run: usize, owner: usize },
    Release { run: usize, owner: usize },
    Put { run: usize, owner: usize, status: RunStatus, entries: Vec<Entry> },
    Fork { run: usize, step: u64, fork: usize },
    Delete { run: usize },
    DeleteOld { age: Duration, status: Option<RunStatus> },
    Wait(Duration),
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let (run, owner) = (0..RUNS.len(), 0..OWNERS.len());
    let who = (run.clone(), owner);
    let status = prop_oneof![
        Just(RunStatus::Running),
        Just(RunStatus::Paused),
        Just(RunStatus::Finished),
        Just(RunStatus::Failed)
    ];
    let kind = prop_oneof![
        2 => Just(EntryKind::Full),
        4 => Just(EntryKind::Change),
        3 => (0..3_u64).prop_map(|kickoff| EntryKind::Result { kickoff }),
    ];
    let body = proptest::collection::vec(any::<u8>(), 0..4);
    let entry = (0..STEPS, kind, body).prop_map(|(step, kind, body)| Entry::new(step, kind, body));
    // Sorted, since few others pass the rules.
    let entries = proptest::collection::vec(entry, 0..4).prop_map(|mut entries| {
        entries.sort_by_key(|entry| entry.step);
        entries
    });
    let time = prop_oneof![Just(Duration::ZERO), Just(TTL / 2), Just(TTL)];
    let request = prop_oneof![
        3 => who.clone().prop_map(|(run, owner)| Request::Create { run, owner }),
        3 => who.clone().prop_map(|(run, owner)| Request::Acquire { run, owner }),
        1 => who.clone().prop_map(|(run, owner)| Request::Renew { run, owner }),
        2 => who.clone().prop_map(|(run, owner)| Request::Release { run, owner }),
        12 => (who, status.clone(), entries).prop_map(|((run, owner), status, entries)| {
            Request::Put { run, owner, status, entries }
        }),
        3 => (run.clone(), 0..STEPS, run.clone())
            .prop_map(|(run, step, fork)| Request::Fork { run, step, fork }),
        1 => run.prop_map(|run| Request::Delete { run }),
        1 => (time.clone(), proptest::option::of(status))
            .prop_map(|(age, status)| Request::DeleteOld { age, status }),
        2 => time.prop_map(Request::Wait),
    ];
    proptest::collection::vec(request, 1..40)
}

/// Who has which lease, whether it is still good or not.
#[derive(Default)]
struct Leases([[Option<Lease>; OWNERS.len()]; RUNS.len()]);

/// Asks, and tells the answer.
async fn ask(setup: &Setup, leases: &mut Leases, request: &Request) -> String {
    let Setup { store, clock, .. } = setup;
    let id = |run: usize| id(RUNS[run]);
    let told = |answer: Result<(), StoreError>| match answer {
        Ok(()) => "done".to_owned(),
        Err(refusal) => refusal.to_string(),
    };
    match request.clone() {
        Request::Create { run, owner } => {
            let got = store.create(&id(run), "automa", &claim(OWNERS[owner])).await;
            told(got.map(|lease| leases.0[run][owner] = Some(lease)))
        }
        Request::Acquire { run, owner } => {
            let got = store.acquire(&id(run), &claim(OWNERS[owner])).await;
            told(got.map(|lease| leases.0[run][owner] = Some(lease)))
        }
        Request::Renew { run, owner } => match &leases.0[run][owner] {
            Some(lease) => told(store.renew(lease).await),
            None => String::new(),
        },
        Request::Release { run, owner } => match &leases.0[run][owner] {
            Some(lease) => told(store.release(lease).await),
            None => String::new(),
        },
        Request::Put { run, owner, status, entries } => match &leases.0[run][owner] {
            Some(lease) => told(store.put(lease, status, &entries).await),
            None => String::new(),
        },
        Request::Fork { run, step, fork } => told(store.fork(&id(run), step, &id(fork)).await),
        Request::Delete { run } => told(store.delete(&id(run)).await),
        Request::DeleteOld { age, status } => {
            let mut filter = RunFilter::default();
            filter.status = status;
            store.delete_older_than(age, &filter).await.unwrap().to_string()
        }
        Request::Wait(time) => {
            clock.advance(time);
            String::new()
        }
    }
}

/// What can be seen of a store at first sight.
async fn seen(store: &dyn CheckpointStore) -> String {
    let mut seen = String::new();
    for record in store.list(&RunFilter::default(), &Page::default()).await.unwrap() {
        let latest = store.latest(&record.run).await.unwrap();
        writeln!(seen, "{record:?} {latest:?}").unwrap();
    }
    seen
}

/// All that can be seen of a store's past.
async fn seen_of_old(store: &dyn CheckpointStore) -> String {
    let mut seen = String::new();
    for run in RUNS.map(id) {
        writeln!(seen, "{:?}", store.steps(&run).await.ok()).unwrap();
        for step in 0..STEPS {
            let run = &run;
            match store.at(run, step).await {
                Ok(found) => writeln!(seen, "{found:?}").unwrap(),
                Err(refusal) => writeln!(seen, "{refusal}").unwrap(),
            }
        }
    }
    seen
}

/// Empties a store.
async fn clear(Setup { store, clock, .. }: &Setup) {
    clock.advance(TTL);
    store.delete_older_than(Duration::ZERO, &RunFilter::default()).await.unwrap();
}

/// Puts the same requests to a store and to one in memory.
async fn compare(
    setup: &Setup,
    reference: &Setup,
    requests: &[Request],
) -> Result<(), TestCaseError> {
    clear(reference).await;
    clear(setup).await;
    let mut reference_leases = Leases::default();
    let mut leases = Leases::default();
    for request in requests {
        let expected = ask(reference, &mut reference_leases, request).await;
        prop_assert_eq!(ask(setup, &mut leases, request).await, expected, "{:?}", request);
        let expected = seen(&*reference.store).await;
        prop_assert_eq!(seen(&*setup.store).await, expected, "after {:?}", request);
    }
    let expected = seen_of_old(&*reference.store).await;
    prop_assert_eq!(seen_of_old(&*setup.store).await, expected);
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn check(runtime: &tokio::runtime::Runtime, setup: &Setup) {
    let reference = runtime.block_on(Setup::memory());
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let compare = |requests: Vec<_>| runtime.block_on(compare(setup, &reference, &requests));
    TestRunner::new(config).run(&requests(), compare).unwrap();
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_is_as_memory() {
    let runtime = runtime();
    check(&runtime, &runtime.block_on(Setup::sqlite()));
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_is_as_memory() {
    let runtime = runtime();
    let Some(setup) = runtime.block_on(Setup::postgres()) else { return };
    check(&runtime, &setup);
    runtime.block_on(setup.clear());
}
