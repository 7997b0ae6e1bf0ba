//! Events of a step and its workers, and their order.

use std::sync::Arc;
use std::time::Duration;

use ddg_core::event::{Event, EventFilter, EventKind, Missed};
use ddg_core::prelude::*;
use expect_test::expect;
use tokio::sync::Notify;

use super::{growing, lines, watched};

/// [V1] [V2] [R7]
#[tokio::test]
async fn a_step_is_published_in_order_from_its_kickoffs_to_its_results() {
    let automa = growing();
    expect![[r#"
        0: run of `growing` started
        1: step 1 started: `plan` (start), `beside` (start)
        2: step 1: `plan` started
        3: step 1: `plan` finished: 3
        4: step 1: `beside` started
        5: step 1: `beside` finished: "beside"
        6: step 1: graph changed: worker `new` added after `beside` by `plan`, dependency of `last` on `new` added by `plan`
        7: step 1: `plan` ferries to `done`
        8: step 1: `plan` ferries to `new`
        9: step 1 settled: `plan`: 3, `beside`: "beside"
        10: step 2 started: `done` (ferry by `plan`), `new` (ferry by `plan`), `new` (dependencies)
        11: step 2: `done` started
        12: step 2: `done` finished: 1
        13: step 2: `new` started
        14: step 2: `new` finished: "new"
        15: step 2: `new` started
        16: step 2: `new` finished: "new"
        17: step 2 settled: `done`: 1, `new`: "new", `new`: "new"
        18: step 3 started: `last` (dependencies)
        19: step 3: `last` started
        20: step 3: `last` finished: "last"
        21: step 3 settled: `last`: "last"
        22: run finished: "last"
        output: "last"
    "#]]
    .assert_eq(&watched(&automa, EventFilter::all()).await);
}

/// [V3]
#[tokio::test(start_paused = true)]
async fn every_attempt_is_published_and_its_custom_events_stay() {
    let mut automa = GraphAutoma::new("attempts");
    let retry = Retry::times(2).delay(Duration::from_secs(1));
    let flaky = async |cx: Context| match cx.attempt() {
        3 => Ok(3),
        attempt => {
            cx.emit_chunk(attempt);
            Err(WorkerError::msg(format!("not at attempt {attempt}")))
        }
    };
    automa.add_func_as_worker("flaky", flaky, start().retry(retry)).unwrap();
    let hanging = async || std::future::pending::<()>().await;
    let impatient = after(["flaky"]).suppressed().timeout(Duration::from_secs(1));
    automa.add_func_as_worker("hanging", hanging, impatient).unwrap();
    expect![[r#"
        0: run of `attempts` started
        1: step 1 started: `flaky` (start)
        2: step 1: `flaky` started
        3: step 1: `flaky` gives 1
        4: step 1: attempt 1 of `flaky` failed: not at attempt 1
        5: step 1: attempt 2 of `flaky` in 1s
        6: step 1: `flaky` gives 2
        7: step 1: attempt 2 of `flaky` failed: not at attempt 2
        8: step 1: attempt 3 of `flaky` in 2s
        9: step 1: `flaky` finished: 3
        10: step 1 settled: `flaky`: 3
        11: step 2 started: `hanging` (dependencies)
        12: step 2: `hanging` started
        13: step 2: attempt 1 of `hanging` failed: timed out after 1s
        14: step 2: `hanging` failed: timed out after 1s
        15: run failed: automa `attempts`, step 2: worker `hanging` failed: timed out after 1s
        error: automa `attempts`, step 2: worker `hanging` failed: timed out after 1s
    "#]]
    .assert_eq(&watched(&automa, EventFilter::all()).await);
}

/// [V3]
#[tokio::test]
async fn a_worker_ends_with_what_its_hooks_made_of_it() {
    struct Mend;
    impl Callback for Mend {
        async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
            cx.emit("hook", "will run".to_owned());
            Ok(())
        }

        async fn did_fail(
            &self,
            cx: &Context,
            _: &WorkerError,
        ) -> Result<Option<Value>, WorkerError> {
            cx.emit("hook", "did fail".to_owned());
            Ok(Some(Value::new("mended".to_owned())))
        }
    }
    let mut automa = GraphAutoma::new("hooks");
    let fail = async || Err::<String, _>(WorkerError::msg("broken"));
    automa.add_func_as_worker("a", fail, start().output().callback(Mend)).unwrap();
    expect![[r#"
        0: run of `hooks` started
        1: step 1 started: `a` (start)
        2: step 1: `a` started
        3: step 1: `a` tells hook: "will run"
        4: step 1: attempt 1 of `a` failed: broken
        5: step 1: `a` tells hook: "did fail"
        6: step 1: `a` finished: "mended"
        7: step 1 settled: `a`: "mended"
        8: run finished: "mended"
        output: "mended"
    "#]]
    .assert_eq(&watched(&automa, EventFilter::all()).await);
}

/// [V2]
#[tokio::test]
async fn at_a_rolling_pace_a_worker_is_settled_by_the_step_in_which_it_ends() {
    let gate = Arc::new(Notify::new());
    let mut automa = GraphAutoma::new("rolling");
    let opener = Arc::clone(&gate);
    let slow = move || {
        let gate = Arc::clone(&gate);
        async move { gate.notified().await }
    };
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    automa.add_func_as_worker("quick", async || {}, start()).unwrap();
    let next = move || opener.notify_one();
    automa.add_func_as_worker("next", next, after(["quick"]).inline()).unwrap();
    let prepared = automa.run(()).pace(Pace::Rolling);
    let events = prepared.events(EventFilter::all());
    prepared.outcome().await.unwrap();
    expect![[r#"
        0: run of `rolling` started
        1: step 1 started: `slow` (start), `quick` (start)
        2: step 1: `slow` started
        3: step 1: `quick` started
        4: step 1: `quick` finished: null
        5: step 1 settled: `quick`: null
        6: step 2 started: `next` (dependencies)
        7: step 2: `next` started
        8: step 2: `next` finished: null
        9: step 1: `slow` finished: null
        10: step 2 settled: `slow`: null, `next`: null
        11: run finished: null
    "#]]
    .assert_eq(&lines(events).await);
}

/// [V9]
#[tokio::test]
async fn events_of_a_worker_come_while_it_runs() {
    let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut automa = GraphAutoma::new("live");
    let work = {
        let go = Arc::clone(&go);
        move |cx: Context| {
            let go = Arc::clone(&go);
            async move {
                cx.emit_chunk(1);
                go.notified().await;
                cx.emit_chunk(2);
            }
        }
    };
    automa.add_func_as_worker("work", work, start()).unwrap();
    let blocking = {
        let gone = Arc::clone(&gone);
        move |cx: Context| {
            cx.emit_chunk("from a thread".to_owned());
            gone.notify_one();
        }
    };
    automa.add_func_as_worker("blocking", blocking, after(["work"])).unwrap();
    let prepared = automa.run(());
    let mut chunks = prepared.events(EventFilter::messages());
    let run = prepared.spawn();
    let chunk = |event: Option<Result<Arc<Event>, Missed>>| match &event.unwrap().unwrap().kind {
        EventKind::Chunk { chunk, .. } => chunk.clone(),
        other => panic!("{other}"),
    };
    assert_eq!(chunk(chunks.next().await).get::<i32>().unwrap(), 1);
    go.notify_one();
    assert_eq!(chunk(chunks.next().await).get::<i32>().unwrap(), 2);
    gone.notified().await;
    assert_eq!(chunk(chunks.next().await).get::<String>().unwrap(), "from a thread");
    run.await.unwrap();
}

/// [V10]
#[tokio::test]
async fn the_effects_of_a_failed_step_are_not_published() {
    let mut automa = growing();
    automa
        .add_func_as_worker("bad", async |cx: Context| cx.ferry_to("nowhere", ()), start())
        .unwrap();
    let events = watched(&automa, EventFilter::all()).await;
    expect![[r#"
        0: run of `growing` started
        1: step 1 started: `plan` (start), `beside` (start), `bad` (start)
        2: step 1: `plan` started
        3: step 1: `plan` finished: 3
        4: step 1: `beside` started
        5: step 1: `beside` finished: "beside"
        6: step 1: `bad` started
        7: step 1: `bad` finished: null
        8: run failed: automa `growing`, step 1: worker `bad` ferried to `nowhere`, which does not exist; the workers are: `plan`, `beside`, `done`, `last`, `bad`, `new`
        error: automa `growing`, step 1: worker `bad` ferried to `nowhere`, which does not exist; the workers are: `plan`, `beside`, `done`, `last`, `bad`, `new`
    "#]]
    .assert_eq(&events);
}
