//! The result does not depend on timing: a run ends the same however long its workers take.

use std::time::Duration;

use ddg_core::prelude::*;
use expect_test::expect;
use proptest::prelude::*;

use crate::trace::{Trace, end};

/// A run in which everything depends on order: edits, ferries, results, failures; each worker
/// takes as long as `waits` says.
fn run(waits: [u64; 4], fail: bool) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let mut automa = GraphAutoma::new("timing");
    for (place, wait) in waits.into_iter().enumerate() {
        let work = move |cx: Context| async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            // The first two quarrel over one key, and all feed one worker.
            if place == 0 {
                cx.add_func_as_worker("new", async || 0, free());
            }
            if place == 1 {
                cx.remove_worker("new");
                cx.add_func_as_worker("new", async || 1, after(["w0", "w3"]).suppressed());
            }
            cx.ferry_to("ferried", (place,));
            if fail && place > 1 {
                return Err(WorkerError::msg(format!("failure {place}")));
            }
            Ok(place)
        };
        automa.add_func_as_worker(format!("w{place}"), work, start()).unwrap();
        let next = async |place: usize| place * 10;
        let key = format!("next{}", 3 - place);
        automa.add_func_as_worker(key, next, after([format!("w{place}")])).unwrap();
    }
    let ferried = async |place: usize, cx: Context| {
        cx.local().update("places", |places: &mut Vec<usize>| places.push(place));
        place
    };
    automa.add_func_as_worker("ferried", ferried, free()).unwrap();
    let last = async |place: usize| place;
    automa.add_func_as_worker("last", last, after(["ferried"]).output()).unwrap();

    let trace = Trace::of(&mut automa);
    let ended = runtime.block_on(automa.run(()).outcome());
    trace.take() + &end(ended)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// [S4] [S6] [E2] [F4] [S10]
    #[test]
    fn a_run_ends_the_same_whatever_takes_longer(waits in any::<[u8; 4]>(), fail: bool) {
        let waits = waits.map(u64::from);
        prop_assert_eq!(run(waits, fail), run([0; 4], fail));
    }
}

/// [S4] [S6]
#[test]
fn results_ferries_and_edits_are_taken_in_kickoff_order() {
    expect![[r#"
        step 1: w0 (start) () → 0
        step 1: w1 (start) () → 1
        step 1: w2 (start) () → 2
        step 1: w3 (start) () → 3
        step 2: ferried (ferry by `w0`) (0) → 0
        step 2: ferried (ferry by `w1`) (1) → 1
        step 2: ferried (ferry by `w2`) (2) → 2
        step 2: ferried (ferry by `w3`) (3) → 3
        step 2: next3 (dependencies) (0) → 0
        step 2: next2 (dependencies) (1) → 10
        step 2: next1 (dependencies) (2) → 20
        step 2: next0 (dependencies) (3) → 30
        step 2: new (dependencies) () → 1
        step 3: last (dependencies) (3) → 3
        output: 3
    "#]]
    .assert_eq(&run([40, 30, 20, 10], false));
}

/// [S10]
#[test]
fn failures_are_reported_in_kickoff_order() {
    expect![[r#"
        step 1: w0 (start) () → 0
        step 1: w1 (start) () → 1
        step 1: w2 (start) () failed: failure 2
        step 1: w3 (start) () failed: failure 3
        error: automa `timing`, step 1: 2 failures
        - worker `w2` failed: failure 2
        - worker `w3` failed: failure 3
    "#]]
    .assert_eq(&run([40, 30, 20, 10], true));
}

/// [S4] [F4]
#[tokio::test(flavor = "multi_thread")]
async fn many_threads_change_nothing() {
    let mut automa = GraphAutoma::new("threads");
    let fan = async |cx: Context| (0..200_u64).for_each(|n| cx.ferry_to("busy", (n,)));
    automa.add_func_as_worker("fan", fan, start()).unwrap();
    // The first takes longest, and so ends last.
    let busy = async |n: u64| {
        for _ in n..200 {
            tokio::task::yield_now().await;
        }
        n
    };
    automa.add_func_as_worker("busy", busy, free().output()).unwrap();
    automa.add_func_as_worker("last", async |n: u64| n, after(["busy"])).unwrap();

    for _ in 0..10 {
        let outcome = automa.run(()).await.unwrap();
        assert_eq!(outcome.automa().output("last").unwrap().get::<u64>().unwrap(), 199);
        assert_eq!(outcome.into_output::<u64>().unwrap(), 199);
    }
}
