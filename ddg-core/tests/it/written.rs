//! What is written comes back as it was, or is an error when it is written.

use std::collections::BTreeMap;

use ddg_core::checkpoint::MemoryStore;
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde::{Deserialize, Serialize, Serializer};

/// Everything that JSON has no word for, and much that it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Data {
    Nothing,
    Float(f64),
    Small(f32),
    Nested(Option<Option<i64>>),
    Unit(Option<()>),
    Any(Option<Box<Data>>),
    List(Vec<Data>),
    ByNumber(BTreeMap<i64, Data>),
    ByFlag(BTreeMap<bool, u64>),
    ByChoice(BTreeMap<Option<u8>, u8>),
    Named { text: String, data: Box<Data> },
}

fn data() -> impl Strategy<Value = Data> {
    let leaf = prop_oneof![
        Just(Data::Nothing),
        any::<f64>().prop_map(Data::Float),
        any::<f32>().prop_map(Data::Small),
        any::<Option<Option<i64>>>().prop_map(Data::Nested),
        any::<Option<()>>().prop_map(Data::Unit),
        proptest::collection::btree_map(any::<bool>(), any::<u64>(), 0..2).prop_map(Data::ByFlag),
        proptest::collection::btree_map(any::<Option<u8>>(), any::<u8>(), 0..2)
            .prop_map(Data::ByChoice),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            proptest::option::of(boxed.clone()).prop_map(Data::Any),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Data::List),
            proptest::collection::btree_map(any::<i64>(), inner, 0..3).prop_map(Data::ByNumber),
            (".*", boxed).prop_map(|(text, data)| Data::Named { text, data }),
        ]
    })
}

proptest! {
    /// [D6]
    #[test]
    fn what_comes_back_is_what_went_in(data in data()) {
        if let Ok(json) = serde_json::to_string(&Value::new(data.clone())) {
            let read: Value = serde_json::from_str(&json).unwrap();
            let read = read.get::<Data>().unwrap();
            // NaN would not be equal to itself; it is never written.
            prop_assert_eq!(read, data);
        }
    }

    /// [D6]
    #[test]
    fn finite_floats_come_back_bit_by_bit(bits: u64) {
        let float = f64::from_bits(bits);
        let json = serde_json::to_string(&Value::new(float));
        prop_assert_eq!(json.is_ok(), float.is_finite());
        if let Ok(json) = json {
            let read: Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read.get::<f64>().unwrap().to_bits(), bits);
        }
    }
}

/// Text that does not care for case, but is written with it gone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Caseless(String);

impl Serialize for Caseless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_lowercase().serialize(serializer)
    }
}

/// Whether a run with an output of `value` is refused when it is saved.
async fn refused<T: ddg_core::Data>(value: T, expected: &Expect) {
    let mut automa = GraphAutoma::new("refused");
    automa
        .add_func_as_worker("give", move || std::future::ready(value.clone()), start().output())
        .unwrap();
    let outcome = automa.run(()).await.unwrap();
    expected.assert_eq(&outcome.snapshot().unwrap_err().to_string());
}

/// [D6] [D2]
#[tokio::test]
async fn what_json_would_change_is_an_error_when_it_is_written() {
    refused(f64::NAN, &expect!["automa `refused`: worker `give`: its output: `f64` cannot be written as JSON: JSON has no NaN; give an `Option` without it, or text"]).await;
    refused(vec![1.0, f32::NEG_INFINITY], &expect!["automa `refused`: worker `give`: its output: `Vec<f32>` cannot be written as JSON: JSON has no -inf; give an `Option` without it, or text"]).await;
    refused(Some(None::<u8>), &expect!["automa `refused`: worker `give`: its output: `Option<Option<u8>>` cannot be written as JSON: `Some` of nothing (`None`, `()`, null) would come back as `None`; use an enum that has a name for it"]).await;
    refused((1, Some(())), &expect!["automa `refused`: worker `give`: its output: `(i32, Option<()>)` cannot be written as JSON: `Some` of nothing (`None`, `()`, null) would come back as `None`; use an enum that has a name for it"]).await;
    refused(vec![Value::null(), Value::new(f64::INFINITY)], &expect!["automa `refused`: worker `give`: its output: `Vec<Value>` cannot be written as JSON: `f64` cannot be written as JSON: JSON has no inf; give an `Option` without it, or text"]).await;
    let keys = ["Oslo", "oslo"].map(|key| (Caseless(key.to_owned()), 1));
    refused(BTreeMap::from(keys), &expect!["automa `refused`: worker `give`: its output: `BTreeMap<Caseless, i32>` cannot be written as JSON: a map in it has two keys with the same text; write it as a list of pairs"]).await;
    refused(u128::MAX, &expect!["automa `refused`: worker `give`: its output: `u128` cannot be written as JSON: number out of range"]).await;
}

