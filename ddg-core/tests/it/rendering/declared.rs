//! A declared graph as Mermaid and as DOT, also if it is invalid.

use ddg_core::prelude::*;
use expect_test::expect;

fn shop() -> GraphAutoma {
    let mut shop = GraphAutoma::new("shop");
    shop.add_func_as_worker("order", async || 1, start()).unwrap();
    shop.add_func_as_worker("pay", async |_: i32| 2, after(["order"])).unwrap();
    shop.add_func_as_worker("ship", async |_: i32, _: i32| (), after(["order", "pay"]).output())
        .unwrap();
    shop
}

#[test]
fn mermaid() {
    expect![[r#"
        ---
        title: "shop"
        ---
        flowchart TD
            n0(["order"])
            n1["pay"]
            n2[["ship"]]
            n0 --> n1
            n0 --> n2
            n1 --> n2
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n2 output
    "#]]
    .assert_eq(&shop().to_mermaid());
}

#[test]
fn dot() {
    expect![[r##"
        digraph "shop" {
            label="shop" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="order" shape=oval color="#43a047" penwidth=2]
            n1 [label="pay"]
            n2 [label="ship" peripheries=2 color="#1e88e5" penwidth=2]
            n0 -> n1
            n0 -> n2
            n1 -> n2
        }
    "##]]
    .assert_eq(&shop().to_dot());
}

/// One worker may be both, and an automa has no worker at all.
#[test]
fn the_smallest() {
    let mut both = GraphAutoma::new("");
    expect![[r##"
        flowchart TD
        digraph "" {
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
        }
    "##]]
    .assert_eq(&(both.to_mermaid() + &both.to_dot()));
    both.add_func_as_worker("both", async || (), start().output()).unwrap();
    expect![[r##"
        flowchart TD
            n0(["both"])
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n0 output
        digraph "" {
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="both" shape=oval peripheries=2 color="#1e88e5" penwidth=2]
        }
    "##]]
    .assert_eq(&(both.to_mermaid() + &both.to_dot()));
}

/// It is drawn as it is: that is when one looks.
#[test]
fn an_invalid_graph() {
    let mut automa = GraphAutoma::new("invalid");
    automa.add_func_as_worker("a", async || (), after(["b", "nobody"])).unwrap();
    automa.add_func_as_worker("b", async || (), after(["a", "b", "nobody"])).unwrap();
    expect![[r#"
        automa `invalid`: 4 faults
        - worker `a` depends on `nobody`, which does not exist; the workers are: `a`, `b`
        - worker `b` depends on itself; to repeat it, let it ferry to itself
        - worker `b` depends on `nobody`, which does not exist; the workers are: `a`, `b`
        - the dependencies `a` → `b` → `a` form a cycle; to go back, use a ferry"#]]
    .assert_eq(&automa.validate().unwrap_err().to_string());
    expect![[r##"
        ---
        title: "invalid"
        ---
        flowchart TD
            n0["a"]
            n1["b"]
            n2["nobody<br/>missing"]
            n1 --> n0
            n2 --> n0
            n0 --> n1
            n1 --> n1
            n2 --> n1
            classDef missing stroke:#e53935,stroke-width:2px,stroke-dasharray:4 3
            class n2 missing
        digraph "invalid" {
            label="invalid" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="a"]
            n1 [label="b"]
            n2 [label="nobody\nmissing" style="rounded,filled,dashed" fillcolor="#d8dde3" color="#e53935" penwidth=2]
            n1 -> n0
            n2 -> n0
            n0 -> n1
            n1 -> n1
            n2 -> n1
        }
    "##]]
    .assert_eq(&(automa.to_mermaid() + &automa.to_dot()));
}

/// What is declared to be placed at run time.
#[test]
fn a_detached_worker() {
    let mut automa = GraphAutoma::new("detached");
    automa.declare_func("spare", async || (), free()).unwrap();
    automa.add_func_as_worker("a", async || (), start()).unwrap();
    expect![[r##"
        ---
        title: "detached"
        ---
        flowchart TD
            n0(["a"])
            n1["spare<br/>not placed"]
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef detached stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n1 detached
        digraph "detached" {
            label="detached" labelloc=t
            rankdir=TB compound=true ranksep=0.6 bgcolor="transparent" fontname="Helvetica,Arial,sans-serif" fontcolor="#8a8f98"
            node [shape=box style="rounded,filled" fontname="Helvetica,Arial,sans-serif" color="#8a8f98" fillcolor="#f6f8fa" fontcolor="#1f2328"]
            edge [fontname="Helvetica,Arial,sans-serif" fontsize=11 color="#8a8f98" fontcolor="#8a8f98"]
            n0 [label="a" shape=oval color="#43a047" penwidth=2]
            n1 [label="spare\nnot placed" style="rounded,filled,dashed" fillcolor="#d8dde3"]
        }
    "##]].assert_eq(&(automa.to_mermaid() + &automa.to_dot()));
}

/// An automa that is a type is drawn like any other.
#[cfg(feature = "macros")]
#[test]
fn a_typed_automa() {
    struct Double;

    #[automa]
    impl Double {
        #[worker(start, output)]
        async fn double(&self, x: i64) -> i64 {
            x * 2
        }
    }

    expect![[r#"
        ---
        title: "Double"
        ---
        flowchart TD
            n0(["double"])
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n0 output
    "#]]
    .assert_eq(&Double.build().unwrap().to_mermaid());
}
