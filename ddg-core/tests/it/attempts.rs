//! Retry and timeout: the number of attempts, their duration, and the effects of a failed one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ddg_core::prelude::*;
use expect_test::expect;
use tokio::time::Instant;

use crate::trace::{add, end, name, trace};

const MS: Duration = Duration::from_millis(1);

/// [W1]
#[tokio::test(start_paused = true)]
async fn a_failed_worker_is_tried_again_with_the_same_arguments_after_growing_waits() {
    let begun = Instant::now();
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let mut automa = GraphAutoma::new("retry");
    let log = Arc::clone(&attempts);
    let work = move |x: String, cx: Context| {
        log.lock().unwrap().push((cx.attempt(), x, begun.elapsed().as_millis()));
        async move {
            match cx.attempt() {
                1 => Err(WorkerError::msg("no")),
                2 => panic!("no"),
                3 => std::future::pending().await,
                attempt => Ok(attempt),
            }
        }
    };
    let retry = Retry::times(3).delay(10 * MS).factor(3.0).longest(50 * MS);
    let options = start().output().retry(retry).timeout(1000 * MS);
    automa.add_func_as_worker("work", work, options).unwrap();

    assert_eq!(automa.run(args!("x")).output::<u32>().await.unwrap(), 4);
    let x = || "x".to_owned();
    // Waits of 10, 30 and 50 (instead of 90) ms; the third attempt takes its second.
    let expected = [(1, x(), 0), (2, x(), 10), (3, x(), 40), (4, x(), 1090)];
    assert_eq!(*attempts.lock().unwrap(), expected);
}

