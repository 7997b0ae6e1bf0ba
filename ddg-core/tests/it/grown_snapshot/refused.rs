//! Workers that cannot be resolved are named, when the snapshot is taken or when it is resumed.

use ddg_core::Key;
use ddg_core::prelude::*;
use expect_test::expect;

use super::nested::with_nested;
use super::{Multiply, Search, planned, stopped, unregistered};

async fn refusal(automa: &GraphAutoma) -> String {
    stopped(automa).await.unwrap_err().to_string()
}

/// [D2]
#[tokio::test]
async fn a_function_that_is_not_declared_is_named() {
    let closure = planned(|cx| cx.add_func_as_worker("more", async || (), free()));
    expect!["automa `grow`: the run has added worker `more`, which cannot be restored: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&refusal(&closure).await);
    let nested = with_nested(|cx| {
        cx.nested("inner").unwrap().add_func_as_worker("more", async || (), free());
    });
    expect!["automa `grow`: the run has added worker `inner/more`, which cannot be restored: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&refusal(&nested).await);
    let made = planned(|cx| {
        let mut made = GraphAutoma::new("made");
        made.add_func_as_worker("more", async || (), start()).unwrap();
        cx.add_worker("sub", made, free());
    });
    expect!["automa `grow`: the run has added worker `sub/more`, which cannot be restored: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&refusal(&made).await);
}

/// [D2]
#[tokio::test]
async fn a_type_that_is_not_registered_is_named() {
    let automa = planned(|cx| cx.add_worker("search", Search, free()));
    expect![[r#"automa `grow`: the run has added worker `search`, which cannot be restored: its type is not registered; register it with `register_worker::<Search>("a name")`"#]].assert_eq(&refusal(&automa).await);
}

struct Watch;

impl Callback for Watch {}

#[tokio::test]
async fn callbacks_of_an_added_worker_are_named() {
    let own = planned(|cx| {
        cx.add_worker("by_7", Multiply { by: 7 }, free().callback(Watch));
    });
    expect!["automa `grow`: the run has added worker `by_7`, which cannot be restored: it has callbacks of its own; add them to the automa, or where it is declared"].assert_eq(&refusal(&own).await);
    let mut declared = planned(|cx| {
        cx.add_func_as_worker("one", Key::from("one"), free().callback(Watch));
    });
    declared.declare_func("one", async || (), free().callback(Watch)).unwrap();
    expect!["automa `grow`: the run has added worker `one`, which cannot be restored: it has callbacks of its own; add them to the automa, or where it is declared"].assert_eq(&refusal(&declared).await);
    let mut fine = planned(|cx| cx.add_func_as_worker("one", Key::from("one"), free()));
    fine.declare_func("one", async || (), free().callback(Watch)).unwrap();
    assert!(stopped(&fine).await.is_ok());
    let automa = planned(|cx| {
        let mut made = GraphAutoma::new("made");
        made.add_callback(Watch);
        cx.add_worker("sub", made, free());
    });
    expect!["automa `grow`: the run has added worker `sub`, which cannot be restored: it is an automa with callbacks, created during the run; declare it with `declare_worker`, and add it by that name"].assert_eq(&refusal(&automa).await);
}

/// [D2]
#[tokio::test]
async fn a_configuration_that_cannot_be_written_is_named() {
    let plan = |cx: &Context| cx.add_worker("by_7", Multiply { by: 7 }, free());
    let mut opaque = unregistered(plan);
    let (to, from) = (|_: &Multiply| Opaque::new(1), |by: Opaque<i64>| Multiply { by: *by });
    opaque.register_worker_with("multiply", to, from).unwrap();
    expect!["automa `grow`: worker `by_7`: its configuration: `Multiply` cannot be written as JSON: `i64` is opaque: it lives only in memory and has no JSON form"].assert_eq(&refusal(&opaque).await);
    let mut panics = unregistered(plan);
    let (to, from) = (|_: &Multiply| -> i64 { panic!("no") }, |by| Multiply { by });
    panics.register_worker_with("multiply", to, from).unwrap();
    expect!["automa `grow`: worker `by_7`: its configuration: `Multiply` cannot be written as JSON: the code that the type is registered with panicked"].assert_eq(&refusal(&panics).await);
}

#[tokio::test]
async fn a_worker_that_cannot_be_resolved_is_named() {
    let plan = |cx: &Context| {
        cx.add_func_as_worker("one", Key::from("first"), free());
        cx.add_worker("by_7", Multiply { by: 7 }, free());
        cx.ferry_to("one", ());
    };
    let mut automa = planned(plan);
    automa.declare_func("first", async || 1, free()).unwrap();
    let snapshot = stopped(&automa).await.unwrap();

    let error = planned(plan).resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `grow`: the snapshot has a worker `one`: it was declared as `first`, but no longer is: declare it again under this name"].assert_eq(&error.to_string());

    let mut bare = unregistered(plan);
    bare.declare_func("first", async || 1, free()).unwrap();
    let error = bare.resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `grow`: the snapshot has a worker `by_7`: its type was registered as `multiply`, but no longer is: register it again with `register_worker`"].assert_eq(&error.to_string());

    let mut other = planned(plan);
    other.declare_func("first", async |x: Option<String>| x, free()).unwrap();
    let error = other.resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `grow` is declared differently than when the snapshot was taken: worker `one` is now `(Option<String>) -> Option<String>`; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&error.to_string());

    let json = serde_json::to_string(&snapshot).unwrap().replace(r#"{"by":7}"#, r#"{"by":"x"}"#);
    let error = automa.resume(serde_json::from_str(&json).unwrap()).await.unwrap_err();
    expect![[r#"automa `grow`: worker `by_7` cannot be restored by the type that is registered as `multiply`: invalid type: string "x", expected i64"#]].assert_eq(&error.to_string());
}
