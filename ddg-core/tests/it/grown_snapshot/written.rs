//! The saved data of a graph that has grown, and that it has nothing else.

use ddg_core::Key;
use ddg_core::prelude::*;
use expect_test::expect;

use super::{Multiply, planned, stopped};

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
                "end": "2-4fd0bfc1-400a62f8-81ee1cd2",
                "old": "1-4fd0bfc1-5a4d8bb3-81ee1cd2",
                "plan": "0-4fd0bfc1-5a4d8bb3-19f8ae3f"
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
