//! Outputs that do not fit their mapping: `unpack`, `in_order`, `merge` and `#[from]`.

use ddg_core::prelude::*;
use expect_test::{Expect, expect};
use serde_json::json;

use super::bad_arguments::City;
use super::trial::{fine, message};

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
