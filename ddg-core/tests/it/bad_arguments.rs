//! Arguments that do not fit fail the step before any of its workers starts. The error names
//! automa, worker and parameter, and the expected and actual types.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ddg_core::args::IntoArgs;
use ddg_core::prelude::*;
use expect_test::{Expect, expect};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::trial::{Gate, fine, message};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct City {
    days: u8,
    name: String,
}

/// Ferries to `target` with `args` if it is to do something bad; `target` does not start then.
async fn check_ferry<A: IntoArgs + Clone + Send + Sync + 'static>(args: A, expected: &Expect) {
    let target_ran = Arc::new(AtomicBool::new(false));
    let ran = Arc::clone(&target_ran);
    let declare = |automa: &mut GraphAutoma| {
        let ferries = move |bad: bool, cx: &Context| {
            if bad {
                cx.ferry_to("target", args.clone());
                cx.ferry_to("beside it", ());
            }
        };
        automa.add_func_as_worker("ferries", ferries, after(["entry"]).inline()).unwrap();
        let target = move |_city: String, _days: u8| ran.store(true, Ordering::Relaxed);
        let ran = Arc::clone(&target_ran);
        let beside_it = move || ran.store(true, Ordering::Relaxed);
        automa.add_func_as_worker("target", target, free().params(["city", "days"])).unwrap();
        automa.add_func_as_worker("beside it", beside_it, free()).unwrap();
        automa.add_func_as_worker("end", fine, after(["ferries"]).output()).unwrap();
    };
    expected.assert_eq(&message(declare).await);
    assert!(!target_ran.load(Ordering::Relaxed), "a worker of the step was started");
}

#[tokio::test]
async fn too_few() {
    check_ferry(
        (),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `city` (`String`) got no argument: 0 given by position, none of that name"#]],
    )
    .await;
    check_ferry(
        args!("Oslo"),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `days` (`u8`) got no argument: 1 given by position, none of that name"#]],
    )
    .await;
    check_ferry(
        args!(days = 3),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `city` (`String`) got no argument: 0 given by position, none of that name"#]],
    )
    .await;
}

#[tokio::test]
async fn too_many() {
    check_ferry(
        args!("Oslo", 3, true),
        &expect!["automa `trial`, step 3: worker `target` cannot be called: 3 arguments given by position, but only 2 parameters to take them"],
    )
    .await;
}

#[tokio::test]
async fn mistyped() {
    check_ferry(
        args!(3, "Oslo"),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `city`: expected `String`, found `i32`"#]],
    )
    .await;
    check_ferry(
        args!("Oslo", days = "three"),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found `String`"#]],
    )
    .await;
    check_ferry(
        args!("Oslo", days = vec![3]),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found `Vec<i32>`"#]],
    )
    .await;
    check_ferry(
        args!("Oslo", days = None::<u8>),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found `None`"#]],
    )
    .await;
    check_ferry(
        args!("Oslo", days = ()),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found null"#]],
    )
    .await;
    check_ferry(
        args!(Opaque::new(1), days = 3),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `city`: expected `String`, found `Opaque<i32>`"#]],
    )
    .await;
}

#[tokio::test]
async fn numbers_that_do_not_fit() {
    check_ferry(
        args!("Oslo", days = 300),
        &expect!["automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found 300, which does not fit"],
    )
    .await;
    check_ferry(
        args!("Oslo", days = -1),
        &expect!["automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found -1, which does not fit"],
    )
    .await;
    check_ferry(
        args!("Oslo", days = 1.5),
        &expect!["automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found 1.5, which does not fit"],
    )
    .await;
}

#[tokio::test]
async fn json_of_another_kind() {
    check_ferry(
        json!({"city": "Oslo", "days": "three"}),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found JSON string (invalid type: string "three", expected u8)"#]],
    )
    .await;
    check_ferry(
        json!({"city": "Oslo", "days": 300}),
        &expect!["automa `trial`, step 3: worker `target` cannot be called: parameter `days`: expected `u8`, found 300, which does not fit"],
    )
    .await;
    check_ferry(
        json!({"city": null, "days": 3}),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `city`: expected `String`, found null"#]],
    )
    .await;
    check_ferry(
        json!({"city": ["Oslo"], "days": 3}),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `city`: expected `String`, found JSON array (invalid type: sequence, expected a string)"#]],
    )
    .await;
    check_ferry(
        json!({"city": {"name": "Oslo"}, "days": 3}),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: parameter `city`: expected `String`, found JSON object (invalid type: map, expected a string)"#]],
    )
    .await;
}

