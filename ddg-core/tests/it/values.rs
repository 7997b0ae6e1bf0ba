//! Values are of a user's type in memory, or JSON that is converted to one; a parameter takes both.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use ddg_core::Data;
use ddg_core::prelude::*;
use ddg_core::values::ValueType;
use expect_test::expect;
use futures::FutureExt;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct City {
    name: String,
    days: Option<u8>,
    tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Answer {
    Unknown,
    Number(i64),
    Place { city: City },
}

/// What `value` is as a `T`, in every way in which a value can be read.
#[track_caller]
fn read<T: Data + PartialEq + Debug>(value: &Value) -> Result<T, String> {
    let got = value.get::<T>().map_err(|error| error.to_string());
    let shared = value.shared::<T>().map_err(|error| error.to_string());
    assert_eq!(shared.map(|shared| T::clone(&shared)), got, "shared");
    assert_eq!(value.clone().take::<T>().map_err(|error| error.to_string()), got, "taken");
    got
}

#[test]
fn numbers_are_read_as_any_number_type_that_they_fit() {
    for value in [Value::new(7_i32), Value::new(7_u64), Value::from_json(json!(7))] {
        assert_eq!(read::<i8>(&value), Ok(7));
        assert_eq!(read::<u64>(&value), Ok(7));
        assert_eq!(read::<i128>(&value), Ok(7));
        assert_eq!(read::<usize>(&value), Ok(7));
        assert_eq!(read::<f32>(&value), Ok(7.0));
        assert_eq!(read::<f64>(&value), Ok(7.0));
    }
    assert_eq!(read::<f64>(&Value::new(0.5_f32)), Ok(0.5));
    assert_eq!(read::<f32>(&Value::new(0.5_f64)), Ok(0.5));
    assert_eq!(read::<u64>(&Value::new(u64::MAX)), Ok(u64::MAX));
    assert_eq!(read::<i64>(&Value::new(i64::from(i32::MIN))), Ok(i64::from(i32::MIN)));
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    for value in [Value::new(300_i32), Value::from_json(json!(300))] {
        assert!(read::<u8>(&value).is_err());
        assert!(read::<i8>(&value).is_err());
        assert_eq!(read::<i16>(&value), Ok(300));
    }
    assert!(read::<u64>(&Value::new(-1)).is_err());
    assert!(read::<i64>(&Value::new(u64::MAX)).is_err());
    assert!(read::<i32>(&Value::new(1.5)).is_err());
    assert!(read::<i64>(&Value::new(u128::MAX)).is_err());
    let expected = expect!["expected `u8`, found 300, which does not fit"];
    expected.assert_eq(&read::<u8>(&Value::new(300)).unwrap_err());
    let expected = expect!["expected `u8`, found 300, which does not fit"];
    expected.assert_eq(&read::<u8>(&Value::from_json(json!(300))).unwrap_err());
    let expected = expect!["expected `i64`, found `u128`"];
    expected.assert_eq(&read::<i64>(&Value::new(u128::MAX)).unwrap_err());
}

#[test]
fn a_float_that_does_not_fit_a_smaller_one_is_refused() {
    for value in [Value::new(1e300), Value::from_json(json!(1e300))] {
        assert!(read::<f32>(&value).is_err(), "{:?}", read::<f32>(&value));
    }
}

#[test]
fn numbers_fit_optional_and_shared_parameters_too() {
    for value in [Value::new(7_i32), Value::from_json(json!(7))] {
        assert_eq!(value.get::<Option<u64>>(), Ok(Some(7)));
        assert_eq!(value.get::<Arc<u64>>(), Ok(Arc::new(7)));
        assert_eq!(value.get::<Option<f64>>(), Ok(Some(7.0)));
    }
    assert!(ValueType::of::<Option<u64>>().accepts(ValueType::of::<i32>()));
    let mut automa = GraphAutoma::new("optional");
    let days = |days: Option<u8>| days;
    automa.add_func_as_worker("days", days, start().params(["days"]).inline().output()).unwrap();
    for args in [args!(3), args!(days = 3), args!(json!(3)), args!(Some(3))] {
        let text = format!("{args:?}");
        let days = automa.run(args).output::<Option<u8>>().now_or_never().unwrap();
        assert_eq!(days.map_err(|error| error.to_string()), Ok(Some(3)), "{text}");
    }
}

#[test]
fn shared_and_optional_forms_of_a_type() {
    let city = City { name: "Oslo".into(), days: None, tags: vec![] };
    let (plain, shared) = (Value::new(city.clone()), Value::new(Arc::new(city.clone())));
    let optional = Value::new(Some(city.clone()));
    let parsed = Value::from_json(serde_json::to_value(&city).unwrap());
    for value in [&plain, &shared, &optional, &parsed] {
        assert_eq!(value.get::<City>().unwrap(), city);
        assert_eq!(*value.shared::<City>().unwrap(), city);
    }
    for value in [&plain, &shared, &parsed] {
        assert_eq!(*value.get::<Arc<City>>().unwrap(), city);
        assert_eq!(*value.get::<Option<Arc<City>>>().unwrap().unwrap(), city);
    }
    for value in [&plain, &optional, &parsed] {
        assert_eq!(value.get::<Option<City>>().unwrap().unwrap(), city);
    }
    let none = Value::new(None::<City>);
    assert_eq!(none.get::<Option<City>>().unwrap(), None);
    let expected = expect!["expected `City`, found `None`"];
    expected.assert_eq(&none.get::<City>().unwrap_err().to_string());
    let held: Arc<City> = plain.shared().unwrap();
    assert!(Arc::ptr_eq(&held, &plain.shared().unwrap()), "nothing is copied");
}

#[test]
fn null_is_unit_none_and_null() {
    for value in [Value::null(), Value::new(()), Value::from_json(json!(null)), Value::default()] {
        assert!(value.is_null());
        value.get::<()>().unwrap();
        assert_eq!(value.get::<Option<City>>().unwrap(), None);
        assert_eq!(value.get::<serde_json::Value>().unwrap(), json!(null));
        assert!(value.get::<Value>().unwrap().is_null());
        assert_eq!(value.to_json().unwrap(), json!(null));
        assert_eq!(value.get::<i64>().unwrap_err().to_string(), "expected `i64`, found null");
    }
}

#[test]
fn untyped_forms_of_any_value() {
    let city = City { name: "Oslo".into(), days: Some(3), tags: vec!["fjord".into()] };
    let json = json!({"name": "Oslo", "days": 3, "tags": ["fjord"]});
    for value in [Value::new(city.clone()), Value::new(json.clone()), Value::from(json.clone())] {
        assert_eq!(value.get::<serde_json::Value>().unwrap(), json);
        assert_eq!(value.get::<Value>().unwrap().get::<City>().unwrap(), city);
        let map = value.get::<serde_json::Map<String, serde_json::Value>>().unwrap();
        assert_eq!(map["days"], 3);
        assert_eq!(value.to_json().unwrap(), json);
        assert_eq!(format!("{value:?}"), json.to_string());
    }
    let within = Value::new(Value::new(Value::new(7)));
    assert_eq!(within.downcast_ref::<i32>(), Some(&7), "a value in a value is that value");
}

#[tokio::test]
async fn an_optional_value_takes_any_value_unchanged() {
    let city = City { name: "Oslo".into(), days: Some(3), tags: vec![] };
    let taken = Value::new(city.clone()).get::<Option<Value>>().unwrap().unwrap();
    assert_eq!(taken.downcast_ref::<City>(), Some(&city), "it keeps its type");
    let opaque = Value::new(Opaque::new(7)).get::<Option<Value>>().unwrap().unwrap();
    assert!(opaque.to_json().is_err(), "it is not written");
    for nothing in [Value::null(), Value::new(None::<City>), Value::new(None::<Value>)] {
        assert!(nothing.get::<Option<Value>>().unwrap().is_none());
        assert_eq!(nothing.get::<Option<serde_json::Value>>().unwrap(), None);
    }

    let mut automa = GraphAutoma::new("optional");
    automa.add_func_as_worker("city", move || city.clone(), start().inline()).unwrap();
    let name = async |city: Option<Value>| city.map(|city| city.get::<City>().unwrap().name);
    automa.add_func_as_worker("name", name, after(["city"]).output()).unwrap();
    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "Oslo");
}

