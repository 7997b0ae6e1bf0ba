//! Runs that end early: dropped, cancelled or stopped.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use expect_test::expect;
use tokio::sync::Notify;

use crate::trace::{add, end, trace};

/// Tells when it is dropped, with the worker that held it.
struct Dropped(Sender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        _ = self.0.send("dropped");
    }
}

/// An automa with one worker that never ends, at some depth; notifies when that has begun, tells
/// when it is dropped.
fn endless(depth: u32) -> (GraphAutoma, Arc<Notify>, Receiver<&'static str>) {
    let begun = Arc::new(Notify::new());
    let (told, tells) = channel();
    let work = {
        let begun = Arc::clone(&begun);
        move || {
            let guard = Dropped(told.clone());
            begun.notify_one();
            async move {
                std::future::pending::<()>().await;
                drop(guard);
            }
        }
    };
    let mut automa = GraphAutoma::new("endless");
    automa.add_func_as_worker("work", work, start()).unwrap();
    automa.add_func_as_worker("beside", std::future::pending::<()>, start()).unwrap();
    add(&mut automa, "next", after(["work"]));
    for _ in 0..depth {
        let mut outer = GraphAutoma::new("outer");
        outer.add_worker("inner", automa, start()).unwrap();
        automa = outer;
    }
    (automa, begun, tells)
}

/// [X1]
#[tokio::test]
async fn dropping_the_future_of_a_run_drops_its_workers() {
    for depth in [0, 1, 20] {
        let (automa, begun, tells) = endless(depth);
        {
            let run = automa.run(()).output::<()>();
            tokio::select! {
                _ = run => unreachable!("it never ends"),
                () = begun.notified() => {}
            }
        }
        // A nested automa may be a task of its own, which is dropped when it is polled next.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(tells.try_recv(), Ok("dropped"), "{depth}");
    }
}

/// [X1]
#[tokio::test]
async fn dropping_the_handle_of_a_run_drops_its_workers() {
    let (automa, begun, tells) = endless(0);
    let run = automa.run(()).spawn();
    begun.notified().await;
    drop(run);
    tokio::task::yield_now().await;
    assert_eq!(tells.try_recv(), Ok("dropped"));
}

/// [X1]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_run_drops_workers_on_other_threads() {
    let (automa, begun, tells) = endless(1);
    let run = automa.run(()).spawn();
    begun.notified().await;
    drop(run);
    let told = tokio::task::spawn_blocking(move || tells.recv().unwrap());
    assert_eq!(told.await.unwrap(), "dropped");
}

/// [X2]
#[tokio::test]
async fn a_cancelled_run_drops_its_workers_and_says_so() {
    let (automa, begun, tells) = endless(1);
    let run = automa.run(()).spawn();
    begun.notified().await;
    assert!(!run.is_finished());
    run.cancel();

    expect![[r#"
        error: automa `outer`: cancelled
    "#]]
    .assert_eq(&end(run.await));
    assert_eq!(tells.try_recv(), Ok("dropped"));
}

/// [X2]
#[tokio::test]
async fn cancelling_a_run_that_has_ended_changes_nothing() {
    let mut automa = GraphAutoma::new("ended");
    automa.add_func_as_worker("a", async || 7, start().output()).unwrap();
    let run = automa.run(()).spawn();
    while !run.is_finished() {
        tokio::task::yield_now().await;
    }
    run.cancel();
    run.stop();
    assert_eq!(run.output::<i32>().await.unwrap(), 7);
}

/// [X2]
#[tokio::test]
async fn a_blocking_worker_of_a_cancelled_run_runs_to_its_end_and_its_output_is_dropped() {
    let (release, released) = channel::<()>();
    let (told, tells) = channel();
    let released = Mutex::new(released);
    let begun = Arc::new(Notify::new());
    let mut automa = GraphAutoma::new("blocking");
    let work = {
        let begun = Arc::clone(&begun);
        move || {
            begun.notify_one();
            released.lock().unwrap().recv().unwrap();
            told.send("went on").unwrap();
        }
    };
    automa.add_func_as_worker("work", work, start()).unwrap();
    add(&mut automa, "next", after(["work"]));

    let run = automa.run(()).spawn();
    begun.notified().await;
    run.cancel();
    expect![[r#"
        error: automa `blocking`: cancelled
    "#]]
    .assert_eq(&end(run.await));
    release.send(()).unwrap();
    let told = tokio::task::spawn_blocking(move || tells.recv().unwrap());
    assert_eq!(told.await.unwrap(), "went on");
}

/// A worker that waits for a word, and what it takes to say it and to know that it waits.
fn gate() -> (impl Fn() -> futures::future::BoxFuture<'static, ()>, Arc<Notify>, Arc<Notify>) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let wait = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        move || {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            Box::pin(async move {
                begun.notify_one();
                go_on.notified().await;
            }) as _
        }
    };
    (wait, begun, go_on)
}

