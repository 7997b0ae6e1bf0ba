//! A worker that is removed and added again under its key is drawn with the dependencies of all its
//! lives.

use ddg_core::prelude::*;
use ddg_core::render::History;
use expect_test::expect;

/// Thinks, calls tools, collects what they gave, and thinks again; as many tools as turns are left.
fn agent(stop_in: u64) -> GraphAutoma {
    let mut agent = GraphAutoma::new("agent");
    let think = move |turn: u64, cx: Context| async move {
        if turn > 2 {
            return cx.ferry_to("finish", ());
        }
        let tools: Vec<_> = (turn..=2).map(|n| format!("tool {turn}.{n}")).collect();
        for tool in &tools {
            cx.add_func_as_worker(tool, async || (), free());
            cx.ferry_to(tool, ());
        }
        let collect = move |cx: Context| async move {
            if turn == stop_in {
                return;
            }
            (turn..=2).for_each(|n| cx.remove_worker(format!("tool {turn}.{n}")));
            cx.remove_worker("collect");
            cx.ferry_to("think", (turn + 1,));
        };
        cx.add_func_as_worker("collect", collect, after(tools).suppressed());
    };
    agent.add_func_as_worker("think", think, start()).unwrap();
    agent.add_func_as_worker("finish", async || 1, free().output()).unwrap();
    agent
}

#[tokio::test]
async fn every_turn_has_its_arrows() {
    let (mut agent, history) = (agent(0), History::new());
    agent.add_callback(history.clone());
    let outcome = agent.run(args!(1)).await.unwrap();
    expect![[r#"
        ---
        title: "agent"
        ---
        flowchart TD
            n0(["think"])
            n1[["finish"]]
            n2["tool 1#46;1<br/>removed"]
            n3["tool 1#46;2<br/>removed"]
            n4["collect<br/>removed"]
            n5["tool 2#46;2<br/>removed"]
            n2 --> n4
            n3 --> n4
            n5 --> n4
            n0 -. "ferry" .-> n2
            n0 -. "ferry" .-> n3
            n0 -. "ferry" .-> n5
            n0 -. "ferry" .-> n1
            n4 -. "ferry ×2" .-> n0
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n1 output
            classDef removed stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n2,n3,n4,n5 removed
    "#]]
    .assert_eq(&outcome.drawing().with(&history).to_mermaid());
    expect![[r##"
        digraph "agent" {
            label="agent" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="think" shape=oval color="#43a047" penwidth=2]
            n1 [label="finish" peripheries=2 color="#1e88e5" penwidth=2]
            n2 [label="tool 1.1\nremoved" style="rounded,filled,dashed" fillcolor="#d8dde3"]
            n3 [label="tool 1.2\nremoved" style="rounded,filled,dashed" fillcolor="#d8dde3"]
            n4 [label="collect\nremoved" style="rounded,filled,dashed" fillcolor="#d8dde3"]
            n5 [label="tool 2.2\nremoved" style="rounded,filled,dashed" fillcolor="#d8dde3"]
            n2 -> n4
            n3 -> n4
            n5 -> n4
            n0 -> n2 [style=dashed label=" ferry"]
            n0 -> n3 [style=dashed label=" ferry"]
            n0 -> n5 [style=dashed label=" ferry"]
            n0 -> n1 [style=dashed label=" ferry"]
            n4 -> n0 [style=dashed label=" ferry ×2"]
        }
    "##]].assert_eq(&outcome.drawing().with(&history).to_dot());
    // Drawn on the declared graph, too.
    let declared = agent.drawing().with(&history).to_mermaid();
    assert_eq!(declared.matches("-->").count(), 3, "{declared}");
}

/// The last life of `collect` is still there, with its tools.
#[tokio::test]
async fn also_of_a_worker_that_is_there_again() {
    let (mut agent, history) = (agent(2), History::new());
    agent.add_callback(history.clone());
    let outcome = agent.run(args!(1)).await.unwrap();
    expect![[r##"
        ---
        title: "agent"
        ---
        flowchart TD
            n0(["think"])
            n1[["finish"]]
            n2["#43; tool 2#46;2"]
            n3["#43; collect"]
            n4["tool 1#46;1<br/>removed"]
            n5["tool 1#46;2<br/>removed"]
            n2 --> n3
            n4 --> n3
            n5 --> n3
            n0 -. "ferry" .-> n4
            n0 -. "ferry" .-> n5
            n0 -. "ferry" .-> n2
            n3 -. "ferry" .-> n0
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n1 output
            classDef added stroke:#ef6c00,stroke-width:2px
            class n2,n3 added
            classDef removed stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n4,n5 removed
    "##]]
    .assert_eq(&outcome.drawing().with(&history).to_mermaid());
}

/// A dependency between workers that are both still there.
#[tokio::test]
async fn a_dependency_that_was_removed() {
    let mut automa = GraphAutoma::new("cut");
    automa.add_func_as_worker("a", async || (), start()).unwrap();
    automa.add_func_as_worker("b", async || (), after(["a"]).suppressed()).unwrap();
    let grow = async |cx: Context| cx.add_func_as_worker("new", async || (), free());
    automa.add_func_as_worker("grow", grow, start()).unwrap();
    let cut = async |cx: Context| cx.remove_dependency("b", "a");
    automa.add_func_as_worker("cut", cut, free()).unwrap();
    let last = async |cx: Context| cx.ferry_to("cut", ());
    automa.add_func_as_worker("last", last, after(["b"]).suppressed()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    let outcome = automa.run(()).await.unwrap();
    expect![[r##"
        ---
        title: "cut"
        ---
        flowchart TD
            n0(["a"])
            n1["b"]
            n2(["grow"])
            n3["cut"]
            n4["last"]
            n5["#43; new"]
            n1 --> n4
            n0 -. "removed" .-> n1
            n4 -. "ferry" .-> n3
            classDef start stroke:#43a047,stroke-width:2px
            class n0,n2 start
            classDef added stroke:#ef6c00,stroke-width:2px
            class n5 added
    "##]]
    .assert_eq(&outcome.drawing().with(&history).to_mermaid());
}
