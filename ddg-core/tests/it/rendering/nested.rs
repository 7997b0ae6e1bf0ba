//! Nested automata are drawn around their workers, at any depth.

use ddg_core::prelude::*;
use expect_test::expect;

fn inner() -> GraphAutoma {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("first", async || (), start()).unwrap();
    inner.add_func_as_worker("last", async || (), after(["first"]).output()).unwrap();
    inner
}

#[test]
fn two_levels() {
    let mut middle = GraphAutoma::new("middle");
    middle.add_worker("inner", inner(), start()).unwrap();
    middle.add_func_as_worker("first", async || (), after(["inner"]).suppressed()).unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_func_as_worker("first", async || (), start()).unwrap();
    outer.add_worker("middle", middle, after(["first"]).output()).unwrap();
    outer.add_worker("empty", GraphAutoma::new("empty"), after(["middle"]).suppressed()).unwrap();
    outer.validate().unwrap();
    expect![[r##"
        ---
        title: "outer"
        ---
        flowchart TD
            n0(["first"])
            subgraph n1 ["middle"]
                subgraph n3 ["inner"]
                    n5(["first"])
                    n6[["last"]]
                end
                n4["first"]
            end
            n2["empty"]
            n0 --> n1
            n1 --> n2
            n3 --> n4
            n5 --> n6
            classDef start stroke:#43a047,stroke-width:2px
            class n0,n3,n5 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n1,n6 output
        digraph "outer" {
            label="outer" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="first" shape=oval color="#43a047" penwidth=2]
            subgraph cluster_1 {
                label="middle" style=rounded penwidth=3 color="#1e88e5" fontcolor="#8a8f98"
                subgraph cluster_3 {
                    label="inner" style=rounded penwidth=1 color="#43a047" fontcolor="#8a8f98"
                    n5 [label="first" shape=oval color="#43a047" penwidth=2]
                    n6 [label="last" peripheries=2 color="#1e88e5" penwidth=2]
                }
                n4 [label="first"]
            }
            n2 [label="empty"]
            n0 -> n5 [lhead=cluster_1 minlen=2]
            n4 -> n2 [ltail=cluster_1]
            n6 -> n4 [ltail=cluster_3]
            n5 -> n6
        }
    "##]]
    .assert_eq(&(outer.to_mermaid() + &outer.to_dot()));
}

/// What is missing is missing in its own automa; what depends on itself is an arrow from the
/// automa to itself.
#[test]
fn invalid_inside() {
    let mut inner = inner();
    inner.add_dependency("last", "nobody").unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", inner, after(["inner", "nobody"])).unwrap();
    expect![[r##"
        ---
        title: "outer"
        ---
        flowchart TD
            subgraph n0 ["inner"]
                n2(["first"])
                n3[["last"]]
                n4["nobody<br/>missing"]
            end
            n1["nobody<br/>missing"]
            n0 --> n0
            n1 --> n0
            n2 --> n3
            n4 --> n3
            classDef start stroke:#43a047,stroke-width:2px
            class n2 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n3 output
            classDef missing stroke:#e53935,stroke-width:2px,stroke-dasharray:4 3
            class n1,n4 missing
        digraph "outer" {
            label="outer" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            subgraph cluster_0 {
                label="inner" style=rounded penwidth=1 color="#8a8f98" fontcolor="#8a8f98"
                n2 [label="first" shape=oval color="#43a047" penwidth=2]
                n3 [label="last" peripheries=2 color="#1e88e5" penwidth=2]
                n4 [label="nobody\nmissing" style="rounded,filled,dashed" fillcolor="#d8dde3" color="#e53935" penwidth=2]
            }
            n1 [label="nobody\nmissing" style="rounded,filled,dashed" fillcolor="#d8dde3" color="#e53935" penwidth=2]
            n3 -> n2
            n1 -> n2 [lhead=cluster_0 minlen=2]
            n2 -> n3
            n4 -> n3
        }
    "##]].assert_eq(&(outer.to_mermaid() + &outer.to_dot()));
}

/// So deep that a recursion over it would be noticed.
#[test]
fn very_deep() {
    const DEEP: usize = 300;
    let outermost = (0..DEEP).fold(inner(), |inner, _| {
        let mut outer = GraphAutoma::new("outer");
        outer.add_worker("in", inner, start()).unwrap();
        outer.add_func_as_worker("after", async || (), after(["in"]).suppressed()).unwrap();
        outer
    });
    let (mermaid, dot) = (outermost.to_mermaid(), outermost.to_dot());
    let count = |text: &str, what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert_eq!(count(&mermaid, "subgraph"), DEEP);
    assert_eq!(count(&mermaid, "-->"), DEEP + 1);
    assert_eq!(mermaid.lines().filter(|line| line.trim() == "end").count(), DEEP);
    assert_eq!(count(&dot, "subgraph"), DEEP);
    assert_eq!(count(&dot, "->"), DEEP + 1);
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
}
