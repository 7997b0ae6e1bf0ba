//! The delta between two snapshots of a run is small if little has changed, and leads from the
//! first to the second.

use std::sync::atomic::{AtomicUsize, Ordering};

use ddg_core::Key;
use ddg_core::prelude::*;
use ddg_core::snapshot::{Snapshot, SnapshotDelta};
use expect_test::expect;

/// Goes from step to step, stopping after each: what `step` does in each of them is up to it.
fn looping<F>(steps: u64, step: F) -> GraphAutoma
where
    F: Fn(&Context) + Clone + Send + Sync + 'static,
{
    let mut automa = GraphAutoma::new("loop");
    automa.declare_func("one", async || 1, free()).unwrap();
    for n in 0..100 {
        automa
            .add_func_as_worker(format!("idle_{n}"), async || "idle".repeat(20), start())
            .unwrap();
    }
    let work = move |cx: Context| {
        step(&cx);
        cx.stop();
        if cx.step() < steps {
            cx.ferry_to("work", ());
        }
    };
    automa.add_func_as_worker("work", work, start().inline()).unwrap();
    automa
}

/// The states after each step; the last one is that of the finished run.
async fn states(automa: &GraphAutoma) -> Vec<Snapshot> {
    let mut outcome = automa.run(()).await.unwrap();
    let mut states = vec![outcome.snapshot().unwrap()];
    while outcome.stopped() {
        outcome = automa.resume(states[states.len() - 1].clone()).await.unwrap();
        states.push(outcome.snapshot().unwrap());
    }
    states
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

/// The changes from each state to the next, as text; together they lead to the last.
fn journal(states: &[Snapshot]) -> Vec<String> {
    let changes: Vec<_> =
        states.windows(2).map(|pair| json(&pair[1].changes_since(&pair[0]).unwrap())).collect();
    let read = changes.iter().map(|text| serde_json::from_str::<SnapshotDelta>(text).unwrap());
    let first: Snapshot = serde_json::from_str(&json(&states[0])).unwrap();
    let last = first.with_changes(read).unwrap();
    assert_eq!(json(&last), json(&states[states.len() - 1]));
    changes
}

/// [D5]
#[tokio::test]
async fn a_list_and_a_text_that_grow_cost_what_is_added() {
    let automa = looping(1000, |cx| {
        let step = cx.step();
        cx.local().update("history", |history: &mut Vec<String>| {
            history.push(format!("{step}: {}", "x".repeat(80)));
        });
        cx.local().update("text", |text: &mut String| text.push_str(&"y".repeat(100)));
    });
    let states = states(&automa).await;
    assert_eq!(states.len(), 1000);
    let journal = journal(&states);
    let bytes: usize = journal.iter().map(String::len).sum();
    assert!(bytes < 550 * journal.len(), "{} bytes per step", bytes / journal.len());
    expect![[r#"{"version":1,"after":501,"step":502,"patch":[[["step"],{"to":502}],[["next_kickoff"],{"to":602}],[["locals","work","history"],{"splice":[501,0,["502: x…"]]}],[["locals","work","text"],{"text":"y…"}]]}"#]].assert_eq(&journal[500].replace(&"x".repeat(80), "x…").replace(&"y".repeat(100), "y…"));
}

/// [D5]
#[tokio::test]
async fn a_list_of_values_is_compared_by_its_elements() {
    // Counts how often an element is serialised.
    static N_WRITTEN: AtomicUsize = AtomicUsize::new(0);

    #[derive(Clone, serde::Deserialize)]
    struct Counted(u64);

    impl serde::Serialize for Counted {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            N_WRITTEN.fetch_add(1, Ordering::Relaxed);
            serializer.serialize_u64(self.0)
        }
    }

    let automa = looping(300, |cx| {
        let mut history: Vec<Value> = cx.local().get("history").unwrap_or_default();
        match cx.step() {
            200 => history.truncate(50),
            100 => history[20] = Value::new(Counted(100)),
            step => history.push(Value::new(Counted(step))),
        }
        cx.local().set("history", Value::list(history));
    });
    let states = states(&automa).await;
    N_WRITTEN.store(0, Ordering::Relaxed);
    let changes = states.windows(2).map(|pair| json(&pair[1].changes_since(&pair[0]).unwrap()));
    let changes: Vec<_> = changes.collect();
    // At most twice for each new element, however long the list is.
    assert!(N_WRITTEN.load(Ordering::Relaxed) <= 604, "{N_WRITTEN:?}");
    let changed = |step: usize| changes[step - 2].split("locals").nth(1).unwrap();
    expect![[r#"","work","history",20],{"to":100}]]}"#]].assert_eq(changed(100));
    expect![[r#"","work","history"],{"splice":[50,148,[]]}]]}"#]].assert_eq(changed(200));
    assert_eq!(journal(&states), changes);
}

#[tokio::test]
async fn a_graph_that_grows_costs_what_is_added() {
    let automa = looping(200, |cx| {
        let step = cx.step();
        cx.add_func_as_worker(format!("one_{step}"), Key::from("one"), after(["work"]));
        if step > 5 {
            cx.remove_worker(format!("one_{}", step - 5));
        }
    });
    let states = states(&automa).await;
    let journal = journal(&states);
    // Once it has grown as far as it does.
    let longest = journal[..journal.len() - 1].iter().map(String::len).max().unwrap();
    assert!(longest < 700, "{longest} bytes");
}

/// [D5]
#[tokio::test]
async fn changes_that_do_not_follow_are_refused() {
    let automa = looping(5, |cx| {
        let step = format!("this is what was done in step {} and never again", cx.step());
        cx.local().update("steps", |steps: &mut Vec<String>| steps.push(step));
    });
    let states = states(&automa).await;
    let changes = |from: usize, to: usize| states[to].changes_since(&states[from]).unwrap();
    assert_eq!((changes(0, 3).after(), changes(0, 3).step()), (1, 4));
    let again = states[0].clone().with_changes([changes(0, 2), changes(2, 4)]).unwrap();
    assert_eq!(json(&again), json(&states[4]));
    let error = states[0].clone().with_changes([changes(0, 2), changes(3, 4)]).unwrap_err();
    expect!["these changes do not follow the state after step 3"].assert_eq(&error.to_string());
    let foreign = json(&changes(0, 1)).replace("steps", "stops");
    let foreign: SnapshotDelta = serde_json::from_str(&foreign).unwrap();
    let error = states[0].clone().with_changes([foreign]).unwrap_err();
    expect!["these changes do not follow the state after step 1"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_state_that_cannot_be_written_is_named() {
    let automa = looping(3, |cx| {
        if cx.step() == 2 {
            cx.local().set("socket", Opaque::new(1));
        }
    });
    let first = automa.run(()).await.unwrap().snapshot().unwrap();
    let error = automa.resume(first).await.unwrap().snapshot().unwrap_err();
    expect!["automa `loop`: worker `work`: its local space: `Opaque<i32>` cannot be written as JSON: `i32` is opaque: it lives only in memory and has no JSON form"].assert_eq(&error.to_string());
}
