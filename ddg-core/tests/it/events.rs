//! Watching a run: which events come, in which order, to whom.

use std::sync::Arc;
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::{Event, EventFilter, EventKind, EventStream, Missed};
use expect_test::expect;
use futures::StreamExt;
use tokio::sync::Notify;

use crate::trace::name;

/// All that comes, a line each.
async fn lines(mut events: EventStream) -> String {
    let mut lines = String::new();
    while let Some(event) = events.next().await {
        lines += &match event {
            Ok(event) => format!("{event}\n"),
            Err(missed) => format!("{missed}\n"),
        };
    }
    lines
}

/// Runs `automa` to its end; gives its events and the result.
async fn watched(automa: &GraphAutoma, filter: EventFilter) -> String {
    let prepared = automa.prepare(());
    let events = prepared.events_of(filter);
    let ended = crate::trace::end(prepared.outcome().await);
    lines(events).await + &ended
}

/// `plan` adds a worker, and ferries to it and to `done`.
fn growing() -> GraphAutoma {
    let mut automa = GraphAutoma::new("growing");
    let plan = async |cx: Context| {
        cx.ferry_to("done", (1,));
        cx.add_func_as_worker("new", async || "new".to_owned(), after(["beside"]).suppressed());
        cx.add_dependency("last", "new");
        cx.ferry_to("new", ());
        3
    };
    automa.add_func_as_worker("plan", plan, start()).unwrap();
    automa.add_func_as_worker("beside", name, start()).unwrap();
    automa.add_func_as_worker("done", async |x: i32| x, free()).unwrap();
    automa.add_func_as_worker("last", name, after(["plan"]).suppressed().output()).unwrap();
    automa
}

