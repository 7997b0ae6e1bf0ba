//! A journal returns its entries in order, and refuses entries that break its rules.

use std::collections::BTreeMap;

use ddg_core::checkpoint::{Checkpoint, Entry, RunStatus, StoreError};
use expect_test::expect;

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    nothing_was_put,
    the_last_whole_state_and_the_changes_since,
    results_count_until_the_next_state,
    a_result_is_replaced_by_another_of_its_kickoff,
    the_last_step_can_be_replaced,
    what_is_put_twice_is_there_once,
    many_entries_at_once,
    any_bytes,
    a_status_without_entries,
    the_rules,
    nothing_of_a_refused_put_is_there,
    unknown_runs,
}

fn checkpoint(step: u64, full: &str, changes: &[&str], results: &[(u64, &str)]) -> Checkpoint {
    let mut checkpoint = Checkpoint::new(step, full);
    checkpoint.changes = changes.iter().map(|change| (*change).into()).collect();
    checkpoint.results = results.iter().map(|(kickoff, body)| (*kickoff, (*body).into())).collect();
    checkpoint
}

async fn nothing_was_put(Setup { store, .. }: &Setup) {
    let run = id("run");
    store.create(&run, "automa", &claim("me")).await.unwrap();
    assert_eq!(store.latest(&run).await.unwrap(), None);
    assert_eq!(store.steps(&run).await.unwrap(), []);
    assert_eq!(store.find(&run).await.unwrap().step, None);
}

async fn the_last_whole_state_and_the_changes_since(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let running = RunStatus::Running;
    store.put(&lease, running, &[Entry::full(0, "zero")]).await.unwrap();
    store.put(&lease, running, &[Entry::change(1, "+1"), Entry::change(2, "+2")]).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(2, "zero", &["+1", "+2"], &[]));

    store.put(&lease, running, &[Entry::full(5, "five"), Entry::change(9, "+9")]).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(9, "five", &["+9"], &[]));
    assert_eq!(store.find(&run).await.unwrap().step, Some(9));
}

async fn results_count_until_the_next_state(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let running = RunStatus::Running;
    store.put(&lease, running, &[Entry::full(0, "zero")]).await.unwrap();
    store.put(&lease, running, &[Entry::result(0, 7, "seven")]).await.unwrap();
    store.put(&lease, running, &[Entry::result(0, 2, "two")]).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(0, "zero", &[], &[(2, "two"), (7, "seven")]));

    let entries =
        [Entry::result(0, 5, "five"), Entry::change(1, "+1"), Entry::result(1, 3, "three")];
    store.put(&lease, running, &entries).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(1, "zero", &["+1"], &[(3, "three")]));
}

async fn a_result_is_replaced_by_another_of_its_kickoff(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let entries = [Entry::full(0, "zero"), Entry::result(0, 1, "a"), Entry::result(0, 1, "b")];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(0, "zero", &[], &[(1, "b")]));

    store.put(&lease, RunStatus::Running, &[Entry::result(0, 1, "c")]).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(0, "zero", &[], &[(1, "c")]));
}

async fn the_last_step_can_be_replaced(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let running = RunStatus::Running;
    let entries = [Entry::full(0, "zero"), Entry::change(1, "+1"), Entry::result(1, 0, "old")];
    store.put(&lease, running, &entries).await.unwrap();
    store.put(&lease, running, &[Entry::change(1, "+one")]).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(1, "zero", &["+one"], &[]));

    store.put(&lease, running, &[Entry::full(1, "one")]).await.unwrap();
    store.put(&lease, running, &[Entry::full(1, "edited"), Entry::change(2, "+2")]).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(2, "edited", &["+2"], &[]));
    assert_eq!(store.at(&run, 0).await.unwrap(), checkpoint(0, "zero", &[], &[]));
}

async fn what_is_put_twice_is_there_once(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
    let one = [Entry::change(1, "+1"), Entry::result(1, 0, "r")];
    for entries in [&one[..1], &one[..1], &one[1..], &one[1..], &one, &one] {
        store.put(&lease, RunStatus::Running, entries).await.unwrap();
    }
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(1, "zero", &["+1"], &[(0, "r")]));
}

async fn many_entries_at_once(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let mut entries = vec![Entry::full(0, "zero")];
    entries.extend((1..300).map(|step| Entry::change(step, format!("+{step}"))));
    entries.extend((0..500).map(|kickoff| Entry::result(299, kickoff, format!("r{kickoff}"))));
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();

    let found = store.latest(&run).await.unwrap().unwrap();
    let changes: Vec<_> = (1..300).map(|step| format!("+{step}").into_bytes()).collect();
    let results: BTreeMap<_, _> = (0..500).map(|k| (k, format!("r{k}").into_bytes())).collect();
    assert_eq!((found.step, found.full.as_slice()), (299, b"zero".as_slice()));
    assert_eq!((found.changes, found.results), (changes, results));
}

