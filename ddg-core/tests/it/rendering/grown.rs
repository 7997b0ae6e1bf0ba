//! The graph at the end of a run, with the ferries that were taken.

use ddg_core::prelude::*;
use ddg_core::render::History;
use expect_test::expect;

use crate::trace::name;

/// Adds and ferries, within itself.
fn grower() -> GraphAutoma {
    let mut grower = GraphAutoma::new("grower");
    let seed = async |cx: Context| {
        cx.add_func_as_worker("sprout", name, free());
        cx.add_func_as_worker("leaf", async || (), after(["sprout"]).suppressed());
        cx.ferry_to("sprout", ());
    };
    grower.add_func_as_worker("seed", seed, start()).unwrap();
    grower
}

fn plan() -> GraphAutoma {
    let mut automa = GraphAutoma::new("plan");
    automa.declare_func("sum", async |all: Vec<i64>| all.into_iter().sum::<i64>(), free()).unwrap();
    let plan = async |cx: Context| {
        for key in ["one", "two"] {
            cx.add_func_as_worker(key, async |x: i64, _: Context| x, free());
            cx.ferry_to(key, (1_i64,));
        }
        cx.ferry_to("two", (2_i64,));
        cx.add_func_as_worker(
            "total",
            async |a: i64, b: i64| a + b,
            after(["one", "two"]).output(),
        );
        cx.add_func_as_worker("over", async |cx: Context| cx.remove_worker("over"), free());
        cx.ferry_to("over", ());
        cx.remove_worker("unused");
    };
    automa.add_func_as_worker("plan", plan, start()).unwrap();
    automa.add_func_as_worker("unused", async || (), free()).unwrap();
    automa.add_worker("grower", grower(), start()).unwrap();
    automa
}