/// [V1] [V2] [R7]
#[tokio::test]
async fn a_step_is_told_in_order_from_its_kickoffs_to_what_came_of_it() {
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
async fn every_attempt_is_told_and_what_it_emits_stays() {
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

/// An automa with `depth` others around it, that tells something.
fn nested(depth: u32) -> GraphAutoma {
    let mut automa = GraphAutoma::new("innermost");
    let work = async |cx: Context| {
        cx.emit("depth", cx.path().to_string());
        7
    };
    automa.add_func_as_worker("work", work, start().output()).unwrap();
    for level in (0..depth).rev() {
        let mut outer = GraphAutoma::new(format!("level {level}"));
        outer.add_worker(format!("in{level}"), automa, start().output()).unwrap();
        automa = outer;
    }
    automa
}

/// [V3] [V11]
#[tokio::test]
async fn a_run_that_pauses_ends_its_stream_with_its_questions_and_has_another_when_it_goes_on() {
    let mut inner = GraphAutoma::new("inner");
    let ask = async |cx: Context| cx.interact_with_human::<i32>("How many?".to_owned());
    inner.add_func_as_worker("ask", ask, start().output().retry(Retry::times(1))).unwrap();
    let mut automa = GraphAutoma::new("asking");
    automa.add_worker("inner", inner, start()).unwrap();
    automa.add_func_as_worker("beside", name, start()).unwrap();
    automa.add_func_as_worker("end", async |n: i32| n, after(["inner"]).output()).unwrap();
    let prepared = automa.prepare(());
    let events = prepared.events();
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
    let prepared = automa.prepare_resume(snapshot);
    let events = prepared.events();
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

/// [V4] [V5]
#[tokio::test]
async fn nested_automata_appear_with_their_path_within_their_worker() {
    expect![[r#"
        0: run of `level 0` started
        1: step 1 started: `in0` (start)
        2: step 1: `in0` started
        3: in0: run of `level 1` started
        4: in0: step 1 started: `in1` (start)
        5: in0: step 1: `in1` started
        6: in0/in1: run of `innermost` started
        7: in0/in1: step 1 started: `work` (start)
        8: in0/in1: step 1: `work` started
        9: in0/in1: step 1: `work` tells depth: "in0/in1/work"
        10: in0/in1: step 1: `work` finished: 7
        11: in0/in1: step 1 settled: `work`: 7
        12: in0/in1: run finished: 7
        13: in0: step 1: `in1` finished: 7
        14: in0: step 1 settled: `in1`: 7
        15: in0: run finished: 7
        16: step 1: `in0` finished: 7
        17: step 1 settled: `in0`: 7
        18: run finished: 7
        output: 7
    "#]]
    .assert_eq(&watched(&nested(2), EventFilter::all()).await);
}

/// [V4] [V5]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_from_any_depth_also_through_tasks() {
    let events = watched(&nested(20), EventFilter::custom()).await;
    let path: Vec<_> = (0..20).map(|level| format!("in{level}")).collect();
    let path = path.join("/");
    // 20 levels begin with three events each, and the innermost with three more.
    assert_eq!(
        events,
        format!("63: {path}: step 1: `work` tells depth: \"{path}/work\"\noutput: 7\n")
    );
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
    let prepared = automa.prepare(()).pace(Pace::Rolling);
    let events = prepared.events();
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

/// Ferries to itself, telling each round, until told to stop.
fn endless() -> GraphAutoma {
    let mut automa = GraphAutoma::new("endless");
    let round = async |n: u32, cx: Context| {
        tokio::task::yield_now().await;
        cx.emit("round", n);
        cx.ferry_to("round", (n + 1,));
    };
    automa.add_func_as_worker("round", round, start()).unwrap();
    automa
}

/// [V4] [V6]
#[tokio::test]
async fn who_comes_late_gets_whole_steps_from_the_next_on() {
    let run = endless().start(args!(0));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let mut first = run.events();
    let mut steps = Vec::new();
    while steps.len() < 3 {
        let event = first.next().await.unwrap().unwrap();
        assert!(steps.is_empty() || !matches!(event.kind, EventKind::RunStarted { .. }));
        if steps.is_empty() && !matches!(event.kind, EventKind::Custom { .. }) {
            assert!(matches!(event.kind, EventKind::StepStarted { .. }), "{event}");
        }
        if matches!(event.kind, EventKind::StepStarted { .. }) {
            steps.push(event.step);
        }
    }
    assert_eq!([steps[0] + 1, steps[0] + 2], steps[1..]);

    // The second gets the same events as the first from then on, with the same numbers.
    let mut second = run.events_of(EventFilter::custom());
    run.stop();
    run.await.unwrap();
    let rest: Vec<_> = first.map(Result::unwrap).collect().await;
    let custom = rest.iter().filter(|event| matches!(event.kind, EventKind::Custom { .. }));
    let custom: Vec<_> = custom.map(Event::to_string).collect();
    let mut seen = Vec::new();
    while let Some(event) = second.next().await {
        seen.push(event.unwrap().to_string());
    }
    assert!(!seen.is_empty() && custom.ends_with(&seen), "{seen:?} of {custom:?}");
    assert!(matches!(rest.last().unwrap().kind, EventKind::RunFinished { stopped: true, .. }));
}

/// [V6]
#[tokio::test]
async fn a_stream_ends_with_its_run_and_one_of_a_run_that_has_ended_is_over() {
    let automa = nested(1);
    let run = automa.start(());
    while !run.is_finished() {
        tokio::task::yield_now().await;
    }
    assert!(run.events().next().await.is_none());

    let prepared = automa.prepare(());
    let mut events = prepared.events();
    drop(prepared);
    assert!(events.next().await.is_none(), "it never began");
}

/// [V6]
#[tokio::test]
async fn who_leaves_is_forgotten() {
    let run = endless().start(args!(0));
    let mut events = run.events();
    events.next().await.unwrap().unwrap();
    drop(events);
    tokio::task::yield_now().await;
    // Numbers go on only while somebody watches: nobody did when the last one was to be given.
    let mut events = run.events();
    let next = events.next().await.unwrap().unwrap();
    assert!(next.number < 20, "{next}");
    run.cancel();
    assert!(run.await.is_err());
}

/// [V7]
#[tokio::test]
async fn who_is_slow_is_told_how_much_was_missed_where_it_was() {
    let mut automa = GraphAutoma::new("chatty");
    let chat = async |cx: Context| {
        for n in 0..10 {
            cx.emit_chunk(n);
            cx.emit("noise", n);
        }
    };
    automa.add_func_as_worker("chat", chat, start()).unwrap();
    let prepared = automa.prepare(());
    let mut events = prepared.events_of(EventFilter::messages().buffer(3));
    let mut greedy = prepared.events_of(EventFilter::messages().buffer(0));
    prepared.outcome().await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap_err(), Missed(7));
    expect![[r#"
        17: step 1: `chat` gives 7
        19: step 1: `chat` gives 8
        21: step 1: `chat` gives 9
    "#]]
    .assert_eq(&lines(events).await);
    expect!["9 events were missed: take them faster, or keep more with `EventFilter::buffer`"]
        .assert_eq(&greedy.next().await.unwrap().unwrap_err().to_string());
    assert_eq!(greedy.next().await.unwrap().unwrap().number, 21);
}

/// [V7]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_events_pass_a_subscriber_that_takes_none() {
    const WORKERS: u64 = 100;
    const CHUNKS: u64 = 100;
    let mut automa = GraphAutoma::new("flood");
    let work = |cx: Context| async move {
        for n in 0..CHUNKS {
            cx.emit_chunk(n);
            tokio::task::yield_now().await;
        }
    };
    for worker in 0..WORKERS {
        automa.add_func_as_worker(format!("w{worker}"), work, start()).unwrap();
    }
    let prepared = automa.prepare(());
    let idle = prepared.events();
    let mut reader = prepared.events_of(EventFilter::all().buffer(100_000));
    // It ends, though one subscriber does not take anything, and this one only now and then.
    let run = prepared.start();
    let mut next = 0;
    while let Some(event) = reader.next().await {
        assert_eq!(event.unwrap().number, next);
        next += 1;
    }
    run.await.unwrap();
    // The run's and the step's begin and end, and each worker's.
    assert_eq!(next, 4 + WORKERS * (CHUNKS + 2));

    let taken: Vec<_> = idle.collect().await;
    assert_eq!(*taken[0].as_ref().unwrap_err(), Missed(next - 1024));
    let numbers: Vec<_> = taken[1..].iter().map(|event| event.as_ref().unwrap().number).collect();
    assert_eq!(numbers, (next - 1024..next).collect::<Vec<_>>());
}

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
        let prepared = automa.prepare(());
        let events = prepared.events_of(filter);
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
    let prepared = automa.prepare(());
    let everything = prepared.events_of(EventFilter::all() | EventFilter::values());
    let default = prepared.events_of(EventFilter::default());
    let all = prepared.events();
    prepared.outcome().await.unwrap();
    let everything: Vec<_> = everything.map(Result::unwrap).collect().await;
    let values = |event: &&Event| matches!(event.kind, EventKind::Values { .. });
    assert_eq!(everything.iter().filter(values).count(), 3);
    let rest = everything.iter().filter(|event| !values(event)).map(|event| format!("{event}\n"));
    let rest: String = rest.collect();
    assert_eq!(lines(all).await, rest);
    assert_eq!(lines(default).await, rest);
}

/// [V9]
#[tokio::test]
async fn what_a_worker_tells_comes_while_it_runs() {
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
    let prepared = automa.prepare(());
    let mut chunks = prepared.events_of(EventFilter::messages());
    let run = prepared.start();
    let chunk = |event: Option<Result<Event, Missed>>| match event.unwrap().unwrap().kind {
        EventKind::Chunk { chunk, .. } => chunk,
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
async fn what_a_failed_step_asked_for_is_not_told() {
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

/// [V10] [R7]
#[tokio::test]
async fn a_run_that_cannot_begin_is_told_as_its_failure_alone() {
    let mut automa = GraphAutoma::new("invalid");
    automa.add_func_as_worker("a", name, after(["b"])).unwrap();
    let prepared = automa.prepare(()).pace(Pace::Rolling);
    let events = prepared.events();
    let run = prepared.start();
    assert!(run.events().next().await.is_none());
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
    let prepared = outer.prepare(());
    let mut events = prepared.events();
    let run = prepared.start();
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

    let prepared = outer.prepare(());
    let events = prepared.events();
    {
        let mut run = Box::pin(prepared.outcome());
        assert!(futures::poll!(&mut run).is_pending());
    }
    assert!(lines(events).await.ends_with("7: run cancelled\n"), "a dropped future is the same");
}

/// [V1]
#[tokio::test(start_paused = true)]
async fn an_event_is_data_with_the_time_since_the_run_began() {
    let mut inner = GraphAutoma::new("inner");
    let work = async |cx: Context| {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        cx.emit("opaque", Opaque::new(0_u8));
        Opaque::new(String::new())
    };
    inner.add_func_as_worker("work", work, start()).unwrap();
    let mut automa = GraphAutoma::new("timed");
    automa.add_worker("inner", inner, start()).unwrap();
    let prepared = automa.prepare(());
    tokio::time::sleep(Duration::from_secs(10)).await;
    let events = prepared.events_of(EventFilter::all().within(["inner"]).of_worker("work"));
    prepared.outcome().await.unwrap();
    let mut written = String::new();
    for event in events.map(Result::unwrap).collect::<Vec<_>>().await {
        let json = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        written += &format!("{json}\n");
    }
    expect![[r#"
        {"number":4,"automa":["inner"],"step":1,"at":{"secs":0,"nanos":0},"kind":"step_started","kickoffs":[{"worker":"work","kickoff":0,"cause":"start"}]}
        {"number":5,"automa":["inner"],"step":1,"at":{"secs":0,"nanos":0},"kind":"worker_started","worker":"work","kickoff":0}
        {"number":6,"automa":["inner"],"step":1,"at":{"secs":1,"nanos":500000000},"kind":"custom","worker":"work","kickoff":0,"name":"opaque","data":"<Opaque<u8>>"}
        {"number":7,"automa":["inner"],"step":1,"at":{"secs":1,"nanos":500000000},"kind":"worker_finished","worker":"work","kickoff":0,"output":"<Opaque<String>>"}
        {"number":8,"automa":["inner"],"step":1,"at":{"secs":1,"nanos":500000000},"kind":"step_settled","outputs":[{"worker":"work","output":"<Opaque<String>>"}]}
    "#]].assert_eq(&written);
}
