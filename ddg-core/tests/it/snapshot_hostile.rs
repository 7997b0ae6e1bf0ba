//! Reading any text as a snapshot, or as a delta, gives an error or a run, never a panic.

use std::time::Duration;

use ddg_core::Key;
use ddg_core::prelude::*;
use ddg_core::snapshot::{Snapshot, SnapshotDelta};
use expect_test::expect;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

#[derive(Serialize, Deserialize)]
struct Multiply {
    by: i64,
}

impl Worker for Multiply {
    type Output = i64;

    fn signature(&self) -> Signature {
        assert!(self.by < 1000, "a signature that panics");
        Signature::new().param::<i64>("x")
    }

    async fn run(&self, args: Args, _: &Context) -> Result<i64, WorkerError> {
        Ok(args.get::<i64>(0)?.wrapping_mul(self.by))
    }
}

/// An automa that changes its graph in all ways, and stops after its first two steps.
fn automa() -> GraphAutoma {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("double", async |x: i64| x.wrapping_mul(2), start()).unwrap();
    let mut automa = GraphAutoma::new("all");
    automa.register_worker::<Multiply>("multiply").unwrap();
    automa.declare_func("total", async |all: Vec<i64>| all.len(), free()).unwrap();
    automa.add_func_as_worker("plan", async |cx: Context| plan(&cx), start()).unwrap();
    automa.add_func_as_worker("old", async || (), free()).unwrap();
    automa.add_func_as_worker("deal", async || vec![1, 2], start().in_order()).unwrap();
    let left = async |x: i64, cx: Context| {
        cx.add_worker("late", Multiply { by: 1 }, free());
        x
    };
    automa.add_func_as_worker("left", left, after(["deal"])).unwrap();
    let right = async |x: i64, y: Option<i64>| x.wrapping_add(y.unwrap_or_default());
    automa.add_func_as_worker("right", right, after(["deal", "left"])).unwrap();
    automa.add_worker("inner", inner, free()).unwrap();
    automa.set_max_steps(20);
    automa.declare_input("x");
    automa
}

fn plan(cx: &Context) {
    if cx.step() > 1 {
        return;
    }
    cx.remove_worker("old");
    let options = after(["left"])
        .params(["z"])
        .timeout(Duration::from_secs(5))
        .retry(Retry::times(1).delay(Duration::from_millis(1)));
    cx.add_worker("by_7", Multiply { by: 7 }, options);
    let mut made = GraphAutoma::new("made");
    made.add_worker("by_2", Multiply { by: 2 }, start().output()).unwrap();
    cx.add_worker("made", made, after(["by_7"]));
    cx.add_func_as_worker("sum", Key::from("total"), after(["made", "by_7"]).merge().output());
    cx.nested("inner").unwrap().add_worker("by_3", Multiply { by: 3 }, after(["double"]).output());
    cx.remove_dependency("right", "left");
    cx.local().set("notes", vec!["one", "two"].into_iter().map(str::to_owned).collect::<Vec<_>>());
    cx.ferry_to("inner", (4,));
    cx.stop();
}

/// The state of a run after its first step, and what the second step changes.
async fn saved() -> (Json, Json) {
    let first = automa().run(args!(x = 1)).await.unwrap().snapshot().unwrap();
    let mut next = automa();
    next.add_callback(StopAlways);
    let second = next.resume(first.clone()).await.unwrap().snapshot().unwrap();
    let changes = second.changes_since(&first).unwrap();
    (serde_json::to_value(&first).unwrap(), serde_json::to_value(&changes).unwrap())
}

struct StopAlways;

impl Callback for StopAlways {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        cx.stop();
        Ok(())
    }
}

/// Reads `text` and resumes the run. Returns whether there was a run to resume.
async fn go_on(text: &str) -> bool {
    let Ok(snapshot) = serde_json::from_str::<Snapshot>(text) else { return false };
    for snapshot in [snapshot.clone(), snapshot.accept_changes()] {
        match automa().resume(snapshot).await {
            Ok(outcome) => _ = outcome.snapshot().map(|snapshot| serde_json::to_string(&snapshot)),
            Err(error) => {
                let error = error.to_string();
                assert!(!error.contains("panicked") || error.contains("registered"), "{error}");
            }
        }
    }
    true
}

/// Reads `text` as changes and makes them to `first`.
fn change(first: &Snapshot, text: &str) -> bool {
    let Ok(changes) = serde_json::from_str::<SnapshotDelta>(text) else { return false };
    first.clone().with_changes([changes]).is_ok()
}

/// Every place in a JSON value.
fn places(json: &Json, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match json {
        Json::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{place}"), all);
            }
        }
        Json::Object(map) => {
            for (name, item) in map {
                places(item, &format!("{at}/{name}"), all);
            }
        }
        _ => {}
    }
}

