//! Messages of workers to the program around the run, and requests that it replies to.

use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use ddg_core::feedback::{FeedbackError, Posted, ReplyError, ReplyTo, Request};
use ddg_core::graph::WorkerPath;
use ddg_core::prelude::*;
use expect_test::expect;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::sync::mpsc::unbounded_channel;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    percent: u32,
}

/// A request: may this much be spent?
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Approve {
    amount: u32,
}

impl Request for Approve {
    type Reply = bool;
}

/// Whether `amount` may be spent; what else came of asking, as text.
async fn ask(amount: u32, timeout: Option<Duration>, cx: &Context) -> String {
    match cx.request_feedback(Approve { amount }, timeout).await {
        Ok(approved) => format!("{approved}"),
        Err(error) => error.to_string(),
    }
}

/// An automa that asks once, and gives what came of it.
fn asking(timeout: Option<Duration>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("asking");
    let work = move |cx: Context| async move { ask(7, timeout, &cx).await };
    automa.add_func_as_worker("ask", work, start().output()).unwrap();
    automa
}

/// The same with a synchronous worker.
fn asking_blocking(timeout: Option<Duration>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("asking");
    let work = move |cx: Context| match cx.request_feedback_blocking(Approve { amount: 7 }, timeout)
    {
        Ok(approved) => format!("{approved}"),
        Err(error) => error.to_string(),
    };
    automa.add_func_as_worker("ask", work, start().output()).unwrap();
    automa
}

/// `automa` nested twice.
fn nested(automa: GraphAutoma) -> GraphAutoma {
    ["inner", "middle"].into_iter().fold(automa, |automa, key| {
        let mut outer = GraphAutoma::new(format!("around {key}"));
        outer.add_worker(key, automa, start().output()).unwrap();
        outer
    })
}

async fn result(automa: &GraphAutoma) -> String {
    automa.run(()).output::<String>().await.unwrap()
}