#[test]
fn lists_of_values_are_read_as_lists_and_tuples() {
    let numbers = Value::list(vec![Value::new(1_i64), Value::new(2_i64)]);
    assert_eq!(numbers.get::<Vec<i64>>().unwrap(), [1, 2]);
    assert_eq!(numbers.get::<Vec<f64>>().unwrap(), [1.0, 2.0]);
    assert_eq!(numbers.get::<(u8, i64)>().unwrap(), (1, 2));
    assert_eq!(numbers.get::<[i64; 2]>().unwrap(), [1, 2]);
    assert_eq!(numbers.get::<Vec<Option<i64>>>().unwrap(), [Some(1), Some(2)]);
    let mixed = Value::list(vec![Value::new(1), Value::new("two".to_owned()), Value::null()]);
    assert_eq!(mixed.get::<(i64, String, ())>().unwrap(), (1, "two".to_owned(), ()));
    let values = mixed.get::<Vec<Value>>().unwrap();
    assert_eq!(values[1].get::<String>().unwrap(), "two");
    assert_eq!(values[1].downcast_ref::<String>().unwrap(), "two", "each keeps its type");
    assert_eq!(
        mixed.get::<Vec<serde_json::Value>>().unwrap(),
        [json!(1), json!("two"), json!(null)]
    );
    assert_eq!(Value::list(vec![]).get::<Vec<City>>().unwrap(), []);
    let expected = expect![[
        r#"expected `Vec<i64>`, found a list of 3 (invalid type: string "two", expected i64)"#
    ]];
    expected.assert_eq(&mixed.get::<Vec<i64>>().unwrap_err().to_string());
    let expected = expect![
        "expected `(i64,)`, found a list of 2 (invalid length 2, expected fewer elements in array)"
    ];
    expected.assert_eq(&numbers.get::<(i64,)>().unwrap_err().to_string());
    let expected =
        expect!["expected `i64`, found a list of 2 (invalid type: sequence, expected i64)"];
    expected.assert_eq(&numbers.get::<i64>().unwrap_err().to_string());
}

