//! Checks before anything runs.

use ddg_core::prelude::*;
use expect_test::expect;

use crate::trace::{add, trace};

/// [G1] [G2] [G3]
#[tokio::test]
async fn all_faults_are_reported_together_and_nothing_runs() {
    let mut automa = GraphAutoma::new("faulty");
    add(&mut automa, "runs", start());
    add(&mut automa, "unknown", after(["nobody", "runs"]));
    add(&mut automa, "twice", after(["runs", "runs"]));
    add(&mut automa, "itself", after(["itself"]));
    add(&mut automa, "a", after(["c"]));
    add(&mut automa, "b", after(["a"]));
    add(&mut automa, "c", after(["b"]));
    automa.add_func_as_worker("types", async |x: i32| x, after(["runs"])).unwrap();
    automa.add_func_as_worker("many", async |x: i32| x, after(["types", "a"])).unwrap();
    automa.add_func_as_worker("unpacks", async |x: i32| x, after(["a", "b"]).unpack()).unwrap();

    expect![[r#"
        error: automa `faulty`: 7 faults
        - worker `unknown` depends on `nobody`, which does not exist; the workers are: `runs`, `unknown`, `twice`, `itself`, `a`, `b`, `c`, `types`, …
        - worker `twice` names its dependency `runs` twice
        - worker `itself` depends on itself; to repeat it, let it ferry to itself
        - the dependencies `a` → `b` → `c` → `a` form a cycle; to go back, use a ferry
        - parameter #1 of worker `types` takes `i32`, but dependency `runs` gives `String`
        - worker `many` gets 2 outputs from its dependencies, but has 1 parameter to take them: add parameters, or `.merge()` or `.suppressed()`
        - worker `unpacks` unpacks, which takes one dependency; it has 2
    "#]]
    .assert_eq(&trace(&automa, ()).await);
    assert_eq!(automa.validate().unwrap_err().faults.len(), 7);
}

/// [G1]
#[tokio::test]
async fn dependencies_may_be_declared_before_the_workers_they_name() {
    let mut automa = GraphAutoma::new("backwards");
    automa.add_func_as_worker("b", async |x: i32| x + 1, after(["a"]).output()).unwrap();
    expect![
        "automa `backwards`: worker `b` depends on `a`, which does not exist; the workers are: `b`"
    ]
    .assert_eq(&automa.validate().unwrap_err().to_string());
    automa.add_func_as_worker("a", async || 1, start()).unwrap();
    automa.validate().unwrap();
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 2);
}

/// [G2]
#[test]
fn types_agree_where_both_ends_are_known() {
    #[track_caller]
    fn check<M, N>(
        output: impl ddg_core::worker::IntoFunc<M, Made = AnyWorker>,
        taker: impl ddg_core::worker::IntoFunc<N, Made = AnyWorker>,
        agree: bool,
    ) {
        let mut automa = GraphAutoma::new("types");
        automa.add_func_as_worker("a", output, start()).unwrap();
        automa.add_func_as_worker("b", taker, after(["a"])).unwrap();
        assert_eq!(automa.validate().is_ok(), agree, "{:?}", automa.validate());
    }
    use std::sync::Arc;
    check(async || 1_i32, async |_: i32| (), true);
    check(async || 1_i32, async |_: Option<i32>| (), true);
    check(async || 1_i32, async |_: Arc<i32>| (), true);
    check(async || Arc::new(1_i32), async |_: i32| (), true);
    check(async || Some(1_i32), async |_: i32| (), true);
    check(async || 1_i32, async |_: f64| (), true);
    check(async || 1_i64, async |_: u8| (), true);
    check(async || 1_i32, async |_: Value| (), true);
    check(async || Value::null(), async |_: i32| (), true);
    check(async || serde_json::Value::Null, async |_: String| (), true);
    check(async || Ok::<i32, WorkerError>(1), async |_: i32| (), true);
    check(async || 1_i32, async |_: String| (), false);
    check(async || vec![1_i32], async |_: i32| (), false);
    check(async || Ok::<i32, WorkerError>(1), async |_: String| (), false);
}

/// [G4]
#[test]
fn keys_are_checked_when_a_worker_is_added() {
    let mut automa = GraphAutoma::new("keys");
    add(&mut automa, "a", start());
    let error = automa.add_func_as_worker("a", async || (), start()).unwrap_err();
    expect!["automa `keys`: there is a worker `a` already: choose another key, or remove the other first"]
        .assert_eq(&error.to_string());
    let error = automa.add_func_as_worker("", async || (), start()).unwrap_err();
    expect!["automa `keys`: a worker's key is empty: give it a name"].assert_eq(&error.to_string());
    let error = automa.add_func_as_worker("b", async |_: i32| (), free().params(["x", "y"]));
    expect!["automa `keys`: worker `b` has 1 parameter, but `.params([…])` names 2"]
        .assert_eq(&error.unwrap_err().to_string());
    let error = automa.add_func_as_worker("b", async |_: i32| (), free().from("x", "a"));
    expect!["automa `keys`: worker `b` has no parameter `x` to fill from `a`; name its parameters with `.params([…])`"]
        .assert_eq(&error.unwrap_err().to_string());
    assert_eq!(automa.keys().map(ToString::to_string).collect::<Vec<_>>(), ["a"]);
}

/// [G4]
#[tokio::test]
async fn a_worker_may_be_replaced_on_purpose() {
    let mut automa = GraphAutoma::new("override");
    automa.add_func_as_worker("a", async || 1, start().output()).unwrap();
    automa.override_func_as_worker("a", async || 2, start().output()).unwrap();
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 2);
    let error = automa.override_func_as_worker("b", async || 2, start()).unwrap_err();
    expect!["automa `override`: there is no worker `b` to override; the workers are: `a`"]
        .assert_eq(&error.to_string());
}

/// [E12]
#[tokio::test]
async fn a_declared_worker_is_placed_by_its_name_before_a_run_too() {
    let mut automa = GraphAutoma::new("placed");
    let minus = async |x: i64, y: i64| x - y;
    automa.declare_func("minus", minus, free().params(["x", "y"])).unwrap();
    let minus = ddg_core::Key::from("minus");
    automa.add_func_as_worker("first", minus.clone(), start()).unwrap();
    automa.add_func_as_worker("second", minus.clone(), after(["first"]).output()).unwrap();
    assert_eq!(automa.run(args!(7, y = 2)).output::<i64>().await.unwrap(), 3);

    let error = automa.add_func_as_worker("third", minus, free().params(["a", "b"])).unwrap_err();
    expect!["automa `placed`: `minus` is declared with its parameters: leave `.params([…])` and `.from(…)` out where it is placed as `third`"].assert_eq(&error.to_string());
    let error =
        automa.add_func_as_worker("third", ddg_core::Key::from("plus"), free()).unwrap_err();
    expect!["automa `placed`: `plus` was not declared in this automa: declare it with `#[worker(detached)]` or `declare_func`"].assert_eq(&error.to_string());
}
