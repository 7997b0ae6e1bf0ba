//! Dynamic Steps: which workers run in a step, with which arguments, and in which order.

use std::sync::Arc;

use ddg_core::prelude::*;
use ddg_core::run::Cause;
use expect_test::expect;
use tokio::sync::Barrier;

use crate::trace::{add, trace};

/// [S1] [S6] [S7] [A2]
#[tokio::test]
async fn a_diamond_runs_level_by_level() {
    let mut automa = GraphAutoma::new("adder");
    automa.add_func_as_worker("worker_1", async |x: i64| x + 1, start()).unwrap();
    automa.add_func_as_worker("worker_2", async |x: i64| x + 1, after(["worker_1"])).unwrap();
    automa.add_func_as_worker("worker_3", async |x: i64| x + 4, after(["worker_1"])).unwrap();
    let sum = async |a: i64, b: i64| a + b;
    automa.add_func_as_worker("worker_4", sum, after(["worker_2", "worker_3"]).output()).unwrap();

    expect![[r#"
        step 1: worker_1 (start) (10) → 11
        step 2: worker_2 (dependencies) (11) → 12
        step 2: worker_3 (dependencies) (11) → 15
        step 3: worker_4 (dependencies) (12, 15) → 27
        output: 27
    "#]]
    .assert_eq(&trace(&automa, args!(10)).await);
}

/// [S1] [A1]
#[tokio::test]
async fn all_start_workers_run_first_in_the_order_they_were_added() {
    let mut automa = GraphAutoma::new("starts");
    automa.add_func_as_worker("z", async |x: i64| x, start()).unwrap();
    add(&mut automa, "after_z", after(["z"]));
    automa.add_func_as_worker("a", async |x: i64| -x, start()).unwrap();

    expect![[r#"
        step 1: z (start) (7) → 7
        step 1: a (start) (7) → -7
        step 2: after_z (dependencies) () → "after_z"
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(7)).await);
}

/// [S3]
#[tokio::test]
async fn workers_of_a_step_run_at_the_same_time() {
    let barrier = Arc::new(Barrier::new(3));
    let mut automa = GraphAutoma::new("together");
    for key in ["a", "b", "c"] {
        let barrier = Arc::clone(&barrier);
        let meet = move || {
            let barrier = Arc::clone(&barrier);
            async move { _ = barrier.wait().await }
        };
        automa.add_func_as_worker(key, meet, start()).unwrap();
    }
    assert_eq!(automa.run(()).await.unwrap().steps(), 1);
}

/// [S3]
#[tokio::test]
async fn a_step_settles_when_its_slowest_worker_has_ended() {
    let mut automa = GraphAutoma::new("lockstep");
    add(&mut automa, "quick", start());
    let slow = async || {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        "slow".to_owned()
    };
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    // It depends on the quick one alone, and yet the slow one has ended when it runs.
    let look = async |cx: Context| cx.automa().output("slow");
    automa.add_func_as_worker("look", look, after(["quick"]).suppressed().output()).unwrap();

    expect![[r#"
        step 1: quick (start) () → "quick"
        step 1: slow (start) () → "slow"
        step 2: look (dependencies) () → "slow"
        output: "slow"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S5]
#[tokio::test]
async fn a_kickoff_has_a_cause_that_its_worker_can_see() {
    let why = async |cx: Context| match cx.cause() {
        Cause::Start => "it is a start worker".to_owned(),
        Cause::Ferry { by } => format!("{by} ferried"),
        Cause::Dependencies => "its dependencies have run".to_owned(),
        other => other.to_string(),
    };
    let mut automa = GraphAutoma::new("causes");
    automa.add_func_as_worker("a", async |cx: Context| cx.ferry_to("b", ()), start()).unwrap();
    automa.add_func_as_worker("b", why, start().after(["a"])).unwrap();

    expect![[r#"
        step 1: a (start) () → null
        step 1: b (start) () → "it is a start worker"
        step 2: b (ferry by `a`) () → "a ferried"
        step 2: b (dependencies) () → "its dependencies have run"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S6]
#[tokio::test]
async fn ferries_come_before_dependencies_and_dependencies_in_the_order_of_readiness() {
    let mut automa = GraphAutoma::new("order");
    // `x` and `y` are declared before what frees them, and `y` is freed first.
    add(&mut automa, "x", after(["second"]));
    add(&mut automa, "y", after(["first"]));
    add(&mut automa, "y2", after(["first"]));
    automa.add_func_as_worker("first", async || (), start()).unwrap();
    let second = async |cx: Context| {
        cx.ferry_to("f2", ());
        cx.ferry_to("f1", ());
    };
    automa.add_func_as_worker("second", second, start()).unwrap();
    add(&mut automa, "f1", free());
    add(&mut automa, "f2", free());

    expect![[r#"
        step 1: first (start) () → null
        step 1: second (start) () → null
        step 2: f2 (ferry by `second`) () → "f2"
        step 2: f1 (ferry by `second`) () → "f1"
        step 2: y (dependencies) () → "y"
        step 2: y2 (dependencies) () → "y2"
        step 2: x (dependencies) () → "x"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S7]
#[tokio::test]
async fn a_dependency_that_ends_several_times_counts_once_with_its_last_output() {
    let mut automa = GraphAutoma::new("again");
    let tick = async |n: i64, cx: Context| {
        if n < 3 {
            cx.ferry_to("tick", (n + 1,));
        }
        cx.ferry_to("tock", (n,));
        n
    };
    automa.add_func_as_worker("tick", tick, start()).unwrap();
    let tock = async |n: i64, cx: Context| {
        if n == 3 {
            cx.ferry_to("slow", ());
        }
    };
    automa.add_func_as_worker("tock", tock, free()).unwrap();
    automa.add_func_as_worker("slow", async || 0_i64, free()).unwrap();
    let pair = async |a: i64, b: i64| (a, b);
    automa.add_func_as_worker("pair", pair, after(["tick", "slow"]).output()).unwrap();

    expect![[r#"
        step 1: tick (start) (1) → 1
        step 2: tick (ferry by `tick`) (2) → 2
        step 2: tock (ferry by `tick`) (1) → null
        step 3: tick (ferry by `tick`) (3) → 3
        step 3: tock (ferry by `tick`) (2) → null
        step 4: tock (ferry by `tick`) (3) → null
        step 5: slow (ferry by `tock`) () → 0
        step 6: pair (dependencies) (3, 0) → [3,0]
        output: [3,0]
    "#]]
    .assert_eq(&trace(&automa, args!(1)).await);
}

/// [S8]
#[tokio::test]
async fn a_dependency_that_ends_beside_its_successor_counts_for_the_next_kickoff() {
    let mut automa = GraphAutoma::new("beside");
    automa.add_func_as_worker("a", async || 1_i64, start()).unwrap();
    let b = async |x: Option<i64>| x.unwrap_or(0);
    automa.add_func_as_worker("b", b, start().after(["a"]).output()).unwrap();

    expect![[r#"
        step 1: a (start) () → 1
        step 1: b (start) (null) → 0
        step 2: b (dependencies) (1) → 1
        output: 1
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S7] [S8]
#[tokio::test]
async fn a_worker_that_has_run_waits_for_all_its_dependencies_again() {
    let mut automa = GraphAutoma::new("rounds");
    let a = async |cx: Context| {
        let round = cx.local().update("round", |round: &mut u32| {
            *round += 1;
            *round
        });
        // `a` ends in steps 1, 2 and 3; `b` only in steps 1 and 3.
        if round < 3 {
            cx.ferry_to("a", ());
        }
        if round == 2 {
            cx.ferry_to("b", ());
        }
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    add(&mut automa, "b", start());
    add(&mut automa, "both", after(["a", "b"]));

    expect![[r#"
        step 1: a (start) () → null
        step 1: b (start) () → "b"
        step 2: a (ferry by `a`) () → null
        step 2: both (dependencies) () → "both"
        step 3: a (ferry by `a`) () → null
        step 3: b (ferry by `a`) () → "b"
        step 4: both (dependencies) () → "both"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S2]
#[tokio::test]
async fn no_worker_runs_in_a_step_with_a_binding_fault() {
    let mut automa = GraphAutoma::new("bind");
    add(&mut automa, "a", start());
    add(&mut automa, "fine", after(["a"]));
    automa.add_func_as_worker("few", async |_: i64| (), after(["a"]).suppressed()).unwrap();
    let typed = after(["a"]).params(["n"]).from("n", "never");
    automa.add_func_as_worker("from", async |_: i64| (), typed.suppressed()).unwrap();

    expect![[r#"
        step 1: a (start) () → "a"
        error: automa `bind`, step 2: 2 failures
        - worker `few` cannot be called: parameter #1 (`i64`) got no argument: 0 given by position
        - worker `from` cannot be called: parameter `n` takes the output of `never`, which does not exist; misspelled?
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S10]
#[tokio::test]
async fn others_of_the_step_run_to_their_end_and_all_failures_are_reported_in_kickoff_order() {
    let (told, mut tells) = tokio::sync::mpsc::unbounded_channel();
    let mut automa = GraphAutoma::new("failures");
    let late = async || {
        tokio::task::yield_now().await;
        Err::<(), _>(WorkerError::msg("late, but first in order"))
    };
    automa.add_func_as_worker("late", late, start()).unwrap();
    let early = async || Err::<(), _>(WorkerError::msg("early"));
    automa.add_func_as_worker("early", early, start()).unwrap();
    let well = move |cx: Context| {
        let told = told.clone();
        async move {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            told.send("well").unwrap();
            cx.ferry_to("nowhere", ());
        }
    };
    automa.add_func_as_worker("well", well, start()).unwrap();
    add(&mut automa, "next", after(["well"]));

    let error = automa.run(()).output::<()>().await.unwrap_err();
    expect![[r#"
        automa `failures`, step 1: 3 failures
        - worker `late` failed: late, but first in order
        - worker `early` failed: early
        - worker `well` ferried to `nowhere`, which does not exist; the workers are: `late`, `early`, `well`, `next`"#]]
    .assert_eq(&error.to_string());
    let RunError::Step(error) = error else { panic!("{error}") };
    assert!(error.failures[0].to_string().ends_with("late, but first in order"));
    assert_eq!(tells.try_recv(), Ok("well"));
}

/// [S11]
#[tokio::test]
async fn a_panic_is_the_failure_of_its_worker() {
    let mut automa = GraphAutoma::new("panics");
    automa.add_func_as_worker("calm", async || 1, start()).unwrap();
    let wild = async || -> i64 { panic!("oh no") };
    automa.add_func_as_worker("wild", wild, start()).unwrap();

    expect![[r#"
        step 1: calm (start) () → 1
        step 1: wild (start) () failed: panicked: oh no
        error: automa `panics`, step 1: worker `wild` failed: panicked: oh no
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}