#[test]
fn merged_outputs_are_taken_as_lists_and_tuples() {
    let merged = |takes: AnyWorker| {
        let mut automa = GraphAutoma::new("merged");
        automa.add_func_as_worker("number", async || 1_i64, start()).unwrap();
        automa.add_func_as_worker("text", async || "two".to_owned(), start()).unwrap();
        automa.add_func_as_worker("nothing", async || (), start()).unwrap();
        let options = after(["text", "nothing", "number"]).merge().output();
        automa.add_worker("takes", takes, options).unwrap();
        automa.run(()).output::<String>().now_or_never().unwrap().unwrap()
    };
    let tuple = async |all: (String, (), u8)| format!("{all:?}");
    assert_eq!(merged(AnyWorker::func(tuple)), r#"("two", (), 1)"#);
    let values = async |all: Vec<Value>| all[0].get::<String>().unwrap() + &all.len().to_string();
    assert_eq!(merged(AnyWorker::func(values)), "two3");
    let borrowed = async |all: &(String, Option<u8>, i64)| format!("{all:?}");
    assert_eq!(merged(AnyWorker::func(borrowed)), r#"("two", None, 1)"#);
    let json = async |all: serde_json::Value| all.to_string();
    assert_eq!(merged(AnyWorker::func(json)), r#"["two",null,1]"#);
}

#[test]
fn json_is_read_as_each_type_that_it_fits() {
    let value = Value::from_json(json!([1, 2]));
    for _ in 0..2 {
        // Another reader's type is no obstacle to the next.
        assert_eq!(value.get::<Vec<u8>>().unwrap(), [1, 2]);
        assert_eq!(value.get::<(i64, f64)>().unwrap(), (1, 2.0));
        assert_eq!(value.get::<Vec<Value>>().unwrap().len(), 2);
        assert!(value.get::<Vec<String>>().is_err());
    }
    let first: Arc<Vec<u8>> = value.shared().unwrap();
    assert!(Arc::ptr_eq(&first, &value.shared().unwrap()), "what it became is kept");
}

#[test]
fn a_type_is_not_taken_for_another_of_the_same_form() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Town {
        name: String,
        days: Option<u8>,
        tags: Vec<String>,
    }
    let city = Value::new(City { name: "Oslo".into(), days: None, tags: vec![] });
    let expected = expect!["expected `Town`, found `City`"];
    expected.assert_eq(&city.get::<Town>().unwrap_err().to_string());
    let expected = expect!["expected `String`, found `i32`"];
    expected.assert_eq(&Value::new(7).get::<String>().unwrap_err().to_string());
    let expected = expect!["expected `i64`, found `String`"];
    expected.assert_eq(&Value::new("7".to_owned()).get::<i64>().unwrap_err().to_string());
}

#[test]
fn values_are_written_and_read_as_json() {
    let city = City { name: "Oslo".into(), days: Some(3), tags: vec![] };
    let values = vec![Value::new(city.clone()), Value::null(), Value::list(vec![Value::new(1)])];
    let text = serde_json::to_string(&values).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json, json!([{"name": "Oslo", "days": 3, "tags": []}, null, [1]]));
    let read: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(read[0].get::<City>().unwrap(), city);
    assert!(read[1].is_null());
    assert_eq!(read[2].get::<Vec<u8>>().unwrap(), [1]);
}

/// How a parameter of type `T` takes `value` in every place where it may come from; what it was
/// given, each time, as the worker saw it.
fn bound<T: Data + Debug>(value: &Value) -> Vec<Result<String, String>> {
    fn seen<T: Debug>(x: T) -> String {
        format!("{x:?}")
    }
    let takers = || {
        [
            AnyWorker::func(async |x: T| seen(x)),
            AnyWorker::func(async |x: &T| seen(x)),
            AnyWorker::func(async |x: Arc<T>| seen(x)),
            AnyWorker::func(async |x: Value| seen(x.get::<T>().unwrap())),
        ]
    };
    let mut results = Vec::new();
    let mut run = |automa: &GraphAutoma, args: Args| {
        let run = automa.run(args).output::<String>().now_or_never().expect("nobody waits");
        results.push(run.map_err(|error| error.to_string()));
    };
    for taker in takers() {
        // From the run, by position and by name.
        let mut automa = GraphAutoma::new("bound");
        automa.add_worker("takes", taker, start().params(["x"]).output()).unwrap();
        run(&automa, args!(value.clone()));
        run(&automa, args!(x = value.clone()));
    }
    for taker in takers() {
        // From a ferry, by position and by name, and from a dependency.
        let (ferried, by_name) = (value.clone(), value.clone());
        let begin = move |how: u8, cx: &Context| match how {
            0 => cx.ferry_to("takes", args!(ferried.clone())),
            1 => cx.ferry_to("takes", args!(x = by_name.clone())),
            _ => cx.ferry_to("gives", ()),
        };
        let given = value.clone();
        let mut automa = GraphAutoma::new("bound");
        automa.add_func_as_worker("begin", begin, start().inline()).unwrap();
        automa.add_func_as_worker("gives", move || given.clone(), free().inline()).unwrap();
        let options = after(["gives"]).params(["x"]).output();
        automa.add_worker("takes", taker, options).unwrap();
        for how in 0..3_u8 {
            run(&automa, args!(how));
        }
    }
    for taker in takers() {
        // From a worker whose output is a list of one value, scattered and unpacked.
        let list = Value::list(vec![value.clone()]);
        let (dealt, unpacked) = (list.clone(), list);
        let mut automa = GraphAutoma::new("bound");
        automa
            .add_func_as_worker("deals", move || dealt.clone(), start().in_order().inline())
            .unwrap();
        automa.add_worker("takes", taker.clone(), after(["deals"]).output()).unwrap();
        run(&automa, args!());
        let mut automa = GraphAutoma::new("bound");
        automa.add_func_as_worker("gives", move || unpacked.clone(), start().inline()).unwrap();
        automa.add_worker("takes", taker, after(["gives"]).unpack().output()).unwrap();
        run(&automa, args!());
    }
    results
}

/// A `T` binds the same whether it is held as itself or as JSON.
#[track_caller]
fn same<T: Data + Debug>(x: T) {
    let parsed = Value::from_json(serde_json::to_value(&x).unwrap());
    let (expected, typed) = (format!("{x:?}"), bound::<T>(&Value::new(x)));
    assert!(typed.iter().all(|seen| seen.as_ref() == Ok(&expected)), "{expected}: {typed:?}");
    assert_eq!(bound::<T>(&parsed), typed);
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,8}"
}

