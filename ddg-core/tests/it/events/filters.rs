//! Filters choose which events a subscriber gets.

use std::sync::Arc;

use ddg_core::event::{Event, EventFilter, EventKind};
use ddg_core::prelude::*;
use expect_test::expect;
use futures::StreamExt;

use super::lines;

/// Two levels that tell all kinds of things.
fn telling() -> GraphAutoma {
    let mut inner = GraphAutoma::new("inner");
    let write = async |cx: Context| {
        cx.emit_chunk("to be".to_owned());
        cx.emit("tokens", 2);
        2
    };
    inner.add_func_as_worker("write", write, start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("part", inner, start()).unwrap();
    automa.add_func_as_worker("write", write, start()).unwrap();
    automa.add_func_as_worker("end", async |x: i32| x, after(["part"]).output()).unwrap();
    automa
}

/// [V8]
#[tokio::test]
async fn filters_choose_by_kind_automa_and_worker() {
    let automa = telling();
    let mut shown = String::new();
    for (what, filter) in [
        ("updates", EventFilter::updates()),
        ("values", EventFilter::values()),
        ("messages", EventFilter::messages()),
        ("custom within `part`", EventFilter::custom().within(["part"])),
        (
            "debug of `write` within `part`",
            EventFilter::debug().within(["part"]).of_worker("write"),
        ),
        ("of `end`, or messages", EventFilter::all().of_worker("end") | EventFilter::messages()),
        ("of nobody", EventFilter::all().of_worker("nobody")),
        ("within nothing", EventFilter::all().within(["part", "write"])),
    ] {
        shown += &format!("{what}\n");
        let prepared = automa.run(());
        let events = prepared.events(filter);
        prepared.outcome().await.unwrap();
        for line in lines(events).await.lines() {
            shown += &format!("  {line}\n");
        }
    }
    expect![[r#"
        updates
          9: part: step 1 settled: `write`: 2
          10: part: run finished: 2
          16: step 1 settled: `part`: 2, `write`: 2
          20: step 2 settled: `end`: 2
          21: run finished: 2
        values
          10: part: step 1: values: `write`: 2
          18: step 1: values: `part`: 2, `write`: 2
          23: step 2: values: `part`: 2, `write`: 2, `end`: 2
        messages
          6: part: step 1: `write` gives "to be"
          13: step 1: `write` gives "to be"
        custom within `part`
          7: part: step 1: `write` tells tokens: 2
        debug of `write` within `part`
          4: part: step 1 started: `write` (start)
          5: part: step 1: `write` started
          8: part: step 1: `write` finished: 2
          9: part: step 1 settled: `write`: 2
        of `end`, or messages
          6: part: step 1: `write` gives "to be"
          13: step 1: `write` gives "to be"
          17: step 2 started: `end` (dependencies)
          18: step 2: `end` started
          19: step 2: `end` finished: 2
          20: step 2 settled: `end`: 2
        of nobody
        within nothing
    "#]]
    .assert_eq(&shown);
}

/// [V8]
#[tokio::test]
async fn all_is_all_but_values() {
    let automa = telling();
    let prepared = automa.run(());
    let everything = prepared.events(EventFilter::all() | EventFilter::values());
    let default = prepared.events(EventFilter::default());
    let all = prepared.events(EventFilter::all());
    prepared.outcome().await.unwrap();
    let everything: Vec<_> = everything.map(Result::unwrap).collect().await;
    let values = |event: &&Arc<Event>| matches!(event.kind, EventKind::Values { .. });
    assert_eq!(everything.iter().filter(values).count(), 3);
    let rest = everything.iter().filter(|event| !values(event)).map(|event| format!("{event}\n"));
    let rest: String = rest.collect();
    assert_eq!(lines(all).await, rest);
    assert_eq!(lines(default).await, rest);
}
