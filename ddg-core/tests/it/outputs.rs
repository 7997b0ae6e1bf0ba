//! The result of a run, and the error of a run without one.

use ddg_core::prelude::*;
use expect_test::expect;

use crate::trace::{add, name, trace};

/// [O1]
#[tokio::test]
async fn the_result_is_the_last_output_of_the_output_worker() {
    let mut automa = GraphAutoma::new("last");
    let count = async |n: i32, cx: Context| {
        if n < 3 {
            cx.ferry_to("count", (n + 1,));
        }
        n
    };
    automa.add_func_as_worker("count", count, start().output()).unwrap();
    add(&mut automa, "after", after(["count"]));

    assert_eq!(automa.run(args!(1)).output::<i32>().await.unwrap(), 3);
}

/// [O1]
#[tokio::test]
async fn the_run_continues_after_its_output_worker() {
    let mut automa = GraphAutoma::new("goes on");
    automa.add_func_as_worker("out", name, start().output()).unwrap();
    add(&mut automa, "next", after(["out"]));

    expect![[r#"
        step 1: out (start) () → "out"
        step 2: next (dependencies) () → "next"
        output: "out"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [O2]
#[tokio::test]
async fn a_second_output_worker_is_refused_before_it_runs() {
    let mut automa = GraphAutoma::new("two");
    automa.add_func_as_worker("a", name, start().output()).unwrap();
    automa.add_func_as_worker("b", name, after(["a"]).suppressed().output()).unwrap();

    expect![[r#"
        step 1: a (start) () → "a"
        error: automa `two`, step 2: worker `b` is the second output worker of this run, after `a`: a run has one result, so let only one of them run
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [O2]
#[tokio::test]
async fn two_output_workers_of_one_step_are_refused_before_either_runs() {
    let mut automa = GraphAutoma::new("two");
    automa.add_func_as_worker("a", name, start().output()).unwrap();
    automa.add_func_as_worker("b", name, start().output()).unwrap();

    expect![[r#"
        error: automa `two`, step 1: worker `b` is the second output worker of this run, after `a`: a run has one result, so let only one of them run
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [O2]
#[tokio::test]
async fn of_several_output_workers_a_run_may_take_one() {
    let mut automa = GraphAutoma::new("either");
    let choose = async |to: String, cx: Context| cx.ferry_to(to, ());
    automa.add_func_as_worker("choose", choose, start()).unwrap();
    automa.add_func_as_worker("yes", name, free().output()).unwrap();
    automa.add_func_as_worker("no", name, free().output()).unwrap();

    assert_eq!(automa.run(args!("yes")).output::<String>().await.unwrap(), "yes");
    assert_eq!(automa.run(args!("no")).output::<String>().await.unwrap(), "no");
}

/// [O3] [O4]
#[tokio::test]
async fn without_an_output_the_result_is_null_and_waiting_workers_are_listed() {
    let mut automa = GraphAutoma::new("null");
    add(&mut automa, "a", start());
    add(&mut automa, "never", free());
    automa.add_func_as_worker("b", name, after(["a", "never"]).suppressed().output()).unwrap();
    add(&mut automa, "c", after(["b"]));

    expect![[r#"
        step 1: a (start) () → "a"
        output: null
        waiting: `b` (for `never`)
        waiting: `c` (for `b`)
    "#]]
    .assert_eq(&trace(&automa, ()).await);
    automa.run(()).output::<()>().await.unwrap();
    assert_eq!(automa.run(()).output::<Option<String>>().await.unwrap(), None);
    assert!(automa.run(()).output::<Value>().await.unwrap().is_null());
    let error = automa.run(()).output::<String>().await.unwrap_err();
    expect!["automa `null`: no output worker ran, so there is no `String`; left waiting: `b` (for `never`), `c` (for `b`)"]
        .assert_eq(&error.to_string());
}

/// [O4]
#[tokio::test]
async fn a_worker_without_new_dependencies_since_its_run_is_not_waiting() {
    let mut automa = GraphAutoma::new("waiting");
    add(&mut automa, "a", start());
    let b = async |cx: Context| {
        cx.ferry_to("a", ());
        cx.remove_worker(cx.key());
    };
    automa.add_func_as_worker("b", b, after(["a"]).suppressed()).unwrap();
    add(&mut automa, "done", after(["a"]));
    // `half` runs, and sees `a` end once more.
    add(&mut automa, "half", start().after(["a", "never"]));
    add(&mut automa, "never", free());

    expect![[r#"
        step 1: a (start) () → "a"
        step 1: half (start) () → "half"
        step 2: b (dependencies) () → null
        step 2: done (dependencies) () → "done"
        step 3: a (ferry by `b`) () → "a"
        step 4: done (dependencies) () → "done"
        output: null
        waiting: `half` (again for `never`)
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [O3]
#[tokio::test]
async fn a_result_of_another_type_is_an_error() {
    let mut automa = GraphAutoma::new("type");
    automa.add_func_as_worker("out", name, start().output()).unwrap();

    let error = automa.run(()).output::<i32>().await.unwrap_err();
    expect!["automa `type`: its result: expected `i32`, found `String`"]
        .assert_eq(&error.to_string());
}
