//! Each run, step and worker is a `tracing` span; a worker's tells why it was kicked off.

use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use expect_test::expect;
use tracing::Level;

use super::recording::record;

/// Starts, ferries to itself and on to `b`, on which `c` depends.
fn automa() -> GraphAutoma {
    let mut automa = GraphAutoma::new("loop");
    let a = async |again: bool, cx: &Context| {
        tracing::info!(again, "in a");
        cx.ferry_to(if again { "a" } else { "b" }, (false,));
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("b", async |x: bool| x, free()).unwrap();
    automa.add_func_as_worker("c", async |_: bool| (), after(["b"]).output()).unwrap();
    automa
}

#[tokio::test]
async fn run_step_and_worker_with_its_cause() {
    let spans = record(Level::DEBUG, automa().outcome(args!(true))).await;
    let expected = expect![[r#"
        run automa=loop
          step number=1
            worker key=a cause=start step=1
              info: in a again=true
          step number=2
            worker key=a cause=ferry by `a` step=2
              info: in a again=false
          step number=3
            worker key=b cause=ferry by `a` step=3
          step number=4
            worker key=c cause=dependencies step=4
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn at_a_coarser_level_only_the_run() {
    let spans = record(Level::INFO, automa().outcome(args!(true))).await;
    let expected = expect![[r#"
        run automa=loop
          info: in a again=true
          info: in a again=false
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn workers_side_by_side_are_within_their_spans() {
    let mut automa = GraphAutoma::new("side by side");
    automa.add_func_as_worker("inline", || tracing::info!("inline"), start().inline()).unwrap();
    let waits = async || {
        tokio::task::yield_now().await;
        tracing::info!("waited");
    };
    automa.add_func_as_worker("waits", waits, start()).unwrap();
    let spans = record(Level::DEBUG, automa.outcome(args!())).await;
    let expected = expect![[r#"
        run automa=side by side
          step number=1
            worker key=inline cause=start step=1
              info: inline
            worker key=waits cause=start step=1
              info: waited
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn a_retry_is_an_event_within_its_worker() {
    let mut automa = GraphAutoma::new("retry");
    let fails = async || Err::<(), _>(WorkerError::msg("not yet"));
    automa.add_func_as_worker("fails", fails, start().retry(Retry::times(1))).unwrap();
    let spans = record(Level::DEBUG, automa.outcome(args!())).await;
    let expected = expect![[r#"
        run automa=retry
          step number=1
            worker key=fails cause=start step=1
              debug: retrying worker=fails attempt=1 error=not yet wait=0ns
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn what_is_asked_for_too_late_is_a_warning() {
    let kept: Arc<Mutex<Option<Context>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let mut automa = GraphAutoma::new("late");
    automa
        .add_func_as_worker(
            "keeps",
            move |cx: Context| _ = keep.lock().unwrap().replace(cx),
            start().inline(),
        )
        .unwrap();
    let late = move || kept.lock().unwrap().take().unwrap().ferry_to("nowhere", (1,));
    automa.add_func_as_worker("late", late, after(["keeps"]).inline()).unwrap();
    let spans = record(Level::WARN, automa.outcome(args!())).await;
    let expected = expect![[r#"
        warn: asked for after the worker had ended: dropped worker=keeps ask=ferry to `nowhere` with (1)
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn nested_runs_are_within_the_worker_that_they_are() {
    let mut innermost = GraphAutoma::new("level 10");
    innermost.add_func_as_worker("worker", async || (), start()).unwrap();
    let nested = (0..10).rev().fold(innermost, |inner, level| {
        let mut outer = GraphAutoma::new(format!("level {level}"));
        outer.add_worker("inner", inner, start()).unwrap();
        outer
    });
    let spans = record(Level::DEBUG, nested.outcome(args!())).await;
    let indents = spans.lines().map(|line| line.len() - line.trim_start().len());
    let expected: Vec<_> = (0..spans.lines().count()).map(|depth| 2 * depth).collect();
    assert_eq!(indents.collect::<Vec<_>>(), expected, "each is within the one before:\n{spans}");
    assert_eq!(spans.lines().count(), 3 * 11);
}