/// [X3]
#[tokio::test]
async fn a_run_that_is_asked_to_stop_ends_after_the_current_step() {
    let (wait, begun, go_on) = gate();
    let mut automa = GraphAutoma::new("stop");
    automa.add_func_as_worker("out", async || 7, start().output()).unwrap();
    automa.add_func_as_worker("wait", wait, after(["out"]).suppressed()).unwrap();
    let beside = async |cx: Context| cx.add_func_as_worker("new", async || 1, after(["wait"]));
    automa.add_func_as_worker("beside", beside, after(["out"]).suppressed()).unwrap();
    add(&mut automa, "next", after(["wait"]));

    let run = automa.run(()).spawn();
    begun.notified().await;
    run.stop();
    tokio::task::yield_now().await;
    assert!(!run.is_finished(), "the step is not over");
    go_on.notify_one();
    let outcome = run.await.unwrap();

    assert!(outcome.stopped());
    assert_eq!(outcome.steps(), 2);
    assert!(outcome.automa().contains("new"), "the step has settled");
    assert!(outcome.automa().output("next").is_none());
    assert_eq!(outcome.output().get::<i32>().unwrap(), 7);
    let error = outcome.into_output::<i32>().unwrap_err();
    assert!(matches!(&error, RunError::Stopped { outcome } if outcome.steps() == 2));
    expect!["automa `stop`: stopped before its end, so there is no output yet; `.outcome()` returns the run, whose snapshot can be resumed"].assert_eq(&error.to_string());
}

/// [X3]
#[tokio::test]
async fn a_run_that_is_asked_to_stop_before_it_begins_takes_no_step() {
    let mut automa = GraphAutoma::new("stop");
    add(&mut automa, "a", start());
    let run = automa.run(()).spawn();
    run.stop();
    let outcome = run.await.unwrap();
    assert!(outcome.stopped());
    assert_eq!(outcome.steps(), 0);
}

/// [X3]
#[tokio::test]
async fn stopping_in_the_last_step_changes_nothing() {
    let (wait, begun, go_on) = gate();
    let mut automa = GraphAutoma::new("stop");
    automa.add_func_as_worker("wait", wait, start()).unwrap();
    automa.add_func_as_worker("out", async || 7, start().output()).unwrap();

    let run = automa.run(()).spawn();
    begun.notified().await;
    run.stop();
    go_on.notify_one();
    let outcome = run.await.unwrap();
    assert!(!outcome.stopped());
    assert_eq!(outcome.into_output::<i32>().unwrap(), 7);
}

/// [X3] [N1]
#[tokio::test]
async fn a_nested_automa_that_is_running_ends_before_the_run_stops() {
    let (wait, begun, go_on) = gate();
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("wait", wait, start()).unwrap();
    inner.add_func_as_worker("out", async || 7, after(["wait"]).output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start()).unwrap();
    add(&mut automa, "next", after(["inner"]));

    let run = automa.run(()).spawn();
    begun.notified().await;
    run.stop();
    go_on.notify_one();
    let outcome = run.await.unwrap();
    assert!(outcome.stopped());
    assert_eq!(outcome.automa().output("inner").unwrap().get::<i32>().unwrap(), 7);
    assert!(outcome.automa().output("next").is_none());
}

/// [X3]
#[tokio::test]
async fn a_worker_may_ask_its_own_run_to_stop() {
    let mut automa = GraphAutoma::new("stop");
    let a = async |cx: Context| {
        cx.stop();
        cx.ferry_to("a", ());
        cx.step()
    };
    automa.add_func_as_worker("a", a, start().output()).unwrap();
    expect![[r#"
        step 1: a (start) () → 1
        stopped: 1
    "#]]
    .assert_eq(&trace(&automa, ()).await);

    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", automa, start()).unwrap();
    outer.add_func_as_worker("next", async |n: u64| n + 1, after(["inner"]).output()).unwrap();
    expect![[r#"
        step 1: inner (start) () → 1
        step 1: inner/a (start) () → 1
        step 2: next (dependencies) (1) → 2
        output: 2
    "#]]
    .assert_eq(&trace(&outer, ()).await);
}

/// [X4]
#[tokio::test]
async fn a_stopped_run_that_is_saved_and_resumed_ends_as_if_it_had_not_been_stopped() {
    let mut automa = GraphAutoma::new("resume");
    let count = async |n: u32, stop_at: u32, cx: Context| {
        if n == stop_at {
            cx.stop();
        }
        let sum = cx.local().update("sum", |sum: &mut u32| {
            *sum += n;
            *sum
        });
        if n < 4 {
            cx.ferry_to("count", (n + 1,));
        }
        sum
    };
    let options = start().params(["n", "stop_at"]);
    automa.add_func_as_worker("count", count, options).unwrap();
    automa.add_func_as_worker("side", async || 100, start()).unwrap();
    let total = async |a: u32, b: u32| a + b;
    automa.add_func_as_worker("total", total, after(["count", "side"]).output()).unwrap();

    let whole = automa.run(args!(n = 1, stop_at = 0)).await.unwrap();
    for stop_at in 1..=4 {
        let stopped = automa.run(args!(n = 1, stop_at = stop_at)).await.unwrap();
        assert_eq!(stopped.stopped(), stop_at < 4);
        let json = serde_json::to_value(stopped.snapshot().unwrap()).unwrap();
        let resumed = automa.resume(serde_json::from_value(json).unwrap()).await.unwrap();
        assert_eq!(format!("{resumed:?}"), format!("{whole:?}"), "stopped at {stop_at}");
    }
}