#[tokio::test]
async fn misspelled() {
    check_ferry(
        args!("Oslo", dyas = 3),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: there is no parameter `dyas`; did you mean `days`?"#]],
    )
    .await;
    check_ferry(
        args!("Oslo", 3, dyas = 3),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: there is no parameter `dyas`; did you mean `days`?"#]],
    )
    .await;
    check_ferry(
        json!({"city": "Oslo", "days": 3, "weather": "fine"}),
        &expect![[r#"
            automa `trial`, step 3: worker `target` cannot be called: there is no parameter `weather`; there are: city, days"#]],
    )
    .await;
}

#[tokio::test]
async fn a_struct_from_json_without_one_of_its_fields() {
    let declare = |automa: &mut GraphAutoma| {
        let ferries = |bad: bool, cx: &Context| {
            if bad {
                cx.ferry_to("target", args!(city = json!({"name": "Oslo"})));
            }
        };
        automa.add_func_as_worker("ferries", ferries, after(["entry"]).inline()).unwrap();
        let target = async |_: City| ();
        automa.add_func_as_worker("target", target, free().params(["city"])).unwrap();
        automa.add_func_as_worker("end", fine, after(["ferries"]).output()).unwrap();
    };
    let expected = expect![[r#"
        automa `trial`, step 3: worker `target` cannot be called: parameter `city`: expected `City`, found JSON object (missing field `days`)"#]];
    expected.assert_eq(&message(declare).await);
}

#[tokio::test]
async fn a_run_that_is_given_arguments_that_do_not_fit() {
    let mut automa = GraphAutoma::new("trip");
    let gate = Gate::shut();
    let plan = {
        let gate = gate.clone();
        move |city: String, days: u8| {
            let gate = gate.clone();
            async move {
                gate.pass().await;
                format!("{days} days in {city}")
            }
        }
    };
    automa.add_func_as_worker("plan", plan, start().params(["city", "days"]).output()).unwrap();
    let concurrent = automa.run(args!("Oslo", days = 3)).spawn();
    gate.reached().await;
    let refused = [
        (
            args!(),
            expect![[r#"
            automa `trip`, step 1: worker `plan` cannot be called: parameter `city` (`String`) got no argument: 0 given by position, none of that name"#]],
        ),
        (
            args!("Rome"),
            expect![[r#"
            automa `trip`, step 1: worker `plan` cannot be called: parameter `days` (`u8`) got no argument: 1 given by position, none of that name"#]],
        ),
        (
            args!(city = "Rome"),
            expect![[r#"
            automa `trip`, step 1: worker `plan` cannot be called: parameter `days` (`u8`) got no argument: 0 given by position, none of that name"#]],
        ),
        (
            args!("Rome", 3, 4),
            expect![
                "automa `trip`: 3 arguments given by position, but its start workers take 2 at most; other workers take a run's arguments by name"
            ],
        ),
        (
            args!(3, "Rome"),
            expect![[r#"
            automa `trip`, step 1: worker `plan` cannot be called: parameter `city`: expected `String`, found `i32`"#]],
        ),
        (
            args!("Rome", dyas = 3),
            expect![[r#"
            automa `trip`: no worker has a parameter `dyas`; did you mean `days`?"#]],
        ),
        (
            args!("Rome", 3, country = "Italy"),
            expect![[r#"
            automa `trip`: no worker has a parameter `country`; there are: city, days"#]],
        ),
    ];
    for (args, expected) in refused {
        expected.assert_eq(&automa.run(args).output::<String>().await.unwrap_err().to_string());
    }
    gate.open();
    assert_eq!(concurrent.output::<String>().await.unwrap(), "3 days in Oslo");
    assert_eq!(automa.run(args!("Rome", 2)).output::<String>().await.unwrap(), "2 days in Rome");
}

#[tokio::test]
async fn names_that_reach_no_worker() {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("within", async |_: u8| (), start().params(["depth"])).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_func_as_worker("named", async |_: u8| (), free().params(["breadth"])).unwrap();
    automa.add_worker("inner", inner, start()).unwrap();
    automa.declare_input("tool");
    let message = async |args| automa.run(args).output::<()>().await.unwrap_err().to_string();
    let expected = expect![[r#"
        automa `outer`: no worker has a parameter `dpeth`; did you mean `depth`?"#]];
    expected.assert_eq(&message(args!(dpeth = 1)).await);
    let expected = expect![[r#"
        automa `outer`: no worker has a parameter `colour`; there are: breadth, depth, tool"#]];
    expected.assert_eq(&message(args!(depth = 1, colour = "red")).await);
    automa.run(args!(depth = 1, breadth = 2, tool = 3)).output::<()>().await.unwrap();

    let mut nameless = GraphAutoma::new("nameless");
    nameless.add_func_as_worker("worker", async |_: u8| (), start()).unwrap();
    let error = nameless.run(args!(x = 1)).output::<()>().await.unwrap_err();
    let expected = expect![
        "automa `nameless`: no worker has a parameter `x`; no parameter has a name: give them names with `.params([…])`"
    ];
    expected.assert_eq(&error.to_string());
}

/// `gives` gives `value` if it is to do something bad, otherwise a list with a number and a text.
async fn check_output<T: ddg_core::Data>(
    value: T,
    options: WorkerOptions,
    declare: impl FnOnce(&mut GraphAutoma),
    expected: &Expect,
) {
    let declare = |automa: &mut GraphAutoma| {
        let gives = move |bad: bool| {
            if bad { Value::new(value.clone()) } else { Value::new((1, "one".to_owned())) }
        };
        automa.add_func_as_worker("gives", gives, options.after(["entry"]).inline()).unwrap();
        declare(automa);
    };
    expected.assert_eq(&message(declare).await);
}

async fn check_unpack<T: ddg_core::Data>(value: T, expected: &Expect) {
    let declare = |automa: &mut GraphAutoma| {
        let takes = async |_: u8, _: String| "fine".to_owned();
        let options = after(["gives"]).unpack().params(["number", "text"]).output();
        automa.add_func_as_worker("takes", takes, options).unwrap();
    };
    check_output(value, free(), declare, expected).await;
}

#[tokio::test]
async fn unpack_of_an_output_that_is_neither_a_list_nor_a_map() {
    check_unpack(
        7,
        &expect!["automa `trial`, step 3: worker `takes` cannot be called: cannot unpack the output of `gives`: it is neither a list nor a map, but `i32`"],
    )
    .await;
    check_unpack(
        "text".to_owned(),
        &expect!["automa `trial`, step 3: worker `takes` cannot be called: cannot unpack the output of `gives`: it is neither a list nor a map, but `String`"],
    )
    .await;
    check_unpack(
        (),
        &expect!["automa `trial`, step 3: worker `takes` cannot be called: cannot unpack the output of `gives`: it is neither a list nor a map, but null"],
    )
    .await;
    check_unpack(
        None::<Vec<u8>>,
        &expect!["automa `trial`, step 3: worker `takes` cannot be called: cannot unpack the output of `gives`: it is neither a list nor a map, but `Option<Vec<u8>>`"],
    )
    .await;
    check_unpack(
        json!("text"),
        &expect!["automa `trial`, step 3: worker `takes` cannot be called: cannot unpack the output of `gives`: it is neither a list nor a map, but JSON string"],
    )
    .await;
    check_unpack(
        Opaque::new(()),
        &expect!["automa `trial`, step 3: worker `takes` cannot be called: cannot unpack the output of `gives`: it is neither a list nor a map, but `Opaque<()>`"],
    )
    .await;
}

#[tokio::test]
async fn unpack_of_what_does_not_fit_the_parameters() {
    check_unpack(
        vec![1_u8],
        &expect![[r#"
            automa `trial`, step 3: worker `takes` cannot be called: parameter `text` (`String`) got no argument: 1 given by position, none of that name"#]],
    )
    .await;
    check_unpack(
        (1, "one".to_owned(), 1.0),
        &expect!["automa `trial`, step 3: worker `takes` cannot be called: 3 arguments given by position, but only 2 parameters to take them"],
    )
    .await;
    check_unpack(
        ("one".to_owned(), 1),
        &expect![[r#"automa `trial`, step 3: worker `takes` cannot be called: parameter `number`: expected `u8`, found an element of `(String, i32)` (invalid type: string "one", expected u8)"#]],
    )
    .await;
    check_unpack(
        City { days: 3, name: "Oslo".into() },
        &expect![[r#"
            automa `trial`, step 3: worker `takes` cannot be called: there is no parameter `days`; there are: number, text"#]],
    )
    .await;
}

#[tokio::test]
async fn unpack_of_a_map_with_a_misspelled_name() {
    check_unpack(
        json!({"number": 1, "txet": "one"}),
        &expect![[r#"
            automa `trial`, step 3: worker `takes` cannot be called: there is no parameter `txet`; did you mean `text`?"#]],
    )
    .await;
}

async fn check_in_order<T: ddg_core::Data>(value: T, expected: &Expect) {
    let declare = |automa: &mut GraphAutoma| {
        automa.add_func_as_worker("one", async |_: u8| (), after(["gives"])).unwrap();
        let two = async |_: String| "fine".to_owned();
        automa.add_func_as_worker("two", two, after(["gives"]).output()).unwrap();
    };
    check_output(value, free().in_order(), declare, expected).await;
}

#[tokio::test]
async fn in_order_of_an_output_that_is_not_a_list() {
    check_in_order(
        7,
        &expect!["automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is `i32`"],
    )
    .await;
    check_in_order(
        "ab".to_owned(),
        &expect!["automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is `String`"],
    )
    .await;
    check_in_order(
        (),
        &expect![[r#"
            automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is null"#]],
    )
    .await;
    check_in_order(
        json!({"a": 1, "b": 2}),
        &expect![[r#"
            automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is JSON object"#]],
    )
    .await;
    check_in_order(
        City { days: 3, name: "Oslo".into() },
        &expect!["automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is `City`"],
    )
    .await;
}

#[tokio::test]
async fn in_order_of_the_wrong_length() {
    check_in_order(
        Vec::<u8>::new(),
        &expect![[r#"
            automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is a list of 0"#]],
    )
    .await;
    check_in_order(
        vec![1],
        &expect![[r#"
            automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is a list of 1"#]],
    )
    .await;
    check_in_order(
        json!([1, "two", 3]),
        &expect![[r#"
            automa `trial`, step 2: worker `gives` scatters its output in order over 2 successors, so it must be a list of that length, but it is a list of 3"#]],
    )
    .await;
}

#[tokio::test]
async fn in_order_of_elements_of_another_type() {
    check_in_order(
        ("one".to_owned(), 1),
        &expect![[r#"
            automa `trial`, step 3: 2 failures
            - worker `one` cannot be called: parameter #1: expected `u8`, found an element of `(String, i32)` (invalid type: string "one", expected u8)
            - worker `two` cannot be called: parameter #1: expected `String`, found the number 1 (invalid type: integer `1`, expected a string)"#]],
    )
    .await;
    check_in_order(
        vec![1, 2],
        &expect![[r#"
            automa `trial`, step 3: worker `two` cannot be called: parameter #1: expected `String`, found the number 2 (invalid type: integer `2`, expected a string)"#]],
    )
    .await;
}

#[tokio::test]
async fn merge_into_a_parameter_that_is_not_a_list_of_the_type() {
    let merged = |automa: &mut GraphAutoma| {
        let one = async |bad: bool| if bad { Value::new("one".to_owned()) } else { Value::new(1) };
        automa.add_func_as_worker("one", one, after(["entry"])).unwrap();
        automa.add_func_as_worker("two", async |_: bool| 2_u8, after(["entry"])).unwrap();
        let takes = async |numbers: Vec<u8>| {
            assert_eq!(numbers, [1, 2]);
            "fine".to_owned()
        };
        automa.add_func_as_worker("takes", takes, after(["one", "two"]).merge().output()).unwrap();
    };
    let expected = expect![[
        r#"automa `trial`, step 3: worker `takes` cannot be called: parameter #1: expected `Vec<u8>`, found a list of 2 (invalid type: string "one", expected u8)"#
    ]];
    expected.assert_eq(&message(merged).await);
}

#[tokio::test]
async fn from_of_a_worker_that_has_not_run_and_has_no_default() {
    let declare = |from: &'static str| {
        move |automa: &mut GraphAutoma| {
            let branch = async |bad: bool, cx: &Context| {
                cx.ferry_to(if bad { "takes" } else { "end" }, ());
            };
            automa.add_func_as_worker("branch", branch, after(["entry"])).unwrap();
            automa.add_func_as_worker("never", async || 1, free()).unwrap();
            let options = free().params(["number"]).from("number", from);
            automa.add_func_as_worker("takes", async |_: i32| (), options).unwrap();
            automa.add_func_as_worker("end", fine, free().output()).unwrap();
        }
    };
    let expected = expect![[r#"
        automa `trial`, step 3: worker `takes` cannot be called: parameter `number` takes the output of `never`, which has not run; give it a default"#]];
    expected.assert_eq(&message(declare("never")).await);
    let expected = expect![
        "automa `trial`, step 3: worker `takes` cannot be called: parameter `number` takes the output of `nobody`, which does not exist; misspelled?"
    ];
    expected.assert_eq(&message(declare("nobody")).await);
}

#[tokio::test]
async fn from_of_a_worker_that_gave_another_type() {
    let declare = |automa: &mut GraphAutoma| {
        let branch = async |bad: bool, cx: &Context| {
            cx.ferry_to(if bad { "takes" } else { "end" }, ());
            "text".to_owned()
        };
        automa.add_func_as_worker("branch", branch, after(["entry"])).unwrap();
        let options = free().params(["number"]).from("number", "branch");
        automa.add_func_as_worker("takes", async |_: i32| (), options).unwrap();
        automa.add_func_as_worker("end", fine, free().output()).unwrap();
    };
    let expected = expect![[r#"
        automa `trial`, step 3: worker `takes` cannot be called: parameter `number`: expected `i32`, found `String`"#]];
    expected.assert_eq(&message(declare).await);
}

#[tokio::test]
async fn an_injected_parameter_is_not_filled_by_position() {
    let declare = |automa: &mut GraphAutoma| {
        let branch = async |bad: bool, cx: &Context| {
            cx.ferry_to("takes", if bad { args!(1, 2) } else { args!(1) });
        };
        automa.add_func_as_worker("branch", branch, after(["entry"])).unwrap();
        let options = free().params(["a", "b"]).from_or("b", "nobody", 7).output();
        let takes = async |a: i32, b: i32| {
            assert_eq!((a, b), (1, 7));
            "fine".to_owned()
        };
        automa.add_func_as_worker("takes", takes, options).unwrap();
    };
    let expected = expect![
        "automa `trial`, step 3: worker `takes` cannot be called: 2 arguments given by position, but only 1 parameter to take them"
    ];
    expected.assert_eq(&message(declare).await);
}

#[tokio::test]
async fn a_result_of_another_type_than_asked_for() {
    let mut automa = GraphAutoma::new("half");
    automa.add_func_as_worker("text", async || "text".to_owned(), start().output()).unwrap();
    let error = automa.run(()).output::<i64>().await.unwrap_err();
    let expected = expect![[r#"
        automa `half`: its result: expected `i64`, found `String`"#]];
    expected.assert_eq(&error.to_string());
    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "text");
    let error = automa.run(()).output::<()>().await.unwrap_err();
    let expected = expect![[r#"
        automa `half`: its result: expected `()`, found `String`"#]];
    expected.assert_eq(&error.to_string());
}