fn hostile() -> Vec<Json> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Json::Null,
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!(""),
        json!("plan"),
        json!("sum"),
        json!("zzz"),
        json!([]),
        json!({}),
        json!([["sum"], ["sum"]]),
        json!(["sum", "sum", "plan", "inner"]),
        json!({"sum": 1, "plan": []}),
        json!({"registered": {"name": "multiply", "config": {"by": 5000}}}),
        json!({"declared": "plan"}),
        json!({"same_as": "inner"}),
        deep,
    ]
}

#[tokio::test(start_paused = true)]
async fn every_part_may_be_anything() {
    let (first, changes) = saved().await;
    let snapshot: Snapshot = serde_json::from_value(first.clone()).unwrap();
    let (mut n_read, mut n_changed) = (0, 0);
    for (json, is_changes) in [(&first, false), (&changes, true)] {
        let mut all = Vec::new();
        places(json, "", &mut all);
        for place in &all {
            for hostile in hostile() {
                let mut mutant = json.clone();
                *mutant.pointer_mut(place).unwrap() = hostile;
                let text = mutant.to_string();
                if is_changes {
                    n_changed += usize::from(change(&snapshot, &text));
                } else {
                    n_read += usize::from(go_on(&text).await);
                }
            }
        }
    }
    assert!(n_read > 500, "only {n_read} were read");
    assert!(n_changed > 50, "only {n_changed} were made");
}

#[tokio::test]
async fn truncated_data_is_an_error() {
    let (first, changes) = saved().await;
    let (first, changes) = (first.to_string(), changes.to_string());
    for end in (0..first.len()).filter(|end| first.is_char_boundary(*end)) {
        assert!(serde_json::from_str::<Snapshot>(&first[..end]).is_err());
    }
    for end in (0..changes.len()).filter(|end| changes.is_char_boundary(*end)) {
        assert!(serde_json::from_str::<SnapshotDelta>(&changes[..end]).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_may_be_others(flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4)) {
        static SAVED: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let (first, changes) = match SAVED.get() {
                Some(saved) => saved,
                None => {
                    let (first, changes) = saved().await;
                    SAVED.get_or_init(|| (first.to_string(), changes.to_string()))
                }
            };
            let snapshot: Snapshot = serde_json::from_str(first).unwrap();
            let flipped = |text: &str| {
                let mut bytes = text.as_bytes().to_vec();
                for (at, byte) in &flips {
                    let at = at % bytes.len();
                    bytes[at] = *byte;
                }
                String::from_utf8_lossy(&bytes).into_owned()
            };
            go_on(&flipped(first)).await;
            change(&snapshot, &flipped(changes));
        });
    }
}

#[tokio::test]
async fn deep_nesting_is_an_error() {
    let (first, _) = saved().await;
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for place in ["result", "graph", "outputs", "automa"] {
            let mut mutant = first.clone();
            mutant["run"][place] = json!("here");
            let text = mutant.to_string().replace(r#""here""#, &deep);
            assert!(serde_json::from_str::<Snapshot>(&text).is_err());
        }
    }
}

#[tokio::test]
async fn values_that_could_not_be_read_again_are_not_written() {
    let nested = async |n: usize| {
        let mut automa = GraphAutoma::new("deep");
        let nest = move || async move { (0..n).fold(json!(1), |inner, _| json!([inner])) };
        automa.add_func_as_worker("nest", nest, start()).unwrap();
        automa.run(()).await.unwrap().snapshot()
    };
    let text = serde_json::to_string(&nested(100).await.unwrap()).unwrap();
    assert!(serde_json::from_str::<Snapshot>(&text).is_ok());
    let error = nested(101).await.unwrap_err();
    expect!["automa `deep`: worker `nest`: its output: `JSON array` cannot be written as JSON: it is nested more than 100 levels deep; keep it as a list of its parts"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn another_format_is_refused() {
    let (first, changes) = saved().await;
    let first: Snapshot = serde_json::from_value(first).unwrap();
    let changes: SnapshotDelta = serde_json::from_value(changes).unwrap();
    let text = serde_json::to_string(&first).unwrap().replace("\"version\":1", "\"version\":7");
    let error = serde_json::from_str::<Snapshot>(&text).unwrap_err();
    expect!["this is written in format 7, and only format 1 can be read at line 1 column 12"]
        .assert_eq(&error.to_string());
    let text = serde_json::to_string(&changes).unwrap().replace("\"version\":1", "\"version\":7");
    let error = serde_json::from_str::<SnapshotDelta>(&text).unwrap_err();
    expect!["this is written in format 7, and only format 1 can be read at line 1 column 12"]
        .assert_eq(&error.to_string());
}

#[tokio::test]
async fn numbers_that_no_run_reaches_are_named() {
    let (mut first, _) = saved().await;
    first["run"]["next_kickoff"] = json!(u64::MAX);
    let error = automa().resume(serde_json::from_value(first).unwrap()).await.unwrap_err();
    expect!["automa `all`: the snapshot is damaged: the number of its next kickoff is 18446744073709551615"].assert_eq(&error.to_string());
}
