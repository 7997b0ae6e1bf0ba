//! The rolling pace: a slow worker holds back only what depends on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ddg_core::prelude::*;
use expect_test::expect;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::trace::{add, trace};

/// A worker that waits until `gate` is open.
fn behind(gate: &Arc<Semaphore>) -> impl Fn() -> futures::future::BoxFuture<'static, ()> + use<> {
    let gate = Arc::clone(gate);
    move || {
        let gate = Arc::clone(&gate);
        Box::pin(async move { gate.acquire().await.unwrap().forget() })
    }
}

/// A worker that opens `gate`.
fn opens(gate: &Arc<Semaphore>) -> impl Fn() -> std::future::Ready<()> + use<> {
    let gate = Arc::clone(gate);
    move || {
        gate.add_permits(1);
        std::future::ready(())
    }
}

/// [S14]
#[tokio::test]
async fn a_slow_worker_holds_back_only_what_depends_on_it() {
    let gate = Arc::new(Semaphore::new(0));
    let mut automa = GraphAutoma::new("branches");
    automa.add_func_as_worker("slow", behind(&gate), start()).unwrap();
    add(&mut automa, "after_slow", after(["slow"]).suppressed());
    add(&mut automa, "a", start());
    add(&mut automa, "b", after(["a"]).suppressed());
    automa.add_func_as_worker("open", opens(&gate), after(["b"]).suppressed()).unwrap();
    automa.set_pace(Pace::Rolling);

    expect![[r#"
        step 1: slow (start) () → null
        step 1: a (start) () → "a"
        step 2: b (dependencies) () → "b"
        step 3: open (dependencies) () → null
        step 4: after_slow (dependencies) () → "after_slow"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S14] [S4]
#[tokio::test]
async fn workers_that_end_together_settle_in_kickoff_order() {
    let mut automa = GraphAutoma::new("together");
    for key in ["b", "a"] {
        let jump = async |cx: Context| cx.ferry_to("end", (cx.key().to_string(),));
        automa.add_func_as_worker(key, jump, start()).unwrap();
    }
    automa.add_func_as_worker("end", async |from: String| from, free().output()).unwrap();
    automa.set_pace(Pace::Rolling);
    expect![[r#"
        step 1: b (start) () → null
        step 1: a (start) () → null
        step 2: end (ferry by `b`) ("b") → "b"
        step 2: end (ferry by `a`) ("a") → "a"
        output: "a"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// 64 branches of 10 workers that sleep 1 to 20 ms each. The longest branch takes `longest` in all.
fn uneven() -> (GraphAutoma, Duration, u64) {
    let mut automa = GraphAutoma::new("uneven");
    let mut seed = 7_u64;
    let (mut longest, mut total) = (0, 0);
    let mut last = Vec::new();
    for branch in 0..64 {
        let mut length = 0;
        for place in 0..10 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let ms = 1 + (seed >> 33) % 20;
            length += ms;
            let nap = move |sum: Option<u64>| async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                sum.unwrap_or(0) + ms
            };
            let options = match place {
                0 => start(),
                _ => after([format!("{branch}_{}", place - 1)]),
            };
            automa.add_func_as_worker(format!("{branch}_{place}"), nap, options).unwrap();
        }
        last.push(format!("{branch}_9"));
        longest = longest.max(length);
        total += length;
    }
    let sum = async |all: Vec<u64>| all.iter().sum::<u64>();
    automa.add_func_as_worker("sum", sum, after(last).merge().output()).unwrap();
    (automa, Duration::from_millis(longest), total)
}

/// [S14]
#[tokio::test(start_paused = true)]
async fn uneven_branches_take_as_long_as_the_longest() {
    let (mut automa, longest, total) = uneven();
    let began = Instant::now();
    assert_eq!(automa.run(()).output::<u64>().await.unwrap(), total);
    assert!(began.elapsed() > longest * 5 / 4, "in lockstep branches wait for each other");

    automa.set_pace(Pace::Rolling);
    let began = Instant::now();
    assert_eq!(automa.run(()).output::<u64>().await.unwrap(), total);
    assert_eq!(began.elapsed(), longest);
}

/// [S15]
#[tokio::test]
async fn a_failure_ends_the_run_and_stops_running_workers() {
    let mut automa = GraphAutoma::new("fails");
    let dropped = Arc::new(Notify::new());
    struct Guard(Arc<Notify>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let held = Arc::clone(&dropped);
    let slow = move || {
        let guard = Guard(Arc::clone(&held));
        async move {
            std::future::pending::<()>().await;
            drop(guard);
        }
    };
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    let fail = async || Err::<(), _>(WorkerError::msg("no luck"));
    automa.add_func_as_worker("fail", fail, start()).unwrap();
    automa.set_pace(Pace::Rolling);

    let error = automa.run(()).output::<()>().await.unwrap_err();
    expect!["automa `fails`, step 1: worker `fail` failed: no luck"].assert_eq(&error.to_string());
    dropped.notified().await;
}

/// [S15]
#[tokio::test]
async fn a_worker_may_run_again_while_it_is_running() {
    let gate = Arc::new(Semaphore::new(0));
    let mut automa = GraphAutoma::new("twice");
    let calls = Arc::new(AtomicU64::new(0));
    let open = Arc::clone(&gate);
    let work = move |n: Option<u64>| {
        let gate = Arc::clone(&gate);
        let calls = Arc::clone(&calls);
        async move {
            calls.fetch_add(1, Ordering::Relaxed);
            match n {
                None => gate.acquire().await.unwrap().forget(),
                Some(_) => gate.add_permits(1),
            }
            calls.load(Ordering::Relaxed)
        }
    };
    automa.add_func_as_worker("work", work, start().output()).unwrap();
    automa
        .add_func_as_worker("again", async |cx: Context| cx.ferry_to("work", (1_u64,)), start())
        .unwrap();
    automa.set_pace(Pace::Rolling);

    // The first kickoff is let on by the second, and ends last.
    assert_eq!(automa.run(()).output::<u64>().await.unwrap(), 2);
    assert_eq!(open.available_permits(), 0);
}

/// [S15] [E6]
#[tokio::test]
async fn a_worker_that_is_removed_while_it_runs_runs_to_its_end() {
    let gate = Arc::new(Semaphore::new(0));
    let mut automa = GraphAutoma::new("removed");
    let wait = behind(&gate);
    let slow = move |cx: Context| {
        let wait = wait();
        async move {
            wait.await;
            cx.ferry_to("end", ());
        }
    };
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    automa
        .add_func_as_worker("remove", async |cx: Context| cx.remove_worker("slow"), start())
        .unwrap();
    let look = async |cx: Context| cx.automa().contains("slow");
    automa.add_func_as_worker("look", look, after(["remove"])).unwrap();
    automa.add_func_as_worker("open", opens(&gate), after(["look"]).suppressed()).unwrap();
    add(&mut automa, "end", free().output());
    automa.set_pace(Pace::Rolling);

    expect![[r#"
        step 1: slow (start) () → null
        step 1: remove (start) () → null
        step 2: look (dependencies) () → false
        step 3: open (dependencies) () → null
        step 4: end (ferry by `slow`) () → "end"
        output: "end"
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S15] [X3] [X4]
#[tokio::test]
async fn stopping_waits_for_everything_that_is_running() {
    let gate = Arc::new(Semaphore::new(0));
    let mut automa = GraphAutoma::new("stops");
    automa.add_func_as_worker("slow", behind(&gate), start()).unwrap();
    let stop = opens(&gate);
    let stop = move |cx: Context| {
        cx.stop();
        stop()
    };
    automa.add_func_as_worker("stop", stop, start()).unwrap();
    add(&mut automa, "end", after(["slow", "stop"]).suppressed().output());
    automa.set_pace(Pace::Rolling);

    let stopped = automa.run(()).await.unwrap();
    assert!(stopped.stopped());
    let snapshot = stopped.snapshot().unwrap();
    assert_eq!(automa.resume(snapshot).await.unwrap().into_output::<String>().unwrap(), "end");
}

/// [S13] [S14]
#[tokio::test]
async fn concurrent_runs_are_limited() {
    let running = Arc::new(AtomicU64::new(0));
    let most = Arc::new(AtomicU64::new(0));
    let mut automa = GraphAutoma::new("limited");
    for place in 0..20 {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        let work = move || {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::Relaxed);
            }
        };
        automa.add_func_as_worker(format!("first_{place}"), work.clone(), start()).unwrap();
        let next = after([format!("first_{place}")]);
        automa.add_func_as_worker(format!("next_{place}"), work, next).unwrap();
    }
    automa.set_max_concurrency(3);
    automa.set_pace(Pace::Rolling);
    let outcome = automa.run(()).await.unwrap();
    assert!(outcome.waiting().is_empty());
    assert_eq!(most.load(Ordering::Relaxed), 3);
}

/// [S13] [S14] [E6]
#[tokio::test]
async fn a_kickoff_that_waits_for_its_turn_runs_also_if_its_worker_is_removed() {
    let mut automa = GraphAutoma::new("queued");
    automa.set_pace(Pace::Rolling);
    automa.set_max_concurrency(1);
    let remove = async |cx: Context| cx.remove_worker("queued");
    automa.add_func_as_worker("remove", remove, start()).unwrap();
    // It takes the room that is there when the first has ended.
    let slow = async || {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    };
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    let queued = async |cx: Context| {
        let is_there = cx.automa().contains("queued");
        cx.ferry_to("told", (is_there,));
    };
    automa.add_func_as_worker("queued", queued, start()).unwrap();
    automa.add_func_as_worker("after", async || (), after(["queued"])).unwrap();
    automa.add_func_as_worker("told", async |is_there: bool| is_there, free().output()).unwrap();

    let outcome = automa.run(()).await.unwrap();
    assert!(!outcome.output().get::<bool>().unwrap(), "it was removed before it began");
    assert!(outcome.automa().output("after").is_none(), "its output was dropped");
}
