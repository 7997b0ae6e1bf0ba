//! Lines for a log: the time, the worker, and the event.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::render::TerminalView;
use expect_test::expect;

use super::{Log, article, sleep};

/// What is written of a run of `automa`.
async fn lines(automa: &GraphAutoma) -> String {
    lines_of(automa, EventFilter::all()).await
}

async fn lines_of(automa: &GraphAutoma, filter: EventFilter) -> String {
    let log = Log::default();
    let prepared = automa.run(());
    let view = TerminalView::to(log.clone()).watch(prepared.events(filter));
    let (_, shown) = futures::future::join(prepared.outcome(), view).await;
    shown.unwrap();
    log.text()
}

#[tokio::test(start_paused = true)]
async fn steps_and_ends_attempts_and_what_workers_tell() {
    expect![[r#"
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2 in 100 ms
        0:00:00.300 tell: | Once there was
        0:00:00.600 tell: | a graph.
        0:00:01.200 tell: | It grew.
        0:00:01.200 tell: done in 1.2 s
        0:00:01.350 load: pages: 20
        0:00:01.350 load: done in 1.35 s
        0:00:01.350 article: step 2: check
        0:00:01.350 check: step 1: spelling
        0:00:01.600 check/spelling: done in 250 ms
        0:00:01.600 check: step 2: facts
        0:00:03.100 check/facts: done in 1.5 s
        0:00:03.100 check: done in 1.75 s
        0:00:03.100 article: finished in 3.1 s: 2 steps, 5 kickoffs, 1 retry
    "#]]
    .assert_eq(&lines(&article()).await);
}

#[tokio::test(start_paused = true)]
async fn a_filter_of_the_stream_says_what_is_shown() {
    expect![[r#"
        0:00:00.300 tell: | Once there was
        0:00:00.600 tell: | a graph.
        0:00:01.350 tell: | It grew.
        0:00:03.100 run: finished in 3.1 s: 2 steps
    "#]]
    .assert_eq(&lines_of(&article(), EventFilter::updates() | EventFilter::messages()).await);
}

#[tokio::test(start_paused = true)]
async fn changes_of_the_graph_and_ferries() {
    let mut automa = GraphAutoma::new("growing");
    let plan = async |cx: Context| {
        for n in 0..12 {
            cx.add_func_as_worker(format!("new {n}"), async || (), free());
            cx.ferry_to(format!("new {n}"), ());
        }
        cx.remove_worker("old");
        cx.add_dependency("last", "new 3");
        cx.remove_dependency("last", "plan");
        cx.ferry_to("last", ());
    };
    automa.add_func_as_worker("plan", plan, start()).unwrap();
    automa.add_func_as_worker("old", async || (), free()).unwrap();
    automa.add_func_as_worker("last", async || (), after(["plan"]).suppressed()).unwrap();
    let lines = lines_of(&automa, EventFilter::debug()).await;
    let steps: Vec<_> = lines.lines().filter(|line| line.contains("step")).collect();
    expect![[r#"
        0:00:00.000 growing: step 1: plan
        0:00:00.000 growing: step 1: graph changed: +new 0, +new 1, +new 2, +new 3, +new 4, +new 5, +new 6, +new 7 and 7 more
        0:00:00.000 growing: step 2: new 0, new 1, new 2, new 3, new 4, new 5, new 6, new 7 and 5 more
        0:00:00.000 growing: step 3: last
        0:00:00.000 growing: finished in 0 s: 3 steps, 15 kickoffs"#]]
    .assert_eq(&steps.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_published_where_it_was_and_at_the_end() {
    let mut inner = GraphAutoma::new("inner");
    let fails = async || Err::<(), _>(WorkerError::msg("no\nluck"));
    inner.add_func_as_worker("fails", fails, start()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start()).unwrap();
    expect![[r#"
        0:00:00.000 outer: started
        0:00:00.000 outer: step 1: inner
        0:00:00.000 inner: step 1: fails
        0:00:00.000 inner/fails: failed in 0 s: no luck
        0:00:00.000 inner: failed in 0 s: automa `inner`, step 1: worker `inner/fails` failed: no luck
        0:00:00.000 outer: failed in 0 s: 1 step, 2 kickoffs: automa `outer`, step 1: worker `inner` failed: automa `inner`, step 1: worker `inner/fails` failed: no luck
    "#]]
    .assert_eq(&lines(&automa).await);
}

#[tokio::test(start_paused = true)]
async fn a_graph_that_is_not_valid() {
    let mut automa = GraphAutoma::new("broken");
    automa.add_func_as_worker("a", async || (), after(["b"])).unwrap();
    expect![[r#"
        0:00:00.000 run: failed in 0 s: automa `broken`: worker `a` depends on `b`, which does not exist; the workers are: `a`
    "#]]
    .assert_eq(&lines(&automa).await);
}

#[tokio::test(start_paused = true)]
async fn a_pause_has_its_questions() {
    let mut automa = GraphAutoma::new("shop");
    let ask = async |cx: Context| -> Result<bool, WorkerError> {
        Ok(cx.interact_with_human("Spend 180 euros?".to_owned())?)
    };
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    automa.add_func_as_worker("other", async || sleep(30).await, start()).unwrap();
    expect![[r#"
        0:00:00.000 shop: started
        0:00:00.000 shop: step 1: ask, other
        0:00:00.000 ask: interrupted in 0 s: waits for an answer
        0:00:00.030 other: done in 30 ms
        0:00:00.030 shop: paused in 30 ms: 1 step, 2 kickoffs
        0:00:00.030 shop: asks ask#0.1: Spend 180 euros?
    "#]]
    .assert_eq(&lines(&automa).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_and_one_that_is_stopped() {
    let mut automa = GraphAutoma::new("clock");
    let tick = async |cx: Context| {
        sleep(40).await;
        cx.ferry_to("tick", ());
    };
    automa.add_func_as_worker("tick", tick, start()).unwrap();
    let log = Log::default();
    for stop in [false, true] {
        let run = automa.run(()).spawn();
        let view =
            tokio::spawn(TerminalView::to(log.clone()).watch(run.events(EventFilter::all())));
        sleep(60).await;
        if stop {
            run.stop();
        } else {
            run.cancel();
        }
        _ = run.await;
        view.await.unwrap().unwrap();
    }
    expect![[r#"
        0:00:00.000 clock: started
        0:00:00.000 clock: step 1: tick
        0:00:00.040 tick: done in 40 ms
        0:00:00.040 clock: step 2: tick (ferry by tick)
        0:00:00.060 clock: cancelled in 60 ms: 2 steps, 1 kickoff
        0:00:00.000 clock: started
        0:00:00.000 clock: step 1: tick
        0:00:00.040 tick: done in 40 ms
        0:00:00.040 clock: step 2: tick (ferry by tick)
        0:00:00.080 tick: done in 40 ms
        0:00:00.080 clock: stopped in 80 ms: 2 steps, 2 kickoffs
    "#]]
    .assert_eq(&log.text());
}

/// How far a worker is is a line every ten seconds, however often it is told.
#[tokio::test(start_paused = true)]
async fn progress_is_sparse() {
    let mut automa = GraphAutoma::new("download");
    let fetch = async |cx: Context| {
        for percent in 0..=100 {
            cx.emit("progress", f64::from(percent) / 100.0);
            cx.emit("progress", (percent, 100));
            sleep(250).await;
        }
    };
    automa.add_func_as_worker("fetch", fetch, start()).unwrap();
    expect![[r#"
        0:00:00.000 download: started
        0:00:00.000 download: step 1: fetch
        0:00:10.000 fetch: progress: 40 %
        0:00:20.000 fetch: progress: 80 %
        0:00:25.250 fetch: done in 25.2 s
        0:00:25.250 download: finished in 25.2 s: 1 step, 1 kickoff
    "#]]
    .assert_eq(&lines(&automa).await);
}

/// What was under way may have ended unseen: it ends without a duration.
#[tokio::test(start_paused = true)]
async fn missed_events_are_reported() {
    let mut automa = GraphAutoma::new("noisy");
    let noisy = async |cx: Context| {
        sleep(10).await;
        (0..10).for_each(|n| cx.emit("n", n));
        sleep(10).await;
    };
    automa.add_func_as_worker("noisy", noisy, start()).unwrap();
    expect![[r#"
        0:00:00.000 noisy: started
        0:00:00.000 noisy: step 1: noisy
        0:00:00.000 noisy: 7 events were missed: read them faster, or buffer more with `EventFilter::buffer`
        0:00:00.010 noisy: n: 7
        0:00:00.010 noisy: n: 8
        0:00:00.010 noisy: n: 9
        0:00:00.020 noisy: done
        0:00:00.020 noisy: finished in 20 ms: 1 step, 1 kickoff
    "#]]
    .assert_eq(&lines_of(&automa, EventFilter::all().buffer(3)).await);
}

/// Pieces of a model's reply, as agents emit them.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Piece {
    Text(String),
    Thinking(String),
    End { tokens: u32 },
}

#[tokio::test(start_paused = true)]
async fn pieces_of_a_reply_are_its_text() {
    let mut automa = GraphAutoma::new("agent");
    let think = async |cx: Context| {
        for piece in ["It ", "should ", "be fine."] {
            cx.emit_chunk(Piece::Thinking(piece.to_owned()));
        }
        for piece in ["It ", "rains.\nTake ", "an umbrella."] {
            cx.emit_chunk(Piece::Text(piece.to_owned()));
        }
        cx.emit_chunk(Piece::End { tokens: 7 });
    };
    automa.add_func_as_worker("think", think, start()).unwrap();
    let lines = lines(&automa).await;
    let shown: Vec<_> = lines.lines().filter_map(|line| line.split_once("| ")).collect();
    let shown: Vec<_> = shown.into_iter().map(|(_, shown)| shown).collect();
    expect![[r#"
        {"thinking":"It "}
        It rains.
        {"end":{"tokens":7}}
        Take an umbrella."#]]
    .assert_eq(&shown.join("\n"));
}

/// Nothing that a model says moves the cursor or begins a line of its own.
#[tokio::test(start_paused = true)]
async fn text_of_workers_cannot_command_the_terminal() {
    let mut automa = GraphAutoma::new("bad\u{1b}[2J");
    let evil = async |cx: Context| {
        cx.emit_chunk("a\u{1b}[31mred\r\u{8}b\u{1b}]0;title\u{7}".to_owned());
        cx.emit("na\nme", "0:00:00.000 forged\u{9b}2J".to_owned());
        cx.emit("long", "x".repeat(100_000));
        Err::<(), _>(WorkerError::msg("\u{1b}[Aover"))
    };
    automa.add_func_as_worker("evil\u{1b}[1A\nkey", evil, start()).unwrap();
    let lines = lines(&automa).await;
    assert!(!lines.chars().any(|char| char.is_control() && char != '\n'), "{lines:?}");
    assert_eq!(lines.lines().count(), 7, "{lines}");
    assert!(lines.lines().all(|line| line.len() < 2100));
    assert!(lines.contains("ared"), "{lines}");
}

/// The writer is held up until the run has ended.
#[tokio::test]
async fn a_slow_output_does_not_hold_up_the_run() {
    struct Slow(mpsc::Receiver<()>, Log);
    impl io::Write for Slow {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.recv_timeout(Duration::from_secs(60)).map_err(io::Error::other)?;
            self.1.write(text)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (go_on, wait) = mpsc::channel();
    let mut automa = GraphAutoma::new("quick");
    let count = async |n: u32, cx: Context| {
        tokio::task::yield_now().await;
        if n < 100 {
            cx.ferry_to("count", (n + 1,));
        }
    };
    automa.add_func_as_worker("count", count, start()).unwrap();
    let prepared = automa.run(args!(1));
    let log = Log::default();
    let view = tokio::spawn(
        TerminalView::to(Slow(wait, log.clone())).watch(prepared.events(EventFilter::all())),
    );
    assert_eq!(prepared.outcome().await.unwrap().steps(), 100);
    assert_eq!(log.text(), "");
    _ = (0..1000).try_for_each(|_| go_on.send(()));
    view.await.unwrap().unwrap();
    assert!(log.text().ends_with("100 steps, 100 kickoffs\n"), "{}", log.text());
}

#[tokio::test]
async fn an_output_that_cannot_be_written_is_an_error_of_the_view_alone() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut automa = GraphAutoma::new("one");
    automa.add_func_as_worker("one", async || 1, start().output()).unwrap();
    let prepared = automa.run(());
    let view = tokio::spawn(TerminalView::to(Full).watch(prepared.events(EventFilter::all())));
    assert_eq!(prepared.output::<i32>().await.unwrap(), 1);
    assert_eq!(view.await.unwrap().unwrap_err().to_string(), "the disk is full");
}
