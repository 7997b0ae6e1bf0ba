//! A store keeps how a run rests: what it waits for, why it has failed, how often it was attempted.

use std::time::Duration;

use ddg_core::checkpoint::{
    CheckpointStore, Entry, Page, Rest, RunFilter, RunRecord, RunStatus, StoreError,
};

use crate::setup::{Setup, TTL, claim, id, on_every_store};

on_every_store! {
    a_paused_run_has_a_time_to_wake,
    a_run_that_runs_again_waits_for_nothing,
    why_a_run_has_failed,
    a_rest_obeys_the_lease_and_the_rules,
    the_runs_that_are_due,
    left_runs_and_held_ones,
    due_runs_are_paged_from_the_oldest,
    attempts_without_progress_are_counted,
    a_run_inside_another_is_never_due,
    a_released_lease_is_no_failed_attempt,
}

const HOUR: Duration = Duration::from_secs(3600);

async fn found(store: &dyn CheckpointStore, run: &str) -> RunRecord {
    store.find(&id(run)).await.unwrap()
}

async fn listed(store: &dyn CheckpointStore, filter: &RunFilter) -> Vec<String> {
    let page = Page::default().oldest_first();
    let found = store.list(filter, &page).await.unwrap();
    found.into_iter().map(|record| record.run.to_string()).collect()
}

