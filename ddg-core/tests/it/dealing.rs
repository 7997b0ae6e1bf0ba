//! `in_order`: a list is scattered, one element to each successor.

use ddg_core::prelude::*;
use expect_test::expect;
use serde_json::json;

use crate::trace::{add, trace};

/// [A7]
#[tokio::test]
async fn each_successor_gets_its_element_in_the_order_the_successors_were_declared() {
    let mut automa = GraphAutoma::new("deal");
    // The successors name the dealer in another order than they are declared in.
    let first = async |x: String, also: i32| format!("{x} {also}");
    automa.add_func_as_worker("first", first, after(["deal", "other"])).unwrap();
    let deal = async || vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
    automa.add_func_as_worker("deal", deal, start().in_order().output()).unwrap();
    automa.add_func_as_worker("other", async || 7, start()).unwrap();
    automa.add_func_as_worker("second", async |x: String| x, after(["deal"])).unwrap();
    automa.add_func_as_worker("third", async |x: String| x, free()).unwrap();
    automa.add_dependency("third", "deal").unwrap();

    expect![[r#"
        step 1: deal (start) () → ["a","b","c"]
        step 1: other (start) () → 7
        step 2: second (dependencies) ("b") → "b"
        step 2: third (dependencies) ("c") → "c"
        step 2: first (dependencies) ("a", 7) → "a 7"
        output: ["a","b","c"]
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A7]
#[tokio::test]
async fn a_tuple_or_json_array_can_be_scattered_too() {
    let mut automa = GraphAutoma::new("deal");
    automa.add_func_as_worker("tuple", async || (1, "x".to_owned()), start().in_order()).unwrap();
    automa.add_func_as_worker("json", async || json!([2, "y"]), start().in_order()).unwrap();
    let number = async |a: i32, b: i32| a + b;
    automa.add_func_as_worker("number", number, after(["tuple", "json"])).unwrap();
    let text = async |a: String, b: String| a + &b;
    automa.add_func_as_worker("text", text, after(["tuple", "json"])).unwrap();

    expect![[r#"
        step 1: tuple (start) () → [1,"x"]
        step 1: json (start) () → [2,"y"]
        step 2: number (dependencies) (1, 2) → 3
        step 2: text (dependencies) ("x", "y") → "xy"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A7] [A9]
#[tokio::test]
async fn readers_that_are_not_successors_see_the_whole_list() {
    let mut automa = GraphAutoma::new("deal");
    automa.add_func_as_worker("deal", async || vec![1, 2], start().in_order()).unwrap();
    automa.add_func_as_worker("a", async |x: i32| x, after(["deal"])).unwrap();
    let b = async |x: i32, all: Vec<i32>| (x, all);
    let options = after(["deal"]).params(["x", "all"]).from("all", "deal");
    automa.add_func_as_worker("b", b, options).unwrap();

    expect![[r#"
        step 1: deal (start) () → [1,2]
        step 2: a (dependencies) (1) → 1
        step 2: b (dependencies) (2, [1,2]) → [2,[1,2]]
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A7] [A5] [A4]
#[tokio::test]
async fn a_scattered_element_is_mapped_like_an_output() {
    let mut automa = GraphAutoma::new("deal");
    let deal = async || vec![vec![1, 2], vec![3, 4], vec![5, 6]];
    automa.add_func_as_worker("deal", deal, start().in_order()).unwrap();
    automa.add_func_as_worker("as_is", async |x: Vec<i32>| x.len(), after(["deal"])).unwrap();
    let minus = async |x: i32, y: i32| x - y;
    automa.add_func_as_worker("unpack", minus, after(["deal"]).unpack()).unwrap();
    let merge = async |x: Vec<Vec<i32>>| x;
    automa.add_func_as_worker("merge", merge, after(["deal"]).merge()).unwrap();

    expect![[r#"
        step 1: deal (start) () → [[1,2],[3,4],[5,6]]
        step 2: as_is (dependencies) ([1,2]) → 2
        step 2: unpack (dependencies) (3, 4) → -1
        step 2: merge (dependencies) ([[5,6]]) → [[5,6]]
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A7] [E4]
#[tokio::test]
async fn a_worker_may_add_the_successors_that_its_list_is_scattered_over() {
    let mut automa = GraphAutoma::new("fan");
    let plan = async |cx: Context| {
        for key in ["z", "y", "x"] {
            cx.add_func_as_worker(key, async |n: i32| n * 10, after(["plan"]));
        }
        vec![1, 2, 3]
    };
    automa.add_func_as_worker("plan", plan, start().in_order()).unwrap();

    expect![[r#"
        step 1: plan (start) () → [1,2,3]
        step 2: z (dependencies) (1) → 10
        step 2: y (dependencies) (2) → 20
        step 2: x (dependencies) (3) → 30
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A7]
#[tokio::test]
async fn a_scattered_list_has_one_element_per_successor() {
    async fn run(output: impl Fn() -> Value + Send + Sync + 'static) -> String {
        let mut automa = GraphAutoma::new("deal");
        automa.add_func_as_worker("deal", output, start().in_order().inline()).unwrap();
        add(&mut automa, "a", after(["deal"]));
        add(&mut automa, "b", after(["deal"]));
        trace(&automa, ()).await
    }
    expect![[r#"
        step 1: deal (start) () → [1,2,3]
        error: automa `deal`, step 1: worker `deal` scatters its output in order over 2 successors, so it must be a list of that length, but it is a list of 3
    "#]]
    .assert_eq(&run(|| Value::new(vec![1, 2, 3])).await);
    expect![[r#"
        step 1: deal (start) () → 1
        error: automa `deal`, step 1: worker `deal` scatters its output in order over 2 successors, so it must be a list of that length, but it is `i32`
    "#]]
    .assert_eq(&run(|| Value::new(1)).await);
}