/// [K1] [K2]
#[tokio::test]
async fn events_reach_the_handler_of_their_type_at_the_top_from_any_depth() {
    let mut automa = GraphAutoma::new("posting");
    let post = async |cx: Context| {
        let async_one = cx.post(Progress { percent: 50 });
        assert!(async_one && cx.post("text".to_owned()));
    };
    automa.add_func_as_worker("async", post, start()).unwrap();
    let post = |cx: Context| assert!(cx.post(Progress { percent: 99 }));
    automa.add_func_as_worker("blocking", post, after(["async"])).unwrap();
    automa.on_post(|_: Progress, _: &WorkerPath| panic!("this automa is not the one that is run"));
    automa.on_any_post(|_| panic!("nor is this its default handler"));
    let mut outer = nested(automa);

    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    outer.on_post(|_: Progress, _: &WorkerPath| panic!("this handler was replaced"));
    outer.on_post(move |progress: Progress, from: &WorkerPath| {
        tell.lock().unwrap().push(format!("{from}: {}", progress.percent));
    });
    let tell = Arc::clone(&told);
    outer.on_any_post(move |posted: Posted| {
        let Posted { ty, event, from, reply, .. } = posted;
        tell.lock().unwrap().push(format!("{from}: {ty} {event:?}, to reply: {}", reply.is_some()));
    });
    outer.run(()).output::<()>().await.unwrap();
    expect![[r#"
        [
            "middle/inner/async: 50",
            "middle/inner/async: String \"text\", to reply: false",
            "middle/inner/blocking: 99",
        ]
    "#]]
    .assert_debug_eq(&told.lock().unwrap());
}

/// [K1] [R7]
#[tokio::test]
async fn handlers_of_the_run_come_before_those_of_the_automa() {
    let mut automa = asking(None);
    let post = async |cx: Context| {
        cx.post(Progress { percent: 1 });
        cx.post(1_u8);
    };
    automa.add_func_as_worker("post", post, start()).unwrap();
    let (told, tells) = channel();
    let tell = |who: &'static str| {
        let told = told.clone();
        move |what: &str| told.send(format!("{who}: {what}")).unwrap()
    };
    let by_automa = tell("the automa's");
    automa.on_post(move |_: Progress, _: &WorkerPath| by_automa("progress"));
    automa.on_request(|_: Approve, reply: ReplyTo<bool>| reply.send(true).unwrap());
    let by_automa = tell("the automa's default");
    automa.on_any_post(move |_| by_automa("any"));

    let by_run = tell("the run's default");
    let prepared = automa.run(()).on_any_post(move |_| by_run("any"));
    assert_eq!(prepared.output::<String>().await.unwrap(), "true");
    let by_run = tell("the run's");
    let prepared = automa
        .run(())
        .on_post(move |_: Progress, _: &WorkerPath| by_run("progress"))
        .on_request(|_: Approve, reply: ReplyTo<bool>| reply.send(false).unwrap());
    assert_eq!(prepared.output::<String>().await.unwrap(), "false");
    assert_eq!(result(&automa).await, "true", "the automa keeps its own");
    expect![[r#"
        [
            "the automa's: progress",
            "the run's default: any",
            "the run's: progress",
            "the automa's default: any",
            "the automa's: progress",
            "the automa's default: any",
        ]
    "#]]
    .assert_debug_eq(&tells.try_iter().collect::<Vec<_>>());
}

/// [K2] [K4]
#[tokio::test]
async fn a_panicking_handler_is_not_a_failure_of_the_worker() {
    let mut automa = asking(None);
    let post = async |cx: Context| assert!(cx.post(Progress { percent: 1 }));
    automa.add_func_as_worker("post", post, start()).unwrap();
    automa.on_post(|_: Progress, _: &WorkerPath| panic!("handler of events"));
    automa.on_request(|_: Approve, _: ReplyTo<bool>| panic!("handler of requests"));
    let log = crate::recording::record(tracing::Level::WARN, async {
        expect!["the handler of `Approve` did not reply: it dropped the `ReplyTo`, or panicked"]
            .assert_eq(&result(&automa).await);
    });
    expect![[r#"
        warn: the handler of an event panicked; the run continues worker=ask
        warn: the handler of an event panicked; the run continues worker=post
    "#]]
    .assert_eq(&log.await);
}

/// [K3]
#[tokio::test]
async fn without_a_handler_an_event_is_dropped_and_a_request_an_error_at_once() {
    let mut automa = asking(None);
    let post = async |cx: Context| assert!(!cx.post(Progress { percent: 1 }));
    automa.add_func_as_worker("post", post, start()).unwrap();
    automa.on_post(|_: Approve, _: &WorkerPath| panic!("a request is not just posted"));
    automa.on_request(|_: Other, _: ReplyTo<()>| panic!("this is another type"));
    expect![
        "nobody handles `Approve`: register a handler with `on_request`, or with `on_any_post`, on the automa that is run"
    ]
    .assert_eq(&result(&automa).await);
    let blocking = asking_blocking(None);
    assert_eq!(result(&blocking).await, result(&automa).await);
}

#[derive(Clone, Serialize, Deserialize)]
struct Other;

impl Request for Other {
    type Reply = ();
}

/// [K4] [K5]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_task_or_thread_may_reply_and_the_worker_continues() {
    for automa in [asking(None), asking_blocking(None)] {
        let mut automa = nested(automa);
        automa.on_request(|asked: Approve, reply: ReplyTo<bool>| {
            assert_eq!(reply.from().to_string(), "middle/inner/ask");
            reply.send(asked.amount == 7).unwrap();
        });
        assert_eq!(result(&automa).await, "true");
        automa.on_request(|_: Approve, reply: ReplyTo<bool>| {
            std::thread::spawn(move || reply.send(true).unwrap());
        });
        assert_eq!(result(&automa).await, "true");
        automa.on_request(|_: Approve, reply: ReplyTo<bool>| {
            tokio::spawn(async move { reply.send(false).unwrap() });
        });
        assert_eq!(result(&automa).await, "false");
    }
}

/// [K4]
#[tokio::test]
async fn a_dropped_request_is_an_error_at_once() {
    for mut automa in [asking(None), asking_blocking(None)] {
        automa.on_request(|_: Approve, reply: ReplyTo<bool>| {
            let other = reply.clone();
            tokio::spawn(async move { drop(other) });
        });
        expect!["the handler of `Approve` did not reply: it dropped the `ReplyTo`, or panicked"]
            .assert_eq(&result(&automa).await);
    }
}

/// [K5]
#[tokio::test]
async fn a_second_reply_is_refused_and_the_first_counts() {
    for mut automa in [asking(None), asking_blocking(None)] {
        let (told, tells) = channel();
        automa.on_request(move |_: Approve, reply: ReplyTo<bool>| {
            assert!(reply.is_open());
            reply.send(true).unwrap();
            assert!(!reply.is_open());
            told.send(reply.send(false).unwrap_err()).unwrap();
            let (told, reply) = (told.clone(), reply.clone());
            std::thread::spawn(move || told.send(reply.send(false).unwrap_err()).unwrap());
        });
        assert_eq!(result(&automa).await, "true");
        assert_eq!(tells.recv(), Ok(ReplyError::AlreadyReplied));
        assert_eq!(tells.recv(), Ok(ReplyError::AlreadyReplied));
    }
}

/// [K5]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_replies_at_once_one_is_taken_and_it_is_the_one_that_counts() {
    for mut automa in [asking(None), asking_blocking(None)] {
        for _ in 0..50 {
            let (told, tells) = channel();
            automa.on_request(move |_: Approve, reply: ReplyTo<bool>| {
                let barrier = Arc::new(Barrier::new(2));
                for says in [true, false] {
                    let (told, reply) = (told.clone(), reply.clone());
                    let barrier = Arc::clone(&barrier);
                    std::thread::spawn(move || {
                        barrier.wait();
                        told.send((says, reply.send(says))).unwrap();
                    });
                }
            });
            let result = result(&automa).await;
            let replies = [tells.recv().unwrap(), tells.recv().unwrap()];
            for (says, sent) in replies {
                if result == says.to_string() {
                    assert_eq!(sent, Ok(()));
                } else {
                    assert_eq!(sent, Err(ReplyError::AlreadyReplied));
                }
            }
        }
    }
}

/// [K5]
#[tokio::test(start_paused = true)]
async fn a_reply_after_the_timeout_is_refused() {
    let (ask, mut asks) = unbounded_channel();
    let mut automa = asking(Some(Duration::from_secs(5)));
    automa.on_request(move |_: Approve, reply: ReplyTo<bool>| ask.send(reply).unwrap());
    let run = automa.run(()).spawn();
    let reply = asks.recv().await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(reply.is_open());
    let text = run.output::<String>().await.unwrap();
    expect!["nobody replied to `Approve` within 5s"].assert_eq(&text);
    expect!["the reply is too late: the request has ended"]
        .assert_eq(&reply.send(true).unwrap_err().to_string());

    // In time it is taken.
    let run = automa.run(()).spawn();
    asks.recv().await.unwrap().send(true).unwrap();
    assert_eq!(run.output::<String>().await.unwrap(), "true");
}

/// [K5]
#[tokio::test]
async fn a_blocking_worker_waits_no_longer_than_its_timeout() {
    let (ask, mut asks) = unbounded_channel();
    let mut automa = asking_blocking(Some(Duration::from_millis(1)));
    automa.on_request(move |_: Approve, reply: ReplyTo<bool>| ask.send(reply).unwrap());
    expect!["nobody replied to `Approve` within 1ms"].assert_eq(&result(&automa).await);
    assert_eq!(asks.recv().await.unwrap().send(true), Err(ReplyError::TooLate));
}

/// [K5]
#[tokio::test(start_paused = true)]
async fn a_reply_to_an_attempt_that_was_dropped_is_refused() {
    let (ask, mut asks) = unbounded_channel();
    let mut automa = GraphAutoma::new("asking");
    let work = async |cx: Context| cx.request_feedback(Approve { amount: 1 }, None).await;
    let options = start().output().timeout(Duration::from_secs(1)).retry(Retry::times(1));
    automa.add_func_as_worker("ask", work, options).unwrap();
    automa.on_request(move |_: Approve, reply: ReplyTo<bool>| ask.send(reply).unwrap());
    let run = automa.run(()).spawn();
    let first = asks.recv().await.unwrap();
    let second = asks.recv().await.unwrap();
    assert_eq!(first.send(true), Err(ReplyError::TooLate));
    second.send(true).unwrap();
    assert!(run.output::<bool>().await.unwrap());
}

/// [K6]
#[tokio::test]
async fn a_reply_of_another_type_is_refused_and_another_may_be_given() {
    for mut automa in [asking(None), asking_blocking(None)] {
        let (told, tells) = channel();
        automa.on_any_post(move |posted: Posted| {
            assert_eq!(posted.event.get::<Approve>().unwrap().amount, 7);
            let reply = posted.reply.unwrap();
            told.send(reply.send(Value::new("yes".to_owned()))).unwrap();
            told.send(reply.send(Value::from_json(serde_json::json!(true)))).unwrap();
        });
        assert_eq!(result(&automa).await, "true");
        let refused = tells.recv().unwrap().unwrap_err();
        expect!["the reply has the wrong type: expected `bool`, found `String`; another may still be sent"]
            .assert_eq(&refused.to_string());
        assert_eq!(tells.recv().unwrap(), Ok(()));
    }
}

/// [K7]
#[tokio::test]
async fn when_a_run_ends_all_waiting_workers_are_released() {
    for depth in [0, 2] {
        let (ask, mut asks) = unbounded_channel();
        let (told, tells) = sync_channel(1);
        let mut automa = asking(None);
        let work = move |cx: Context| {
            told.send(cx.request_feedback_blocking(Approve { amount: 1 }, None)).unwrap();
        };
        automa.add_func_as_worker("blocking", work, start()).unwrap();
        let mut automa = if depth == 0 { automa } else { nested(automa) };
        automa.on_request(move |_: Approve, reply: ReplyTo<bool>| ask.send(reply).unwrap());
        let run = automa.run(()).spawn();
        let replies = [asks.recv().await.unwrap(), asks.recv().await.unwrap()];
        run.cancel();
        assert!(run.await.is_err());
        expect!["the run ended before there was a reply to `Approve`"]
            .assert_eq(&tells.recv().unwrap().unwrap_err().to_string());
        for reply in replies {
            assert_eq!(reply.send(true), Err(ReplyError::TooLate));
        }
    }
}

/// [K7]
#[tokio::test]
async fn a_request_of_a_run_that_has_ended_is_an_error_at_once() {
    let (give, mut given) = unbounded_channel();
    let mut automa = GraphAutoma::new("leaking");
    let work = move |cx: Context| give.send(cx).unwrap();
    automa.add_func_as_worker("leak", work, start().inline()).unwrap();
    automa.on_request(|_: Approve, _: ReplyTo<bool>| panic!("not asked"));
    automa.run(()).output::<()>().await.unwrap();
    let cx = given.recv().await.unwrap();
    expect!["the run ended before there was a reply to `Approve`"]
        .assert_eq(&ask(1, None, &cx).await);
}

/// [K7]
#[tokio::test]
async fn a_failure_at_a_rolling_pace_releases_waiting_workers() {
    let (told, tells) = sync_channel(1);
    let mut automa = GraphAutoma::new("rolling");
    let work = move |cx: Context| {
        told.send(cx.request_feedback_blocking(Approve { amount: 1 }, None)).unwrap();
    };
    automa.add_func_as_worker("blocking", work, start()).unwrap();
    let asked = Arc::new(Notify::new());
    let fail = {
        let asked = Arc::clone(&asked);
        move || {
            let asked = Arc::clone(&asked);
            async move {
                asked.notified().await;
                Err::<(), _>(WorkerError::msg("as it was asked"))
            }
        }
    };
    automa.add_func_as_worker("fail", fail, start()).unwrap();
    let (keep, _kept) = unbounded_channel();
    automa.on_request(move |_: Approve, reply: ReplyTo<bool>| {
        keep.send(reply).unwrap();
        asked.notify_one();
    });
    automa.set_pace(Pace::Rolling);
    let error = automa.run(()).output::<()>().await.unwrap_err();
    expect!["automa `rolling`, step 1: worker `fail` failed: as it was asked"]
        .assert_eq(&error.to_string());
    let released = tells.recv().unwrap().unwrap_err();
    assert!(matches!(released, FeedbackError::RunEnded { .. }), "{released}");
}

/// [K3]
#[test]
fn without_a_runtime_a_timeout_is_an_error_and_a_reply_is_not() {
    let mut automa = asking(Some(Duration::from_secs(1)));
    automa.on_request(|_: Approve, reply: ReplyTo<bool>| reply.send(true).unwrap());
    let mut run = Box::pin(automa.run(()).output::<String>());
    let text = futures::FutureExt::now_or_never(&mut run).unwrap().unwrap();
    expect!["a timeout needs a tokio runtime: run the automa within one"].assert_eq(&text);

    let mut automa = asking(None);
    automa.on_request(|_: Approve, reply: ReplyTo<bool>| reply.send(true).unwrap());
    let mut run = Box::pin(automa.run(()).output::<String>());
    assert_eq!(futures::FutureExt::now_or_never(&mut run).unwrap().unwrap(), "true");
}
