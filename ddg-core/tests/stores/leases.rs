//! Only the holder of a run's lease can write to it, until the lease is released or expires or its
//! process ends.

use std::time::Duration;

use ddg_core::checkpoint::{Claim, Entry, Holder, Owner, RunStatus, StoreError};
use expect_test::expect;

use crate::setup::{Setup, TTL, claim, id, on_every_store};

on_every_store! {
    a_run_is_held_by_who_created_it,
    a_run_is_held_against_the_same_process_too,
    an_expired_lease_can_be_taken,
    who_has_lost_a_run_is_refused,
    an_expired_lease_is_valid_until_it_is_taken,
    renewing_and_putting_make_a_lease_last,
    a_released_run_is_free,
    releasing_what_is_lost_does_nothing,
    tokens_grow,
    a_lease_for_ever,
    an_id_is_taken_once,
    a_run_is_cancelled_as_it_is_taken,
}

const BRIEF: Duration = Duration::from_millis(1);

async fn a_run_is_held_by_who_created_it(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    store.create(&run, "automa", &claim("ann")).await.unwrap();
    clock.advance(Duration::from_millis(400));
    let refused = store.acquire(&run, &claim("bob")).await.unwrap_err();
    expect![[r#"run `run` is held by ann for another 29.6s: wait until its lease expires, stop it there, or continue with a fork of the run"#]]
    .assert_eq(&refused.to_string());
    let until = clock.now() + TTL - Duration::from_millis(400);
    let holder = Holder::new(Owner::named("ann"), until);
    assert_eq!(store.find(&run).await.unwrap().holder, Some(holder));
}

async fn a_run_is_held_against_the_same_process_too(Setup { store, .. }: &Setup) {
    let run = id("run");
    store.create(&run, "automa", &Claim::default()).await.unwrap();
    let refused = store.acquire(&run, &Claim::default()).await.unwrap_err();
    let StoreError::Held { owner, .. } = refused else { panic!("{refused}") };
    assert_eq!(owner, Owner::this_process());
}

async fn an_expired_lease_can_be_taken(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    store.create(&run, "automa", &claim("ann")).await.unwrap();
    clock.advance(TTL - BRIEF);
    let refused = store.acquire(&run, &claim("bob")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    clock.advance(BRIEF);
    assert_eq!(store.find(&run).await.unwrap().holder, None);
    store.acquire(&run, &claim("bob")).await.unwrap();
    let holder = store.find(&run).await.unwrap().holder.unwrap();
    assert_eq!(holder.owner, Owner::named("bob"));
}

async fn who_has_lost_a_run_is_refused(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let ann = store.create(&run, "automa", &claim("ann")).await.unwrap();
    store.put(&ann, RunStatus::Running, &[Entry::full(0, "ann's")]).await.unwrap();
    clock.advance(TTL);
    let bob = store.acquire(&run, &claim("bob")).await.unwrap();
    store.put(&bob, RunStatus::Running, &[Entry::change(1, "bob's")]).await.unwrap();
    let before = (store.find(&run).await.unwrap(), store.latest(&run).await.unwrap());

    clock.advance(BRIEF);
    let late = [Entry::change(2, "ann's")];
    let refused = store.put(&ann, RunStatus::Finished, &late).await.unwrap_err();
    expect![[r#"run `run` is no longer held by this lease, bob has taken it: stop here, because what this process has not written is lost"#]]
    .assert_eq(&refused.to_string());
    let refused = store.renew(&ann).await.unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    assert_eq!((store.find(&run).await.unwrap(), store.latest(&run).await.unwrap()), before);
}

async fn an_expired_lease_is_valid_until_it_is_taken(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let ann = store.create(&run, "automa", &claim("ann")).await.unwrap();
    clock.advance(TTL * 2);
    store.put(&ann, RunStatus::Running, &[Entry::full(0, "")]).await.unwrap();
    clock.advance(TTL * 2);
    store.renew(&ann).await.unwrap();
    let refused = store.acquire(&run, &claim("bob")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
}

async fn renewing_and_putting_make_a_lease_last(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let ann = store.create(&run, "automa", &claim("ann")).await.unwrap();
    for _ in 0..3 {
        clock.advance(TTL - BRIEF);
        store.renew(&ann).await.unwrap();
        clock.advance(TTL - BRIEF);
        store.put(&ann, RunStatus::Running, &[]).await.unwrap();
    }
    clock.advance(TTL - BRIEF);
    let refused = store.acquire(&run, &claim("bob")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    clock.advance(BRIEF);
    store.acquire(&run, &claim("bob")).await.unwrap();
}

async fn a_released_run_is_free(Setup { store, .. }: &Setup) {
    let run = id("run");
    let ann = store.create(&run, "automa", &claim("ann")).await.unwrap();
    store.release(&ann).await.unwrap();
    assert_eq!(store.find(&run).await.unwrap().holder, None);
    let refused = store.put(&ann, RunStatus::Running, &[]).await.unwrap_err();
    expect![[r#"run `run` is no longer held by this lease, it has been released: stop here, because what this process has not written is lost"#]]
    .assert_eq(&refused.to_string());
    store.acquire(&run, &claim("bob")).await.unwrap();
}

async fn releasing_what_is_lost_does_nothing(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let ann = store.create(&run, "automa", &claim("ann")).await.unwrap();
    clock.advance(TTL);
    let bob = store.acquire(&run, &claim("bob")).await.unwrap();
    store.release(&ann).await.unwrap();
    store.put(&bob, RunStatus::Running, &[]).await.unwrap();
    let refused = store.acquire(&run, &claim("ann")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
}

async fn tokens_grow(Setup { store, .. }: &Setup) {
    let run = id("run");
    let mut lease = store.create(&run, "automa", &claim("ann")).await.unwrap();
    for _ in 0..3 {
        store.release(&lease).await.unwrap();
        let next = store.acquire(&run, &claim("ann")).await.unwrap();
        assert!(next.token > lease.token);
        let refused = store.put(&lease, RunStatus::Running, &[]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
        lease = next;
    }
}

async fn a_lease_for_ever(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let ever = Claim::new(Owner::named("ann"), Duration::MAX);
    let ann = store.create(&run, "automa", &ever).await.unwrap();
    clock.advance(Duration::from_secs(1_000_000_000));
    let refused = store.acquire(&run, &claim("bob")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    store.renew(&ann).await.unwrap();
    assert!(store.find(&run).await.unwrap().holder.is_some());
}

async fn an_id_is_taken_once(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("ann")).await.unwrap();
    store.put(&lease, RunStatus::Finished, &[Entry::full(0, "ann's")]).await.unwrap();
    let refused = store.create(&run, "other", &claim("bob")).await.unwrap_err();
    expect![[r#"there is a run `run` already: resume it, delete it, or choose another id"#]]
        .assert_eq(&refused.to_string());
    assert_eq!(store.find(&run).await.unwrap().automa, "automa");
    assert_eq!(store.latest(&run).await.unwrap().unwrap().full, b"ann's");
}

/// [X16] In one transaction, so that nobody finds it taken and not yet cancelled.
async fn a_run_is_cancelled_as_it_is_taken(Setup { store, .. }: &Setup) {
    let cancelling = claim("bob").by_force().cancelling();
    let entries = [Entry::full(0, "zero")];
    let ends = [
        (RunStatus::Running, RunStatus::Cancelled),
        (RunStatus::Paused, RunStatus::Cancelled),
        (RunStatus::Finished, RunStatus::Finished),
        (RunStatus::Failed, RunStatus::Failed),
    ];
    for (status, end) in ends {
        let run = id(status.as_str());
        let ann = store.create(&run, "automa", &claim("ann")).await.unwrap();
        store.put(&ann, status, &entries).await.unwrap();
        let bob = store.acquire(&run, &cancelling).await.unwrap();
        assert_eq!(store.find(&run).await.unwrap().status, end);
        let refused = store.put(&ann, RunStatus::Running, &[]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
        store.release(&bob).await.unwrap();
        assert_eq!(store.find(&run).await.unwrap().status, end);
        assert_eq!(store.latest(&run).await.unwrap().unwrap().full, b"zero");
    }
    // A claim that is refused cancels nothing.
    let run = id("held");
    store.create(&run, "automa", &claim("ann")).await.unwrap();
    let refused = store.acquire(&run, &claim("bob").cancelling()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    assert_eq!(store.find(&run).await.unwrap().status, RunStatus::Running);
}
