//! Which workers run again, and when a result is written.

use ddg_core::checkpoint::{CheckpointStore, RunId, RunStatus};
use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use expect_test::expect;

use super::{PLENTY, Stage, go_on, kept, leave_in_the_middle, stored, until_stuck, wide};
use crate::gated_store::GatedStore;

/// [X9]
#[tokio::test(start_paused = true)]
async fn only_what_was_under_way_runs_again() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = wide(&stage);
    stage.open(["a#0", "c#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(stage.calls(), "a#0 b#1 c#2");
    assert_eq!(kept(&store).await, [0, 2]);
    let puts = ["running: state of step 0", "running: result of 0, result of 2", "cancelled: "];
    assert_eq!(store.puts(), puts);

    stage.open(["b#1"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "b#1");
    // What ends last is in the state that is written then.
    let steps = ["running: ", "running: state of step 1", "running: state of step 2", "finished: "];
    assert_eq!(store.puts(), steps);
    assert_eq!(outcome.into_output::<u64>().unwrap(), 321);
    assert_eq!(kept(&store).await, [0; 0]);
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn a_step_whose_kickoffs_have_all_ended_settles_at_once() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(2));
    let mut automa = GraphAutoma::new("two");
    automa.add_worker("a", stage.worker(|_| Ok(1)), start()).unwrap();
    automa.add_worker("b", stage.worker(|_| Ok(2)), start()).unwrap();
    automa
        .add_func_as_worker("sum", async |a: u64, b: u64| a + b, after(["a", "b"]).output())
        .unwrap();
    stage.open(["a#0"]);
    let run = stored(&automa, &store).spawn();
    until_stuck().await;
    assert_eq!(kept(&store).await, [0]);
    store.let_through(1);
    run.cancel();
    expect!["automa `two`: cancelled"].assert_eq(&run.await.unwrap_err().to_string());

    // The other one's result, as a process would have left it that ended before it settled.
    let lease = store.acquire(&RunId::new("a").unwrap(), &Default::default()).await.unwrap();
    let latest = store.latest(&RunId::new("a").unwrap()).await.unwrap().unwrap();
    let body = String::from_utf8(latest.results[&0].clone()).unwrap().replace("\"a\"", "\"b\"");
    store.let_through(PLENTY);
    let entry = ddg_core::checkpoint::Entry::result(0, 1, body);
    store.put(&lease, RunStatus::Running, &[entry]).await.unwrap();
    store.release(&lease).await.unwrap();
    _ = stage.calls();

    let prepared = stored(&automa, &store);
    let mut events = prepared.events(EventFilter::all());
    assert_eq!(prepared.output::<u64>().await.unwrap(), 2);
    assert_eq!(stage.calls(), "");
    let mut told = String::new();
    while let Some(event) = events.next().await {
        told += &format!("{}\n", event.unwrap());
    }
    expect![[r#"
        0: run of `two` started
        1: step 1 started: 
        2: step 1 settled: `a`: 1, `b`: 1
        3: step 2 started: `sum` (dependencies)
        4: step 2: `sum` started
        5: step 2: `sum` finished: 2
        6: step 2 settled: `sum`: 2
        7: run finished: 2
    "#]]
    .assert_eq(&told);
}

/// [X9] A write takes what has ended by its time, and nobody waits for it.
#[tokio::test(start_paused = true)]
async fn ends_during_a_write_are_in_the_next_one() {
    // The beginning is written, and nothing else.
    let (stage, store) = (Stage::default(), GatedStore::open_for(1));
    let mut automa = GraphAutoma::new("many");
    for key in ["a", "b", "c", "d"] {
        automa.add_worker(key, stage.worker(|_| Ok(1)), start()).unwrap();
    }
    let run = stored(&automa, &store).spawn();
    until_stuck().await;
    stage.open(["b#1"]);
    until_stuck().await;
    stage.open(["a#0"]);
    until_stuck().await;
    stage.open(["c#2"]);
    until_stuck().await;
    assert_eq!(store.puts(), ["running: state of step 0", "running: result of 1"]);
    store.let_through(1);
    until_stuck().await;
    assert_eq!(store.puts(), ["running: result of 0, result of 2"]);
    stage.open(["d#3"]);
    until_stuck().await;
    assert_eq!(store.puts(), [""; 0]);
    store.let_through(PLENTY);
    run.await.unwrap();
    assert_eq!(store.puts(), ["running: state of step 1", "finished: "]);
}
