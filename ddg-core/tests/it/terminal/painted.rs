//! On a terminal, running workers are painted below the lines.

use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::render::TerminalView;
use expect_test::{Expect, expect};
use indicatif::InMemoryTerm;

use super::{article, sleep};

/// Compares what is on the terminal at these milliseconds of the run, and at its end.
async fn check(automa: &GraphAutoma, at: &[u64], expected: &Expect) {
    check_on(InMemoryTerm::new(24, 60), automa, at, expected).await;
}

async fn check_on(term: InMemoryTerm, automa: &GraphAutoma, at: &[u64], expected: &Expect) {
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
async fn running_workers_with_their_time_and_last_event() {
    let expected = expect![[r#"
        --- 130 ms
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        ⠙ article 0:00:00 step 1, 0 of 2 done, 2 running
          load    100 ms  ━╌╌╌╌╌╌╌╌╌ progress: 3/20
          tell    100 ms  Once
        --- 330 ms
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2
                    in 100 ms
        ⠸ article 0:00:00 step 1, 0 of 2 done, 2 running, 1 retry
          load    300 ms  attempt 2
          tell    300 ms  a gr
        --- 1040 ms
        0:00:00.000 article: started
        0:00:00.000 article: step 1: load, tell
        0:00:00.250 load: attempt 1 failed: no connection; attempt 2
                    in 100 ms
        ⠋ article 0:00:01 step 1, 0 of 2 done, 2 running, 1 retry
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
        ⠸ article 0:00:02 step 2, 0 of 1 done, 2 running, 1 retry
          check            950 ms  step 2
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
        0:00:00.200 wide: step 2: worker 1, worker 2, worker 3,
                    worker 4, worker 5, worker 6, worker 7, worker 8
                    and 91 more
        ⠸ wide 0:00:00 step 2, 0 of 99 done, 99 running
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
          worker 13    100 ms
          worker 14    100 ms
          worker 15    100 ms
          worker 16    100 ms
          … and 83 more
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
async fn text_wider_than_the_terminal_is_cut() {
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
                    step 1: long long long long long long long long
                    long long long long , line, 日本語
        ⠸ a name that is… 0:00:00 step 1, 0 of 3 done, 3 running
          long long long long long long…    300 ms  status: of a…
          line                              300 ms  …that is: this
          日本語                            300 ms
        --- end
        0:00:00.000 a name that is longer than the terminal is wide:
                    started
        0:00:00.000 a name that is longer than the terminal is wide:
                    step 1: long long long long long long long long
                    long long long long , line, 日本語
        0:00:00.500 long long long long long long long long long
                    long long long : done in 500 ms
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

/// A number of workers. Some of them end before the others.
fn many(n_workers: u64) -> GraphAutoma {
    let mut automa = GraphAutoma::new("many");
    for n in 0..n_workers {
        let work = move || async move { sleep(if n % 50 == 0 { 100 } else { 500 }).await };
        automa.add_func_as_worker(format!("worker {n}"), work, start()).unwrap();
    }
    automa
}

/// What has ended stays to be seen above what runs, and how many more there are below it.
#[tokio::test(start_paused = true)]
async fn a_small_terminal() {
    let expected = expect![[r#"
        --- 350 ms
        0:00:00.100 worker 50: done in 100 ms
        0:00:00.100 worker 100: done in 100 ms
        0:00:00.100 worker 150: done in 100 ms
        ⠸ many 0:00:00 step 1, 4 of 200 done, 196 running
          worker 1    300 ms
          worker 2    300 ms
          worker 3    300 ms
          worker 4    300 ms
          worker 5    300 ms
          worker 6    300 ms
          worker 7    300 ms
          … and 189 more
        --- end
        0:00:00.500 worker 140: done in 500 ms
        0:00:00.500 worker 139: done in 500 ms
        0:00:00.500 worker 138: done in 500 ms
        0:00:00.500 worker 137: done in 500 ms
        0:00:00.500 worker 136: done in 500 ms
        0:00:00.500 worker 135: done in 500 ms
        0:00:00.500 worker 134: done in 500 ms
        0:00:00.500 worker 133: done in 500 ms
        0:00:00.500 worker 132: done in 500 ms
        0:00:00.500 worker 131: done in 500 ms
        0:00:00.500 many: finished in 500 ms: 1 step, 200 kickoffs
    "#]];
    check_on(InMemoryTerm::new(12, 60), &many(200), &[350], &expected).await;
}

#[tokio::test(start_paused = true)]
async fn a_large_terminal() {
    let term = InMemoryTerm::new(50, 80);
    let run = many(200).run(()).spawn();
    let view = tokio::spawn(TerminalView::on(term.clone()).watch(run.events(EventFilter::all())));
    sleep(350).await;
    let contents = term.contents();
    let rows = contents.lines().filter(|line| line.starts_with("  worker")).count();
    assert_eq!(rows, 36, "{contents}");
    assert!(contents.contains("step 1, 4 of 200 done, 196 running"), "{contents}");
    assert!(contents.contains("… and 160 more"), "{contents}");
    assert!(contents.contains("worker 150: done in 100 ms"), "{contents}");
    run.await.unwrap();
    view.await.unwrap().unwrap();
}

/// Long lines are wrapped, and rows cut, between words.
#[tokio::test(start_paused = true)]
async fn words_stay_whole() {
    let mut automa = GraphAutoma::new("library");
    let worker = async |cx: Context| {
        cx.emit_chunk(
            "The librarian walked slowly through the library of the university".to_owned(),
        );
        sleep(300).await;
        cx.emit("status", "reading a catalogue of the whole library".to_owned());
        sleep(300).await;
        let url = "https://example.org/".to_owned() + &"a".repeat(50);
        Err::<(), _>(WorkerError::msg(format!("the catalogue of the library is not there: {url}")))
    };
    automa.add_func_as_worker("librarian", worker, start()).unwrap();
    let expected = expect![[r#"
        --- 150 ms
        0:00:00.000 library: started
        0:00:00.000 library: step 1: librarian
        ⠙ library 0:00:00 step 1, 0 of 1 done, 1 running
          librarian    100 ms  …of the university
        --- 450 ms
        0:00:00.000 library: started
        0:00:00.000 library: step 1: librarian
        ⠼ library 0:00:00 step 1, 0 of 1 done, 1 running
          librarian    400 ms  status: reading a…
        --- end
        0:00:00.000 library: started
        0:00:00.000 library: step 1: librarian
        0:00:00.600 librarian: failed in 600 ms: the
                    catalogue of the library is not
                    there:
                    https://example.org/aaaaaaaaaaaaaaaa
                    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        0:00:00.600 library: failed in 600 ms: 1 step, 1
                    kickoff: automa `library`, step 1:
                    worker `librarian` failed: the
                    catalogue of the library is not
                    there:
                    https://example.org/aaaaaaaaaaaaaaaa
                    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    "#]];
    check_on(InMemoryTerm::new(24, 48), &automa, &[150, 450], &expected).await;
}

/// Controls that turn text around are shown as escapes.
#[tokio::test(start_paused = true)]
async fn text_is_not_turned_around() {
    let mut automa = GraphAutoma::new("a\u{202e}b");
    let worker = async |cx: Context| {
        cx.emit_chunk("c\u{2066}d\u{1b}[31m".to_owned());
        sleep(300).await;
    };
    automa.add_func_as_worker("e\u{200f}f", worker, start()).unwrap();
    let expected = expect![[r#"
        --- 150 ms
        0:00:00.000 a\u{202e}b: started
        0:00:00.000 a\u{202e}b: step 1: e\u{200f}f
        ⠙ a\u{202e}b 0:00:00 step 1, 0 of 1 done, 1 running
          e\u{200f}f    100 ms  c\u{2066}d
        --- end
        0:00:00.000 a\u{202e}b: started
        0:00:00.000 a\u{202e}b: step 1: e\u{200f}f
        0:00:00.300 e\u{200f}f: done in 300 ms
        0:00:00.300 a\u{202e}b: finished in 300 ms: 1 step, 1
                    kickoff
    "#]];
    check(&automa, &[150], &expected).await;
}
