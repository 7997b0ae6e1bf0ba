//! Stored states of nested automata: their history, forks and edits, and their size.

use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use ddg_core::snapshot::Snapshot;

use super::*;

fn outer(effects: &Effects) -> GraphAutoma {
    let mut automa = GraphAutoma::new("outer");
    automa.add_func_as_worker("before", passing(effects), start().inline()).unwrap();
    automa.add_worker("inner", looping(5, effects), after(["before"])).unwrap();
    automa
        .add_func_as_worker("after", passing(effects), after(["inner"]).inline().output())
        .unwrap();
    automa
}

/// [X9] [X5]
#[tokio::test]
async fn a_run_is_forked_in_the_middle_of_a_nested_automa() {
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    let automa = outer(&Effects::default());
    automa.run(args!(1_u64)).stored_in(&store, "a").await.unwrap();
    let states: Vec<_> = runs.history("a").await.unwrap().iter().map(|state| state.step).collect();
    // One for the beginning, three for the steps of the run, and one for each step inside.
    assert_eq!(states, (0..=10).collect::<Vec<_>>());
    for state in 0..=10 {
        let snapshot = runs.snapshot_at("a", state).await.unwrap();
        let inside: Vec<_> = snapshot.nested("inner").iter().map(Snapshot::step).collect();
        match state {
            0 | 1 => assert_eq!((snapshot.step(), inside), (state, vec![])),
            9 | 10 => assert_eq!((snapshot.step(), inside), (state - 7, vec![])),
            _ => assert_eq!((snapshot.step(), inside), (1, vec![state - 1])),
        }
        let fork = format!("fork {state}");
        runs.fork("a", state, &fork).await.unwrap();
        let effects = Effects::default();
        let forked = outer(&effects).run(args!(1_u64)).stored_in(&store, &fork);
        assert_eq!(forked.output::<u64>().await.unwrap(), 5);
        let steps = effects.counts().keys().filter(|effect| effect.contains('@')).count();
        let expected = match state {
            0..=2 => 5,
            3..=7 => 7 - state,
            _ => 0,
        };
        assert_eq!(steps as u64, expected, "forked at {state}");
    }
}

/// [X9] [X5]
#[tokio::test]
async fn an_output_inside_of_a_nested_automa_can_be_changed() {
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("a", async |x: u64| x, start()).unwrap();
    inner.add_func_as_worker("b", async |x: u64| x * 10, after(["a"]).output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start().output()).unwrap();
    automa.run(args!(1_u64)).stored_in(&store, "a").await.unwrap();
    runs.fork("a", 1, "b").await.unwrap();
    let change = |snapshot: &mut Snapshot| {
        let changed = snapshot.edit_nested("inner", |inner| inner.set_output("a", 7_u64));
        assert_eq!(changed, [true]);
        assert_eq!(snapshot.edit_nested("nobody", |_| ()), []);
        Ok(())
    };
    runs.edit("b", change).await.unwrap();
    assert_eq!(automa.run(()).stored_in(&store, "b").output::<u64>().await.unwrap(), 70);

    // What is begun anew has nothing of what was reached before.
    runs.fork("a", 1, "c").await.unwrap();
    let snapshot = runs.snapshot("c").await.unwrap();
    let json = serde_json::to_string(&snapshot).unwrap();
    let resumed =
        automa.resume(serde_json::from_str(&json).unwrap()).output::<u64>().await.unwrap();
    assert_eq!(resumed, 10, "a snapshot from the middle can be resumed without a store");
}

/// [X9] What changes is what is written, not the state of the automata around it, nor all of the
/// nested one.
#[tokio::test]
async fn a_nested_step_is_as_large_as_what_it_changes() {
    let large = "x".repeat(100_000);
    let mut inner = looping(50, &Effects::default());
    let given = large.clone();
    inner
        .add_func_as_worker("large", move || given.clone(), start().suppressed().inline())
        .unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa
        .add_func_as_worker("large", move || large.clone(), start().suppressed().inline())
        .unwrap();
    automa.add_func_as_worker("one", async |_: u64| 1_u64, start()).unwrap();
    automa.add_worker("inner", inner, after(["one"]).output()).unwrap();
    let store = MemoryStore::new();
    automa.run(args!(1_u64)).stored_in(&store, "a").await.unwrap();
    let states = StoredRuns::new(&store).history("a").await.unwrap();
    assert!(states.len() > 50);
    let large: Vec<_> = states.iter().filter(|state| state.n_bytes > 1_000).collect();
    // The first step of each, and a whole state now and then.
    assert!(large.len() <= 4, "{large:?}");
}