/// [W1] [W3]
#[tokio::test]
async fn when_no_attempt_is_left_the_last_error_is_the_workers() {
    let mut automa = GraphAutoma::new("retry");
    let work = async |cx: Context| Err::<(), _>(WorkerError::msg(format!("no {}", cx.attempt())));
    automa.add_func_as_worker("work", work, start().retry(Retry::times(2))).unwrap();

    expect![[r#"
        step 1: work (start) () failed: no 3
        error: automa `retry`, step 1: worker `work` failed: no 3
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [W1] [X2] A worker that fails at once does not block its thread until no attempt is left.
#[tokio::test]
async fn between_two_attempts_without_a_delay_other_tasks_continue() {
    let n_attempts = Arc::new(AtomicUsize::new(0));
    let mut automa = GraphAutoma::new("stubborn");
    let fails = async |n_attempts: &Arc<AtomicUsize>| {
        n_attempts.fetch_add(1, Ordering::SeqCst);
        Err::<(), _>(WorkerError::msg("no"))
    };
    let options = || start().retry(Retry::times(10_000));
    automa.add_func_as_worker("fails", with(Arc::clone(&n_attempts), fails), options()).unwrap();

    let run = automa.run(()).spawn();
    while n_attempts.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    run.cancel();
    let ended = run.await;
    assert!(matches!(ended, Err(RunError::Cancelled { .. })), "{ended:?}");
    assert!(n_attempts.load(Ordering::SeqCst) < 100, "{n_attempts:?}");
}

/// [S9] [W1]
#[tokio::test]
async fn the_effects_of_a_failed_attempt_are_dropped() {
    let mut automa = GraphAutoma::new("retry");
    let work = async |cx: Context| {
        cx.ferry_to("next", (cx.attempt(),));
        cx.add_func_as_worker(format!("new {}", cx.attempt()), name, free());
        if cx.attempt() < 3 { Err(WorkerError::msg("no")) } else { Ok(()) }
    };
    automa.add_func_as_worker("work", work, start().retry(Retry::times(2))).unwrap();
    let next = async |attempt: u32, cx: Context| format!("{attempt} {:?}", cx.automa().keys());
    automa.add_func_as_worker("next", next, free()).unwrap();

    expect![[r#"
        step 1: work (start) () → null
        step 2: next (ferry by `work`) (3) → "3 [\"work\", \"next\", \"new 3\"]"
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S9]
#[tokio::test]
async fn requests_after_the_worker_has_ended_are_dropped() {
    let mut automa = GraphAutoma::new("late");
    let kept = Arc::new(Mutex::new(None::<Context>));
    let first = {
        let kept = Arc::clone(&kept);
        move |cx: Context| {
            *kept.lock().unwrap() = Some(cx);
            async {}
        }
    };
    automa.add_func_as_worker("first", first, start()).unwrap();
    let second = move || {
        let late = kept.lock().unwrap().take().unwrap();
        late.ferry_to("ghost", ());
        async {}
    };
    automa.add_func_as_worker("second", second, after(["first"])).unwrap();
    add(&mut automa, "ghost", free());

    expect![[r#"
        step 1: first (start) () → null
        step 2: second (dependencies) () → null
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [W2]
#[tokio::test(start_paused = true)]
async fn an_async_worker_that_takes_too_long_is_dropped() {
    struct Dropped(mpsc::Sender<&'static str>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }
    let (told, tells) = mpsc::channel();
    let mut automa = GraphAutoma::new("timeout");
    let endless = move || {
        let guard = Dropped(told.clone());
        async move {
            std::future::pending::<()>().await;
            drop(guard);
        }
    };
    automa.add_func_as_worker("endless", endless, start().timeout(1500 * MS)).unwrap();
    add(&mut automa, "beside", start());

    let begun = Instant::now();
    expect![[r#"
        error: automa `timeout`, step 1: worker `endless` failed: timed out after 1.5s
    "#]]
    .assert_eq(&end(automa.run(()).await));
    assert_eq!(begun.elapsed().as_millis(), 1500);
    assert_eq!(tells.try_recv(), Ok("dropped"));
}

/// [W2]
#[tokio::test(start_paused = true)]
async fn each_attempt_has_the_whole_timeout() {
    let mut automa = GraphAutoma::new("timeout");
    let work = async |cx: Context| {
        tokio::time::sleep(if cx.attempt() < 3 { 11 * MS } else { 9 * MS }).await;
        cx.attempt()
    };
    let options = start().output().timeout(10 * MS).retry(Retry::times(2));
    automa.add_func_as_worker("work", work, options).unwrap();

    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 3);
}

/// [W2] [S9]
#[tokio::test]
async fn a_blocking_worker_that_times_out_runs_to_its_end_and_its_output_is_dropped() {
    let (release, released) = mpsc::channel::<()>();
    let (told, tells) = mpsc::channel();
    let released = Mutex::new(released);
    let mut automa = GraphAutoma::new("timeout");
    let work = move |cx: Context| {
        if cx.attempt() == 1 {
            released.lock().unwrap().recv().unwrap();
            cx.ferry_to("ghost", ());
            told.send("went on").unwrap();
        }
        cx.attempt()
    };
    // Real time, as a blocked thread has no other; on a loaded machine the attempts after the first
    // may be too late as well.
    let options = start().output().timeout(MS).retry(Retry::times(10_000));
    automa.add_func_as_worker("work", work, options).unwrap();
    let join = move || {
        release.send(()).unwrap();
        tells.recv().unwrap().to_owned()
    };
    automa.add_func_as_worker("join", join_once(join), after(["work"]).suppressed()).unwrap();
    add(&mut automa, "ghost", free());

    let outcome = automa.run(()).await.unwrap();
    assert_eq!(outcome.automa().output("join").unwrap().get::<String>().unwrap(), "went on");
    assert!(outcome.automa().output("ghost").is_none());
    assert!(outcome.into_output::<u32>().unwrap() >= 2);
}

/// Lets a function with channels in it be called by a worker.
fn join_once(join: impl Fn() -> String + Send + 'static) -> impl Fn() -> String + Send + Sync {
    let join = Mutex::new(join);
    move || join.lock().unwrap()()
}

/// [W4]
#[tokio::test]
async fn a_synchronous_worker_that_blocks_does_not_hold_the_others_back() {
    let (send, receive) = mpsc::channel::<&'static str>();
    let receive = Mutex::new(receive);
    let mut automa = GraphAutoma::new("blocking");
    let blocks = move || receive.lock().unwrap().recv().unwrap().to_owned();
    automa.add_func_as_worker("blocks", blocks, start().output()).unwrap();
    let beside = move || {
        send.send("from beside").unwrap();
        async {}
    };
    automa.add_func_as_worker("beside", beside, start()).unwrap();

    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "from beside");
}

/// [W4]
#[tokio::test]
async fn a_synchronous_worker_runs_elsewhere_unless_it_is_inline() {
    let here = format!("{:?}", std::thread::current().id());
    let mut automa = GraphAutoma::new("threads");
    let thread = || format!("{:?}", std::thread::current().id());
    automa.add_func_as_worker("pool", thread, start()).unwrap();
    automa.add_func_as_worker("inline", thread, start().inline()).unwrap();

    let outcome = automa.run(()).await.unwrap();
    let output = |key| outcome.automa().output(key).unwrap().get::<String>().unwrap();
    assert_ne!(output("pool"), here);
    assert_eq!(output("inline"), here);
}
