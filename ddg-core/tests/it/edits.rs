//! Edits of the graph at run time: when they are applied, and their effect on waiting workers.

use std::time::Duration;

use ddg_core::Key;
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use ddg_core::worker::WorkerRef;
use expect_test::{Expect, expect};

use crate::trace::{add, name, trace};

/// [E1]
#[tokio::test]
async fn a_change_is_seen_from_the_next_step_on() {
    let mut automa = GraphAutoma::new("unseen");
    let a = async |cx: Context| {
        cx.add_func_as_worker("new", name, after(["a"]).suppressed());
        cx.remove_worker("old");
        format!("{:?}", cx.automa().keys())
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    add(&mut automa, "old", free());
    let look = async |cx: Context| format!("{:?}", cx.automa().keys());
    automa.add_func_as_worker("look", look, after(["a"]).suppressed()).unwrap();

    expect![[r#"
        step 1: a (start) () → "[\"a\", \"old\", \"look\"]"
        step 2: look (dependencies) () → "[\"a\", \"look\", \"new\"]"
        step 2: new (dependencies) () → "new"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E2]
#[tokio::test]
async fn edits_are_applied_in_the_order_of_kickoff_and_call() {
    let mut automa = GraphAutoma::new("in order");
    // `late` ends first; but `early` is kicked off first, so its worker `x` is there to be removed.
    let early = async |cx: Context| {
        tokio::task::yield_now().await;
        cx.add_func_as_worker("x", async || "early".to_owned(), free());
    };
    automa.add_func_as_worker("early", early, start()).unwrap();
    let late = async |cx: Context| {
        cx.remove_worker("x");
        cx.add_func_as_worker("x", async || "late".to_owned(), free().output());
        cx.ferry_to("x", ());
    };
    automa.add_func_as_worker("late", late, start()).unwrap();

    expect![[r#"
        step 1: early (start) () → null
        step 1: late (start) () → null
        step 2: x (ferry by `late`) () → "late"
        output: "late"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E2] [E8]
#[tokio::test]
async fn the_first_change_that_cannot_be_made_fails_the_step_and_none_is_made() {
    let mut automa = GraphAutoma::new("all or nothing");
    let (told, mut tells) = tokio::sync::mpsc::unbounded_channel();
    let good = async |cx: Context| cx.add_func_as_worker("new", name, free());
    automa.add_func_as_worker("good", good, start()).unwrap();
    let bad = async |cx: Context| {
        cx.add_func_as_worker("newer", name, free());
        cx.remove_worker("nobody");
        cx.remove_worker("nobody else");
    };
    automa.add_func_as_worker("bad", bad, start()).unwrap();
    // What is there when the step has failed is seen by who still holds its context.
    let keep = move |cx: Context| {
        let told = told.clone();
        async move { told.send(cx).unwrap() }
    };
    automa.add_func_as_worker("keep", keep, start()).unwrap();

    let error = automa.run(()).output::<()>().await.unwrap_err();
    expect!["automa `all or nothing`, step 1: worker `bad` asked for an impossible change: cannot remove `nobody`: there is no such worker; the workers are: `good`, `bad`, `keep`, `new`, `newer`"]
        .assert_eq(&error.to_string());
    let cx = tells.try_recv().unwrap();
    assert_eq!(cx.automa().keys(), ["good", "bad", "keep"].map(Key::from));
}

/// [E6]
#[tokio::test]
async fn a_removed_worker_ends_its_output_is_dropped_and_what_it_asked_for_counts() {
    let mut automa = GraphAutoma::new("last words");
    let a = async |cx: Context| {
        cx.ferry_to("c", ());
        cx.add_func_as_worker("d", name, free());
        "lost".to_owned()
    };
    automa.add_func_as_worker("a", a, start().output()).unwrap();
    let remove = async |cx: Context| cx.remove_worker("a");
    automa.add_func_as_worker("remove", remove, start()).unwrap();
    add(&mut automa, "b", after(["a"]));
    let c = async |cx: Context| format!("{:?}", cx.automa());
    automa.add_func_as_worker("c", c, free()).unwrap();
    let look = async |cx: Context| {
        let automa = cx.automa();
        assert_eq!(automa.dependencies("b"), Some(vec![]));
        assert!(automa.output("a").is_none());
        format!("{:?}", automa.keys())
    };
    automa.add_func_as_worker("look", look, after(["remove"])).unwrap();

    expect![[r#"
        step 1: a (start) () → "lost"
        step 1: remove (start) () → null
        step 2: c (ferry by `a`) () → "GraphView(\"last words\")"
        step 2: look (dependencies) () → "[\"remove\", \"b\", \"c\", \"look\", \"d\"]"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E6]
#[tokio::test]
async fn a_worker_may_remove_itself() {
    let mut automa = GraphAutoma::new("itself");
    let once = async |cx: Context| {
        cx.remove_worker(cx.key());
        cx.ferry_to("next", ());
    };
    automa.add_func_as_worker("once", once, start()).unwrap();
    let next = async |cx: Context| cx.automa().contains("once");
    automa.add_func_as_worker("next", next, free().output()).unwrap();

    assert!(!automa.run(()).output::<bool>().await.unwrap());
}

/// [E8]
#[tokio::test]
async fn an_edit_is_checked_like_the_declared_graph_and_names_its_worker() {
    #[track_caller]
    fn check(error: &RunError, expected: &Expect) {
        let prefix = "automa `checked`, step 1: worker `ask` asked for an impossible change: ";
        let error = error.to_string();
        expected.assert_eq(error.strip_prefix(prefix).unwrap_or(&error));
    }
    async fn error_of(ask: impl Fn(&Context) + Clone + Send + Sync + 'static) -> RunError {
        let mut automa = GraphAutoma::new("checked");
        let ask = move |cx: Context| {
            ask(&cx);
            async {}
        };
        automa.add_func_as_worker("ask", ask, start()).unwrap();
        automa.add_func_as_worker("a", async || 1, free()).unwrap();
        automa.add_func_as_worker("b", async |x: i32| x, after(["a"])).unwrap();
        automa.run(()).output::<()>().await.unwrap_err()
    }

    let error = error_of(|cx| cx.add_func_as_worker("a", name, free())).await;
    check(
        &error,
        &expect!["there is a worker `a` already: choose another key, or remove the other first"],
    );
    let error = error_of(|cx| cx.add_func_as_worker("c", name, after(["zz"]))).await;
    check(
        &error,
        &expect![
            "worker `c` depends on `zz`, which does not exist; the workers are: `ask`, `a`, `b`, `c`"
        ],
    );
    let error = error_of(|cx| cx.add_dependency("a", "b")).await;
    check(
        &error,
        &expect!["the dependencies `a` → `b` → `a` form a cycle; to go back, use a ferry"],
    );
    let error = error_of(|cx| cx.add_dependency("a", "a")).await;
    check(&error, &expect!["worker `a` depends on itself; to repeat it, let it ferry to itself"]);
    let error = error_of(|cx| cx.add_dependency("b", "a")).await;
    check(&error, &expect!["worker `b` names its dependency `a` twice"]);
    let error = error_of(|cx| {
        cx.add_func_as_worker("c", async |x: String| x, after(["a"]));
    })
    .await;
    check(
        &error,
        &expect!["parameter #1 of worker `c` takes `String`, but dependency `a` gives `i32`"],
    );
    let error = error_of(|cx| cx.remove_dependency("a", "b")).await;
    check(&error, &expect!["cannot remove the dependency of `a` on `b`: it has none"]);
}

/// [E10]
#[tokio::test]
async fn a_key_that_is_freed_in_a_step_may_be_taken_again_in_it() {
    let mut automa = GraphAutoma::new("swap");
    let a = async |cx: Context| {
        cx.remove_worker("b");
        cx.add_func_as_worker("b", async || "new".to_owned(), after(["a"]));
        cx.add_dependency("c", "b");
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("b", async || "old".to_owned(), start()).unwrap();
    automa.add_func_as_worker("c", async |b: String| b, after(["b"]).output()).unwrap();

    expect![[r#"
        step 1: a (start) () → null
        step 1: b (start) () → "old"
        step 2: b (dependencies) () → "new"
        step 3: c (dependencies) ("new") → "new"
        output: "new"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E11]
#[tokio::test]
async fn an_added_start_worker_begins_with_the_next_run_of_the_grown_graph() {
    let mut automa = GraphAutoma::new("begin");
    let a = async |cx: Context| {
        if !cx.automa().contains("new") {
            cx.add_func_as_worker("new", name, start());
        }
    };
    automa.add_func_as_worker("a", a, start()).unwrap();

    let outcome = automa.run(()).await.unwrap();
    assert_eq!(outcome.steps(), 1);
    expect![[r#"
        step 1: a (start) () → null
        step 1: new (start) () → "new"
        output: null
    "#]]
    .assert_eq(&trace(&outcome.graph(), ()).await);
}

/// [E12] [A9]
#[tokio::test]
async fn a_declared_worker_is_placed_by_its_name_under_any_key() {
    const TOTAL: WorkerRef<fn(Vec<i32>) -> i32> = WorkerRef::new("total");
    let mut automa = GraphAutoma::new("placed");
    let a = async |cx: Context| {
        cx.add_func_as_worker("sum", TOTAL, after(["a", "b"]).merge().output());
        1
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("b", async || 2, start()).unwrap();
    let total = async |all: Vec<i32>, first: i32| all.iter().sum::<i32>() * 100 + first;
    let options = free().params(["all", "first"]).from("first", "a");
    automa.declare_func("total", total, options).unwrap();

    expect![[r#"
        step 1: a (start) () → 1
        step 1: b (start) () → 2
        step 2: sum (dependencies) ([1,2], 1) → 301
        output: 301
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E12] [W1]
#[tokio::test(start_paused = true)]
async fn timeout_and_retry_are_those_declared_unless_they_are_given_anew() {
    const SLOW: WorkerRef<fn() -> u32> = WorkerRef::new("slow");
    let mut automa = GraphAutoma::new("placed");
    let place = async |anew: bool, cx: Context| {
        let options = free().output();
        let options = match anew {
            true => options.retry(Retry::times(3)).timeout(Duration::from_secs(100)),
            false => options,
        };
        cx.add_func_as_worker("placed", SLOW, options);
        cx.ferry_to("placed", ());
    };
    automa.add_func_as_worker("place", place, start()).unwrap();
    let slow = async |cx: Context| {
        tokio::time::sleep(Duration::from_secs(10)).await;
        match cx.attempt() {
            attempt @ ..4 => Err(WorkerError::msg(format!("attempt {attempt}"))),
            attempt => Ok(attempt),
        }
    };
    let options = free().retry(Retry::times(1)).timeout(Duration::from_secs(5));
    automa.declare_func("slow", slow, options).unwrap();

    assert_eq!(automa.run(args!(true)).output::<u32>().await.unwrap(), 4);
    let error = automa.run(args!(false)).output::<u32>().await.unwrap_err();
    expect!["automa `placed`, step 2: worker `placed` failed: timed out after 5s"]
        .assert_eq(&error.to_string());
}

/// [E12]
#[tokio::test]
async fn a_worker_that_has_its_place_can_be_placed_once_more() {
    const DOUBLE: WorkerRef<fn(i32) -> i32> = WorkerRef::new("double");
    let mut automa = GraphAutoma::new("twice");
    let first = async |n: i32, cx: Context| {
        cx.add_func_as_worker("again", DOUBLE, after(["double"]).output());
        n
    };
    automa.add_func_as_worker("first", first, start()).unwrap();
    automa.add_func_as_worker("double", async |n: i32| n * 2, after(["first"])).unwrap();

    expect![[r#"
        step 1: first (start) (3) → 3
        step 2: double (dependencies) (3) → 6
        step 3: again (dependencies) (6) → 12
        output: 12
    "#]]
    .assert_eq(&trace(&automa, args!(3)).await);
}

/// [A17] [E10]
#[tokio::test]
async fn the_last_output_of_a_removed_worker_can_be_injected_until_another_has_its_key() {
    let mut automa = GraphAutoma::new("departed");
    automa.add_func_as_worker("gone", async || 5, start()).unwrap();
    let remove = async |cx: Context| {
        cx.remove_worker("gone");
        cx.ferry_to("read", ());
        cx.stop();
    };
    automa.add_func_as_worker("remove", remove, after(["gone"]).suppressed()).unwrap();
    let read = async |gone: i32, cx: Context| {
        if cx.step() == 3 {
            cx.add_func_as_worker("gone", Key::from("again"), free());
            cx.ferry_to("read", ());
        }
        gone
    };
    let options = free().params(["gone"]).from_or("gone", "gone", -1).output();
    automa.add_func_as_worker("read", read, options).unwrap();
    automa.declare_func("again", async || 6, free()).unwrap();

    let stopped = automa.run(()).await.unwrap();
    let json = serde_json::to_string(&stopped.snapshot().unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    let mut resumed = automa.resume(snapshot).await.unwrap();
    assert_eq!(resumed.steps(), 4);
    assert_eq!(resumed.output().get::<i32>().unwrap(), -1, "the new worker has given nothing");

    automa.remove_worker("remove").unwrap();
    let again = async |cx: Context| {
        if cx.step() == 2 {
            cx.remove_worker("gone");
            cx.ferry_to("again", ());
        } else {
            cx.ferry_to("read_once", ());
        }
    };
    automa.add_func_as_worker("again", again, after(["gone"]).suppressed()).unwrap();
    let options = free().params(["gone"]).from("gone", "gone").output();
    automa.override_func_as_worker("read", async |gone: i32| gone, options.clone()).unwrap();
    automa.remove_worker("read").unwrap();
    automa.add_func_as_worker("read_once", async |gone: i32| gone, options).unwrap();
    resumed = automa.run(()).await.unwrap();
    assert_eq!(resumed.output().get::<i32>().unwrap(), 5);
}
