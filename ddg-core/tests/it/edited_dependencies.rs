//! Dependencies that a running worker adds and removes.

use ddg_core::prelude::*;
use expect_test::expect;

use crate::trace::{add, name, trace};

/// [E4]
#[tokio::test]
async fn a_dependency_that_is_added_in_the_step_holds_a_worker_back() {
    let mut automa = GraphAutoma::new("hold");
    let a = async |cx: Context| cx.add_dependency("c", "b");
    automa.add_func_as_worker("a", a, start()).unwrap();
    add(&mut automa, "b", after(["a"]));
    add(&mut automa, "c", after(["a"]));

    expect![[r#"
        step 1: a (start) () → null
        step 2: b (dependencies) () → "b"
        step 3: c (dependencies) () → "c"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E5]
#[tokio::test]
async fn a_dependency_on_a_worker_that_ended_earlier_counts_from_its_next_end_on() {
    let mut automa = GraphAutoma::new("later");
    add(&mut automa, "a", start());
    let b = async |cx: Context| {
        cx.add_func_as_worker("late", name, after(["a"]).suppressed());
        cx.ferry_to("again", ());
    };
    automa.add_func_as_worker("b", b, after(["a"]).suppressed()).unwrap();
    let again = async |cx: Context| {
        cx.remove_dependency("b", "a");
        cx.ferry_to("a", ());
    };
    automa.add_func_as_worker("again", again, free()).unwrap();

    expect![[r#"
        step 1: a (start) () → "a"
        step 2: b (dependencies) () → null
        step 3: again (ferry by `b`) () → null
        step 4: a (ferry by `again`) () → "a"
        step 5: late (dependencies) () → "late"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E7]
#[tokio::test]
async fn removing_a_dependency_triggers_no_worker() {
    for remove_worker in [false, true] {
        let mut automa = GraphAutoma::new("loss");
        add(&mut automa, "a", start());
        // `both` waits for `never` alone when that goes.
        let b = move |cx: Context| async move {
            match remove_worker {
                true => cx.remove_worker("never"),
                false => cx.remove_dependency("both", "never"),
            }
        };
        automa.add_func_as_worker("b", b, after(["a"]).suppressed()).unwrap();
        add(&mut automa, "never", free());
        add(&mut automa, "both", after(["a", "never"]));
        let again = async |cx: Context| {
            cx.remove_worker("b");
            cx.ferry_to("a", ());
        };
        automa.add_func_as_worker("again", again, after(["b"])).unwrap();

        expect![[r#"
            step 1: a (start) () → "a"
            step 2: b (dependencies) () → null
            step 3: again (dependencies) () → null
            step 4: a (ferry by `again`) () → "a"
            step 5: both (dependencies) () → "both"
            output: null
        "#]]
        .assert_eq(&trace(&automa, ()).await);
    }
}

/// [E7] [S7]
#[tokio::test]
async fn a_dependency_that_is_gone_counts_no_more() {
    for remove_worker in [false, true] {
        let mut automa = GraphAutoma::new("gone");
        // `all` has seen `a` and waits for `c` when it loses `a`; `b` ends, and that is not enough.
        add(&mut automa, "a", start());
        let cut = move |cx: Context| async move {
            match remove_worker {
                true => cx.remove_worker("a"),
                false => cx.remove_dependency("all", "a"),
            }
            cx.ferry_to("b", ());
        };
        automa.add_func_as_worker("cut", cut, after(["a"]).suppressed()).unwrap();
        add(&mut automa, "b", free());
        add(&mut automa, "c", free());
        add(&mut automa, "all", after(["a", "b", "c"]));

        expect![[r#"
            step 1: a (start) () → "a"
            step 2: cut (dependencies) () → null
            step 3: b (ferry by `cut`) () → "b"
            output: null
            waiting: `all` (for `c`)
        "#]]
        .assert_eq(&trace(&automa, ()).await);
    }
}

/// [E7]
#[tokio::test]
async fn a_worker_that_has_lost_all_its_dependencies_runs_only_when_it_is_ferried_to() {
    let mut automa = GraphAutoma::new("bare");
    let a = async |cx: Context| cx.remove_dependency("b", "a");
    automa.add_func_as_worker("a", a, start()).unwrap();
    add(&mut automa, "b", after(["a"]));

    expect![[r#"
        step 1: a (start) () → null
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E9] [A2]
#[tokio::test]
async fn an_added_dependency_comes_last_among_the_arguments() {
    let mut automa = GraphAutoma::new("last");
    let a = async |cx: Context| {
        cx.remove_dependency("minus", "a");
        cx.add_dependency("minus", "a");
        1
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("b", async || 10, start()).unwrap();
    automa.add_func_as_worker("minus", async |x: i32, y: i32| x - y, after(["a", "b"])).unwrap();

    expect![[r#"
        step 1: a (start) () → 1
        step 1: b (start) () → 10
        step 2: minus (dependencies) (10, 1) → 9
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E3] [E9]
#[tokio::test]
async fn dependencies_are_checked_when_all_other_changes_are_made() {
    let mut automa = GraphAutoma::new("turn");
    // b after a becomes a after b: no cycle, whatever the order of the calls.
    let turn = async |cx: Context| {
        cx.add_dependency("a", "b");
        cx.remove_dependency("b", "a");
        cx.ferry_to("b", ());
    };
    automa.add_func_as_worker("turn", turn, start()).unwrap();
    add(&mut automa, "a", free());
    add(&mut automa, "b", after(["a"]));

    expect![[r#"
        step 1: turn (start) () → null
        step 2: b (ferry by `turn`) () → "b"
        step 3: a (dependencies) () → "a"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E3]
#[tokio::test]
async fn a_dependency_that_is_asked_for_and_then_removed_in_one_step_is_not_there() {
    for declared in [false, true] {
        let mut automa = GraphAutoma::new("withdrawn");
        let a = async |cx: Context| {
            cx.add_dependency("c", "b");
            cx.remove_dependency("c", "b");
        };
        automa.add_func_as_worker("a", a, start()).unwrap();
        add(&mut automa, "b", free());
        add(&mut automa, "c", if declared { after(["b"]) } else { free() });

        // Where `c` depends on `b` before, refusing to add that once more would be right as well.
        if let Ok(outcome) = automa.run(()).await {
            let left = outcome.automa().dependencies("c").unwrap();
            assert!(left.is_empty(), "declared: {declared}, left: {left:?}");
        }
    }
}

/// [E3]
#[tokio::test]
async fn a_worker_may_be_added_before_what_it_depends_on() {
    let mut automa = GraphAutoma::new("forward");
    let first = async |cx: Context| {
        cx.add_func_as_worker("c", name, after(["b", "d"]).suppressed().output());
        cx.add_func_as_worker("b", name, after(["first"]).suppressed());
    };
    automa.add_func_as_worker("first", first, start()).unwrap();
    let second = async |cx: Context| {
        cx.add_func_as_worker("d", name, after(["second"]).suppressed());
    };
    automa.add_func_as_worker("second", second, start()).unwrap();

    expect![[r#"
        step 1: first (start) () → null
        step 1: second (start) () → null
        step 2: b (dependencies) () → "b"
        step 2: d (dependencies) () → "d"
        step 3: c (dependencies) () → "c"
        output: "c"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [E4]
#[tokio::test]
async fn a_worker_that_is_added_after_a_worker_of_the_step_is_triggered_by_it() {
    let mut automa = GraphAutoma::new("grow");
    let a = async |cx: Context| {
        cx.add_func_as_worker("sum", async |x: i32, y: i32| x + y, after(["a", "b"]).output());
        1
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("b", async || 2, start()).unwrap();

    expect![[r#"
        step 1: a (start) () → 1
        step 1: b (start) () → 2
        step 2: sum (dependencies) (1, 2) → 3
        output: 3
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}