/// [D6]
#[tokio::test]
async fn answers_and_outputs_that_are_put_into_a_snapshot_are_written_like_all_others() {
    let mut automa = GraphAutoma::new("asked");
    let ask = async |cx: Context| -> Result<f64, WorkerError> {
        cx.local().set("half", 0.1_f64 + 0.2);
        Ok(cx.interact_with_human("how much?")?)
    };
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    let mut snapshot = automa.run(()).await.unwrap().snapshot().unwrap();
    let json = serde_json::to_string(&snapshot).unwrap();
    assert!(json.contains("0.30000000000000004"), "{json}");
    let question = snapshot.questions().remove(0).id;
    snapshot.answer(&question, f64::NAN).unwrap();
    expect![
        "`f64` cannot be written as JSON: JSON has no NaN; give an `Option` without it, or text"
    ]
    .assert_eq(&serde_json::to_string(&snapshot).unwrap_err().to_string());
    snapshot.withdraw_answer(&question).unwrap();
    snapshot.answer(&question, 0.1_f64 + 0.7).unwrap();
    let snapshot: Snapshot =
        serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
    let answer: f64 = automa.resume(snapshot).output().await.unwrap();
    assert_eq!(answer.to_bits(), (0.1_f64 + 0.7).to_bits());
}

/// [D6]
#[tokio::test]
async fn automata_that_pause_too_deep_to_be_read_again_are_refused() {
    let nested = |levels: usize| {
        let mut automa = GraphAutoma::new("inner");
        let ask =
            async |cx: Context| -> Result<(), WorkerError> { Ok(cx.interact_with_human(())?) };
        automa.add_func_as_worker("ask", ask, start()).unwrap();
        for _ in 0..levels {
            let mut outer = GraphAutoma::new("outer");
            outer.add_worker("inner", automa, start()).unwrap();
            automa = outer;
        }
        automa
    };
    let mut refused_from = None;
    for levels in [10, 20, 25, 30, 40] {
        let automa = nested(levels);
        match automa.run(()).await {
            Ok(paused) => {
                let json = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
                let read: Snapshot = serde_json::from_str(&json).unwrap();
                assert_eq!(read.questions().len(), 1);
            }
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("is nested more than 120 levels deep"), "{error}");
                refused_from.get_or_insert(levels);
            }
        }
    }
    assert!(refused_from.is_some_and(|levels| levels > 20), "{refused_from:?}");
}

/// Lists in lists: to write or drop them recursively takes more than a stack has.
const DEEP: usize = 20_000;

/// JSON in so many lists.
fn deep(levels: usize) -> serde_json::Value {
    (0..levels).fold("innermost".into(), |inner, _| vec![inner].into())
}

/// [D6] As deep as can be read again, and deeper: JSON, lists of values, and a type of values.
#[test]
fn values_that_are_too_deep_are_refused_before_the_stack_overflows() {
    let innermost = || Value::new("innermost".to_owned());
    let typed = |levels| (0..levels).fold(innermost(), |inner, _| Value::new(vec![inner]));
    let listed = |levels| (0..levels).fold(innermost(), |inner, _| Value::list(vec![inner]));
    let parsed = |levels| Value::from_json(deep(levels));
    let kinds: [(&str, &dyn Fn(usize) -> Value); 3] =
        [("typed", &typed), ("listed", &listed), ("parsed", &parsed)];
    for (name, value) in kinds {
        for levels in [1, 25, 100] {
            assert_eq!(serde_json::to_value(value(levels)).unwrap(), deep(levels), "{name}");
        }
        for levels in [101, DEEP] {
            let value = value(levels);
            let refused = serde_json::to_value(&value).unwrap_err().to_string();
            assert!(refused.contains("nested more than 100 levels deep"), "{name}: {refused}");
            std::mem::forget(value);
        }
    }
}

/// Is written as so many lists, one in the other.
#[derive(Clone, Deserialize)]
struct Lists(usize);

impl Serialize for Lists {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_str("innermost"),
            n => [Self(n - 1)].serialize(serializer),
        }
    }
}

/// [D6] [X5] The run fails, and says which output it is.
#[tokio::test]
async fn a_stored_run_fails_at_an_output_that_is_too_deep() {
    let store = MemoryStore::new();
    for (levels, is_refused) in [(100, false), (101, true), (DEEP, true)] {
        let mut automa = GraphAutoma::new("deep");
        let give = move || std::future::ready(Lists(levels));
        automa.add_func_as_worker("give", give, start().output()).unwrap();
        automa.run(()).await.unwrap();
        let stored = automa.run(()).stored_in(&store, format!("{levels}")).await;
        assert_eq!(stored.is_err(), is_refused, "{levels}");
        let expected = "worker `give`: its output: `Lists` cannot be written as JSON: it is nested \
                        more than 100 levels deep; keep it as a list of its parts";
        if let Err(refused) = stored {
            assert!(refused.to_string().contains(expected), "{refused}");
        }
    }
}
