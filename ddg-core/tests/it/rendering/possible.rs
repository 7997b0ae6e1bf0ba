//! Without a history, a drawing shows which workers may ferry to those without dependencies, and
//! which may place workers that are declared for placement at run time.

use ddg_core::prelude::*;
use ddg_core::render::History;
use expect_test::expect;

/// As an agent is declared: only `think` is given the context.
fn agent() -> GraphAutoma {
    let mut agent = GraphAutoma::new("agent");
    agent.declare_func("collect", async |_: Context| (), free()).unwrap();
    agent.add_func_as_worker("begin", async || 1, start()).unwrap();
    let think = async |_: i64, cx: Context| cx.ferry_to("finish", ());
    agent.add_func_as_worker("think", think, after(["begin"])).unwrap();
    agent.add_func_as_worker("finish", async || 1, free().output()).unwrap();
    agent
}

#[test]
fn as_declared() {
    expect![[r#"
        ---
        title: "agent"
        ---
        flowchart TD
            n0(["begin"])
            n1["think"]
            n2[["finish"]]
            n3["collect<br/>not placed"]
            n0 --> n1
            n1 -. "may ferry" .-> n2
            n1 -. "may place" .-> n3
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n2 output
            classDef detached stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n3 detached
    "#]]
    .assert_eq(&agent().to_mermaid());
    expect![[r##"
        digraph "agent" {
            label="agent" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="begin" shape=oval color="#43a047" penwidth=2]
            n1 [label="think"]
            n2 [label="finish" peripheries=2 color="#1e88e5" penwidth=2]
            n3 [label="collect\nnot placed" style="rounded,filled,dashed" fillcolor="#d8dde3"]
            n0 -> n1
            n1 -> n2 [style=dotted label=" may ferry"]
            n1 -> n3 [style=dotted label=" may place"]
        }
    "##]].assert_eq(&agent().to_dot());
}

/// A history says what happened: what might have is not drawn any more.
#[tokio::test]
async fn with_a_history() {
    let (mut agent, history) = (agent(), History::new());
    agent.add_callback(history.clone());
    let before = agent.drawing().with(&history).to_mermaid();
    assert!(before.contains("may ferry"), "{before}");
    let outcome = agent.run(()).await.unwrap();
    assert!(outcome.to_mermaid().contains("may ferry"), "{}", outcome.to_mermaid());
    let after = agent.drawing().with(&history).to_mermaid();
    assert!(!after.contains("may") && after.contains("ferry"), "{after}");
}

/// Many that could ferry to many would be arrows between all of them.
#[test]
fn too_many_are_written_on_the_targets() {
    let mut automa = GraphAutoma::new("router");
    for n in 0..5 {
        automa.add_func_as_worker(format!("from {n}"), async |_: Context| (), start()).unwrap();
        automa.add_func_as_worker(format!("to {n}"), async || (), free()).unwrap();
    }
    let mermaid = automa.to_mermaid();
    assert_eq!(mermaid.matches("<br/>by ferry").count(), 5, "{mermaid}");
    assert!(!mermaid.contains("-."), "{mermaid}");
}

#[test]
fn a_nested_automa_cannot_ferry_to_a_worker_beside_it() {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("look", async |_: Context| {}, start()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start()).unwrap();
    automa.add_func_as_worker("later", async || {}, free()).unwrap();

    assert!(!automa.to_mermaid().contains("may ferry"), "{}", automa.to_mermaid());

    automa.add_func_as_worker("route", async |_: Context| {}, start()).unwrap();
    assert!(automa.to_mermaid().contains("may ferry"), "{}", automa.to_mermaid());
}
