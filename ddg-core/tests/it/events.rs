//! Events of a run: which ones, in which order, and to which subscribers.

mod data;
mod ends;
mod filters;
mod nested;
mod steps;
mod subscribers;

use ddg_core::event::{EventFilter, EventStream};
use ddg_core::prelude::*;

use crate::trace::name;

/// All that comes, a line each.
async fn lines(mut events: EventStream) -> String {
    let mut lines = String::new();
    while let Some(event) = events.next().await {
        lines += &match event {
            Ok(event) => format!("{event}\n"),
            Err(missed) => format!("{missed}\n"),
        };
    }
    lines
}

/// Runs `automa` to its end; gives its events and the result.
async fn watched(automa: &GraphAutoma, filter: EventFilter) -> String {
    let prepared = automa.run(());
    let events = prepared.events(filter);
    let ended = crate::trace::end(prepared.outcome().await);
    lines(events).await + &ended
}

/// `plan` adds a worker, and ferries to it and to `done`.
fn growing() -> GraphAutoma {
    let mut automa = GraphAutoma::new("growing");
    let plan = async |cx: Context| {
        cx.ferry_to("done", (1,));
        cx.add_func_as_worker("new", async || "new".to_owned(), after(["beside"]).suppressed());
        cx.add_dependency("last", "new");
        cx.ferry_to("new", ());
        3
    };
    automa.add_func_as_worker("plan", plan, start()).unwrap();
    automa.add_func_as_worker("beside", name, start()).unwrap();
    automa.add_func_as_worker("done", async |x: i32| x, free()).unwrap();
    automa.add_func_as_worker("last", name, after(["plan"]).suppressed().output()).unwrap();
    automa
}

/// An automa with `depth` others around it, that tells something.
fn nested(depth: u32) -> GraphAutoma {
    let mut automa = GraphAutoma::new("innermost");
    let work = async |cx: Context| {
        cx.emit("depth", cx.path().to_string());
        7
    };
    automa.add_func_as_worker("work", work, start().output()).unwrap();
    for level in (0..depth).rev() {
        let mut outer = GraphAutoma::new(format!("level {level}"));
        outer.add_worker(format!("in{level}"), automa, start().output()).unwrap();
        automa = outer;
    }
    automa
}
