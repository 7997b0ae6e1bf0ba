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
pub(crate) struct City {
    pub(crate) days: u8,
    pub(crate) name: String,
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
