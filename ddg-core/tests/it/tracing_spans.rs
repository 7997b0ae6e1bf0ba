//! Each run, step and worker is a `tracing` span with its name, its cause and its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::MemoryStore;
use ddg_core::prelude::*;
use expect_test::expect;
use futures::FutureExt;
use tracing::{Instrument, Level};

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
    let spans = record(Level::DEBUG, automa().run(args!(true)).outcome()).await;
    let expected = expect![[r#"
        run otel.name=run loop ddg.automa=loop ddg.steps=4 ddg.outcome="finished"
          step ddg.automa=loop ddg.step=1 ddg.kickoffs=1
            worker otel.name=worker a ddg.automa=loop ddg.worker=a ddg.path=a ddg.step=1 ddg.kickoff=0 ddg.cause="start" ddg.outcome="finished"
              info: in a again=true
          step ddg.automa=loop ddg.step=2 ddg.kickoffs=1
            worker otel.name=worker a ddg.automa=loop ddg.worker=a ddg.path=a ddg.step=2 ddg.kickoff=1 ddg.cause="ferry" ddg.ferried_by=a ddg.outcome="finished"
              info: in a again=false
          step ddg.automa=loop ddg.step=3 ddg.kickoffs=1
            worker otel.name=worker b ddg.automa=loop ddg.worker=b ddg.path=b ddg.step=3 ddg.kickoff=2 ddg.cause="ferry" ddg.ferried_by=a ddg.outcome="finished"
          step ddg.automa=loop ddg.step=4 ddg.kickoffs=1
            worker otel.name=worker c ddg.automa=loop ddg.worker=c ddg.path=c ddg.step=4 ddg.kickoff=3 ddg.cause="dependencies" ddg.outcome="finished"
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn at_a_coarser_level_only_the_run() {
    let spans = record(Level::INFO, automa().run(args!(true)).outcome()).await;
    let expected = expect![[r#"
        run otel.name=run loop ddg.automa=loop ddg.steps=4 ddg.outcome="finished"
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
    let spans = record(Level::DEBUG, automa.run(args!()).outcome()).await;
    let expected = expect![[r#"
        run otel.name=run side by side ddg.automa=side by side ddg.steps=1 ddg.outcome="finished"
          step ddg.automa=side by side ddg.step=1 ddg.kickoffs=2
            worker otel.name=worker inline ddg.automa=side by side ddg.worker=inline ddg.path=inline ddg.step=1 ddg.kickoff=0 ddg.cause="start" ddg.outcome="finished"
              info: inline
            worker otel.name=worker waits ddg.automa=side by side ddg.worker=waits ddg.path=waits ddg.step=1 ddg.kickoff=1 ddg.cause="start" ddg.outcome="finished"
              info: waited
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn a_retry_is_an_event_within_its_worker() {
    let mut automa = GraphAutoma::new("retry");
    let fails = async || Err::<(), _>(WorkerError::msg("not yet"));
    automa.add_func_as_worker("fails", fails, start().retry(Retry::times(1))).unwrap();
    let spans = record(Level::DEBUG, automa.run(args!()).outcome()).await;
    let expected = expect![[r#"
        run otel.name=run retry ddg.automa=retry otel.status_code="ERROR" otel.status_description=automa `retry`, step 1: worker `fails` failed: not yet ddg.outcome="failed"
          step ddg.automa=retry ddg.step=1 ddg.kickoffs=1
            worker otel.name=worker fails ddg.automa=retry ddg.worker=fails ddg.path=fails ddg.step=1 ddg.kickoff=0 ddg.cause="start" ddg.attempts=2 error.type="_OTHER" otel.status_code="ERROR" otel.status_description=not yet ddg.outcome="failed"
              debug: retrying worker=fails attempt=1 error=not yet wait=0ns
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn late_requests_are_a_warning() {
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
    let spans = record(Level::WARN, automa.run(args!()).outcome()).await;
    let expected = expect![[r#"
        warn: requested after the worker had ended, and dropped worker=keeps ask=ferry to `nowhere` with (1)
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
    let spans = record(Level::DEBUG, nested.run(args!()).outcome()).await;
    let indents = spans.lines().map(|line| line.len() - line.trim_start().len());
    let expected: Vec<_> = (0..spans.lines().count()).map(|depth| 2 * depth).collect();
    assert_eq!(indents.collect::<Vec<_>>(), expected, "each is within the one before:\n{spans}");
    assert_eq!(spans.lines().count(), 3 * 11);
}

#[tokio::test]
async fn a_nested_automa_and_what_fails_in_it() {
    let mut inner = GraphAutoma::new("inner automa");
    inner.add_func_as_worker("panics", async || -> i32 { panic!("oh no") }, start()).unwrap();
    inner.add_func_as_worker("beside", async || (), start()).unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", inner, start()).unwrap();
    let spans = record(Level::DEBUG, outer.run(args!()).outcome()).await;
    let expected = expect![[r#"
        run otel.name=run outer ddg.automa=outer otel.status_code="ERROR" otel.status_description=automa `outer`, step 1: worker `inner` failed: automa `inner automa`, step 1: worker `inner/panics` failed: panicked: oh no ddg.outcome="failed"
          step ddg.automa=outer ddg.step=1 ddg.kickoffs=1
            worker otel.name=worker inner ddg.automa=outer ddg.worker=inner ddg.path=inner ddg.step=1 ddg.kickoff=0 ddg.cause="start" error.type="_OTHER" otel.status_code="ERROR" otel.status_description=automa `inner automa`, step 1: worker `inner/panics` failed: panicked: oh no ddg.outcome="failed"
              run otel.name=run inner automa ddg.automa=inner automa ddg.path=inner otel.status_code="ERROR" otel.status_description=automa `inner automa`, step 1: worker `inner/panics` failed: panicked: oh no ddg.outcome="failed"
                step ddg.automa=inner automa ddg.step=1 ddg.kickoffs=2
                  worker otel.name=worker panics ddg.automa=inner automa ddg.worker=panics ddg.path=inner/panics ddg.step=1 ddg.kickoff=0 ddg.cause="start" error.type="panic" otel.status_code="ERROR" otel.status_description=panicked: oh no ddg.outcome="failed"
                  worker otel.name=worker beside ddg.automa=inner automa ddg.worker=beside ddg.path=inner/beside ddg.step=1 ddg.kickoff=1 ddg.cause="start" ddg.outcome="finished"
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_has_its_name() {
    let mut automa = GraphAutoma::new("slow");
    let never = async || std::future::pending::<()>().await;
    automa.add_func_as_worker("never", never, start().timeout(Duration::from_secs(1))).unwrap();
    let spans = record(Level::DEBUG, automa.run(args!()).outcome()).await;
    assert!(spans.contains(r#" error.type="timeout" "#), "{spans}");
}

#[tokio::test]
async fn a_worker_that_asks_a_person_has_not_failed() {
    let mut automa = GraphAutoma::new("shop");
    let ask =
        async |cx: Context| Ok::<bool, WorkerError>(cx.interact_with_human("Buy?".to_owned())?);
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    let spans = record(Level::DEBUG, automa.run(args!()).outcome()).await;
    let expected = expect![[r#"
        run otel.name=run shop ddg.automa=shop ddg.steps=1 ddg.outcome="paused"
          step ddg.automa=shop ddg.step=1 ddg.kickoffs=1
            worker otel.name=worker ask ddg.automa=shop ddg.worker=ask ddg.path=ask ddg.step=1 ddg.kickoff=0 ddg.cause="start" ddg.outcome="interrupted"
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn a_run_that_is_dropped_was_cancelled() {
    let mut automa = GraphAutoma::new("hanging");
    let never = async || std::future::pending::<()>().await;
    automa.add_func_as_worker("never", never, start()).unwrap();
    let dropped = async { assert!(automa.run(args!()).outcome().now_or_never().is_none()) };
    let spans = record(Level::DEBUG, dropped).await;
    let expected = expect![[r#"
        run otel.name=run hanging ddg.automa=hanging ddg.outcome="cancelled"
          step ddg.automa=hanging ddg.step=1 ddg.kickoffs=1
            worker otel.name=worker never ddg.automa=hanging ddg.worker=never ddg.path=never ddg.step=1 ddg.kickoff=0 ddg.cause="start" ddg.outcome="cancelled"
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn a_run_that_is_started_or_kept_in_a_store_is_within_the_callers_span() {
    let mut automa = GraphAutoma::new("one");
    automa.add_func_as_worker("one", async || (), start()).unwrap();
    let both = async {
        automa.run(args!()).spawn().await.unwrap();
        automa.run(args!()).stored_in(&MemoryStore::new(), "order-7").await.unwrap();
    };
    let request = async { both.instrument(tracing::info_span!("request")).await };
    let spans = record(Level::INFO, request).await;
    let expected = expect![[r#"
        request
          run otel.name=run one ddg.automa=one ddg.steps=1 ddg.outcome="finished"
          run otel.name=run one ddg.automa=one ddg.run=order-7 ddg.steps=1 ddg.outcome="finished"
    "#]];
    expected.assert_eq(&spans);
}
