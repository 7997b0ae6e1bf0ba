//! On a terminal, what is running now is painted below the lines.

use ddg_core::EventFilter;
use ddg_core::TerminalView;
use ddg_core::prelude::*;
use expect_test::{Expect, expect};
use indicatif::InMemoryTerm;

use super::{article, sleep};

/// Compares what is on the terminal at these milliseconds of the run, and at its end.
async fn check(automa: &GraphAutoma, at: &[u64], expected: &Expect) {
    let term = InMemoryTerm::new(24, 60);
    let run = automa.run(()).spawn();
    let view = tokio::spawn(TerminalView::on(term.clone()).watch(run.events(EventFilter::all())));
    let mut seen = String::new();
    let mut now = 0;
    for at in at {
        sleep(at - now).await;
        now = *at;
        seen += &format!("--- {at} ms\n{}\n", term.contents());
    }
    _ = run.await;
    view.await.unwrap().unwrap();
    seen += &format!("--- end\n{}\n", term.contents());
    expected.assert_eq(&seen);
}

#[tokio::test(start_paused = true)]
async fn what_runs_for_how_long_and_what_it_told_last() {
    let expected = expect![[r#"
        --- 130 ms
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        ⠙ article 0:00:00 step 1, 2 running, 0 ended
          load    100 ms  ━╌╌╌╌╌╌╌╌╌ progress: 3/20
          tell    100 ms  Once
        --- 330 ms
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2
         in 100 ms
        ⠸ article 0:00:00 step 1, 2 running, 0 ended, 1 retry
          load    300 ms  attempt 2
          tell    300 ms  a gr
        --- 1040 ms
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2
         in 100 ms
        ⠋ article 0:00:01 step 1, 2 running, 0 ended, 1 retry
          load       1 s  attempt 2  ━━━━━━━╌╌╌ progress: 14/20
          tell       1 s  It grew.
        --- 2330 ms
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2
         in 100 ms
        0:00:01.200 tell: done in 1.2 s
        0:00:01.350 load: done in 1.35 s
        0:00:01.350 article: step 2: check
        0:00:01.350 check: step 1: spelling
        0:00:01.600 check/spelling: done in 250 ms
        0:00:01.600 check: step 2: facts
        ⠸ article 0:00:02 step 2, 2 running, 3 ended, 1 retry
          check          950 ms  step 2
          check/facts    700 ms
        --- end
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2
         in 100 ms
        0:00:01.200 tell: done in 1.2 s
        0:00:01.350 load: done in 1.35 s
        0:00:01.350 article: step 2: check
        0:00:01.350 check: step 1: spelling
        0:00:01.600 check/spelling: done in 250 ms
        0:00:01.600 check: step 2: facts
        0:00:03.100 check/facts: done in 1.5 s
        0:00:03.100 check: done in 1.75 s
        0:00:03.100 article: finished in 3.1 s: 2 steps, 5 kickoffs,
         1 retry
    "#]];
    check(&article(), &[130, 330, 1040, 2330], &expected).await;
}

#[tokio::test(start_paused = true)]
async fn of_many_that_run_the_first_are_shown() {
    let mut automa = GraphAutoma::new("wide");
    for n in 0..100 {
        let options = if n == 0 { start() } else { after(["worker 0"]).suppressed() };
        automa
            .add_func_as_worker(format!("worker {n}"), async || sleep(200).await, options)
            .unwrap();
    }
    let expected = expect![[r#"
        --- 350 ms
        0:00:00.000 wide: started
        0:00:00.000 wide: step 1: worker 0
        0:00:00.200 worker 0: done in 200 ms
        0:00:00.200 wide: step 2: worker 1, worker 2, worker 3, work
        er 4, worker 5, worker 6, worker 7, worker 8 and 91 more
        ⠸ wide 0:00:00 step 2, 99 running, 1 ended
          worker 1     100 ms
          worker 2     100 ms
          worker 3     100 ms
          worker 4     100 ms
          worker 5     100 ms
          worker 6     100 ms
          worker 7     100 ms
          worker 8     100 ms
          worker 9     100 ms
          worker 10    100 ms
          worker 11    100 ms
          worker 12    100 ms
          … and 87 more
        --- end
        0:00:00.400 worker 78: done in 200 ms
        0:00:00.400 worker 79: done in 200 ms
        0:00:00.400 worker 80: done in 200 ms
        0:00:00.400 worker 81: done in 200 ms
        0:00:00.400 worker 82: done in 200 ms
        0:00:00.400 worker 83: done in 200 ms
        0:00:00.400 worker 84: done in 200 ms
        0:00:00.400 worker 85: done in 200 ms
        0:00:00.400 worker 86: done in 200 ms
        0:00:00.400 worker 87: done in 200 ms
        0:00:00.400 worker 88: done in 200 ms
        0:00:00.400 worker 89: done in 200 ms
        0:00:00.400 worker 90: done in 200 ms
        0:00:00.400 worker 91: done in 200 ms
        0:00:00.400 worker 92: done in 200 ms
        0:00:00.400 worker 93: done in 200 ms
        0:00:00.400 worker 94: done in 200 ms
        0:00:00.400 worker 95: done in 200 ms
        0:00:00.400 worker 96: done in 200 ms
        0:00:00.400 worker 97: done in 200 ms
        0:00:00.400 worker 98: done in 200 ms
        0:00:00.400 worker 99: done in 200 ms
        0:00:00.400 wide: finished in 400 ms: 2 steps, 100 kickoffs
    "#]];
    check(&automa, &[350], &expected).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_wider_than_the_terminal_is_cut() {
    let mut automa = GraphAutoma::new("a name that is longer than the terminal is wide");
    let worker = async |cx: Context| {
        cx.emit_chunk("of a long line the end is shown, ".repeat(5) + "that is: this");
        cx.emit("status", "of a long text the beginning, ".repeat(5));
        sleep(500).await;
    };
    automa.add_func_as_worker("long ".repeat(12), worker, start()).unwrap();
    let line = async |cx: Context| {
        cx.emit_chunk("of a long line the end is shown, ".repeat(5) + "that is: this");
        sleep(500).await;
    };
    automa.add_func_as_worker("line", line, start()).unwrap();
    automa.add_func_as_worker("日本語", async || sleep(500).await, start()).unwrap();
    let expected = expect![[r#"
        --- 350 ms
        0:00:00.000 a name that is longer than the terminal is wide:
         started
        0:00:00.000 a name that is longer than the terminal is wide:
         step 1: long long long long long long long long long long l
        ong long , line, 日本語
        ⠸ a name that is longer than the terminal is wide 0:00:00 s…
          long long long long long long…    300 ms  status: of a lo…
          line                              300 ms  n, that is: this
          日本語                            300 ms
        --- end
        0:00:00.000 a name that is longer than the terminal is wide:
         started
        0:00:00.000 a name that is longer than the terminal is wide:
         step 1: long long long long long long long long long long l
        ong long , line, 日本語
        0:00:00.500 long long long long long long long long long lon
        g long long : done in 500 ms
        0:00:00.500 line: done in 500 ms
        0:00:00.500 日本語: done in 500 ms
        0:00:00.500 a name that is longer than the terminal is wide:
         finished in 500 ms: 1 step, 3 kickoffs
    "#]];
    check(&automa, &[350], &expected).await;
}

#[tokio::test(start_paused = true)]
async fn a_view_that_is_dropped_leaves_the_lines() {
    let term = InMemoryTerm::new(24, 60);
    let run = article().run(()).spawn();
    let view = tokio::spawn(TerminalView::on(term.clone()).watch(run.events(EventFilter::all())));
    sleep(330).await;
    view.abort();
    assert!(view.await.unwrap_err().is_cancelled());
    expect![[r#"
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2
         in 100 ms"#]]
    .assert_eq(&term.contents());
    run.await.unwrap();
}
