//! Arguments and inputs of a run: which workers get them, and what is refused before it begins.

use ddg_core::args::IntoArgs;
use ddg_core::prelude::*;
use expect_test::expect;
use serde_json::json;

use crate::arguments::tokyo;
use crate::trace::{add, trace};

/// [A1]
#[tokio::test]
async fn each_start_worker_takes_as_many_of_the_runs_arguments_as_it_has_parameters() {
    let mut automa = GraphAutoma::new("first");
    automa.add_func_as_worker("all", async |x: i32, y: i32| x - y, start()).unwrap();
    automa.add_func_as_worker("one", async |x: i32| x, start()).unwrap();
    automa.add_func_as_worker("none", async || (), start()).unwrap();
    let named = async |x: i32, y: i32| (x, y);
    automa.add_func_as_worker("named", named, start().params(["named", "y"])).unwrap();
    let injected = async |one: Option<i32>, x: i32| (one, x);
    let options = start().params(["one", "x"]).from("one", "one");
    automa.add_func_as_worker("injected", injected, options).unwrap();
    automa.add_func_as_worker("merged", async |all: Vec<i32>| all, start().merge()).unwrap();
    automa.add_func_as_worker("suppressed", async || (), start().suppressed()).unwrap();
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("one", async |x: i32| -x, start().output()).unwrap();
    automa.add_worker("inner", inner, start()).unwrap();

    expect![[r#"
        step 1: all (start) (5, 3) → 2
        step 1: one (start) (5) → 5
        step 1: none (start) () → null
        step 1: named (start) (7, 5) → [7,5]
        step 1: injected (start) (null, 5) → [null,5]
        step 1: merged (start) ([5,3]) → [5,3]
        step 1: suppressed (start) () → null
        step 1: inner (start) (5) → -5
        step 1: inner/one (start) (5) → -5
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(5, 3, named = 7)).await);
}

/// [A1] [A5]
#[tokio::test]
async fn a_start_worker_unpacks_the_runs_first_argument() {
    let mut automa = GraphAutoma::new("first");
    let days = async |name: String, days: u32| format!("{days} {name}");
    let options = start().unpack().params(["name", "days"]).output();
    automa.add_func_as_worker("days", days, options).unwrap();

    let unpacked = async |args: Args| automa.run(args).output::<String>().await;
    assert_eq!(unpacked(args!(tokyo())).await.unwrap(), "3 Tokyo");
    assert_eq!(unpacked(args!(json!(["Oslo", 2]))).await.unwrap(), "2 Oslo");
    assert_eq!(unpacked(args!(name = "Rome", days = 1)).await.unwrap(), "1 Rome");
    expect![
        "automa `first`, step 1: worker `days` cannot be called: cannot unpack the run's argument: it is neither a list nor a map, but `i32`"
    ]
    .assert_eq(&unpacked(args!(5)).await.unwrap_err().to_string());
}

/// [A1]
#[tokio::test]
async fn an_argument_that_no_start_worker_takes_is_refused_before_anything_runs() {
    let mut automa = GraphAutoma::new("inner");
    automa.add_func_as_worker("first", async || 1, start()).unwrap();
    automa.add_func_as_worker("last", async |x: i32| x, after(["first"]).output()).unwrap();
    let error = automa.run(args!(5)).await.unwrap_err();
    assert!(matches!(error, RunError::UnusedArguments { given: 1, taken: 0, .. }));
    expect![
        "automa `inner`: 1 argument given by position, but its start workers take none; other workers take a run's arguments by name"
    ]
    .assert_eq(&error.to_string());

    let mut outer = GraphAutoma::new("outer");
    outer.add_func_as_worker("give", async || 5, start()).unwrap();
    outer.add_worker("inner", automa, after(["give"])).unwrap();
    expect![
        "automa `outer`, step 2: worker `inner` failed: automa `inner`: 1 argument given by position, but its start workers take none; other workers take a run's arguments by name"
    ]
    .assert_eq(&outer.run(()).await.unwrap_err().to_string());

    let empty = GraphAutoma::new("empty");
    expect![
        "automa `empty`: 1 argument given by position, but its start workers take none; other workers take a run's arguments by name"
    ]
    .assert_eq(&empty.run(args!(5)).await.unwrap_err().to_string());
}

