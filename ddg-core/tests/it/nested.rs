//! An automa as a worker of another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ddg_core::prelude::*;
use expect_test::expect;

use crate::trace::{Trace, add, name, trace};

fn halve() -> GraphAutoma {
    let mut automa = GraphAutoma::new("halve");
    automa.add_func_as_worker("check", async |n: i64| n, start()).unwrap();
    automa.add_func_as_worker("halve", async |n: i64| n / 2, after(["check"]).output()).unwrap();
    automa
}

/// [N1]
#[tokio::test]
async fn a_nested_automa_takes_outputs_and_gives_its_result_within_one_step() {
    let mut automa = GraphAutoma::new("outer");
    automa.add_func_as_worker("a", async |n: i64| n + 1, start()).unwrap();
    automa.add_worker("inner", halve(), after(["a"])).unwrap();
    automa.add_func_as_worker("b", async |n: i64| n * 10, after(["inner"]).output()).unwrap();

    expect![[r#"
        step 1: a (start) (7) → 8
        step 2: inner (dependencies) (8) → 4
        step 1: inner/check (start) (8) → 8
        step 2: inner/halve (dependencies) (8) → 4
        step 3: b (dependencies) (4) → 40
        output: 40
    "#]]
    .assert_eq(&trace(&automa, args!(7)).await);
}

/// [N1]
#[tokio::test]
async fn a_nested_automa_without_an_output_gives_null() {
    let mut inner = GraphAutoma::new("inner");
    add(&mut inner, "a", start());
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start()).unwrap();
    automa.add_func_as_worker("next", async |x: Option<i64>| x, after(["inner"])).unwrap();

    expect![[r#"
        step 1: inner (start) () → null
        step 1: inner/a (start) () → "a"
        step 2: next (dependencies) (null) → null
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [N2] [A12]
#[tokio::test]
async fn run_inputs_reach_every_depth_and_the_nearest_of_a_name_counts() {
    let take = async |town: String| town;
    let mut deepest = GraphAutoma::new("deepest");
    deepest.add_func_as_worker("take", take, start().params(["town"]).output()).unwrap();
    let mut middle = GraphAutoma::new("middle");
    middle.add_worker("deepest", deepest, start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("middle", middle, start()).unwrap();
    let again = async |cx: Context| cx.ferry_to("middle", args!(town = "Oslo"));
    automa.add_func_as_worker("again", again, start()).unwrap();
    let look = async |cx: Context| cx.input::<String>("town").unwrap();
    automa.add_func_as_worker("look", look, after(["again"])).unwrap();

    expect![[r#"
        step 1: middle (start) () → "Kyoto"
        step 1: middle/deepest (start) () → "Kyoto"
        step 1: middle/deepest/take (start) ("Kyoto") → "Kyoto"
        step 1: again (start) () → null
        step 2: middle (ferry by `again`) (town = "Oslo") → "Oslo"
        step 1: middle/deepest (start) () → "Oslo"
        step 1: middle/deepest/take (start) ("Oslo") → "Oslo"
        step 2: look (dependencies) () → "Kyoto"
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(town = "Kyoto")).await);
}

/// [N3] [R1]
#[tokio::test]
async fn a_worker_changes_a_nested_graph_before_it_runs_next_in_this_run_only() {
    let mut automa = GraphAutoma::new("outer");
    let a = async |n: i64, cx: Context| {
        let inner = cx.nested("inner").unwrap();
        assert_eq!(inner.name(), "halve");
        assert_eq!(inner.keys(), ["check", "halve"].map(ddg_core::Key::from));
        assert_eq!(inner.dependencies("halve").unwrap(), ["check"].map(ddg_core::Key::from));
        inner.add_func_as_worker("plus", async |n: i64| n + 100, after(["check"]));
        inner.remove_dependency("halve", "check");
        inner.add_dependency("halve", "plus");
        n
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_worker("inner", halve(), after(["a"]).output()).unwrap();

    // `trace` runs it twice, and the second run, too, sees the graph as it was declared.
    expect![[r#"
        step 1: a (start) (8) → 8
        step 2: inner (dependencies) (8) → 54
        step 1: inner/check (start) (8) → 8
        step 2: inner/plus (dependencies) (8) → 108
        step 3: inner/halve (dependencies) (108) → 54
        output: 54
    "#]]
    .assert_eq(&trace(&automa, args!(8)).await);
}

/// [N3]
#[tokio::test]
async fn a_running_nested_automa_keeps_the_graph_it_began_with() {
    let mut inner = GraphAutoma::new("inner");
    let a = async || tokio::task::yield_now().await;
    inner.add_func_as_worker("a", a, start()).unwrap();
    add(&mut inner, "b", after(["a"]));
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start()).unwrap();
    let edit = async |cx: Context| {
        cx.nested("inner").unwrap().remove_worker("b");
        cx.ferry_to("inner", ());
    };
    automa.add_func_as_worker("edit", edit, start()).unwrap();

    expect![[r#"
        step 1: inner (start) () → null
        step 1: inner/a (start) () → null
        step 1: edit (start) () → null
        step 2: inner/b (dependencies) () → "b"
        step 2: inner (ferry by `edit`) () → null
        step 1: inner/a (start) () → null
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [N3] [E3]
#[tokio::test]
async fn in_a_nested_graph_too_a_worker_may_be_added_before_what_it_depends_on() {
    let mut automa = GraphAutoma::new("outer");
    let a = async |cx: Context| {
        let inner = cx.nested("inner").unwrap();
        inner.add_func_as_worker("c", name, after(["b"]).suppressed().output());
        inner.add_func_as_worker("b", name, after(["a"]).suppressed());
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    let mut inner = GraphAutoma::new("inner");
    add(&mut inner, "a", start());
    automa.add_worker("inner", inner, after(["a"]).output()).unwrap();

    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "c");
}

/// [N3]
#[tokio::test]
async fn a_nested_graph_may_be_changed_at_any_depth() {
    let mut middle = GraphAutoma::new("middle");
    middle.add_worker("deepest", halve(), start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("middle", middle, after(["a"]).output()).unwrap();
    let a = async |n: i64, cx: Context| {
        let deepest = cx.nested("middle").unwrap().nested("deepest").unwrap();
        deepest.remove_worker("halve");
        deepest.add_func_as_worker("third", async |n: i64| n / 3, after(["check"]).output());
        assert!(cx.nested("a").is_none(), "it is no automa");
        assert!(cx.nested("nobody").is_none());
        n
    };
    automa.add_func_as_worker("a", a, start()).unwrap();

    expect![[r#"
        step 1: a (start) (9) → 9
        step 2: middle (dependencies) (9) → 3
        step 1: middle/deepest (start) (9) → 3
        step 1: middle/deepest/check (start) (9) → 9
        step 2: middle/deepest/third (dependencies) (9) → 3
        output: 3
    "#]]
    .assert_eq(&trace(&automa, args!(9)).await);
}

/// [N3] [E8]
#[tokio::test]
async fn an_impossible_edit_of_a_nested_graph_fails_the_step_of_its_worker() {
    let mut automa = GraphAutoma::new("outer");
    let a = async |cx: Context| cx.nested("inner").unwrap().add_dependency("check", "halve");
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_worker("inner", halve(), free()).unwrap();

    expect![[r#"
        step 1: a (start) () → null
        error: automa `outer`, step 1: worker `a` asked for an impossible change: in nested automa `inner`: the dependencies `check` → `halve` → `check` form a cycle; to go back, use a ferry
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [N3] [E2] [E8]
#[tokio::test]
async fn edits_of_one_nested_graph_by_several_workers_are_distinguished() {
    let mut automa = GraphAutoma::new("outer");
    let good = async |cx: Context| {
        cx.nested("inner").unwrap().add_func_as_worker("new", name, free());
    };
    automa.add_func_as_worker("good", good, start()).unwrap();
    let bad = async |remove: String, cx: Context| {
        cx.nested("inner").unwrap().remove_worker(remove);
    };
    automa.add_func_as_worker("bad", bad, start().params(["remove"])).unwrap();
    automa.add_worker("inner", halve(), free()).unwrap();

    automa.run(args!(remove = "new")).output::<()>().await.unwrap();
    let error = automa.run(args!(remove = "nobody")).output::<()>().await.unwrap_err();
    expect!["automa `outer`, step 1: worker `bad` asked for an impossible change: in nested automa `inner`: cannot remove `nobody`: there is no such worker; the workers are: `check`, `halve`, `new`"]
        .assert_eq(&error.to_string());
}

/// [N4]
#[tokio::test]
async fn a_failure_inside_names_the_path_to_its_worker() {
    let mut inner = GraphAutoma::new("inner automa");
    let bad = async || Err::<(), _>(WorkerError::msg("no"));
    inner.add_func_as_worker("bad", bad, start()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start()).unwrap();

    expect![[r#"
        step 1: inner (start) () failed: automa `inner automa`, step 1: worker `inner/bad` failed: no
        step 1: inner/bad (start) () failed: no
        error: automa `outer`, step 1: worker `inner` failed: automa `inner automa`, step 1: worker `inner/bad` failed: no
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [N4]
#[tokio::test]
async fn the_error_of_a_worker_is_found_through_all_automata_around_it() {
    let mut automa = GraphAutoma::new("a0");
    let fails = async || Err::<(), _>(std::fmt::Error);
    automa.add_func_as_worker("bad", fails, start()).unwrap();
    for depth in 1..20 {
        let error = automa.run(()).output::<()>().await.unwrap_err();
        assert!(error.downcast_ref::<std::fmt::Error>().is_some(), "{depth}");
        assert!(error.downcast_ref::<std::num::ParseIntError>().is_none(), "{depth}");
        let inner = std::mem::replace(&mut automa, GraphAutoma::new(format!("a{depth}")));
        automa.add_worker("inner", inner, start()).unwrap();
    }
}

/// [N1] [W1]
#[tokio::test]
async fn a_nested_automa_may_be_retried_as_a_whole() {
    let calls = Arc::new(AtomicU32::new(0));
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("a", async |n: i32| n, start()).unwrap();
    let second = move |n: i32| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => Err(WorkerError::msg("again")),
        _ => Ok(n),
    };
    inner.add_func_as_worker("b", second, after(["a"]).inline().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start().output().retry(Retry::times(2))).unwrap();

    let trace = Trace::of(&mut automa);
    assert_eq!(automa.run(args!(1)).output::<i32>().await.unwrap(), 1);
    expect![[r#"
        step 1: inner (start) (1) → 1
        step 1: inner/a (start) (1) → 1
        step 2: inner/b (dependencies) (1) failed: again
        step 1: inner/a (start) (1) → 1
        step 2: inner/b (dependencies) (1) → 1
    "#]]
    .assert_eq(&trace.take());
}

/// [G3]
#[tokio::test]
async fn the_faults_of_a_nested_graph_are_reported_before_anything_runs() {
    let mut inner = GraphAutoma::new("inner");
    add(&mut inner, "a", after(["nobody"]));
    let mut automa = GraphAutoma::new("outer");
    add(&mut automa, "first", start());
    automa.add_worker("inner", inner, after(["first"])).unwrap();

    expect![[r#"
        error: automa `outer`: in nested automa `inner`: worker `a` depends on `nobody`, which does not exist; the workers are: `a`
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}