fn city() -> impl Strategy<Value = City> {
    let tags = proptest::collection::vec(text(), 0..3);
    (text(), any::<Option<u8>>(), tags).prop_map(|(name, days, tags)| City { name, days, tags })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn numbers_bind_the_same_typed_or_json(
        (a, b, c, d) in any::<(i64, u64, u8, bool)>(),
        (e, f) in (proptest::num::f64::NORMAL, proptest::num::f32::NORMAL),
    ) {
        same(a);
        same(b);
        same(c);
        same(d);
        same(e);
        same(f);
    }

    #[test]
    fn texts_and_options_bind_the_same_typed_or_json(
        (a, b) in (text(), any::<char>()),
        (c, d) in (proptest::option::of(text()), any::<Option<i64>>()),
    ) {
        same(a);
        same(b);
        same(c);
        same(d);
    }

    #[test]
    fn lists_and_maps_bind_the_same_typed_or_json(
        a in proptest::collection::vec(any::<i64>(), 0..4),
        b in proptest::collection::vec(proptest::option::of(text()), 0..4),
        c in proptest::collection::btree_map(text(), any::<i64>(), 0..4),
        d in proptest::collection::btree_map(any::<u32>(), text(), 0..4),
        e in any::<(i64, bool, [u8; 3])>(),
    ) {
        same(a);
        same(b);
        same(c);
        same(d);
        same(e);
    }

    #[test]
    fn structs_and_enums_bind_the_same_typed_or_json(a in city(), b in any::<i64>()) {
        same(vec![Answer::Unknown, Answer::Number(b), Answer::Place { city: a.clone() }]);
        same(Answer::Number(b));
        same(Answer::Unknown);
        same(BTreeMap::from([(a.name.clone(), a.clone())]));
        same(a);
    }
}
