//! Keys: empty ones are refused, very long ones and any Unicode are accepted.

use ddg_core::prelude::*;
use expect_test::expect;
use proptest::prelude::*;

/// Declares a worker `key`, depends on it, ferries to it, adds to and removes from it at run time.
fn round_trip(key: &str) -> String {
    let mut automa = GraphAutoma::new(key);
    let (target, added) = (key.to_owned(), format!("{key}+"));
    let begin = move |cx: &Context| {
        cx.add_func_as_worker(&added, |text: String| text, after([&target]).inline().output());
        cx.ferry_to(&target, ());
        cx.remove_worker(cx.key());
    };
    let begin_key = format!("begin {key}");
    automa.add_func_as_worker(&begin_key, begin, start().inline()).unwrap();
    let worker = |cx: &Context| cx.path().to_string();
    automa.add_func_as_worker(key, worker, after([&begin_key]).inline()).unwrap();
    assert_eq!(automa.dependencies(key).unwrap(), [begin_key.as_str()]);
    let run = futures::FutureExt::now_or_never(automa.run(()).output::<String>());
    run.expect("nobody waits").unwrap()
}

#[test]
fn a_very_long_key() {
    let key = "k".repeat(1 << 20);
    assert!(round_trip(&key) == key);
}

#[test]
fn keys_that_look_alike_or_odd() {
    let odd = [
        " ",
        "\0",
        "\n",
        "/",
        "a/b",
        "`",
        "\"",
        "{}",
        "%s",
        "🦀",
        "मुख्य",
        "ß",
        "ẞ",
        "\u{202e}rtl",
        "e\u{301}",
        "é",
        "null",
        "0",
    ];
    for key in odd {
        assert_eq!(round_trip(key), key);
    }
    let mut automa = GraphAutoma::new("odd");
    for key in odd {
        automa.add_func_as_worker(key, async || (), free()).unwrap();
    }
    assert!(automa.keys().eq(odd.map(ddg_core::Key::from).iter()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_unicode(key in "\\PC+|.+") {
        prop_assert_eq!(round_trip(&key), key);
    }
}

#[tokio::test]
async fn an_empty_key() {
    let mut automa = GraphAutoma::new("graph");
    let empty = automa.add_func_as_worker("", async || (), start()).unwrap_err();
    let expected = expect![[r#"
        automa `graph`: a worker's key is empty: give it a name"#]];
    expected.assert_eq(&empty.to_string());
    let inner = GraphAutoma::new("inner");
    assert_eq!(automa.add_worker("", inner, start()).unwrap_err(), empty);
    assert_eq!(automa.declare_func("", async || (), free()).unwrap_err(), empty);
    assert_eq!(automa.keys().count(), 0);

    let error = automa.override_func_as_worker("", async || (), start()).unwrap_err();
    let expected = expect![[r#"
        automa `graph`: there is no worker `` to override; there are no workers"#]];
    expected.assert_eq(&error.to_string());

    let ferries = async |cx: &Context| cx.ferry_to("", ());
    automa.add_func_as_worker("ferries", ferries, start()).unwrap();
    let error = automa.run(()).output::<()>().await.unwrap_err();
    let expected = expect![[r#"
        automa `graph`, step 1: worker `ferries` ferried to ``, which does not exist; the workers are: `ferries`"#]];
    expected.assert_eq(&error.to_string());

    automa.add_dependency("ferries", "").unwrap();
    let error = automa.validate().unwrap_err();
    let expected = expect![[r#"
        automa `graph`: worker `ferries` depends on ``, which does not exist; the workers are: `ferries`"#]];
    expected.assert_eq(&error.to_string());
}

#[tokio::test]
async fn an_automa_without_a_name() {
    let mut automa = GraphAutoma::new("");
    automa.add_func_as_worker("worker", async || 1, start().output()).unwrap();
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 1);
}
