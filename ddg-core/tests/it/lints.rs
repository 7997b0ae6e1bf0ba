//! What is valid and may do something else than it seems to is told before it happens.

use std::sync::Arc;

use ddg_core::graph::Lint;
use ddg_core::prelude::*;
use expect_test::expect;
use tracing::Level;

use super::recording::record;

/// An automa that ferries to itself `n` times.
fn looping(name: &str) -> GraphAutoma {
    let mut automa = GraphAutoma::new(name);
    let again = async |n: u32, cx: Context| {
        if n > 0 {
            cx.ferry_to("again", (n - 1,));
        }
    };
    automa.add_func_as_worker("again", again, start()).unwrap();
    automa
}

/// An automa that cannot run without end: no worker can ferry or change the graph.
fn plain() -> GraphAutoma {
    let mut automa = GraphAutoma::new("plain");
    automa.add_func_as_worker("one", async |n: u32| n, start()).unwrap();
    automa
}

fn around(inner: GraphAutoma, max_steps: Option<u64>) -> GraphAutoma {
    let mut automa = GraphAutoma::new(format!("around {}", inner.name()));
    automa.add_worker("inner", inner, start()).unwrap();
    if let Some(steps) = max_steps {
        automa.set_max_steps(steps);
    }
    automa
}

#[track_caller]
fn check(automa: &GraphAutoma, expected: &[(&str, u64, &str)]) {
    let lints = automa.validate().unwrap();
    let found: Vec<_> = lints
        .iter()
        .map(|lint| match lint {
            Lint::UnlimitedNested { automa, max_steps, unlimited, .. } => {
                (automa.as_str(), *max_steps, unlimited.as_str())
            }
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(found, expected);
}

/// [S12]
#[test]
fn a_limit_of_steps_that_nested_automata_do_not_have() {
    check(&around(looping("loop"), None), &[]);
    check(&around(looping("loop"), Some(3)), &[("around loop", 3, "loop")]);
    check(&around(plain(), Some(3)), &[]);
    // No limit, and it says so.
    let mut unlimited = looping("loop");
    unlimited.set_max_steps(u64::MAX);
    check(&around(unlimited.clone(), Some(3)), &[]);
    check(&around(around(looping("loop"), None), Some(u64::MAX)), &[]);
    // At any depth, once for each limit that does not reach it.
    let deep = around(around(looping("loop"), None), Some(3));
    check(&deep, &[("around around loop", 3, "loop")]);
    let twice = around(around(looping("loop"), Some(2)), Some(3));
    check(&twice, &[("around loop", 2, "loop")]);
}

#[test]
fn the_list_of_lints_is_short() {
    let mut automa = GraphAutoma::new("many");
    for n in 0..100 {
        automa.add_worker(format!("{n}"), looping(&format!("loop {n}")), start()).unwrap();
    }
    automa.set_max_steps(3);
    assert_eq!(automa.validate().unwrap().len(), 16);
}

#[test]
fn a_lint_is_one_line() {
    let lints = around(looping("a\u{1b}[2J\nb\u{202e}"), Some(3)).validate().unwrap();
    expect![[r#"automa `around a\u{1b}[2J\nb\u{202e}`: `set_max_steps(3)` does not limit the automa `a\u{1b}[2J\nb\u{202e}` in worker `inner`, which counts its own steps: limit the run with `max_total_steps`, or that automa with `set_max_steps`"#]].assert_eq(&lints[0].to_string());
}

/// The first run without a limit of all steps logs it.
#[tokio::test]
async fn a_lint_is_logged_once() {
    let automa = Arc::new(around(looping("loop"), Some(3)));
    let logged = async |limit: Option<u64>| {
        let run = automa.run(args!(1_u32));
        let run = match limit {
            Some(limit) => run.max_total_steps(limit),
            None => run,
        };
        let log = record(Level::WARN, async { run.output::<()>().await.unwrap() }).await;
        log.matches("does not limit").count()
    };
    assert_eq!(logged(Some(10)).await, 0);
    assert_eq!(logged(None).await, 1);
    assert_eq!(logged(None).await, 0);
}
