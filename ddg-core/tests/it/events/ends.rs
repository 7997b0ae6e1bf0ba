//! Ends of streams: with the run, however it ends.

use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use expect_test::expect;

use super::{lines, nested};
use crate::trace::name;

/// [V3] [V11]
#[tokio::test]
async fn a_paused_run_ends_its_stream_with_questions_and_has_another_when_resumed() {
    let mut inner = GraphAutoma::new("inner");
    let ask = async |cx: Context| cx.interact_with_human::<i32>("How many?".to_owned());
    inner.add_func_as_worker("ask", ask, start().output().retry(Retry::times(1))).unwrap();
    let mut automa = GraphAutoma::new("asking");
    automa.add_worker("inner", inner, start()).unwrap();
    automa.add_func_as_worker("beside", name, start()).unwrap();
    automa.add_func_as_worker("end", async |n: i32| n, after(["inner"]).output()).unwrap();
    let prepared = automa.run(());
    let events = prepared.events(EventFilter::all());
    let paused = prepared.outcome().await.unwrap();
    expect![[r#"
        0: run of `asking` started
        1: step 1 started: `inner` (start), `beside` (start)
        2: step 1: `inner` started
        3: inner: run of `inner` started
        4: inner: step 1 started: `ask` (start)
        5: inner: step 1: `ask` started
        6: inner: step 1: `ask` waits for an answer
        7: inner: step 1 settled
        8: inner: run paused: `inner/ask#0.1`: "How many?"
        9: step 1: `inner` waits for an answer
        10: step 1: `beside` started
        11: step 1: `beside` finished: "beside"
        12: step 1 settled: `beside`: "beside"
        13: run paused: `inner/ask#0.1`: "How many?"
    "#]]
    .assert_eq(&lines(events).await);

    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer(&paused.questions()[0].id, 7).unwrap();
    let prepared = automa.resume(snapshot);
    let events = prepared.events(EventFilter::all());
    assert_eq!(prepared.output::<i32>().await.unwrap(), 7);
    expect![[r#"
        0: run of `asking` started
        1: step 1 started: `inner` (start)
        2: step 1: `inner` started
        3: inner: run of `inner` started
        4: inner: step 1 started: `ask` (start)
        5: inner: step 1: `ask` started
        6: inner: step 1: `ask` finished: 7
        7: inner: step 1 settled: `ask`: 7
        8: inner: run finished: 7
        9: step 1: `inner` finished: 7
        10: step 1 settled: `inner`: 7
        11: step 2 started: `end` (dependencies)
        12: step 2: `end` started
        13: step 2: `end` finished: 7
        14: step 2 settled: `end`: 7
        15: run finished: 7
    "#]]
    .assert_eq(&lines(events).await);
}

/// [V6]
#[tokio::test]
async fn a_stream_ends_with_its_run_and_one_of_a_run_that_has_ended_is_over() {
    let automa = nested(1);
    let run = automa.run(()).spawn();
    while !run.is_finished() {
        tokio::task::yield_now().await;
    }
    assert!(run.events(EventFilter::all()).next().await.is_none());

    let prepared = automa.run(());
    let mut events = prepared.events(EventFilter::all());
    drop(prepared);
    assert!(events.next().await.is_none(), "it never began");
}

/// [V10] [R7]
#[tokio::test]
async fn a_run_that_cannot_begin_has_one_event() {
    let mut automa = GraphAutoma::new("invalid");
    automa.add_func_as_worker("a", name, after(["b"])).unwrap();
    let prepared = automa.run(()).pace(Pace::Rolling);
    let events = prepared.events(EventFilter::all());
    let run = prepared.spawn();
    assert!(run.events(EventFilter::all()).next().await.is_none());
    let ended = crate::trace::end(run.await);
    expect![[r#"
        0: run failed: automa `invalid`: worker `a` depends on `b`, which does not exist; the workers are: `a`
        error: automa `invalid`: worker `a` depends on `b`, which does not exist; the workers are: `a`
    "#]]
    .assert_eq(&(lines(events).await + &ended));
}

/// [V3] [V10]
#[tokio::test]
async fn a_cancelled_run_says_so_last_after_those_nested_in_it() {
    let mut automa = GraphAutoma::new("endless");
    automa.add_func_as_worker("wait", std::future::pending::<()>, start()).unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", automa, start()).unwrap();
    let prepared = outer.run(());
    let mut events = prepared.events(EventFilter::all());
    let run = prepared.spawn();
    for _ in 0..6 {
        events.next().await.unwrap().unwrap();
    }
    run.cancel();
    assert!(run.await.is_err());
    expect![[r#"
        6: inner: run cancelled
        7: run cancelled
    "#]]
    .assert_eq(&lines(events).await);

    let prepared = outer.run(());
    let events = prepared.events(EventFilter::all());
    {
        let mut run = Box::pin(prepared.outcome());
        assert!(futures::poll!(&mut run).is_pending());
    }
    assert!(lines(events).await.ends_with("7: run cancelled\n"), "a dropped future is the same");
}
