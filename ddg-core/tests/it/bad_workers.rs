//! Workers that fail, panic, never end or misbehave fail their run, with an error that names them.
//! Other runs of the automa, and later ones, are not affected.

use std::panic::panic_any;
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::worker::{Panicked, TimedOut};
use expect_test::{Expect, expect};

use super::trial::{failure, fine, message};

/// Adds `worker`, which misbehaves, and the output worker after it.
fn with<M>(
    worker: impl ddg_core::worker::IntoFunc<M, Made = AnyWorker>,
    options: WorkerOptions,
) -> impl FnOnce(&mut GraphAutoma) {
    move |automa| {
        automa.add_func_as_worker("worker", worker, options.after(["entry"])).unwrap();
        automa.add_func_as_worker("end", fine, after(["worker"]).suppressed().output()).unwrap();
    }
}

async fn check(declare: impl FnOnce(&mut GraphAutoma), expected: &Expect) {
    expected.assert_eq(&message(declare).await);
}

fn not_a_number(bad: bool) -> Result<i64, std::num::ParseIntError> {
    if bad { "x" } else { "7" }.parse()
}

#[tokio::test]
async fn an_error_is_reported_with_its_worker_and_can_be_downcast() {
    let error = failure(with(async |bad: bool| not_a_number(bad), free())).await;
    let expected = expect![[r#"
        automa `trial`, step 2: worker `worker` failed: invalid digit found in string"#]];
    expected.assert_eq(&error.to_string());
    assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
}

#[tokio::test]
async fn an_error_of_a_synchronous_worker() {
    for options in [free().blocking(), free().inline()] {
        let error = failure(with(not_a_number, options)).await;
        assert_eq!(
            error.to_string(),
            "automa `trial`, step 2: worker `worker` failed: invalid digit found in string",
        );
    }
}

#[tokio::test]
async fn all_failures_of_a_step_are_reported_in_order() {
    check(
        |automa| {
            let fail = |delay: u64| {
                move |bad: bool| async move {
                    // The first to fail is not the first to be told.
                    for _ in 0..delay {
                        tokio::task::yield_now().await;
                    }
                    if bad { Err(WorkerError::msg(format!("after {delay}"))) } else { Ok(()) }
                }
            };
            automa.add_func_as_worker("slow", fail(3), after(["entry"])).unwrap();
            automa.add_func_as_worker("end", fine, after(["entry"]).suppressed().output()).unwrap();
            automa.add_func_as_worker("quick", fail(0), after(["entry"])).unwrap();
            automa.add_func_as_worker("quicker", not_a_number, after(["entry"]).inline()).unwrap();
        },
        &expect![[r#"
            automa `trial`, step 2: 3 failures
            - worker `slow` failed: after 3
            - worker `quick` failed: after 0
            - worker `quicker` failed: invalid digit found in string"#]],
    )
    .await;
}

#[tokio::test]
async fn an_error_in_a_nested_automa_names_the_way_to_it() {
    check(
        |automa| {
            let mut innermost = GraphAutoma::new("innermost automa");
            innermost.add_func_as_worker("parse", not_a_number, start().inline()).unwrap();
            let mut inner = GraphAutoma::new("inner automa");
            inner.add_worker("innermost", innermost, start()).unwrap();
            automa.add_worker("inner", inner, after(["entry"])).unwrap();
            automa.add_func_as_worker("end", fine, after(["inner"]).suppressed().output()).unwrap();
        },
        &expect![[r#"
            automa `trial`, step 2: worker `inner` failed: automa `inner automa`, step 1: worker `inner/innermost` failed: automa `innermost automa`, step 1: worker `inner/innermost/parse` failed: invalid digit found in string"#]],
    )
    .await;
}

/// What is said of a worker that panics in one of the ways in which a worker can.
async fn panics(panic: impl Fn() + Clone + Send + Sync + 'static) -> Vec<String> {
    let if_bad = move |bad: bool| {
        if bad {
            panic();
        }
    };
    let (inline, blocking) = (if_bad.clone(), if_bad.clone());
    let (at_once, after_await) = (if_bad.clone(), if_bad);
    let at_once = move |bad: bool| {
        at_once(bad);
        async {}
    };
    let after_await = move |bad: bool| {
        let if_bad = after_await.clone();
        async move {
            tokio::task::yield_now().await;
            if_bad(bad);
        }
    };
    let timed = free().timeout(Duration::from_secs(9));
    vec![
        message(with(inline.clone(), free().inline())).await,
        message(with(inline, timed.clone().inline())).await,
        message(with(blocking.clone(), free())).await,
        message(with(blocking, timed.clone())).await,
        message(with(at_once.clone(), free())).await,
        message(with(at_once, timed.clone())).await,
        message(with(after_await.clone(), free())).await,
        message(with(after_await, timed)).await,
    ]
}

#[tokio::test]
async fn a_panic_is_an_error_however_the_worker_is_called() {
    for message in panics(|| panic!("it is {}", "bad")).await {
        assert_eq!(message, "automa `trial`, step 2: worker `worker` failed: panicked: it is bad");
    }
}

#[tokio::test]
async fn a_panic_is_reported_with_any_payload() {
    let with_text = panics(|| panic!("bad"));
    let with_str = panics(|| panic_any("bad"));
    let with_string = panics(|| panic_any("bad".to_owned()));
    for message in with_text.await.into_iter().chain(with_str.await).chain(with_string.await) {
        assert_eq!(message, "automa `trial`, step 2: worker `worker` failed: panicked: bad");
    }
    let expected = expect![[r#"
        automa `trial`, step 2: worker `worker` failed: panicked: with a value that is no text"#]];
    let with_number = panics(|| panic_any(7_i32)).await;
    expected.assert_eq(&with_number[0]);
    assert!(with_number.iter().all(|message| *message == with_number[0]));
}

#[tokio::test]
async fn a_panic_is_the_source_of_the_error() {
    let worker = async |bad: bool| assert!(!bad, "it is bad");
    let error = failure(with(worker, free())).await;
    let source = error.downcast_ref::<Panicked>().unwrap();
    assert_eq!(source.message, "it is bad");
}

#[tokio::test]
async fn a_panic_beside_others_lets_them_end() {
    let error = failure(|automa| {
        let panics = async |bad: bool| assert!(!bad, "it is bad");
        let fails = async |bad: bool| {
            tokio::task::yield_now().await;
            not_a_number(bad)
        };
        automa.add_func_as_worker("panics", panics, after(["entry"])).unwrap();
        automa.add_func_as_worker("fails", fails, after(["entry"])).unwrap();
        automa.add_func_as_worker("end", fine, after(["entry"]).suppressed().output()).unwrap();
    })
    .await;
    let expected = expect![[r#"
        automa `trial`, step 2: 2 failures
        - worker `panics` failed: panicked: it is bad
        - worker `fails` failed: invalid digit found in string"#]];
    expected.assert_eq(&error.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panics_on_other_threads_are_reported_in_order() {
    let error = failure(|automa| {
        for n in 0..20 {
            let panics = move |bad: bool| async move {
                for _ in n..20 {
                    tokio::task::yield_now().await;
                }
                assert!(!bad, "as number {n}");
            };
            automa.add_func_as_worker(format!("w{n}"), panics, after(["entry"])).unwrap();
        }
        automa.add_func_as_worker("end", fine, after(["entry"]).suppressed().output()).unwrap();
    })
    .await;
    let RunError::Step(error) = error else { panic!("{error}") };
    let failures = error.failures.iter().map(ToString::to_string);
    let expected = (0..20).map(|n| format!("worker `w{n}` failed: panicked: as number {n}"));
    assert!(failures.eq(expected), "{error}");
}

/// An own worker that panics before it waits for anything.
struct Careless;

impl Worker for Careless {
    type Output = ();

    fn run(
        &self,
        args: Args,
        _cx: &Context,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send {
        assert!(!args.get::<bool>(0).unwrap(), "carelessly");
        async { Ok(()) }
    }
}

#[tokio::test]
async fn a_panic_of_an_own_worker_and_in_a_nested_automa() {
    check(
        |automa| {
            automa.add_worker("careless", Careless, after(["entry"])).unwrap();
            let mut inner = GraphAutoma::new("inner automa");
            inner.add_worker("careless", Careless, start()).unwrap();
            automa.add_worker("inner", inner, after(["entry"])).unwrap();
            automa.add_func_as_worker("end", fine, after(["entry"]).suppressed().output()).unwrap();
        },
        &expect![[r#"
            automa `trial`, step 2: 2 failures
            - worker `careless` failed: panicked: carelessly
            - worker `inner` failed: automa `inner automa`, step 1: worker `inner/careless` failed: panicked: carelessly"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_never_ends_times_out() {
    let worker = async |bad: bool| {
        if bad {
            std::future::pending::<()>().await;
        }
    };
    let begun = tokio::time::Instant::now();
    let error = failure(with(worker, free().timeout(Duration::from_secs(3600)))).await;
    let expected = expect![[r#"
        automa `trial`, step 2: worker `worker` failed: timed out after 3600s"#]];
    expected.assert_eq(&error.to_string());
    let source = error.downcast_ref::<TimedOut>().unwrap();
    assert_eq!(source.after, Duration::from_secs(3600));
    assert_eq!(begun.elapsed().as_secs(), 3600);
}

#[tokio::test]
async fn a_blocking_worker_that_does_not_end_times_out() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let worker = move |bad: bool| {
        if bad {
            // Ends when the test drops the other end.
            _ = released.lock().unwrap().recv();
        }
    };
    let timeout = free().timeout(Duration::from_millis(1));
    let declare = |automa: &mut GraphAutoma| {
        automa.add_func_as_worker("worker", worker, timeout.after(["entry"])).unwrap();
        let end = after(["entry"]).suppressed().output();
        automa.add_func_as_worker("end", fine, end).unwrap();
    };
    let mut automa = GraphAutoma::new("trial");
    automa.add_func_as_worker("entry", async |bad: bool| bad, start()).unwrap();
    declare(&mut automa);
    let error = automa.run(args!(true)).output::<String>().await.unwrap_err();
    let expected = expect![[r#"
        automa `trial`, step 2: worker `worker` failed: timed out after 1ms"#]];
    expected.assert_eq(&error.to_string());
    drop(release);
}

#[tokio::test]
async fn a_worker_that_is_removed_while_it_runs_ends_and_its_output_is_dropped() {
    let mut automa = GraphAutoma::new("removal");
    let removes = async |cx: &Context| cx.remove_worker("removed");
    let removed = async |cx: &Context| {
        tokio::task::yield_now().await;
        cx.ferry_to("witness", (cx.key().as_str().to_owned(),));
        "dropped".to_owned()
    };
    automa.add_func_as_worker("removes", removes, start()).unwrap();
    automa.add_func_as_worker("removed", removed, start().output()).unwrap();
    automa.add_func_as_worker("after it", async |_: String| (), after(["removed"])).unwrap();
    automa.add_func_as_worker("witness", async |by: String| by, free()).unwrap();
    for _ in 0..2 {
        let outcome = automa.run(()).await.unwrap();
        assert!(outcome.output().is_null());
        assert_eq!(outcome.steps(), 2);
        assert!(!outcome.automa().contains("removed"));
        let witness = outcome.automa().output("witness").unwrap();
        assert_eq!(witness.get::<String>().unwrap(), "removed");
        assert!(outcome.automa().output("after it").is_none());
        assert!(outcome.automa().dependencies("after it").unwrap().is_empty());
    }
    assert!(automa.keys().any(|key| key == "removed"));
}

#[tokio::test]
async fn a_worker_that_removes_itself_ends_and_its_output_is_dropped() {
    let mut automa = GraphAutoma::new("removal");
    let removed = async |cx: &Context| {
        cx.remove_worker(cx.key());
        cx.ferry_to("end", ("asked for".to_owned(),));
        "dropped".to_owned()
    };
    automa.add_func_as_worker("removed", removed, start()).unwrap();
    automa.add_func_as_worker("end", async |text: String| text, free().output()).unwrap();
    let outcome = automa.run(()).await.unwrap();
    assert_eq!(outcome.automa().keys(), ["end"]);
    assert_eq!(outcome.into_output::<String>().unwrap(), "asked for");
}

#[tokio::test]
async fn a_worker_that_is_removed_while_it_runs_still_fails_the_run() {
    check(
        |automa| {
            let removes = async |bad: bool, cx: &Context| {
                if bad {
                    cx.remove_worker("removed");
                }
            };
            automa.add_func_as_worker("removes", removes, after(["entry"])).unwrap();
            automa.add_func_as_worker("removed", not_a_number, after(["entry"])).unwrap();
            automa.add_func_as_worker("end", fine, after(["entry"]).suppressed().output()).unwrap();
        },
        &expect!["automa `trial`, step 2: worker `removed` failed: invalid digit found in string"],
    )
    .await;
}

#[tokio::test]
async fn a_worker_that_ferries_to_itself_for_ever_reaches_the_step_limit() {
    let worker = async |bad: bool, cx: &Context| {
        if bad {
            cx.ferry_to(cx.key(), (true,));
        }
    };
    let declare = |automa: &mut GraphAutoma| {
        automa.set_max_steps(100);
        with(worker, free())(automa);
    };
    check(
        declare,
        &expect![[r#"
        automa `trial`: reached its limit of steps, 100, with `worker`, `end` still ready"#]],
    )
    .await;
}

#[tokio::test]
async fn without_a_step_limit_it_can_be_cancelled_and_stopped() {
    let mut automa = GraphAutoma::new("forever");
    let again = |cx: &Context| cx.ferry_to(cx.key(), ());
    automa.add_func_as_worker("again", again, start().inline()).unwrap();
    let cancelled = automa.run(()).spawn();
    let stopped = automa.run(()).spawn();
    // Both runs let others have the thread, or this would not be reached.
    tokio::task::yield_now().await;
    cancelled.cancel();
    let error = cancelled.await.unwrap_err();
    expect!["automa `forever`: cancelled"].assert_eq(&error.to_string());
    stopped.stop();
    let outcome = stopped.await.unwrap();
    assert!(outcome.stopped() && outcome.steps() > 0);
}

#[tokio::test]
async fn a_ferry_to_a_worker_that_does_not_exist() {
    let worker = async |bad: bool, cx: &Context| {
        if bad {
            cx.ferry_to("wroker", (false,));
        }
    };
    check(
        with(worker, free()),
        &expect!["automa `trial`, step 2: worker `worker` ferried to `wroker`, which does not exist; did you mean `worker`?"],
    )
    .await;
}

#[tokio::test]
async fn a_ferry_to_a_worker_that_is_removed_in_the_same_step() {
    check(
        |automa| {
            let ferries = async |bad: bool, cx: &Context| {
                if bad {
                    cx.ferry_to("target", ());
                }
            };
            let removes = async |bad: bool, cx: &Context| {
                if bad {
                    cx.remove_worker("target");
                }
            };
            automa.add_func_as_worker("ferries", ferries, after(["entry"])).unwrap();
            automa.add_func_as_worker("removes", removes, after(["entry"])).unwrap();
            automa.add_func_as_worker("target", async || (), free()).unwrap();
            automa.add_func_as_worker("end", fine, after(["entry"]).suppressed().output()).unwrap();
        },
        &expect![[r#"
            automa `trial`, step 2: worker `ferries` ferried to `target`, which does not exist; the workers are: `entry`, `ferries`, `removes`, `end`"#]],
    )
    .await;
}

#[tokio::test]
async fn a_ferry_to_a_worker_that_was_removed_in_an_earlier_step() {
    check(
        |automa| {
            let removes = async |bad: bool, cx: &Context| {
                if bad {
                    cx.remove_worker("target");
                }
                bad
            };
            let ferries = async |bad: bool, cx: &Context| {
                if bad {
                    cx.ferry_to("target", ());
                }
            };
            automa.add_func_as_worker("removes", removes, after(["entry"])).unwrap();
            automa.add_func_as_worker("ferries", ferries, after(["removes"])).unwrap();
            automa.add_func_as_worker("target", async || (), free()).unwrap();
            automa.add_func_as_worker("end", fine, after(["ferries"]).output()).unwrap();
        },
        &expect![[r#"
            automa `trial`, step 3: worker `ferries` ferried to `target`, which does not exist; the workers are: `entry`, `removes`, `ferries`, `end`"#]],
    )
    .await;
}

#[tokio::test]
async fn two_outputs_in_one_run() {
    check(
        |automa| {
            automa.add_func_as_worker("one", fine, after(["entry"]).suppressed().output()).unwrap();
            let two = async |bad: bool, cx: &Context| {
                if bad {
                    cx.ferry_to("another output", ());
                }
            };
            automa.add_func_as_worker("two", two, after(["entry"])).unwrap();
            let another = async || -> () { panic!("it must not run") };
            automa.add_func_as_worker("another output", another, free().output()).unwrap();
        },
        &expect![[r#"
            automa `trial`, step 3: worker `another output` is the second output worker of this run, after `one`: a run has one result, so let only one of them run"#]],
    )
    .await;
}

#[tokio::test]
async fn two_outputs_in_one_step() {
    check(
        |automa| {
            let both = async |bad: bool, cx: &Context| {
                cx.ferry_to("one", ());
                if bad {
                    cx.ferry_to("two", ());
                }
            };
            automa.add_func_as_worker("both", both, after(["entry"])).unwrap();
            automa.add_func_as_worker("one", fine, free().output()).unwrap();
            automa.add_func_as_worker("two", fine, free().output()).unwrap();
        },
        &expect![[r#"
            automa `trial`, step 3: worker `two` is the second output worker of this run, after `one`: a run has one result, so let only one of them run"#]],
    )
    .await;
}
