//! A run that has changed its graph is saved with what it has changed: each worker that it has
//! added is found again by a name, and one that is not is named when the snapshot is taken.

use std::sync::Arc;
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::{Key, Snapshot, SnapshotError};
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
    automa.outcome(()).await.unwrap().snapshot()
}

fn through_json(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

/// Runs one automa until it stops, and goes on with another that is declared in the same way.
async fn elsewhere(declare: impl Fn() -> GraphAutoma) -> Result<Outcome, RunError> {
    let outcome = declare().outcome(()).await.unwrap();
    assert!(outcome.stopped());
    let snapshot = outcome.snapshot().unwrap();
    declare().resume(through_json(&snapshot)).await
}

async fn refusal(automa: &GraphAutoma) -> String {
    stopped(automa).await.unwrap_err().to_string()
}

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
async fn a_list_is_dealt_out_to_added_workers_in_their_order() {
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

/// An automa with a nested one, `inner`, that doubles and then adds one.
fn with_nested(plan: impl Fn(&Context) + Send + Sync + 'static) -> GraphAutoma {
    let mut inner = GraphAutoma::new("pipeline");
    inner.add_func_as_worker("double", async |x: i64| x * 2, start()).unwrap();
    inner.add_func_as_worker("plus_1", async |x: i64| x + 1, after(["double"])).unwrap();
    inner.declare_func("minus_1", async |x: i64| x - 1, free()).unwrap();
    let mut automa = planned(plan);
    automa.declare_worker("pipeline", inner.clone(), free()).unwrap();
    automa.add_worker("inner", inner, free().output()).unwrap();
    automa
}

#[tokio::test]
async fn changes_of_a_nested_automa_are_kept() {
    let declare = || {
        with_nested(|cx| {
            let inner = cx.nested("inner").unwrap();
            inner.remove_dependency("plus_1", "double");
            // Declared in the nested automa, and registered in the one around it.
            inner.add_func_as_worker("less", Key::from("minus_1"), after(["double"]));
            inner.add_worker("by_100", Multiply { by: 100 }, after(["less"]).output());
            cx.ferry_to("inner", (5,));
        })
    };
    assert_eq!(elsewhere(declare).await.unwrap().into_output::<i64>().unwrap(), 900);
}

#[tokio::test]
async fn changes_of_a_nested_automa_that_was_added_are_kept() {
    let declare = || {
        let mut automa = with_nested(|cx| {
            cx.add_func_as_worker("more", Key::from("pipeline"), free());
            cx.ferry_to("change", ());
        });
        let change = async |cx: Context| {
            let more = cx.nested("more").unwrap();
            more.remove_worker("plus_1");
            more.add_worker("by_100", Multiply { by: 100 }, after(["double"]));
            cx.add_func_as_worker("show", Key::from("keys"), after(["more"]).suppressed().output());
            cx.ferry_to("more", (5,));
            cx.stop();
        };
        let keys = async |cx: Context| cx.nested("more").unwrap().keys();
        automa.declare_func("keys", keys, free()).unwrap();
        automa.add_func_as_worker("change", change, free()).unwrap();
        automa
    };
    let first = stopped(&declare()).await.unwrap();
    let changed = declare().resume(through_json(&first)).await.unwrap().snapshot().unwrap();
    let outcome = declare().resume(through_json(&changed)).await.unwrap();
    assert_eq!(outcome.into_output::<Vec<Key>>().unwrap(), ["double", "by_100"]);
}

#[tokio::test]
async fn an_automa_that_the_run_has_made_is_saved_as_what_it_is_made_of() {
    let declare = || {
        planned(|cx| {
            let mut made = GraphAutoma::new("made");
            made.add_worker("z", Multiply { by: 2 }, start()).unwrap();
            made.add_worker("a", Multiply { by: 5 }, after(["z"]).output()).unwrap();
            let mut around = GraphAutoma::new("around");
            around.add_worker("made", made, start()).unwrap();
            around.add_worker("by_3", Multiply { by: 3 }, after(["made"]).output()).unwrap();
            cx.add_worker("around", around, free().output());
            cx.ferry_to("around", (7,));
        })
    };
    assert_eq!(elsewhere(declare).await.unwrap().into_output::<i64>().unwrap(), 210);
}

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
    let outcome = declare().outcome(()).await.unwrap();
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
async fn what_is_written() {
    let mut automa = planned(|cx| {
        cx.remove_worker("old");
        cx.add_worker("by_7", Multiply { by: 7 }, after(["plan"]).suppressed());
        cx.add_func_as_worker("sum", Key::from("total"), after(["by_7"]).merge().output());
        cx.add_dependency("end", "sum");
        cx.local().set("plans", 1);
        cx.ferry_to("by_7", (6,));
    });
    automa.declare_func("total", async |all: Vec<i64>| all, free()).unwrap();
    automa.add_func_as_worker("old", async || (), free()).unwrap();
    automa.add_func_as_worker("end", async |_: Option<Vec<i64>>| (), free()).unwrap();
    let snapshot = stopped(&automa).await.unwrap();
    expect![[r#"
        {
          "version": 1,
          "run": {
            "automa": "grow",
            "step": 1,
            "next_kickoff": 1,
            "declared": {
              "whole": "0f1a3d0c",
              "n_workers": 3,
              "marks": {
                "end": "4fd0bfc1-400a62f8-81ee1cd2",
                "old": "4fd0bfc1-5a4d8bb3-81ee1cd2",
                "plan": "4fd0bfc1-5a4d8bb3-19f8ae3f"
              }
            },
            "graph": {
              "removed": [
                "old"
              ],
              "added": {
                "by_7": {
                  "nth": 0,
                  "is": {
                    "registered": {
                      "name": "multiply",
                      "config": {
                        "by": 7
                      }
                    }
                  },
                  "looks": "ccac5dac",
                  "after": [
                    "plan"
                  ],
                  "mapping": "suppressed"
                },
                "sum": {
                  "nth": 1,
                  "is": {
                    "declared": "total"
                  },
                  "looks": "aaa62082",
                  "after": [
                    "by_7"
                  ],
                  "output": true,
                  "mapping": "merge"
                }
              },
              "rewired": {
                "end": {
                  "with": [
                    "sum"
                  ]
                }
              }
            },
            "inputs": [],
            "due": [
              {
                "worker": "by_7",
                "cause": {
                  "ferry": {
                    "by": "plan"
                  }
                },
                "args": {
                  "positional": [
                    6
                  ]
                }
              },
              {
                "worker": "by_7",
                "cause": "dependencies",
                "args": null
              }
            ],
            "crossed": {},
            "outputs": {
              "plan": null
            },
            "dealt": {},
            "locals": {
              "plan": {
                "plans": 1
              }
            },
            "output_worker": null,
            "result": null
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&snapshot).unwrap());
}

#[tokio::test]
async fn a_snapshot_does_not_grow_with_the_graph() {
    let size = async |n: usize| {
        let mut automa = planned(|cx| {
            cx.add_worker("by_7", Multiply { by: 7 }, free());
            cx.ferry_to("by_7", (6,));
        });
        for n in 0..n {
            automa.add_func_as_worker(format!("w{n}"), async || (), free()).unwrap();
        }
        serde_json::to_string(&stopped(&automa).await.unwrap()).unwrap().len()
    };
    let (small, large) = (size(1000).await, size(10_000).await);
    assert!(large <= small + 8 && large < 800, "{small} bytes, then {large}");
}

#[tokio::test]
async fn a_function_that_is_not_declared_is_named() {
    let closure = planned(|cx| cx.add_func_as_worker("more", async || (), free()));
    expect!["automa `grow`: the run has added worker `more`, which could not be found again: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&refusal(&closure).await);
    let nested = with_nested(|cx| {
        cx.nested("inner").unwrap().add_func_as_worker("more", async || (), free());
    });
    expect!["automa `grow`: the run has added worker `inner/more`, which could not be found again: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&refusal(&nested).await);
    let made = planned(|cx| {
        let mut made = GraphAutoma::new("made");
        made.add_func_as_worker("more", async || (), start()).unwrap();
        cx.add_worker("sub", made, free());
    });
    expect!["automa `grow`: the run has added worker `sub/more`, which could not be found again: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&refusal(&made).await);
}

#[tokio::test]
async fn a_type_that_is_not_registered_is_named() {
    let automa = planned(|cx| cx.add_worker("search", Search, free()));
    expect![[r#"automa `grow`: the run has added worker `search`, which could not be found again: its type is not registered; register it with `register_worker::<Search>("a name")`"#]].assert_eq(&refusal(&automa).await);
}

struct Watch;

impl Callback for Watch {}

#[tokio::test]
async fn callbacks_of_an_added_worker_are_named() {
    let own = planned(|cx| {
        cx.add_worker("by_7", Multiply { by: 7 }, free().callback(Watch));
    });
    expect!["automa `grow`: the run has added worker `by_7`, which could not be found again: it has callbacks of its own; add them to the automa, or where it is declared"].assert_eq(&refusal(&own).await);
    let mut declared = planned(|cx| {
        cx.add_func_as_worker("one", Key::from("one"), free().callback(Watch));
    });
    declared.declare_func("one", async || (), free().callback(Watch)).unwrap();
    expect!["automa `grow`: the run has added worker `one`, which could not be found again: it has callbacks of its own; add them to the automa, or where it is declared"].assert_eq(&refusal(&declared).await);
    let mut fine = planned(|cx| cx.add_func_as_worker("one", Key::from("one"), free()));
    fine.declare_func("one", async || (), free().callback(Watch)).unwrap();
    assert!(stopped(&fine).await.is_ok());
    let automa = planned(|cx| {
        let mut made = GraphAutoma::new("made");
        made.add_callback(Watch);
        cx.add_worker("sub", made, free());
    });
    expect!["automa `grow`: the run has added worker `sub`, which could not be found again: it is an automa with callbacks, made while the run went on; declare it with `declare_worker`, and add it by that name"].assert_eq(&refusal(&automa).await);
}

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
async fn a_worker_that_is_not_found_again_is_named() {
    let plan = |cx: &Context| {
        cx.add_func_as_worker("one", Key::from("first"), free());
        cx.add_worker("by_7", Multiply { by: 7 }, free());
        cx.ferry_to("one", ());
    };
    let mut automa = planned(plan);
    automa.declare_func("first", async || 1, free()).unwrap();
    let snapshot = stopped(&automa).await.unwrap();

    let error = planned(plan).resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `grow`: the snapshot has a worker `one`: it is declared as `first`, and there is no such declaration"].assert_eq(&error.to_string());

    let mut bare = unregistered(plan);
    bare.declare_func("first", async || 1, free()).unwrap();
    let error = bare.resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `grow`: the snapshot has a worker `by_7`: it is a `multiply`, and no type is registered under this name: register it with `register_worker`"].assert_eq(&error.to_string());

    let mut other = planned(plan);
    other.declare_func("first", async |x: Option<String>| x, free()).unwrap();
    let error = other.resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `grow` is declared in another way than when the snapshot was taken: worker `one` is `(Option<String>) -> Option<String>` now; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&error.to_string());

    let json = serde_json::to_string(&snapshot).unwrap().replace(r#"{"by":7}"#, r#"{"by":"x"}"#);
    let error = automa.resume(serde_json::from_str(&json).unwrap()).await.unwrap_err();
    expect![[r#"automa `grow`: worker `by_7` cannot be made again as a `multiply`: invalid type: string "x", expected i64"#]].assert_eq(&error.to_string());
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
