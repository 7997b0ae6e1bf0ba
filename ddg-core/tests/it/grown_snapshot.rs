//! A run that has edited its graph is saved with its edits. Each added worker is resolved again by
//! a name; a worker that cannot be is named when the snapshot is taken.

mod nested;
mod refused;
mod written;

use std::sync::Arc;
use std::time::Duration;

use ddg_core::Key;
use ddg_core::prelude::*;
use ddg_core::snapshot::{Snapshot, SnapshotError};
use expect_test::expect;
use serde::{Deserialize, Serialize};

/// Gives its argument times `by`.
#[derive(Serialize, Deserialize)]
struct Multiply {
    by: i64,
}

impl Worker for Multiply {
    type Output = i64;

    fn signature(&self) -> Signature {
        Signature::new().param::<i64>("x")
    }

    async fn run(&self, args: Args, _: &Context) -> Result<i64, WorkerError> {
        Ok(args.get::<i64>(0)? * self.by)
    }
}

/// An automa whose start worker does `plan` and stops the run.
fn planned<F>(plan: F) -> GraphAutoma
where
    F: Fn(&Context) + Send + Sync + 'static,
{
    let mut automa = unregistered(plan);
    automa.register_worker::<Multiply>("multiply").unwrap();
    automa
}

/// The same with no type registered.
fn unregistered<F>(plan: F) -> GraphAutoma
where
    F: Fn(&Context) + Send + Sync + 'static,
{
    let mut automa = GraphAutoma::new("grow");
    let plan = move |cx: Context| {
        plan(&cx);
        cx.stop();
    };
    automa.add_func_as_worker("plan", plan, start().inline()).unwrap();
    automa
}

/// A worker that no automa knows.
struct Search;

impl Worker for Search {
    type Output = ();

    async fn run(&self, _: Args, _: &Context) -> Result<(), WorkerError> {
        Ok(())
    }
}

async fn stopped(automa: &GraphAutoma) -> Result<Snapshot, SnapshotError> {
    automa.run(()).await.unwrap().snapshot()
}

fn through_json(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

/// Runs one automa until it stops, and resumes the run in another one with the same declaration.
async fn elsewhere(declare: impl Fn() -> GraphAutoma) -> Result<Outcome, RunError> {
    let outcome = declare().run(()).await.unwrap();
    assert!(outcome.stopped());
    let snapshot = outcome.snapshot().unwrap();
    declare().resume(through_json(&snapshot)).await
}

/// [D1]
#[tokio::test]
async fn a_declared_worker_is_found_by_its_name() {
    let declare = || {
        let mut automa = planned(|cx| {
            for n in 0..3 {
                cx.add_func_as_worker(format!("part_{n}"), Key::from("triple"), free());
                cx.ferry_to(format!("part_{n}"), (n,));
            }
            let parts = (0..3).map(|n| format!("part_{n}"));
            cx.add_func_as_worker("sum", Key::from("total"), after(parts).merge().output());
        });
        automa.declare_func("triple", async |x: i64| x * 3, free()).unwrap();
        automa
            .declare_func("total", async |all: Vec<i64>| all.iter().sum::<i64>(), free())
            .unwrap();
        automa
    };
    assert_eq!(elsewhere(declare).await.unwrap().into_output::<i64>().unwrap(), 9);
}

/// [D1]
#[tokio::test]
async fn a_worker_of_a_registered_type_is_found_by_its_configuration() {
    let declare = || {
        planned(|cx| {
            cx.add_worker("by_7", Multiply { by: 7 }, free());
            cx.add_worker("by_2", Multiply { by: 2 }, after(["by_7"]).output());
            cx.ferry_to("by_7", (3,));
        })
    };
    assert_eq!(elsewhere(declare).await.unwrap().into_output::<i64>().unwrap(), 42);
}

#[tokio::test]
async fn a_worker_is_made_again_with_what_its_automa_knows() {
    struct Greet {
        greeting: Arc<str>,
        name: String,
    }
    impl Worker for Greet {
        type Output = String;

        async fn run(&self, _: Args, _: &Context) -> Result<String, WorkerError> {
            Ok(format!("{}, {}!", self.greeting, self.name))
        }
    }
    let declare = |greeting: &'static str| {
        let mut automa = planned(move |cx| {
            let worker = Greet { greeting: greeting.into(), name: "Ada".to_owned() };
            cx.add_worker("greet", worker, free().output());
            cx.ferry_to("greet", ());
        });
        let make = move |name| Greet { greeting: greeting.into(), name };
        automa.register_worker_with("greet", |greet: &Greet| greet.name.clone(), make).unwrap();
        automa
    };
    let snapshot = stopped(&declare("Hello")).await.unwrap();
    let outcome = declare("Good evening").resume(through_json(&snapshot)).await.unwrap();
    assert_eq!(outcome.into_output::<String>().unwrap(), "Good evening, Ada!");
}

