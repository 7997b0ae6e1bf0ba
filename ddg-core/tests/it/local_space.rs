//! Local space: a worker's own state within a run, or across runs.

use std::sync::Arc;

use ddg_core::prelude::*;
use expect_test::expect;
use tokio::sync::{Barrier, Notify};

use crate::trace::trace;

/// Counts its kickoffs in its local space; fails after counting where it is told to.
async fn count(fail: Option<bool>, cx: Context) -> Result<u32, WorkerError> {
    let kickoffs = cx.local().update("kickoffs", |kickoffs: &mut u32| {
        *kickoffs += 1;
        *kickoffs
    });
    match fail {
        Some(true) => Err(WorkerError::msg("as told")),
        _ => Ok(kickoffs),
    }
}

fn counter(options: WorkerOptions) -> GraphAutoma {
    let mut automa = GraphAutoma::new("counter");
    automa.add_func_as_worker("count", count, options.start().output()).unwrap();
    automa
}

/// [L1]
#[tokio::test]
async fn a_worker_has_a_space_of_its_own_that_lasts_for_the_run() {
    let mut automa = GraphAutoma::new("spaces");
    let a = async |cx: Context| {
        cx.ferry_to("count", ());
        cx.ferry_to("other", ());
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("count", count, start()).unwrap();
    automa.add_func_as_worker("other", count, free()).unwrap();

    // `trace` runs it twice: the second run begins with empty spaces.
    expect![[r#"
        step 1: a (start) () → null
        step 1: count (start) (null) → 1
        step 2: count (ferry by `a`) (null) → 2
        step 2: other (ferry by `a`) (null) → 1
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [L1] [N1]
#[tokio::test]
async fn each_kickoff_of_a_nested_automa_begins_with_empty_spaces() {
    let mut automa = GraphAutoma::new("outer");
    let twice = async |cx: Context| {
        cx.ferry_to("inner", ());
        cx.ferry_to("inner", ());
    };
    automa.add_func_as_worker("twice", twice, start()).unwrap();
    automa.add_worker("inner", counter(free()), free()).unwrap();

    expect![[r#"
        step 1: twice (start) () → null
        step 2: inner (ferry by `twice`) () → 1
        step 1: inner/count (start) (null) → 1
        step 2: inner (ferry by `twice`) () → 1
        step 1: inner/count (start) (null) → 1
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [L1]
#[tokio::test]
async fn values_are_set_read_removed_and_listed_by_name() {
    let mut automa = GraphAutoma::new("names");
    let a = async |cx: Context| {
        let local = cx.local();
        local.set("b", 1_i64);
        local.set("a", "text".to_owned());
        assert_eq!(local.names(), ["a", "b"]);
        assert_eq!(local.get::<i64>("b"), Some(1));
        assert_eq!(local.get::<i64>("a"), None);
        assert_eq!(local.update("a", |n: &mut i64| *n + 1), 1);
        assert!(local.remove("a"));
        assert!(!local.remove("a"));
        local.names()
    };
    automa.add_func_as_worker("a", a, start().output()).unwrap();

    assert_eq!(automa.run(()).output::<Vec<String>>().await.unwrap(), ["b"]);
}

/// [L1] [E10]
#[tokio::test]
async fn a_space_goes_with_its_worker_and_is_not_left_to_who_takes_over_the_key() {
    let mut automa = GraphAutoma::new("heir");
    let first = async |cx: Context| {
        cx.local().set("left", 7);
        cx.remove_worker("a");
        let heir = async |cx: Context| cx.local().get::<i32>("left");
        cx.add_func_as_worker("a", heir, free().output());
        cx.ferry_to("a", ());
    };
    automa.add_func_as_worker("a", first, start()).unwrap();

    assert_eq!(automa.run(()).output::<Option<i32>>().await.unwrap(), None);
}

/// [L2]
#[tokio::test]
async fn a_change_takes_effect_at_once_for_kickoffs_that_run_at_the_same_time() {
    let mut automa = GraphAutoma::new("shared");
    let fan = async |cx: Context| (0..100).for_each(|_| cx.ferry_to("count", ()));
    automa.add_func_as_worker("fan", fan, start()).unwrap();
    let count = async |cx: Context| {
        let one = || cx.local().update("n", |n: &mut u32| *n += 1);
        one();
        tokio::task::yield_now().await;
        cx.local().get::<u32>("n")
    };
    automa.add_func_as_worker("count", count, free().output()).unwrap();

    // Each has counted before any looks.
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 100);
}

/// [L2] [W1]
#[tokio::test]
async fn what_a_failed_attempt_has_changed_stays() {
    let mut automa = GraphAutoma::new("attempts");
    let third = async |cx: Context| {
        let attempt = cx.local().update("attempts", |n: &mut u32| {
            *n += 1;
            *n
        });
        if attempt < 3 { Err(WorkerError::msg("not yet")) } else { Ok(attempt) }
    };
    automa.add_func_as_worker("third", third, start().output().retry(Retry::times(5))).unwrap();

    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 3);
}

/// [L3]
#[tokio::test]
async fn kept_spaces_go_on_from_the_last_run_that_came_to_its_end() {
    let mut automa = counter(free());
    automa.keep_local_spaces();

    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 1);
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2);
    automa.run(args!(true)).output::<u32>().await.unwrap_err();
    drop(automa.run(args!(false)).spawn());
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 3);
}

/// [L3]
#[tokio::test]
async fn a_run_that_was_stopped_or_cancelled_is_told_apart() {
    let mut automa = GraphAutoma::new("kept");
    automa.keep_local_spaces();
    automa.add_func_as_worker("count", count, start().output()).unwrap();
    let gate = Arc::new(Notify::new());
    let reached = Arc::new(Notify::new());
    let wait = {
        let (gate, reached) = (Arc::clone(&gate), Arc::clone(&reached));
        move || {
            let (gate, reached) = (Arc::clone(&gate), Arc::clone(&reached));
            async move {
                reached.notify_one();
                gate.notified().await;
            }
        }
    };
    automa.add_func_as_worker("wait", wait, after(["count"]).suppressed()).unwrap();
    automa.add_func_as_worker("next", async || (), after(["wait"])).unwrap();

    let cancelled = automa.run(()).spawn();
    reached.notified().await;
    cancelled.cancel();
    cancelled.await.unwrap_err();

    let stopped = automa.run(()).spawn();
    reached.notified().await;
    stopped.stop();
    gate.notify_one();
    let stopped = stopped.await.unwrap();
    assert!(stopped.stopped());
    assert_eq!(stopped.output().get::<u32>().unwrap(), 1, "the cancelled run has left nothing");

    gate.notify_one();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2, "the stopped run has been kept");
}

/// [L3] [R2]
#[tokio::test]
async fn concurrent_runs_begin_with_the_same_kept_spaces_and_do_not_see_each_other() {
    let mut automa = counter(free());
    automa.keep_local_spaces();
    let all_have_counted = Arc::new(Barrier::new(3));
    let meet = {
        let all_have_counted = Arc::clone(&all_have_counted);
        move || {
            let all_have_counted = Arc::clone(&all_have_counted);
            async move { _ = all_have_counted.wait().await }
        }
    };
    automa.add_func_as_worker("meet", meet, after(["count"]).suppressed()).unwrap();

    for expected in [1, 2] {
        let runs = [automa.run(()).spawn(), automa.run(()).spawn(), automa.run(()).spawn()];
        for run in runs {
            assert_eq!(run.output::<u32>().await.unwrap(), expected);
        }
    }
}

/// [L3]
#[tokio::test]
async fn a_clone_of_an_automa_keeps_spaces_of_its_own() {
    for ran_before in [false, true] {
        let mut automa = counter(free());
        automa.keep_local_spaces();
        if ran_before {
            assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 1);
        }
        let clone = automa.clone();
        clone.run(()).output::<u32>().await.unwrap();
        let next = automa.run(()).output::<u32>().await.unwrap();
        assert_eq!(next, 1 + u32::from(ran_before), "ran before: {ran_before}");
    }
}

/// [L3]
#[tokio::test]
async fn changing_an_automa_between_runs_loses_no_kept_space() {
    let mut automa = counter(free());
    automa.keep_local_spaces();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 1);
    automa.add_func_as_worker("more", async || (), free()).unwrap();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2);
}
