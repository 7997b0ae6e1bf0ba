//! Runs: each has its own view of the graph and fresh state, during and after others.

use std::sync::Arc;

use ddg_core::prelude::*;
use expect_test::expect;
use futures::future::BoxFuture;
use tokio::sync::{Barrier, Notify};

use crate::trace::{add, end, name, trace};

/// Grows by a chain of `n` workers, each adding the next, and gives how many there are. A function
/// that adds itself says that its future is `Send`, which the compiler cannot find out in a circle.
fn grow(n: u32, cx: Context) -> BoxFuture<'static, usize> {
    Box::pin(async move {
        if n > 0 {
            let key = format!("grown {n}");
            cx.add_func_as_worker(&key, grow, free());
            cx.ferry_to(&key, (n - 1,));
        }
        cx.automa().keys().len()
    })
}

fn growing() -> GraphAutoma {
    let mut automa = GraphAutoma::new("growing");
    automa.add_func_as_worker("seed", grow, start()).unwrap();
    automa
}

/// [R1] [R4]
#[tokio::test]
async fn changes_belong_to_their_run_and_the_grown_graph_can_be_had() {
    let mut automa = GraphAutoma::new("grown");
    let a = async |cx: Context| {
        cx.add_func_as_worker("b", name, after(["a"]).suppressed());
        cx.add_func_as_worker("c", name, after(["b"]).suppressed().output());
        cx.remove_worker("old");
        cx.remove_dependency("d", "a");
        cx.add_dependency("d", "c");
        cx.remove_worker(cx.key());
        cx.add_func_as_worker("a", name, start());
        cx.add_dependency("b", "a");
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    add(&mut automa, "old", free());
    add(&mut automa, "d", after(["a"]));

    let outcome = automa.run(()).await.unwrap();
    let mut grown = outcome.graph();
    expect![[r#"
        automa "grown"
          "d" after ["c"]
          "b" after ["a"]
          "c" after ["b"]
          "a" after []
    "#]]
    .assert_eq(&format!("{grown:?}"));
    expect![[r#"
        step 1: a (start) () → "a"
        step 2: b (dependencies) () → "b"
        step 3: c (dependencies) () → "c"
        step 4: d (dependencies) () → "d"
        output: "c"
    "#]]
    .assert_eq(&trace(&grown, ()).await);
    add(&mut grown, "e", after(["d"]));
    assert_eq!(grown.run(()).await.unwrap().steps(), 5);

    expect![[r#"
        automa "grown"
          "a" after []
          "old" after []
          "d" after ["a"]
    "#]]
    .assert_eq(&format!("{automa:?}"));
}

/// [R1]
#[tokio::test]
async fn the_grown_graph_has_the_nested_graphs_as_they_were_left() {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("x", async || 1, start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    let a = async |cx: Context| {
        let inner = cx.nested("inner").unwrap();
        if inner.keys()[0] == "x" {
            inner.remove_worker("x");
            inner.add_func_as_worker("y", async || 2, start().output());
        }
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_worker("inner", inner, start().output()).unwrap();

    let outcome = automa.run(()).await.unwrap();
    let grown = outcome.graph();
    assert_eq!(outcome.into_output::<i32>().unwrap(), 1, "it ran beside the change");
    assert_eq!(grown.run(()).output::<i32>().await.unwrap(), 2);
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 1);
}

/// [R2]
#[tokio::test]
async fn concurrent_runs_do_not_see_each_other() {
    // Every run waits in its second step until all have changed their graphs.
    let all_have_grown = Arc::new(Barrier::new(3));
    let mut automa = GraphAutoma::new("concurrent");
    let a = async |n: u32, cx: Context| {
        cx.add_func_as_worker(format!("only {n}"), name, free());
        cx.local().set("n", n);
        n
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    let meet = move |n: u32, cx: Context| {
        let all_have_grown = Arc::clone(&all_have_grown);
        async move {
            all_have_grown.wait().await;
            let keys = cx.automa().keys();
            format!("{n} {:?} {:?}", keys.last().unwrap(), cx.automa().output("a").unwrap())
        }
    };
    automa.add_func_as_worker("meet", meet, after(["a"]).output()).unwrap();

    let runs = [1_u32, 2, 3].map(|n| automa.run((n,)).spawn());
    for (run, n) in runs.into_iter().zip(1..) {
        let output = run.output::<String>().await.unwrap();
        assert_eq!(output, format!("{n} \"only {n}\" {n}"));
    }
}

/// [R2] [R3]
#[tokio::test]
async fn a_run_that_fails_touches_neither_those_beside_it_nor_those_after_it() {
    let failed = Arc::new(Notify::new());
    let mut automa = GraphAutoma::new("failing");
    let a = async |fail: bool, cx: Context| {
        cx.add_func_as_worker("new", name, free());
        cx.local().set("fail", fail);
        fail
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    let b = {
        let failed = Arc::clone(&failed);
        move |fail: bool, cx: Context| {
            let failed = Arc::clone(&failed);
            async move {
                if fail {
                    cx.remove_worker("a");
                    return Err(WorkerError::msg("as told"));
                }
                failed.notified().await;
                Ok(format!("{:?}", cx.automa().keys()))
            }
        }
    };
    automa.add_func_as_worker("b", b, after(["a"]).output()).unwrap();

    let beside = automa.run(args!(false)).spawn();
    let fails = automa.run(args!(true)).spawn();
    expect![[r#"
        error: automa `failing`, step 2: worker `b` failed: as told
    "#]]
    .assert_eq(&end(fails.await));
    failed.notify_one();
    let keys = r#"["a", "b", "new"]"#;
    assert_eq!(beside.output::<String>().await.unwrap(), keys);

    failed.notify_one();
    assert_eq!(automa.run(args!(false)).output::<String>().await.unwrap(), keys);
}

/// [R3]
#[tokio::test]
async fn a_cancelled_run_leaves_nothing_behind() {
    let begun = Arc::new(Notify::new());
    let mut automa = growing();
    let wait = {
        let begun = Arc::clone(&begun);
        move |seen: usize, forever: bool| {
            begun.notify_one();
            async move {
                if forever {
                    std::future::pending::<()>().await;
                }
                seen
            }
        }
    };
    let options = after(["seed"]).params(["seen", "forever"]).output();
    automa.add_func_as_worker("wait", wait, options).unwrap();

    let run = automa.run(args!(3, forever = true)).spawn();
    begun.notified().await;
    run.cancel();
    expect!["automa `growing`: cancelled"].assert_eq(&run.await.unwrap_err().to_string());
    let outcome = automa.run(args!(3, forever = false)).await.unwrap();
    let outcome_keys = outcome.automa().keys().len();
    assert_eq!(outcome.into_output::<usize>().unwrap(), 2, "what `seed` saw in its first step");
    assert_eq!(outcome_keys, 2 + 3);
}

/// [R5]
#[tokio::test]
async fn an_automa_without_start_workers_ends_at_once() {
    let mut automa = GraphAutoma::new("empty");
    let outcome = automa.run(()).await.unwrap();
    assert_eq!(outcome.steps(), 0);
    assert!(!outcome.stopped());
    outcome.into_output::<()>().unwrap();

    add(&mut automa, "a", free());
    add(&mut automa, "b", after(["a"]));
    expect![[r#"
        output: null
        waiting: `b` (for `a`)
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [R6]
#[tokio::test]
async fn a_run_ends_when_a_step_has_settled_and_nothing_is_ready() {
    let outcome = growing().run(args!(40)).await.unwrap();
    assert_eq!(outcome.steps(), 41);
    assert_eq!(outcome.automa().keys().len(), 41);
    assert!(!outcome.stopped());
}

/// [R1] [R2]
#[tokio::test]
async fn an_automa_can_be_changed_between_runs() {
    let mut automa = GraphAutoma::new("changed");
    automa.add_func_as_worker("a", async || 1, start().output()).unwrap();
    let before = automa.run(()).spawn();
    automa.remove_worker("a").unwrap();
    automa.add_func_as_worker("a", async || 2, start().output()).unwrap();

    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 2);
    assert_eq!(before.output::<i32>().await.unwrap(), 1, "it goes on with what it began with");
}
