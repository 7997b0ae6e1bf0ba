//! Single cases: what edits leave unchanged, and what they must not leave behind.

use ddg_core::prelude::*;

use crate::reference::engine::{failure, graph};

/// An automa in which `edit` runs first and asks for a change.
fn edited_by(edit: impl Fn(&Context) + Send + Sync + 'static) -> GraphAutoma {
    let mut automa = GraphAutoma::new("edited");
    automa.add_func_as_worker("edit", move |cx: Context| edit(&cx), start().inline()).unwrap();
    automa
}

/// [R4] [S1] Who is added later comes later, also where somebody was removed before.
#[tokio::test]
async fn a_removed_workers_place_in_the_order_is_not_taken() {
    let automa = edited_by(|cx| {
        match cx.step() {
            1 => {
                cx.add_func_as_worker("first", async || (), free());
                cx.add_func_as_worker("second", async || (), start());
            }
            2 => cx.remove_worker("first"),
            3 => cx.add_func_as_worker("third", async || (), start()),
            _ => return,
        }
        cx.ferry_to("edit", ());
    });
    let outcome = automa.run(()).await.unwrap();
    assert_eq!(graph(&outcome.graph()), "edit; second; third");
}

/// [R4] [S6] [A7] Successors are dealt to in the order in which they were declared, whichever
/// came to depend first.
#[tokio::test]
async fn successors_keep_their_order() {
    let mut automa = edited_by(|cx| {
        if cx.step() == 1 {
            cx.add_dependency("older", "dealer");
            cx.ferry_to("edit", ());
        } else {
            cx.ferry_to("dealer", ());
        }
    });
    automa.add_func_as_worker("dealer", async || vec![1, 2], free().in_order()).unwrap();
    automa.add_func_as_worker("older", async |x: i32| x, free()).unwrap();
    automa.add_func_as_worker("younger", async |x: i32| x, after(["dealer"])).unwrap();
    let outcome = automa.run(()).await.unwrap();
    let output = |key| outcome.automa().output(key).unwrap().get::<i32>().unwrap();
    assert_eq!((output("older"), output("younger")), (1, 2));
}

/// [E2] [E8] Of two workers that each ask for a dependency where there is room for one, the second
/// asks for too much.
#[tokio::test]
async fn the_worker_that_adds_one_edge_too_many_is_named() {
    let mut automa = GraphAutoma::new("crowded");
    automa.add_func_as_worker("one", async || 1, free()).unwrap();
    automa.add_func_as_worker("two", async || 2, free()).unwrap();
    automa.add_func_as_worker("taker", async |x: i32| x, free()).unwrap();
    for (asker, on) in [("asks", "one"), ("asks_too", "two")] {
        let function = move |cx: Context| cx.add_dependency("taker", on);
        automa.add_func_as_worker(asker, function, start().inline()).unwrap();
    }
    let error = automa.run(()).await.unwrap_err();
    let RunError::Step(step) = error else { panic!("{error}") };
    let failures: Vec<_> = step.failures.iter().map(failure).collect();
    let why = "taker has too many dependencies".to_owned();
    assert_eq!(failures, [("asks_too".to_owned(), why)]);
}

/// [E8] A change that leaves a graph that could not be declared is refused.
#[tokio::test]
async fn a_graph_after_a_removal_could_be_declared() {
    let removals: [fn(&Context); 4] = [
        |cx| cx.remove_dependency("shout", "number"),
        |cx| cx.remove_worker("number"),
        |cx| cx.remove_dependency("spread", "list"),
        |cx| cx.remove_worker("list"),
    ];
    for (place, removal) in removals.into_iter().enumerate() {
        let mut automa = edited_by(removal);
        automa.add_func_as_worker("number", async || 2, free()).unwrap();
        automa.add_func_as_worker("text", async || "ho".to_owned(), free()).unwrap();
        let shout = async |n: usize, text: String| text.repeat(n);
        automa.add_func_as_worker("shout", shout, after(["number", "text"])).unwrap();
        automa.add_func_as_worker("list", async || vec![1, 2], free()).unwrap();
        let spread = async |a: i32, b: i32| a + b;
        automa.add_func_as_worker("spread", spread, after(["list"]).unpack()).unwrap();
        if let Ok(outcome) = automa.run(()).await {
            let left = outcome.graph().validate();
            assert!(left.is_ok(), "removal {place}: {}", left.unwrap_err());
        }
    }
}
