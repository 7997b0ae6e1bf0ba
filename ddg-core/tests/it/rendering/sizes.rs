//! A drawing fits a screen: it turns from left to right if it would be too wide, and folds similar
//! workers if that is not enough.

use ddg_core::prelude::*;
use expect_test::expect;

/// One worker, `n_workers` after it, and one after these.
fn wide(n_workers: usize) -> GraphAutoma {
    let mut wide = GraphAutoma::new("wide");
    wide.add_func_as_worker("split", async || (), start()).unwrap();
    let keys: Vec<_> = (0..n_workers).map(|n| format!("worker {n}")).collect();
    for key in &keys {
        wide.add_func_as_worker(key, async || (), after(["split"]).suppressed()).unwrap();
    }
    wide.add_func_as_worker("join", async || (), after(keys).suppressed().output()).unwrap();
    wide
}

fn n_lines(text: &str, what: &str) -> usize {
    text.lines().filter(|line| line.contains(what)).count()
}

#[test]
fn of_300_workers_some_are_drawn() {
    expect![[r#"
        ---
        title: "wide"
        ---
        flowchart TD
            n0(["split"])
            n1["worker 0"]
            n2["worker 1"]
            n3["worker 2"]
            n4["worker 3"]
            n5["worker 4"]
            n6["worker 5"]
            n7["worker 6"]
            n8["worker 7"]
            n9["worker 8"]
            n10["worker 9"]
            n11["worker 10"]
            n12["worker 11"]
            n13["… and 288 more"]
            n14[["join"]]
            n0 --> n1
            n0 --> n2
            n0 --> n3
            n0 --> n4
            n0 --> n5
            n0 --> n6
            n0 --> n7
            n0 --> n8
            n0 --> n9
            n0 --> n10
            n0 --> n11
            n0 --> n12
            n0 --> n13
            n1 --> n14
            n2 --> n14
            n3 --> n14
            n4 --> n14
            n5 --> n14
            n6 --> n14
            n7 --> n14
            n8 --> n14
            n9 --> n14
            n10 --> n14
            n11 --> n14
            n12 --> n14
            n13 --> n14
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n14 output
    "#]]
    .assert_eq(&wide(300).to_mermaid());
    let dot = wide(300).to_dot();
    assert_eq!(n_lines(&dot, "->"), 26, "{dot}");
    let all = wide(300).drawing().unfolded();
    assert_eq!(n_lines(&all.to_dot(), "->"), 600);
    assert_eq!(n_lines(&all.to_mermaid(), "-->"), 600);
}

/// Down as long as there is room, then to the right, then folded.
#[test]
fn the_direction_that_fits() {
    let directions = [8, 11, 14, 300].map(|n_workers| {
        let mut automa = GraphAutoma::new("long names");
        automa.add_func_as_worker("split", async || (), start()).unwrap();
        for n in 0..n_workers {
            let key = format!("a worker with a longer name {n}");
            automa.add_func_as_worker(key, async || (), after(["split"]).suppressed()).unwrap();
        }
        let (mermaid, dot) = (automa.to_mermaid(), automa.to_dot());
        let down = mermaid.contains("flowchart TD");
        assert_eq!(down, dot.contains("rankdir=TB"), "{n_workers}");
        (n_workers, if down { "down" } else { "right" }, n_lines(&dot, "-> n"))
    });
    expect![[r#"[(8, "right", 8), (11, "right", 11), (14, "right", 13), (300, "right", 13)]"#]]
        .assert_eq(&format!("{directions:?}"));
}

/// The middle of a long chain is folded.
#[test]
fn a_long_chain() {
    let mut chain = GraphAutoma::new("chain");
    chain.add_func_as_worker("step 0", async || (), start()).unwrap();
    for n in 1..100 {
        let before = format!("step {}", n - 1);
        let options = after([before]).suppressed();
        chain.add_func_as_worker(format!("step {n}"), async || (), options).unwrap();
    }
    expect![[r#"
        ---
        title: "chain"
        ---
        flowchart LR
            n0(["step 0"])
            n1["step 1"]
            n2["step 2"]
            n3["step 3"]
            n4["step 4"]
            n5["step 5"]
            n6["… and 89 more"]
            n7["step 95"]
            n8["step 96"]
            n9["step 97"]
            n10["step 98"]
            n11["step 99"]
            n0 --> n1
            n1 --> n2
            n2 --> n3
            n3 --> n4
            n4 --> n5
            n5 --> n6
            n6 --> n7
            n7 --> n8
            n8 --> n9
            n9 --> n10
            n10 --> n11
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
    "#]]
    .assert_eq(&chain.to_mermaid());
}

/// Automata whose insides are alike are folded like workers; one that is different is not.
#[test]
fn alike_automata() {
    let mut outer = GraphAutoma::new("outer");
    for n in 0..75 {
        let mut inner = GraphAutoma::new("inner");
        inner.add_func_as_worker("fetch", async || (), start()).unwrap();
        inner.add_func_as_worker("read", async || (), after(["fetch"]).suppressed()).unwrap();
        if n == 40 {
            inner.add_func_as_worker("more", async || (), after(["read"]).suppressed()).unwrap();
        }
        outer.add_worker(format!("region {n}"), inner, start()).unwrap();
    }
    let dot = outer.to_dot();
    assert_eq!(n_lines(&dot, "subgraph"), 6, "{dot}");
    assert!(dot.contains("region 40") && dot.contains("more\""), "{dot}");
    assert!(dot.contains("… and 69 more"), "{dot}");
}

/// What would be folded into one that looks otherwise is not: what failed, what is an output.
#[tokio::test]
async fn failed_workers_are_not_folded() {
    let mut fails = wide(300);
    let bad = async || Err::<(), _>(WorkerError::msg("no"));
    fails.add_func_as_worker("bad", bad, after(["split"]).suppressed()).unwrap();
    let history = ddg_core::render::History::new();
    fails.add_callback(history.clone());
    expect!["automa `wide`, step 2: worker `bad` failed: no"]
        .assert_eq(&fails.run(()).await.unwrap_err().to_string());
    let drawn = fails.drawing().with(&history).to_mermaid();
    assert!(drawn.contains("bad<br/>failed"), "{drawn}");
    assert!(drawn.contains("… and 292 more"), "{drawn}");
}

/// Any graph is drawn: folding ends, and leaves no arrow without its ends.
#[test]
fn rings_and_loose_ends() {
    let mut ring = GraphAutoma::new("ring");
    for n in 0..200 {
        let before = format!("w{}", (n + 199) % 200);
        ring.add_func_as_worker(format!("w{n}"), async || (), after([before])).unwrap();
    }
    let dot = ring.to_dot();
    for line in dot.lines().filter(|line| line.contains("->")) {
        for end in line.trim().split(" -> ") {
            assert!(dot.contains(&format!("    {end} [label")), "{line}: {dot}");
        }
    }
    assert!(n_lines(&dot, "->") < 20, "{dot}");
}

/// Chains side by side: both the middle of each and those that are alike are folded, and what is
/// folded twice is counted.
#[test]
fn many_long_chains() {
    let mut automa = GraphAutoma::new("grid");
    for chain in 0..30 {
        for n in 0..40 {
            let options = match n {
                0 => start(),
                n => after([format!("{chain}.{}", n - 1)]).suppressed(),
            };
            automa.add_func_as_worker(format!("{chain}.{n}"), async || (), options).unwrap();
        }
    }
    let dot = automa.to_dot();
    let labels = dot.lines().filter_map(|line| line.trim().split_once("[label=\""));
    let labels = labels.map(|(_, label)| label.split_once('"').unwrap().0);
    let more = |label: &str| label.strip_prefix("… and ")?.strip_suffix(" more")?.parse().ok();
    let counts: Vec<usize> = labels.map(|label| more(label).unwrap_or(1)).collect();
    assert_eq!(counts.iter().sum::<usize>(), 30 * 40, "{dot}");
    assert!(counts.len() < 100, "{dot}");
}