async fn a_paused_run_has_a_time_to_wake(Setup { store, clock, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    let wake_at = clock.now() + HOUR;
    let rest = Rest::paused().until(wake_at).awaits(["paid".to_owned(), "ünpaid\n".to_owned()], 0);
    store.rest(&lease, &rest, &[Entry::full(3, "three")]).await.unwrap();
    let record = found(&**store, "run").await;
    assert_eq!(record.status, RunStatus::Paused);
    assert_eq!((record.wake_at, record.step), (Some(wake_at), Some(3)));
    assert_eq!(record.awaits, ["paid", "ünpaid\n"]);
    assert_eq!(store.latest(&id("run")).await.unwrap().unwrap().full, b"three");
}

async fn a_run_that_runs_again_waits_for_nothing(Setup { store, clock, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    let rest = Rest::paused().until(clock.now()).awaits(["paid".to_owned()], 0);
    store.rest(&lease, &rest, &[Entry::full(0, "")]).await.unwrap();
    for status in [RunStatus::Running, RunStatus::Paused, RunStatus::Finished] {
        store.put(&lease, status, &[]).await.unwrap();
        let record = found(&**store, "run").await;
        assert_eq!((record.status, record.wake_at), (status, None));
        assert_eq!(record.awaits, [""; 0]);
    }
}

async fn why_a_run_has_failed(Setup { store, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    store.rest(&lease, &Rest::failed("it `fell` over"), &[]).await.unwrap();
    let record = found(&**store, "run").await;
    assert_eq!(record.status, RunStatus::Failed);
    assert_eq!(record.reason.as_deref(), Some("it `fell` over"));
    store.put(&lease, RunStatus::Running, &[]).await.unwrap();
    assert_eq!(found(&**store, "run").await.reason, None);
}

async fn a_rest_obeys_the_lease_and_the_rules(Setup { store, clock, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("ann")).await.unwrap();
    let refused = store.rest(&lease, &Rest::paused(), &[Entry::change(1, "")]).await.unwrap_err();
    assert!(matches!(refused, StoreError::OutOfOrder { .. }), "{refused}");
    clock.advance(TTL);
    store.acquire(&id("run"), &claim("bob")).await.unwrap();
    let before = found(&**store, "run").await;
    let refused = store.rest(&lease, &Rest::paused(), &[]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    assert_eq!(found(&**store, "run").await, before);
}

async fn the_runs_that_are_due(Setup { store, clock, .. }: &Setup) {
    for (run, rest) in [
        ("soon", Rest::paused().until(clock.now() + HOUR)),
        ("late", Rest::paused().until(clock.now() + 2 * HOUR)),
        ("asks", Rest::paused()),
        ("left", Rest::new(RunStatus::Running)),
        ("ended", Rest::new(RunStatus::Finished)),
        ("failed", Rest::failed("no")),
        ("cancelled", Rest::new(RunStatus::Cancelled)),
    ] {
        let lease = store.create(&id(run), "automa", &claim("me")).await.unwrap();
        store.rest(&lease, &rest, &[]).await.unwrap();
        store.release(&lease).await.unwrap();
        clock.advance(Duration::from_millis(1));
    }
    let due = RunFilter::default().due();
    assert_eq!(listed(&**store, &due).await, ["left"]);
    clock.advance(HOUR - Duration::from_millis(8));
    assert_eq!(listed(&**store, &due).await, ["left"]);
    clock.advance(Duration::from_millis(1));
    assert_eq!(listed(&**store, &due).await, ["soon", "left"]);
    clock.advance(HOUR);
    assert_eq!(listed(&**store, &due).await, ["soon", "late", "left"]);
    assert_eq!(listed(&**store, &due.clone().status(RunStatus::Paused)).await, ["soon", "late"]);
    assert_eq!(listed(&**store, &due.automa("other")).await, [""; 0]);
}

async fn left_runs_and_held_ones(Setup { store, clock, .. }: &Setup) {
    for run in ["held", "released", "expired"] {
        let lease = store.create(&id(run), "automa", &claim("me")).await.unwrap();
        match run {
            "released" => store.release(&lease).await.unwrap(),
            "held" => clock.advance(Duration::from_millis(1)),
            _ => {}
        }
    }
    assert_eq!(listed(&**store, &RunFilter::left()).await, ["released"]);
    clock.advance(TTL);
    let held = store.acquire(&id("held"), &claim("you")).await.unwrap();
    assert_eq!(listed(&**store, &RunFilter::left()).await, ["expired", "released"]);
    assert_eq!(listed(&**store, &RunFilter::default().due()).await, ["expired", "released"]);
    store.put(&held, RunStatus::Cancelled, &[]).await.unwrap();
    store.release(&held).await.unwrap();
    assert_eq!(listed(&**store, &RunFilter::left()).await, ["expired", "released"]);
    assert_eq!(listed(&**store, &RunFilter::default().unheld()).await.len(), 3);
}

async fn due_runs_are_paged_from_the_oldest(Setup { store, clock, .. }: &Setup) {
    for n in 0..20 {
        let lease =
            store.create(&id(&format!("run {n:02}")), "automa", &claim("me")).await.unwrap();
        // Every third is held.
        if n % 3 > 0 {
            store.release(&lease).await.unwrap();
        }
        if n % 5 == 0 {
            clock.advance(Duration::from_millis(1));
        }
    }
    let mut page = Page::first(3).oldest_first();
    let mut found = Vec::new();
    loop {
        let now = store.list(&RunFilter::default().due(), &page).await.unwrap();
        let Some(last) = now.last() else { break };
        assert!(now.len() <= 3);
        page = page.next(last);
        found.extend(now.iter().map(|record| record.run.to_string()));
    }
    let expected: Vec<_> = (0..20).filter(|n| n % 3 > 0).map(|n| format!("run {n:02}")).collect();
    assert_eq!(found, expected);
}

async fn attempts_without_progress_are_counted(Setup { store, clock, .. }: &Setup) {
    let mut lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    assert_eq!(lease.attempts, 0);
    for n in 1..=3 {
        store.put(&lease, RunStatus::Running, &[]).await.unwrap();
        clock.advance(TTL);
        lease = store.acquire(&id("run"), &claim("me")).await.unwrap();
        assert_eq!((lease.attempts, found(&**store, "run").await.attempts), (n, n));
    }
    store.renew(&lease).await.unwrap();
    assert_eq!(found(&**store, "run").await.attempts, 3);
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
    assert_eq!(found(&**store, "run").await.attempts, 0);
    clock.advance(TTL);
    lease = store.acquire(&id("run"), &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::change(1, "+1")]).await.unwrap();
    assert_eq!(found(&**store, "run").await.attempts, 0);
    clock.advance(TTL);
    lease = store.acquire(&id("run"), &claim("me")).await.unwrap();
    store.rest(&lease, &Rest::failed("enough"), &[]).await.unwrap();
    assert_eq!(found(&**store, "run").await.attempts, 0);
}

async fn a_run_inside_another_is_never_due(Setup { store, clock, .. }: &Setup) {
    let mut lease = store.create(&id("outer/inner"), "automa", &claim("me").inner()).await.unwrap();
    let due = RunFilter::default().due();
    let rests = [
        Rest::new(RunStatus::Running),
        Rest::paused().until(clock.now()),
        Rest::new(RunStatus::Running),
        Rest::paused().awaits(["a".to_owned()], 0),
    ];
    for rest in rests {
        store.rest(&lease, &rest, &[]).await.unwrap();
        store.release(&lease).await.unwrap();
        store.signal(&id("outer/inner"), "a", b"").await.unwrap();
        assert_eq!(listed(&**store, &due).await, [""; 0]);
        assert!(found(&**store, "outer/inner").await.inner);
        lease = store.acquire(&id("outer/inner"), &claim("me")).await.unwrap();
    }
}

async fn a_released_lease_is_no_failed_attempt(Setup { store, clock, .. }: &Setup) {
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    clock.advance(TTL);
    store.acquire(&id("run"), &claim("me")).await.unwrap();
    store.release(&lease).await.unwrap();
    assert_eq!(found(&**store, "run").await.attempts, 1);
    let lease = store.acquire(&id("run"), &claim("me").by_force()).await.unwrap();
    assert_eq!(lease.attempts, 2);
    store.release(&lease).await.unwrap();
    assert_eq!(store.acquire(&id("run"), &claim("me")).await.unwrap().attempts, 2);
}