/// What was added is marked, what was removed is gone; a nested automa's own changes have ended
/// with its run.
#[tokio::test]
async fn as_the_run_left_it() {
    let outcome = plan().run(()).await.unwrap();
    expect![[r##"
        ---
        title: "plan"
        ---
        flowchart TD
            n0(["plan"])
            subgraph n1 ["grower"]
                n5(["seed"])
            end
            n2["#43; one"]
            n3["#43; two"]
            n4[["#43; total"]]
            n2 --> n4
            n3 --> n4
            classDef start stroke:#43a047,stroke-width:2px
            class n0,n1,n5 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n4 output
            classDef added stroke:#ef6c00,stroke-width:2px
            class n2,n3,n4 added
    "##]]
    .assert_eq(&outcome.to_mermaid());
    expect![[r##"
        digraph "plan" {
            label="plan" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="plan" shape=oval color="#43a047" penwidth=2]
            subgraph cluster_1 {
                label="grower" style=rounded penwidth=1 color="#43a047" fontcolor="#8a8f98"
                n5 [label="seed" shape=oval color="#43a047" penwidth=2]
            }
            n2 [label="+ one" color="#ef6c00" penwidth=2]
            n3 [label="+ two" color="#ef6c00" penwidth=2]
            n4 [label="+ total" peripheries=2 color="#ef6c00" penwidth=2]
            n2 -> n4
            n3 -> n4
        }
    "##]]
    .assert_eq(&outcome.to_dot());
}

/// With what a history has seen: ferries dashed and counted, workers that ran and were removed, and
/// what nested automata added.
#[tokio::test]
async fn with_a_history() {
    let mut automa = plan();
    let history = History::new();
    automa.add_callback(history.clone());
    let outcome = automa.run(()).await.unwrap();
    expect![[r##"
        ---
        title: "plan"
        ---
        flowchart TD
            n0(["plan"])
            subgraph n1 ["grower"]
                n5(["seed"])
                n6["#43; sprout"]
                n7["#43; leaf"]
            end
            n2["#43; one"]
            n3["#43; two"]
            n4[["#43; total"]]
            n8["over<br/>removed"]
            n2 --> n4
            n3 --> n4
            n6 --> n7
            n0 -. "ferry" .-> n2
            n0 -. "ferry ×2" .-> n3
            n0 -. "ferry" .-> n8
            n5 -. "ferry" .-> n6
            classDef start stroke:#43a047,stroke-width:2px
            class n0,n1,n5 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n4 output
            classDef added stroke:#ef6c00,stroke-width:2px
            class n2,n3,n4,n6,n7 added
            classDef removed stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n8 removed
    "##]]
    .assert_eq(&outcome.drawing().with(&history).to_mermaid());
    expect![[r##"
        digraph "plan" {
            label="plan" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="plan" shape=oval color="#43a047" penwidth=2]
            subgraph cluster_1 {
                label="grower" style=rounded penwidth=1 color="#43a047" fontcolor="#8a8f98"
                n5 [label="seed" shape=oval color="#43a047" penwidth=2]
                n6 [label="+ sprout" color="#ef6c00" penwidth=2]
                n7 [label="+ leaf" color="#ef6c00" penwidth=2]
            }
            n2 [label="+ one" color="#ef6c00" penwidth=2]
            n3 [label="+ two" color="#ef6c00" penwidth=2]
            n4 [label="+ total" peripheries=2 color="#ef6c00" penwidth=2]
            n8 [label="over\nremoved" style="rounded,filled,dashed" fillcolor="#d8dde3"]
            n2 -> n4
            n3 -> n4
            n6 -> n7
            n0 -> n2 [style=dashed label=" ferry"]
            n0 -> n3 [style=dashed label=" ferry ×2"]
            n0 -> n8 [style=dashed label=" ferry"]
            n5 -> n6 [style=dashed label=" ferry"]
        }
    "##]]
    .assert_eq(&outcome.drawing().with(&history).to_dot());
}

/// The declared graph can be shown with what runs made of it, too: then nothing is removed. Runs
/// add up until the history is cleared.
#[tokio::test]
async fn declared_with_a_history() {
    let mut automa = plan();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).await.unwrap();
    automa.run(()).await.unwrap();
    let mermaid = automa.drawing().with(&history).to_mermaid();
    expect![[r##"
        ---
        title: "plan"
        ---
        flowchart TD
            n0(["plan"])
            n1["unused"]
            subgraph n2 ["grower"]
                n4(["seed"])
                n5["#43; sprout"]
                n6["#43; leaf"]
            end
            n3["sum<br/>not placed"]
            n7["#43; one"]
            n8["#43; two"]
            n9["#43; over"]
            n10["#43; total"]
            n5 --> n6
            n7 --> n10
            n8 --> n10
            n0 -. "ferry ×2" .-> n7
            n0 -. "ferry ×4" .-> n8
            n0 -. "ferry ×2" .-> n9
            n4 -. "ferry ×2" .-> n5
            classDef start stroke:#43a047,stroke-width:2px
            class n0,n2,n4 start
            classDef added stroke:#ef6c00,stroke-width:2px
            class n5,n6,n7,n8,n9,n10 added
            classDef detached stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n3 detached
    "##]]
    .assert_eq(&mermaid);
    history.clear();
    assert_eq!(automa.drawing().with(&history).to_mermaid(), automa.to_mermaid());
}

/// Which worker of a step is first done makes no difference.
#[tokio::test]
async fn order_does_not_depend_on_timing() {
    let mut seen = Vec::new();
    for choice in [0, usize::MAX] {
        let mut automa = plan();
        let history = History::new();
        automa.add_callback(history.clone());
        let outcome = automa.run(()).simulate(|ready| choice.min(ready.len() - 1)).await.unwrap();
        seen.push(outcome.drawing().with(&history).to_dot());
    }
    assert_eq!(seen[0], seen[1]);
}

/// Changes that the outer run makes to a nested automa are in the outer run's graph.
#[tokio::test]
async fn a_nested_automa_changed_from_outside() {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("a", async || (), start()).unwrap();
    inner.add_func_as_worker("b", async || (), start()).unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", inner, free()).unwrap();
    let change = async |cx: Context| {
        let inner = cx.nested("inner").ok_or_else(|| WorkerError::msg("no inner"))?;
        inner.remove_worker("b");
        inner.add_func_as_worker("c", async || (), after(["a"]));
        Ok::<_, WorkerError>(())
    };
    outer.add_func_as_worker("change", change, start()).unwrap();
    expect![[r##"
        ---
        title: "outer"
        ---
        flowchart TD
            subgraph n0 ["inner"]
                n2(["a"])
                n3["#43; c"]
            end
            n1(["change"])
            n2 --> n3
            n1 -. "may ferry" .-> n0
            classDef start stroke:#43a047,stroke-width:2px
            class n1,n2 start
            classDef added stroke:#ef6c00,stroke-width:2px
            class n3 added
    "##]]
    .assert_eq(&outer.run(()).await.unwrap().to_mermaid());
}
