//! From outputs, inputs and injections to a worker's arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use ddg_core::prelude::*;
use expect_test::expect;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::trace::{end, trace};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct City {
    name: String,
    days: u32,
}

pub(crate) fn tokyo() -> City {
    City { name: "Tokyo".to_owned(), days: 3 }
}

/// [A2] [A3]
#[tokio::test]
async fn outputs_fill_the_parameters_in_the_order_of_the_dependencies() {
    let mut automa = GraphAutoma::new("as is");
    automa.add_func_as_worker("one", async || 1_u8, start()).unwrap();
    automa.add_func_as_worker("unit", async || (), start()).unwrap();
    automa.add_func_as_worker("two", async || "two".to_owned(), start()).unwrap();
    let both = async |two: String, cx: Context, one: u8| format!("{two} {one} {}", cx.step());
    automa.add_func_as_worker("both", both, after(["two", "unit", "one"])).unwrap();

    expect![[r#"
        step 1: one (start) () → 1
        step 1: unit (start) () → null
        step 1: two (start) () → "two"
        step 2: both (dependencies) ("two", 1) → "two 1 2"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A3]
#[tokio::test]
async fn a_unit_output_is_recognised_by_its_type_with_any_error() {
    let mut automa = GraphAutoma::new("units");
    automa.add_func_as_worker("plain", async || (), start()).unwrap();
    let worker_error = async || Ok::<_, WorkerError>(());
    automa.add_func_as_worker("worker_error", worker_error, start()).unwrap();
    let text = async || Ok::<_, String>(());
    automa.add_func_as_worker("text", text, start()).unwrap();
    // A null that is not known to be one beforehand is an output like any other.
    automa.add_func_as_worker("value", async || Value::null(), start()).unwrap();
    let last = async |value: Option<i32>| value.is_none();
    let options = after(["plain", "worker_error", "text", "value"]).output();
    automa.add_func_as_worker("last", last, options).unwrap();

    assert!(automa.run(()).output::<bool>().await.unwrap());
}

/// [A4] [A3]
#[tokio::test]
async fn merge_gives_one_list_with_an_element_for_each_dependency() {
    let mut automa = GraphAutoma::new("merge");
    automa.add_func_as_worker("a", async || 1_i64, start()).unwrap();
    automa.add_func_as_worker("unit", async || (), start()).unwrap();
    automa.add_func_as_worker("b", async || 2_i64, start()).unwrap();
    automa.add_func_as_worker("text", async || "x".to_owned(), start()).unwrap();
    let sum = async |all: Vec<Option<i64>>| all.into_iter().flatten().sum::<i64>();
    automa.add_func_as_worker("sum", sum, after(["b", "unit", "a"]).merge()).unwrap();
    let count = async |all: Vec<Value>, more: Option<i64>| (all.len(), more);
    automa.add_func_as_worker("count", count, after(["text", "a"]).merge()).unwrap();
    let pair = async |pair: (String, i64)| format!("{pair:?}");
    automa.add_func_as_worker("pair", pair, after(["text", "a"]).merge()).unwrap();

    expect![[r#"
        step 1: a (start) () → 1
        step 1: unit (start) () → null
        step 1: b (start) () → 2
        step 1: text (start) () → "x"
        step 2: sum (dependencies) ([2,null,1]) → 3
        step 2: count (dependencies) (["x",1], null) → [2,null]
        step 2: pair (dependencies) (["x",1]) → "(\"x\", 1)"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A5]
#[tokio::test]
async fn unpack_spreads_a_list_by_position_and_a_map_or_struct_by_name() {
    let mut automa = GraphAutoma::new("unpack");
    automa.add_func_as_worker("list", async || vec![7, 5], start()).unwrap();
    automa.add_func_as_worker("tuple", async || (1_u8, "x".to_owned()), start()).unwrap();
    automa.add_func_as_worker("city", async || tokyo(), start()).unwrap();
    let map = async || BTreeMap::from([("y".to_owned(), 1), ("x".to_owned(), 10)]);
    automa.add_func_as_worker("map", map, start()).unwrap();
    automa.add_func_as_worker("json", async || json!([1, "two"]), start()).unwrap();

    let minus = async |x: i32, y: i32| x - y;
    automa.add_func_as_worker("of_list", minus, after(["list"]).unpack()).unwrap();
    let show = async |n: u8, text: String| format!("{n} {text}");
    automa.add_func_as_worker("of_tuple", show, after(["tuple"]).unpack()).unwrap();
    let days = async |days: u32, name: String| format!("{days} {name}");
    let options = after(["city"]).unpack().params(["days", "name"]);
    automa.add_func_as_worker("of_city", days, options).unwrap();
    let options = after(["map"]).unpack().params(["x", "y"]);
    automa.add_func_as_worker("of_map", minus, options).unwrap();
    automa.add_func_as_worker("of_json", show, after(["json"]).unpack()).unwrap();

    let outcome = automa.run(()).await.unwrap();
    let output = |key| outcome.automa().output(key).unwrap().to_json().unwrap();
    assert_eq!(output("of_list"), 2);
    assert_eq!(output("of_tuple"), "1 x");
    assert_eq!(output("of_city"), "3 Tokyo");
    assert_eq!(output("of_map"), 9);
    assert_eq!(output("of_json"), "1 two");
}

/// [A5] [A13]
#[tokio::test]
async fn an_unpacked_output_is_a_list_or_a_map_that_fits() {
    async fn run(output: impl Fn() -> Value + Send + Sync + 'static) -> String {
        let mut automa = GraphAutoma::new("unpack");
        automa.add_func_as_worker("given", output, start().inline()).unwrap();
        let options = after(["given"]).unpack().params(["x", "y"]).output();
        automa.add_func_as_worker("taken", async |x: i32, y: i32| x - y, options).unwrap();
        end(automa.run(()).await)
    }
    expect![[r#"
        error: automa `unpack`, step 2: worker `taken` cannot be called: cannot unpack the output of `given`: it is neither a list nor a map, but `i32`
    "#]]
    .assert_eq(&run(|| Value::new(7)).await);
    expect![[r#"
        error: automa `unpack`, step 2: worker `taken` cannot be called: 3 arguments given by position, but only 2 parameters to take them
    "#]]
    .assert_eq(&run(|| Value::new(vec![1, 2, 3])).await);
    expect![[r#"
        error: automa `unpack`, step 2: worker `taken` cannot be called: there is no parameter `z`; there are: x, y
    "#]]
    .assert_eq(&run(|| json!({"x": 1, "y": 2, "z": 3}).into()).await);
}

/// [A6]
#[tokio::test]
async fn suppressed_dependencies_only_order() {
    let mut automa = GraphAutoma::new("order");
    automa.add_func_as_worker("a", async || 1, start()).unwrap();
    let b = async |town: String| town;
    let options = after(["a"]).suppressed().params(["town"]);
    automa.add_func_as_worker("b", b, options).unwrap();

    expect![[r#"
        step 1: a (start) () → 1
        step 2: b (dependencies) ("Kyoto") → "Kyoto"
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(town = "Kyoto")).await);
}

/// [A8]
#[tokio::test]
async fn arguments_by_position_are_not_overwritten_by_name() {
    let mut automa = GraphAutoma::new("position");
    let a = async |cx: Context| {
        cx.ferry_to("target", args!("ferried", x = "named", y = "named"));
        "given".to_owned()
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    let target = async |x: String, y: String| format!("{x} {y}");
    automa.add_func_as_worker("target", target, after(["a"]).params(["x", "y"])).unwrap();

    expect![[r#"
        step 1: a (start) () → "given"
        step 2: target (ferry by `a`) ("ferried", "named") → "ferried named"
        step 2: target (dependencies) ("given", "input") → "given input"
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(x = "input", y = "input")).await);
}

/// [A8]
#[tokio::test]
async fn by_name_the_unpacked_map_is_stronger_than_run_inputs_and_a_ferry_than_both() {
    let mut automa = GraphAutoma::new("names");
    let a = async |cx: Context| {
        cx.ferry_to("target", args!(x = "ferry"));
        BTreeMap::from([("x".to_owned(), "map".to_owned())])
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    let target = async |x: String, y: String| format!("{x} {y}");
    let options = after(["a"]).unpack().params(["x", "y"]);
    automa.add_func_as_worker("target", target, options).unwrap();

    expect![[r#"
        step 1: a (start) () → {"x":"map"}
        step 2: target (ferry by `a`) ("ferry", "input") → "ferry input"
        step 2: target (dependencies) ("map", "input") → "map input"
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(x = "input", y = "input")).await);
}

/// [A8] [A9]
#[tokio::test]
async fn an_injection_is_stronger_than_the_unpacked_map_and_a_ferry_than_the_injection() {
    let mut automa = GraphAutoma::new("injected");
    let a = async |cx: Context| {
        cx.ferry_to("target", args!(x = "ferry", y = "ferry"));
        cx.ferry_to("target", args!(y = "ferry"));
        BTreeMap::from([("x", "map"), ("y", "map")].map(|(k, v)| (k.to_owned(), v.to_owned())))
    };
    automa.add_func_as_worker("a", a, after(["source"]).suppressed()).unwrap();
    automa.add_func_as_worker("source", async || "injected".to_owned(), start()).unwrap();
    let target = async |x: String, y: String| format!("{x} {y}");
    let options = after(["a"]).unpack().params(["x", "y"]).from("x", "source");
    automa.add_func_as_worker("target", target, options).unwrap();

    expect![[r#"
        step 1: source (start) () → "injected"
        step 2: a (dependencies) () → {"x":"map","y":"map"}
        step 3: target (ferry by `a`) ("ferry", "ferry") → "ferry ferry"
        step 3: target (ferry by `a`) ("injected", "ferry") → "injected ferry"
        step 3: target (dependencies) ("injected", "map") → "injected map"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [A8] [A9]
#[tokio::test]
async fn the_unpacked_map_fills_an_injected_parameter_that_has_nothing_else() {
    let mut automa = GraphAutoma::new("injected");
    let a = async || {
        BTreeMap::from([("x", "map"), ("y", "map")].map(|(k, v)| (k.to_owned(), v.to_owned())))
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("lazy", async || "never".to_owned(), free()).unwrap();
    let target = async |x: String, y: String| format!("{x} {y}");
    let options = after(["a"]).unpack().params(["x", "y"]).from("x", "lazy");
    let options = options.from_or("y", "lazy", "default".to_owned()).output();
    automa.add_func_as_worker("target", target, options).unwrap();

    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "map default");
}

/// [A9]
#[tokio::test]
async fn an_injection_takes_the_last_output_else_its_default_and_no_position() {
    let mut automa = GraphAutoma::new("injected");
    let count = async |n: i32, cx: Context| {
        if n < 2 {
            cx.ferry_to("count", (n + 1,));
        }
        n
    };
    automa.add_func_as_worker("count", count, start()).unwrap();
    let look = async |last: i32, given: i32, never: i32, optional: Option<i32>| {
        [last, given, never, optional.unwrap_or(-1)]
    };
    let options = after(["count"])
        .params(["last", "given", "never", "optional"])
        .from("last", "count")
        .from_or("never", "lazy", 40)
        .from("optional", "lazy");
    automa.add_func_as_worker("look", look, options).unwrap();
    automa.add_func_as_worker("lazy", async || 1, free()).unwrap();

    expect![[r#"
        step 1: count (start) (1) → 1
        step 2: count (ferry by `count`) (2) → 2
        step 2: look (dependencies) (1, 1, 40, null) → [1,1,40,-1]
        step 3: look (dependencies) (2, 2, 40, null) → [2,2,40,-1]
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(1)).await);
}

/// [A9]
#[tokio::test]
async fn an_injection_of_a_worker_that_has_not_run_or_is_gone_fails_without_a_default() {
    let mut automa = GraphAutoma::new("injected");
    let choose = async |gone: bool, cx: Context| {
        if gone {
            cx.remove_worker("lazy");
        }
        cx.ferry_to("look", ());
    };
    automa.add_func_as_worker("choose", choose, start()).unwrap();
    let options = free().params(["x"]).from("x", "lazy");
    automa.add_func_as_worker("look", async |x: i32| x, options).unwrap();
    automa.add_func_as_worker("lazy", async || 1, free()).unwrap();

    expect![[r#"
        error: automa `injected`, step 2: worker `look` cannot be called: parameter `x` takes the output of `lazy`, which has not run; give it a default
    "#]]
    .assert_eq(&end(automa.run(args!(false)).await));
    expect![[r#"
        error: automa `injected`, step 2: worker `look` cannot be called: parameter `x` takes the output of `lazy`, which does not exist; misspelled?
    "#]]
    .assert_eq(&end(automa.run(args!(true)).await));
}

/// [A10]
#[tokio::test]
async fn the_context_is_given_wherever_it_stands_and_counts_as_no_argument() {
    let mut automa = GraphAutoma::new("context");
    let a = async |x: i32, cx: Context, y: i32| {
        assert_eq!((cx.key().as_str(), cx.step(), cx.attempt()), ("a", 1, 1));
        assert_eq!(cx.cause(), &ddg_core::run::Cause::Start);
        x - y
    };
    automa.add_func_as_worker("a", a, start().params(["x", "y"]).output()).unwrap();

    assert_eq!(automa.run((5, 3)).output::<i32>().await.unwrap(), 2);
    assert_eq!(automa.run(args!(5, y = 1)).output::<i32>().await.unwrap(), 4);
}

/// [A11]
#[tokio::test]
async fn an_optional_parameter_without_an_argument_is_none() {
    let mut automa = GraphAutoma::new("optional");
    let a = async |x: Option<i32>, town: Option<Arc<String>>| (x, town.map(|town| town.len()));
    automa.add_func_as_worker("a", a, start().params(["x", "town"]).output()).unwrap();

    type Given = (Option<i32>, Option<usize>);
    assert_eq!(automa.run(()).output::<Given>().await.unwrap(), (None, None));
    assert_eq!(automa.run(args!(1)).output::<Given>().await.unwrap(), (Some(1), None));
    let given = automa.run(args!(None::<i32>, town = "Oslo")).output::<Given>().await.unwrap();
    assert_eq!(given, (None, Some(4)));
}

/// [A13]
#[tokio::test]
async fn arguments_that_do_not_fit_are_reported_with_worker_parameter_and_types() {
    let mut automa = GraphAutoma::new("fit");
    let ferry = async |kind: String, cx: Context| match kind.as_str() {
        "few" => cx.ferry_to("target", args!(1)),
        "many" => cx.ferry_to("target", args!(1, "x", 3)),
        "name" => cx.ferry_to("target", args!(1, "x", tows = "y")),
        "type" => cx.ferry_to("target", args!(1, 2)),
        _ => {}
    };
    automa.add_func_as_worker("a", ferry, start()).unwrap();
    let target = async |n: i32, town: String| format!("{n} {town}");
    automa.add_func_as_worker("target", target, free().params(["n", "town"])).unwrap();

    for (kind, expected) in [
        (
            "few",
            expect![
                "parameter `town` (`String`) got no argument: 1 given by position, none of that name"
            ],
        ),
        ("many", expect!["3 arguments given by position, but only 2 parameters to take them"]),
        ("name", expect!["there is no parameter `tows`; did you mean `town`?"]),
        ("type", expect!["parameter `town`: expected `String`, found `i32`"]),
    ] {
        let error = automa.run((kind.to_owned(),)).output::<()>().await.unwrap_err().to_string();
        let prefix = "automa `fit`, step 2: worker `target` cannot be called: ";
        expected.assert_eq(error.strip_prefix(prefix).unwrap());
    }
}

/// [A14]
#[tokio::test]
async fn a_value_is_taken_shared_optional_untyped_or_from_json() {
    let mut automa = GraphAutoma::new("forms");
    automa.add_func_as_worker("city", async || tokyo(), start()).unwrap();
    automa.add_func_as_worker("shared", async || Arc::new(tokyo()), start()).unwrap();
    automa.add_func_as_worker("some", async || Some(tokyo()), start()).unwrap();
    let oslo = async || json!({"name": "Oslo", "days": 2});
    automa.add_func_as_worker("json", oslo, start()).unwrap();

    let all = || after(["city", "shared", "some", "json"]);
    let owned = async |a: City, b: City, c: City, d: City| [a, b, c, d].map(|city| city.name);
    automa.add_func_as_worker("owned", owned, all()).unwrap();
    let borrowed = async |a: &City, b: &City, c: &City, d: &City| a.days + b.days + c.days + d.days;
    automa.add_func_as_worker("borrowed", borrowed, all()).unwrap();
    let arcs = async |a: Arc<City>, b: Arc<City>, d: Arc<City>| a.days + b.days + d.days;
    automa.add_func_as_worker("arcs", arcs, after(["city", "shared", "json"])).unwrap();
    let optional = async |a: Option<City>, c: Option<City>, d: Option<City>| {
        [a, c, d].map(|city| city.is_some())
    };
    automa.add_func_as_worker("optional", optional, after(["city", "some", "json"])).unwrap();
    let untyped =
        async |a: Value, d: serde_json::Value| (a.get::<City>().is_ok(), d["days"].clone());
    automa.add_func_as_worker("untyped", untyped, after(["shared", "city"])).unwrap();

    let outcome = automa.run(()).await.unwrap();
    let output = |key| outcome.automa().output(key).unwrap().to_json().unwrap();
    assert_eq!(output("owned"), json!(["Tokyo", "Tokyo", "Tokyo", "Oslo"]));
    assert_eq!(output("borrowed"), 3 + 3 + 3 + 2);
    assert_eq!(output("arcs"), 3 + 3 + 2);
    assert_eq!(output("optional"), json!([true, true, true]));
    assert_eq!(output("untyped"), json!([true, 3]));
}

/// [A14] [A13]
#[tokio::test]
async fn a_number_that_does_not_fit_is_refused() {
    let mut automa = GraphAutoma::new("numbers");
    automa.add_func_as_worker("small", async |n: u8| n, start().output()).unwrap();

    assert_eq!(automa.run(args!(255_i64)).output::<u8>().await.unwrap(), 255);
    assert_eq!(automa.run(args!(7_u64)).output::<f64>().await.unwrap(), 7.0);
    for (number, expected) in [
        (
            Value::new(256_i64),
            expect!["parameter #1: expected `u8`, found 256, which does not fit"],
        ),
        (Value::new(-1_i8), expect!["parameter #1: expected `u8`, found -1, which does not fit"]),
        (
            Value::new(1.5_f64),
            expect!["parameter #1: expected `u8`, found 1.5, which does not fit"],
        ),
        (Value::new(1_f64), expect!["parameter #1: expected `u8`, found 1.0, which does not fit"]),
    ] {
        let error = automa.run((number,)).output::<u8>().await.unwrap_err().to_string();
        let prefix = "automa `numbers`, step 1: worker `small` cannot be called: ";
        expected.assert_eq(error.strip_prefix(prefix).unwrap());
    }
}

/// [A14]
#[tokio::test]
async fn a_float_that_is_too_large_for_the_smaller_type_is_refused() {
    let mut automa = GraphAutoma::new("floats");
    automa.add_func_as_worker("small", async |x: f32| x.to_string(), start().output()).unwrap();

    assert_eq!(automa.run(args!(0.5_f64)).output::<String>().await.unwrap(), "0.5");
    let outcome = automa.run(args!(1e300_f64)).output::<String>().await;
    assert!(outcome.is_err(), "1e300 became {outcome:?}");
}

/// [A15] [G5]
#[tokio::test]
async fn a_worker_that_takes_anything_gets_what_it_was_called_with_and_no_run_inputs() {
    struct Anything;
    impl Worker for Anything {
        type Output = String;

        async fn run(&self, args: Args, cx: &Context) -> Result<String, WorkerError> {
            Ok(format!("{args:?}, {:?}", cx.input::<String>("whatever")?))
        }
    }
    let mut automa = GraphAutoma::new("open");
    let a = async |cx: Context| cx.ferry_to("anything", args!(1, "two", three = 3.0));
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_worker("anything", Anything, free().output()).unwrap();

    let output = automa.run(args!(whatever = "input")).output::<String>().await.unwrap();
    assert_eq!(output, r#"(1, "two", three = 3.0), Some("input")"#);
}