/// [D1]
#[tokio::test]
async fn the_very_worker_that_is_declared_is_found_by_that_name() {
    let declare = || {
        let double = AnyWorker::func(async |x: i64| x * 2);
        let tool = double.clone();
        let mut automa = planned(move |cx| {
            cx.add_worker("tool_1", tool.clone(), free());
            cx.add_worker("tool_2", tool.clone(), after(["tool_1"]).output());
            cx.ferry_to("tool_1", (3,));
        });
        automa.declare_worker("double", double, free()).unwrap();
        automa
    };
    assert_eq!(elsewhere(declare).await.unwrap().into_output::<i64>().unwrap(), 12);
}

#[tokio::test]
async fn a_worker_keeps_its_options() {
    let declare = || {
        let hang = AnyWorker::func(async |x: i64, y: Value, cx: Context| {
            if x != 4 || !y.is_null() || cx.attempt() < 3 {
                tokio::time::sleep(Duration::from_secs(3600)).await;
            }
            cx.attempt()
        });
        let same = hang.clone();
        let mut automa = planned(move |cx| {
            let options = free()
                .output()
                .params(["x", "y"])
                .from_or("y", "never", Value::null())
                .timeout(Duration::from_secs(1))
                .retry(Retry::times(5).delay(Duration::from_secs(2)));
            cx.add_worker("hang", same.clone(), options);
            cx.ferry_to("hang", args!(x = 4));
        });
        automa.declare_worker("hang", hang, free()).unwrap();
        automa.add_func_as_worker("never", async || 1, free()).unwrap();
        automa
    };
    tokio::time::pause();
    let outcome = elsewhere(declare).await.unwrap();
    assert_eq!(outcome.into_output::<u32>().unwrap(), 3);
}

#[tokio::test]
async fn a_list_is_scattered_over_added_workers_in_their_order() {
    let declare = || {
        let mut automa = planned(|cx| {
            // By their keys they would come in another order.
            for (key, by) in [("z", 1), ("y", 10), ("x", 100)] {
                cx.add_worker(key, Multiply { by }, after(["deal"]));
            }
            cx.add_func_as_worker("sum", Key::from("total"), after(["x", "z", "y"]).merge());
            cx.ferry_to("deal", ());
        });
        let total = async |all: Vec<i64>| all;
        automa.declare_func("total", total, free()).unwrap();
        automa.add_func_as_worker("deal", async || vec![1, 2, 3], free().in_order()).unwrap();
        automa
    };
    let outcome = elsewhere(declare).await.unwrap();
    assert_eq!(outcome.automa().keys(), ["plan", "deal", "z", "y", "x", "sum"]);
    let sum = outcome.automa().output("sum").unwrap();
    assert_eq!(sum.get::<Vec<i64>>().unwrap(), [300, 1, 20]);
}

/// [D1]
#[tokio::test]
async fn the_grown_graph_is_that_of_the_uninterrupted_run() {
    let declare = || {
        let mut automa = planned(|cx| {
            cx.remove_worker("b");
            cx.add_worker("b", Multiply { by: 2 }, after(["c"]));
            cx.add_dependency("d", "b");
            cx.remove_dependency("d", "a");
            cx.add_dependency("d", "a");
        });
        for key in ["a", "b", "c"] {
            automa.add_func_as_worker(key, async || 1_i64, free()).unwrap();
        }
        let options = after(["a", "b", "c"]).merge();
        automa.add_func_as_worker("d", async |_: Vec<i64>| (), options).unwrap();
        automa
    };
    let outcome = declare().run(()).await.unwrap();
    let snapshot = outcome.snapshot().unwrap();
    expect![[r#"
        automa "grow"
          "plan" after []
          "a" after []
          "c" after []
          "d" after ["c", "b", "a"]
          "b" after ["c"]
    "#]]
    .assert_eq(&format!("{:?}", outcome.graph()));
    let resumed = declare().resume(through_json(&snapshot)).await.unwrap();
    assert_eq!(format!("{:?}", resumed.graph()), format!("{:?}", outcome.graph()));
    let again = resumed.snapshot().unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&snapshot).unwrap());
}

#[tokio::test]
async fn a_type_has_one_name_or_several_and_a_name_one_type() {
    let mut automa = planned(|cx| {
        cx.add_worker("by_7", Multiply { by: 7 }, free().output());
        cx.ferry_to("by_7", (6,));
    });
    automa.register_worker::<Multiply>("times").unwrap();
    automa.register_worker::<Multiply>("times").unwrap();
    let json = serde_json::to_string(&stopped(&automa).await.unwrap()).unwrap();
    assert!(json.contains(r#""name":"multiply""#));
    let older = json.replace(r#""name":"multiply""#, r#""name":"times""#);
    let outcome = automa.resume(serde_json::from_str(&older).unwrap()).await.unwrap();
    assert_eq!(outcome.into_output::<i64>().unwrap(), 42);

    let error = automa.register_worker_with("times", |_: &Search| (), |()| Search).unwrap_err();
    expect!["automa `grow`: `times` is declared already: choose another name"]
        .assert_eq(&error.to_string());
}