async fn any_bytes(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let every: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let entries = [
        Entry::full(0, large.clone()),
        Entry::change(1, every.clone()),
        Entry::change(2, ""),
        Entry::result(2, 0, every.clone()),
    ];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    let found = store.latest(&run).await.unwrap().unwrap();
    let results = BTreeMap::from([(0, every.clone())]);
    let mut expected = Checkpoint::new(2, large);
    expected.changes = vec![every, vec![]];
    expected.results = results;
    assert!(found == expected, "not shown: it is too large");
}

async fn a_status_without_entries(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let entries = [Entry::full(0, "zero"), Entry::result(0, 1, "one")];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    store.put(&lease, RunStatus::Failed, &[]).await.unwrap();
    assert_eq!(store.find(&run).await.unwrap().status, RunStatus::Failed);
    let found = store.latest(&run).await.unwrap().unwrap();
    assert_eq!(found, checkpoint(0, "zero", &[], &[(1, "one")]));
}

async fn the_rules(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let mut refusals = String::new();
    let mut refuse = async |entries: &[Entry]| {
        let refused = store.put(&lease, RunStatus::Running, entries).await.unwrap_err();
        assert!(matches!(refused, StoreError::OutOfOrder { .. }));
        refusals += &format!("{refused}\n");
    };
    refuse(&[Entry::change(1, "")]).await;
    refuse(&[Entry::result(0, 4, "")]).await;
    store.put(&lease, RunStatus::Running, &[Entry::full(3, "")]).await.unwrap();
    refuse(&[Entry::full(2, "")]).await;
    refuse(&[Entry::full(3, ""), Entry::full(3, "")]).await;
    refuse(&[Entry::change(3, "")]).await;
    refuse(&[Entry::result(4, 0, "")]).await;
    store.put(&lease, RunStatus::Running, &[Entry::change(4, "")]).await.unwrap();
    refuse(&[Entry::change(2, "")]).await;
    refuse(&[Entry::result(3, 0, "")]).await;
    expect![[r#"
        run `run`: the change made by step 1 cannot be put: a journal begins with a whole state
        run `run`: the result of kickoff 4 after step 0 cannot be put: a result belongs to the last step that has a state
        run `run`: the whole state after step 2 cannot be put: steps go up; only the last one can be replaced; its last state is that of step 3
        run `run`: the whole state after step 3 cannot be put: steps go up; only the last one can be replaced; its last state is that of step 3
        run `run`: the change made by step 3 cannot be put: a change does not replace a whole state; its last state is that of step 3
        run `run`: the result of kickoff 0 after step 4 cannot be put: a result belongs to the last step that has a state; its last state is that of step 3
        run `run`: the change made by step 2 cannot be put: steps go up; only the last one can be replaced; its last state is that of step 4
        run `run`: the result of kickoff 0 after step 3 cannot be put: a result belongs to the last step that has a state; its last state is that of step 4
    "#]]
    .assert_eq(&refusals);
}

async fn nothing_of_a_refused_put_is_there(Setup { store, .. }: &Setup) {
    let run = id("run");
    let lease = store.create(&run, "automa", &claim("me")).await.unwrap();
    let entries = [Entry::full(0, "zero"), Entry::result(0, 0, "r")];
    store.put(&lease, RunStatus::Running, &entries).await.unwrap();
    let before = (store.find(&run).await.unwrap(), store.latest(&run).await.unwrap());

    for wrong in [Entry::change(1, "again"), Entry::result(7, 0, "whose")] {
        let entries = [Entry::change(1, "+1"), Entry::change(2, "+2"), wrong];
        let refused = store.put(&lease, RunStatus::Finished, &entries).await.unwrap_err();
        assert!(matches!(refused, StoreError::OutOfOrder { .. }), "{refused}");
        let now = (store.find(&run).await.unwrap(), store.latest(&run).await.unwrap());
        assert_eq!(now, before);
    }
}

async fn unknown_runs(Setup { store, .. }: &Setup) {
    let gone = id("gone");
    let lease = store.create(&gone, "automa", &claim("me")).await.unwrap();
    store.release(&lease).await.unwrap();
    store.delete(&gone).await.unwrap();
    let refusals = [
        store.acquire(&gone, &claim("me")).await.unwrap_err(),
        store.renew(&lease).await.unwrap_err(),
        store.release(&lease).await.unwrap_err(),
        store.put(&lease, RunStatus::Running, &[Entry::full(0, "")]).await.unwrap_err(),
        store.latest(&gone).await.unwrap_err(),
        store.at(&gone, 0).await.unwrap_err(),
        store.steps(&gone).await.unwrap_err(),
        store.find(&gone).await.unwrap_err(),
        store.fork(&gone, 0, &id("fork")).await.unwrap_err(),
        store.delete(&gone).await.unwrap_err(),
    ];
    for refusal in refusals {
        assert!(matches!(&refusal, StoreError::UnknownRun { run } if *run == gone), "{refusal}");
    }
    let refusal = store.find(&gone).await.unwrap_err();
    expect![[r#"there is no run `gone` in the store: it was never created, or has been deleted"#]]
        .assert_eq(&refusal.to_string());
}
