//! The state of a run after any step in its journal can be read.

use std::time::Duration;

use ddg_core::checkpoint::{Entry, RunStatus, StepRecord};
use expect_test::expect;

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    every_step_is_readable,
    the_last_step_is_the_latest,
    steps_say_when_they_were_written,
    a_step_that_is_not_there,
}

/// Steps 0 to 24, with a whole state every tenth.
fn entries() -> Vec<Entry> {
    let entry = |step| {
        let body = format!("{step}");
        if step % 10 == 0 { Entry::full(step, body) } else { Entry::change(step, body) }
    };
    (0..25).map(entry).collect()
}

async fn every_step_is_readable(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    for entry in entries() {
        store.put(&lease, RunStatus::Running, &[entry]).await.unwrap();
    }
    for step in 0..25 {
        let found = store.at(&run, step).await.unwrap();
        let whole = step / 10 * 10;
        let changes: Vec<_> = (whole + 1..=step).map(|n| n.to_string().into_bytes()).collect();
        assert_eq!(found.step, step);
        assert_eq!(found.full, whole.to_string().into_bytes());
        assert_eq!(found.changes, changes);
    }
}

async fn the_last_step_is_the_latest(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let entries = [entries(), vec![Entry::result(24, 0, "r")]].concat();
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    let latest = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(latest.results.len(), 1);
    assert_eq!(store.at(&run, 24).await.unwrap(), latest);
    assert!(store.at(&run, 23).await.unwrap().results.is_empty());
}

async fn steps_say_when_they_were_written(Setup { store, clock, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let first = clock.now();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
    clock.advance(Duration::from_millis(1234));
    let second = clock.now();
    let entries = [Entry::change(4, "+"), Entry::result(4, 0, "r")];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    let expected = [StepRecord::new(0, first, 4), StepRecord::new(4, second, 1)];
    assert_eq!(store.steps(&run).await.unwrap(), expected);
}

async fn a_step_that_is_not_there(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let empty = store.at(&run, 0).await.unwrap_err();
    let entries = [Entry::full(2, ""), Entry::change(5, "")];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    let mut refusals = format!("{empty}\n");
    for step in [0, 3, 6] {
        refusals += &format!("{}\n", store.at(&run, step).await.unwrap_err());
    }
    expect![[r#"
        run `run` has no state of step 0; its journal is empty
        run `run` has no state of step 0; its last state is that of step 5
        run `run` has no state of step 3; its last state is that of step 5
        run `run` has no state of step 6; its last state is that of step 5
    "#]]
    .assert_eq(&refusals);
}
