//! Ferries: jumps that a worker makes while it runs.

use ddg_core::prelude::*;
use expect_test::expect;

use crate::trace::{add, name, trace};

/// [F1] [F2]
#[tokio::test]
async fn a_ferry_runs_its_target_in_the_next_step_whatever_its_dependencies_are() {
    let mut automa = GraphAutoma::new("jump");
    automa.add_func_as_worker("a", async |cx: Context| cx.ferry_to("c", (5,)), start()).unwrap();
    automa.add_func_as_worker("never", async || 1, free()).unwrap();
    automa.add_func_as_worker("c", async |x: i32| x * 2, after(["never"]).output()).unwrap();

    expect![[r#"
        step 1: a (start) () → null
        step 2: c (ferry by `a`) (5) → 10
        output: 10
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [F2] [A9] [A11]
#[tokio::test]
async fn a_ferry_gives_its_arguments_in_place_of_outputs_and_leaves_names_and_injections() {
    let mut automa = GraphAutoma::new("jump");
    let jump = async |cx: Context| {
        cx.ferry_to("target", args!("ferried"));
        "out of jump".to_owned()
    };
    automa.add_func_as_worker("jump", jump, start()).unwrap();
    let target = async |first: String, town: String, injected: String| {
        format!("{first}, {town}, {injected}")
    };
    let options = after(["jump"]).params(["first", "town", "injected"]).from("injected", "jump");
    automa.add_func_as_worker("target", target, options).unwrap();

    expect![[r#"
        step 1: jump (start) () → "out of jump"
        step 2: target (ferry by `jump`) ("ferried", "Kyoto", "out of jump") → "ferried, Kyoto, out of jump"
        step 2: target (dependencies) ("out of jump", "Kyoto", "out of jump") → "out of jump, Kyoto, out of jump"
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(town = "Kyoto")).await);
}

/// [F3]
#[tokio::test]
async fn a_worker_that_was_ferried_to_waits_for_all_its_dependencies_again() {
    let mut automa = GraphAutoma::new("anew");
    // `a` has ended, and `both` waits only for `b`, when it is ferried to.
    add(&mut automa, "a", start());
    let jump = async |cx: Context| {
        cx.ferry_to("both", ());
        cx.ferry_to("then", ());
    };
    automa.add_func_as_worker("jump", jump, after(["a"]).suppressed()).unwrap();
    automa.add_func_as_worker("then", async |cx: Context| cx.ferry_to("b", ()), free()).unwrap();
    add(&mut automa, "b", free());
    add(&mut automa, "both", after(["a", "b"]));

    expect![[r#"
        step 1: a (start) () → "a"
        step 2: jump (dependencies) () → null
        step 3: both (ferry by `jump`) () → "both"
        step 3: then (ferry by `jump`) () → null
        step 4: b (ferry by `then`) () → "b"
        output: null
        waiting: `both` (again for `a`)
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [F4]
#[tokio::test]
async fn a_worker_that_is_ferried_to_often_runs_as_often_and_the_last_is_its_output() {
    let mut automa = GraphAutoma::new("often");
    let fan = async |cx: Context| {
        for n in [3, 1, 2] {
            cx.ferry_to("square", (n,));
        }
    };
    automa.add_func_as_worker("fan", fan, start()).unwrap();
    // The later the earlier: the last kickoff ends first.
    let square = async |n: i32, cx: Context| {
        let place = cx.local().update("place", |place: &mut i32| {
            *place += 1;
            *place
        });
        for _ in place..4 {
            tokio::task::yield_now().await;
        }
        n * n
    };
    automa.add_func_as_worker("square", square, free()).unwrap();
    automa.add_func_as_worker("next", async |n: i32| n, after(["square"]).output()).unwrap();

    expect![[r#"
        step 1: fan (start) () → null
        step 2: square (ferry by `fan`) (3) → 9
        step 2: square (ferry by `fan`) (1) → 1
        step 2: square (ferry by `fan`) (2) → 4
        step 3: next (dependencies) (4) → 4
        output: 4
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [F5]
#[tokio::test]
async fn a_worker_that_is_ferried_to_and_free_of_dependencies_runs_for_each() {
    let mut automa = GraphAutoma::new("each");
    let a = async |cx: Context| {
        cx.ferry_to("c", (10,));
        cx.ferry_to("c", (20,));
        1
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("b", async || 2, start()).unwrap();
    let c = async |x: i32, y: Option<i32>| x + y.unwrap_or(0);
    automa.add_func_as_worker("c", c, after(["a", "b"]).output()).unwrap();

    expect![[r#"
        step 1: a (start) () → 1
        step 1: b (start) () → 2
        step 2: c (ferry by `a`) (10, null) → 10
        step 2: c (ferry by `a`) (20, null) → 20
        step 2: c (dependencies) (1, 2) → 3
        output: 3
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [F6] [E1]
#[tokio::test]
async fn a_worker_that_is_added_in_a_step_can_be_ferried_to_in_it() {
    let mut automa = GraphAutoma::new("new");
    let a = async |cx: Context| {
        cx.ferry_to("new", ());
        cx.add_func_as_worker("new", name, free().output());
    };
    automa.add_func_as_worker("a", a, start()).unwrap();

    expect![[r#"
        step 1: a (start) () → null
        step 2: new (ferry by `a`) () → "new"
        output: "new"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [F6]
#[tokio::test]
async fn a_ferry_without_a_target_fails_the_run_and_names_its_worker() {
    let mut automa = GraphAutoma::new("nobody");
    let a = async |cx: Context| cx.ferry_to("hoem", ());
    automa.add_func_as_worker("a", a, start()).unwrap();
    add(&mut automa, "home", free());

    expect![[r#"
        step 1: a (start) () → null
        error: automa `nobody`, step 1: worker `a` ferried to `hoem`, which does not exist; did you mean `home`?
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [F6]
#[tokio::test]
async fn a_ferry_to_a_worker_removed_in_the_same_step_has_no_target() {
    let mut automa = GraphAutoma::new("gone");
    automa.add_func_as_worker("a", async |cx: Context| cx.ferry_to("b", ()), start()).unwrap();
    let remove = async |cx: Context| cx.remove_worker("b");
    automa.add_func_as_worker("remove", remove, start()).unwrap();
    add(&mut automa, "b", free());

    expect![[r#"
        step 1: a (start) () → null
        step 1: remove (start) () → null
        error: automa `gone`, step 1: worker `a` ferried to `b`, which does not exist; the workers are: `a`, `remove`
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [F1] [F4]
#[tokio::test]
async fn a_worker_may_ferry_to_itself_and_each_round_is_a_step() {
    let mut automa = GraphAutoma::new("loop");
    let count = async |n: u32, cx: Context| {
        if n > 0 {
            cx.ferry_to("count", (n - 1,));
        }
        cx.step()
    };
    automa.add_func_as_worker("count", count, start().output()).unwrap();

    let outcome = automa.run(args!(1000)).await.unwrap();
    assert_eq!(outcome.steps(), 1001);
    assert_eq!(outcome.into_output::<u64>().unwrap(), 1001);
}