/// [A1]
#[tokio::test]
async fn a_run_gives_its_positional_arguments_to_every_start_worker_and_to_nobody_else() {
    let mut automa = GraphAutoma::new("first");
    let minus = async |x: i32, y: i32| x - y;
    automa.add_func_as_worker("a", minus, start()).unwrap();
    automa.add_func_as_worker("b", minus, start()).unwrap();
    let optional = async |x: Option<i32>| x;
    automa.add_func_as_worker("c", optional, after(["a"]).suppressed()).unwrap();

    expect![[r#"
        step 1: a (start) (5, 3) → 2
        step 1: b (start) (5, 3) → 2
        step 2: c (dependencies) (null) → null
        output: null
    "#]]
    .assert_eq(&trace(&automa, (5, 3)).await);
}

/// [A12]
#[tokio::test]
async fn run_inputs_reach_every_worker_by_name() {
    let mut automa = GraphAutoma::new("inputs");
    let take = async |town: String| town;
    automa.add_func_as_worker("a", take, start().params(["town"])).unwrap();
    automa.add_func_as_worker("b", take, after(["a"]).suppressed().params(["town"])).unwrap();
    let look = async |cx: Context| {
        (cx.input::<String>("town").unwrap(), cx.input::<String>("other").unwrap())
    };
    automa.add_func_as_worker("c", look, after(["b"]).suppressed()).unwrap();

    expect![[r#"
        step 1: a (start) ("Kyoto") → "Kyoto"
        step 2: b (dependencies) ("Kyoto") → "Kyoto"
        step 3: c (dependencies) () → ["Kyoto",null]
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(town = "Kyoto")).await);
}

/// [A9] [G5]
#[tokio::test]
async fn a_run_input_does_not_fill_an_injected_parameter() {
    let mut automa = GraphAutoma::new("injected");
    let look = async |x: i32| x;
    let options = start().params(["x"]).from_or("x", "lazy", 40).output();
    automa.add_func_as_worker("look", look, options).unwrap();
    automa.add_func_as_worker("lazy", async |y: i32| y, free().params(["y"])).unwrap();

    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 40);
    let error = automa.run(args!(x = 1)).output::<i32>().await.unwrap_err();
    expect!["automa `injected`: no worker has a parameter `x`; there are: y"]
        .assert_eq(&error.to_string());
}

/// [G5]
#[tokio::test]
async fn a_named_run_input_that_reaches_no_worker_is_refused_unless_declared() {
    let mut automa = GraphAutoma::new("inputs");
    let a = async |cx: Context| {
        let take = async |later: String| later;
        cx.add_func_as_worker("b", take, after(["a"]).params(["later"]).output());
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    add(&mut automa, "c", free());
    automa.add_func_as_worker("d", async |town: String| town, free().params(["town"])).unwrap();

    expect![[r#"
        error: automa `inputs`: no worker has a parameter `later`; there are: town
    "#]]
    .assert_eq(&trace(&automa, args!(later = "now")).await);
    automa.declare_input("later");
    expect![[r#"
        step 1: a (start) () → null
        step 2: b (dependencies) ("now") → "now"
        output: "now"
    "#]]
    .assert_eq(&trace(&automa, args!(later = "now", town = "Kyoto")).await);
}

/// [A1] [A12]
#[tokio::test]
async fn a_run_takes_its_arguments_from_a_tuple_a_json_object_or_both() {
    let mut automa = GraphAutoma::new("forms");
    let show = async |n: i32, town: String| format!("{n} {town}");
    automa.add_func_as_worker("a", show, start().params(["n", "town"]).output()).unwrap();

    let run = async |args: Args| automa.run(args).output::<String>().await.unwrap();
    assert_eq!(run((1, "x".to_owned()).into_args()).await, "1 x");
    assert_eq!(run(json!({"town": "x", "n": 1}).into_args()).await, "1 x");
    assert_eq!(run(args!(1, town = "x")).await, "1 x");
}

/// [A16] [G6]
#[tokio::test]
async fn an_input_is_filled_by_name_only_and_ferries_leave_it_out() {
    struct Greet;

    #[automa]
    impl Greet {
        #[worker(start)]
        async fn begin(&self, times: u32, cx: &Context) {
            cx.ferry_to(Self::GREET, (times + 1,));
        }

        #[worker(output)]
        async fn greet(&self, #[input] name: String, times: u32) -> String {
            format!("{name} {times}")
        }
    }

    assert_eq!(Greet.run(args!(2, name = "Ada")).await.unwrap(), "Ada 3");
    let error = Greet.run(args!(2)).await.unwrap_err();
    expect!["automa `Greet`: nothing fills parameter `name` (`String`) of worker `greet`: give the run `name = …`"]
        .assert_eq(&error.to_string());
    let error = Greet.run(args!(2, name = 3)).await.unwrap_err();
    expect!["automa `Greet`: the input for parameter `name` of worker `greet`: expected `String`, found `i32`"]
        .assert_eq(&error.to_string());

    // Needed inside, it is needed outside.
    let mut outer = GraphAutoma::new("outer");
    outer.add_func_as_worker("times", async || 5_u32, start()).unwrap();
    outer.add_worker("inner", Greet.build().unwrap(), after(["times"]).output()).unwrap();
    assert_eq!(outer.run(args!(name = "Ada")).output::<String>().await.unwrap(), "Ada 6");
    expect!["automa `outer`: nothing fills parameter `name` (`String`) of worker `inner/greet`: give the run `name = …`"]
        .assert_eq(&outer.run(()).await.unwrap_err().to_string());
}

/// [A16]
#[tokio::test]
async fn an_input_is_declared_on_a_parameter_that_there_is() {
    let mut automa = GraphAutoma::new("greet");
    let options = start().params(["name"]).input("nmae");
    let error = automa.add_func_as_worker("greet", async |name: String| name, options).unwrap_err();
    expect!["automa `greet`: worker `greet` has no parameter `nmae` to fill with an input; name its parameters with `.params([…])`"]
        .assert_eq(&error.to_string());
    let options = start().params(["name"]).input("name");
    automa.add_func_as_worker("greet", async |name: Option<String>| name, options).unwrap();
    let error = automa.run(args!("Ada")).await.unwrap_err();
    expect!["automa `greet`: 1 argument given by position, but its start workers take none; other workers take a run's arguments by name"]
        .assert_eq(&error.to_string());
    assert!(automa.run(()).await.is_ok(), "an option needs no input");
}

/// [G6]
#[tokio::test]
async fn where_nobody_can_change_the_graph_what_nobody_gives_is_found_before_anything_runs() {
    let mut automa = GraphAutoma::new("static");
    automa
        .add_func_as_worker("a", async || -> i32 { panic!("it runs") }, start().suppressed())
        .unwrap();
    let two = async |x: i32, y: i32| x + y;
    automa.add_func_as_worker("named", two, after(["b"]).params(["x", "y"])).unwrap();
    automa.add_func_as_worker("b", async || 1, after(["a"])).unwrap();
    automa.add_func_as_worker("unnamed", two, after(["b"])).unwrap();
    automa.add_func_as_worker("never", async || 1, free()).unwrap();
    automa.add_func_as_worker("late", two, after(["never"])).unwrap();

    expect!["automa `static`: worker `b` gets 1 output from its dependencies, but has 0 parameters to take them: add parameters, or `.merge()` or `.suppressed()`"]
        .assert_eq(&automa.run(()).await.unwrap_err().to_string());

    automa.remove_worker("unnamed").unwrap();
    let error = automa.run(args!(y = "two")).await.unwrap_err();
    expect!["automa `static`: worker `b` gets 1 output from its dependencies, but has 0 parameters to take them: add parameters, or `.merge()` or `.suppressed()`"]
        .assert_eq(&error.to_string());

    // A worker with a context may still give what is missing.
    let mut automa = GraphAutoma::new("dynamic");
    let give = async |cx: Context| {
        cx.add_func_as_worker("c", async || 2, start());
        cx.add_dependency("both", "c");
        cx.ferry_to("c", ());
        1
    };
    automa.add_func_as_worker("a", give, start()).unwrap();
    automa.add_func_as_worker("both", two, after(["a"]).output()).unwrap();
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 3);
}
