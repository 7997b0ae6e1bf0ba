//! The timeline of a run: steps across, workers down, and bars with the length of their duration.

use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::render::History;
use expect_test::expect;
use tokio::time::sleep;

/// What a timeline shows: its title, steps and times, and the bars of each worker.
pub(super) fn bars(history: &History) -> String {
    let svg = history.to_svg();
    let between = |line: &str, begin: &str, end: &str| {
        let rest = line.split_once(begin).map(|(_, rest)| rest.to_owned());
        rest.and_then(|rest| Some(rest.split_once(end)?.0.to_owned())).unwrap_or_default()
    };
    let (mut head, mut foot, mut names, mut bars) = (vec![], vec![], vec![], vec![]);
    for line in svg.lines() {
        let text = between(line, ">", "</text>");
        let y = between(line, " y=\"", "\"");
        let row = || ((y.parse::<f64>().unwrap() - 84.0) / 22.0) as usize;
        let across = || (between(line, " x=\"", "\""), between(line, " width=\"", "\""));
        if line.starts_with("<g>") {
            let begin = line.find("<text").unwrap();
            let x: f64 = between(line, " x=\"", "\"").parse().unwrap();
            let indent = " ".repeat(((x - 16.0) / 7.0) as usize);
            names.push(format!("{indent}{}", between(&line[begin..], ">", "</text>")));
        } else if line.starts_with("<text") && names.is_empty() {
            head.push(text);
        } else if line.starts_with("<text") && line.contains("quiet") && !text.ends_with("s") {
            foot.push(text);
        } else if line.contains("<title>") {
            let class = between(line, "class=\"", "\"");
            let (x, width) = across();
            let title = between(line, "<title>", "</title>");
            bars.push((row(), format!("{x} +{width} {class}: {title}")));
        }
    }
    let mut shown = head.join(" | ") + "\n";
    for (at, name) in names.iter().enumerate() {
        shown += &format!("{name}\n");
        for (_, bar) in bars.iter().filter(|(row, _)| *row == at) {
            shown += &format!("        {bar}\n");
        }
    }
    shown + &foot.join(" | ") + "\n"
}

async fn nap(millis: u64) {
    sleep(Duration::from_millis(millis)).await;
}

/// Bars begin and end where the clock was; a step begins where the last one ended.
#[tokio::test(start_paused = true)]
async fn bars_are_as_long_as_it_took() {
    let mut automa = GraphAutoma::new("two steps");
    automa.add_func_as_worker("short", async || nap(100).await, start()).unwrap();
    automa.add_func_as_worker("long", async || nap(300).await, start()).unwrap();
    automa.add_func_as_worker("last", async || nap(100).await, after(["short", "long"])).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).output::<()>().await.unwrap();
    expect![[r#"
        two steps | 3 kickoffs of 3 workers in 2 steps, 400 ms | 400 ms | step | 1 | 0 s | 2 | 300 ms
        short
                216.0 +220.0 due: step 1: a start worker; began at 0 s, took 100 ms
        long
                216.0 +660.0 due: step 1: a start worker; began at 0 s, took 300 ms
        last
                876.0 +220.0 due: step 2: its dependencies had run; began at 300 ms, took 100 ms
        ran when it was ready
    "#]].assert_eq(&bars(&history));
}

/// A loop by ferry, each turn a step; steps that take no time are wide enough to be seen.
#[tokio::test(start_paused = true)]
async fn a_loop() {
    let mut automa = GraphAutoma::new("loop");
    let count = async |n: u64, cx: Context| {
        nap(n * 100).await;
        if n < 2 { cx.ferry_to("count", (n + 1,)) } else { cx.ferry_to("end", ()) }
    };
    automa.add_func_as_worker("count", count, start()).unwrap();
    automa.add_func_as_worker("end", async || (), free()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(args!(0)).output::<()>().await.unwrap();
    expect![[r#"
        loop | 4 kickoffs of 2 workers in 4 steps, 300 ms | 300 ms | step | 1 | 0 s | 2 | 3 | 100 ms | 4
        count
                216.0 +18.0 due: step 1: a start worker; began at 0 s, took 0 s
                234.0 +281.3 ferried: step 2: ferry by `count`; began at 0 s, took 100 ms
                515.3 +562.7 ferried: step 3: ferry by `count`; began at 100 ms, took 200 ms
        end
                1078.0 +18.0 ferried: step 4: ferry by `count`; began at 300 ms, took 0 s
        ran when it was ready | was ferried to | 2 steps were too short to be seen and are drawn wider.
    "#]].assert_eq(&bars(&history));
    let ferries = history.to_svg().matches("<path class=\"ferry\"").count();
    assert_eq!(ferries, 1, "from one worker to another, where it can be seen");
}

/// A run that takes no time at all has steps of one width.
#[tokio::test(start_paused = true)]
async fn no_time_at_all() {
    let mut automa = GraphAutoma::new("instant");
    automa.add_func_as_worker("a", async || (), start()).unwrap();
    automa.add_func_as_worker("b", async || (), after(["a"])).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).output::<()>().await.unwrap();
    expect![[r#"
        instant | 2 kickoffs of 2 workers in 2 steps, 0 s | 0 s | step | 1 | 0 s | 2 | 0 s
        a
                216.0 +440.0 due: step 1: a start worker; began at 0 s, took 0 s
        b
                656.0 +440.0 due: step 2: its dependencies had run; began at 0 s, took 0 s
        ran when it was ready
    "#]]
    .assert_eq(&bars(&history));
}

/// What runs in a nested automa is below it, indented, on the time of the outer run.
#[tokio::test(start_paused = true)]
async fn nested_runs_are_indented() {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("b", async || nap(100).await, start()).unwrap();
    inner.add_func_as_worker("a", async || nap(100).await, after(["b"])).unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", inner, start()).unwrap();
    outer.add_func_as_worker("a", async || nap(300).await, start()).unwrap();
    let history = History::new();
    outer.add_callback(history.clone());
    outer.run(()).output::<()>().await.unwrap();
    expect![[r#"
        outer | 4 kickoffs of 4 workers in 1 step, 300 ms | 300 ms | step | 1 | 0 s
        inner
                216.0 +586.7 due around: step 1: a start worker; began at 0 s, took 200 ms
          b
                216.0 +293.3 due: step 1: a start worker; began at 0 s, took 100 ms
          a
                509.3 +293.3 due: step 2: its dependencies had run; began at 100 ms, took 100 ms
        a
                216.0 +880.0 due: step 1: a start worker; began at 0 s, took 300 ms
        ran when it was ready
    "#]]
    .assert_eq(&bars(&history));
}

/// A history of a nested automa alone shows its steps, below the worker that it is.
#[tokio::test(start_paused = true)]
async fn only_a_nested_automa() {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("a", async || nap(100).await, start()).unwrap();
    inner.add_func_as_worker("b", async || nap(100).await, after(["a"])).unwrap();
    let history = History::new();
    inner.add_callback(history.clone());
    let mut outer = GraphAutoma::new("outer");
    outer.add_func_as_worker("before", async || nap(100).await, start()).unwrap();
    outer.add_worker("nested", inner, after(["before"]).suppressed()).unwrap();
    outer.run(()).output::<()>().await.unwrap();
    expect![[r#"
        inner | 2 kickoffs of 2 workers in 2 steps, 200 ms | 200 ms | step | 1 | 0 s | 2 | 100 ms
        nested
          a
                216.0 +440.0 due: step 1: a start worker; began at 0 s, took 100 ms
          b
                656.0 +440.0 due: step 2: its dependencies had run; began at 100 ms, took 100 ms
        ran when it was ready
    "#]]
    .assert_eq(&bars(&history));
}

/// A history that has seen two runs shows one after the other.
#[tokio::test(start_paused = true)]
async fn two_runs() {
    let mut automa = GraphAutoma::new("again");
    automa.add_func_as_worker("a", async || nap(100).await, start()).unwrap();
    automa.add_func_as_worker("b", async || nap(100).await, after(["a"])).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).output::<()>().await.unwrap();
    automa.run(()).output::<()>().await.unwrap();
    expect![[r#"
        again | 4 kickoffs of 2 workers in 4 steps, 400 ms | 400 ms | step | 1 | 0 s | 2 | 100 ms | 1 | 200 ms | 2 | 300 ms
        a
                216.0 +220.0 due: step 1: a start worker; began at 0 s, took 100 ms
                656.0 +220.0 due: step 1: a start worker; began at 200 ms, took 100 ms
        b
                436.0 +220.0 due: step 2: its dependencies had run; began at 100 ms, took 100 ms
                876.0 +220.0 due: step 2: its dependencies had run; began at 300 ms, took 100 ms
        ran when it was ready
    "#]].assert_eq(&bars(&history));
}

/// Also runs of one step, which both are step 1.
#[tokio::test(start_paused = true)]
async fn two_runs_of_one_step() {
    let mut automa = GraphAutoma::new("short");
    automa.add_func_as_worker("nap", async || nap(100).await, start()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).await.unwrap();
    automa.run(()).await.unwrap();
    expect![[r#"
        short | 2 kickoffs of 1 worker in 2 steps, 200 ms | 200 ms | step | 1 | 0 s | 1 | 100 ms
        nap
                216.0 +440.0 due: step 1: a start worker; began at 0 s, took 100 ms
                656.0 +440.0 due: step 1: a start worker; began at 100 ms, took 100 ms
        ran when it was ready
    "#]]
    .assert_eq(&bars(&history));
}

/// Kickoffs of one worker in one step share its row.
#[tokio::test(start_paused = true)]
async fn the_same_worker_at_the_same_time() {
    let mut automa = GraphAutoma::new("thrice");
    let ask = async |cx: Context| (1..=3_u64).for_each(|n| cx.ferry_to("nap", (n * 100,)));
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    automa.add_func_as_worker("nap", async |millis: u64| nap(millis).await, free()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).output::<()>().await.unwrap();
    let svg = history.to_svg();
    let rows = svg
        .lines()
        .filter(|line| line.starts_with("<rect class=\"ferried\"") && line.contains("title"));
    let tops: Vec<_> = rows.map(|row| row.split('"').nth(5).unwrap()).collect();
    expect![[r#"["110.0", "114.7", "119.3"]"#]].assert_eq(&format!("{tops:?}"));
}

/// One file, without anything from elsewhere and without scripts.
#[tokio::test]
async fn written_to_a_file() {
    let mut automa = GraphAutoma::new("file");
    automa.add_func_as_worker("a", async || (), start()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).output::<()>().await.unwrap();
    let dir = std::env::temp_dir().join(format!("ddg-timeline-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("timeline.svg");
    history.write_svg(&path).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(written, history.to_svg());
    assert!(written.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    for outside in ["script", "href", "url(", "@import", "onload"] {
        assert!(!written.contains(outside), "{outside}");
    }
    let missing = history.write_svg(dir.join("timeline.svg")).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}

/// Before anything has run.
#[test]
fn nothing_has_run() {
    expect![[r#"
        nothing has run | 0 kickoffs of 0 workers in 0 steps, 0 s | 0 s | step

    "#]]
    .assert_eq(&bars(&History::new()));
    assert_eq!(format!("{:?}", History::new()), "History(0 kickoffs of 0 workers)");
}

/// A mark for each retry, and how many there were.
#[tokio::test(start_paused = true)]
async fn retries_are_marked() {
    let mut automa = GraphAutoma::new("flaky");
    let flaky = async |cx: Context| {
        nap(100).await;
        if cx.attempt() < 3 { Err(WorkerError::msg("no")) } else { Ok(()) }
    };
    automa.add_func_as_worker("flaky", flaky, start().retry(Retry::times(2))).unwrap();
    let fails = async || Err::<(), _>(WorkerError::msg("no"));
    let retry = Retry::times(1).delay(Duration::from_millis(100));
    automa.add_func_as_worker("fails", fails, start().retry(retry)).unwrap();
    automa.add_func_as_worker("steady", async || nap(300).await, start()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    expect!["automa `flaky`, step 1: worker `fails` failed: no"]
        .assert_eq(&automa.run(()).await.unwrap_err().to_string());
    expect![[r#"
        flaky | 3 kickoffs of 3 workers in 1 step, 300 ms; 1 failed; 3 retries | 300 ms | step | 1 | 0 s
        flaky
                216.0 +880.0 due: step 1: a start worker; began at 0 s, took 300 ms with 2 retries
        fails
                216.0 +293.3 failed: step 1: a start worker; began at 0 s, failed after 100 ms with 1 retry
        steady
                216.0 +880.0 due: step 1: a start worker; began at 0 s, took 300 ms
        ran when it was ready | failed | was tried again: a mark for each time, from the left
    "#]].assert_eq(&bars(&history));
    // And one in the legend.
    assert_eq!(history.to_svg().matches("<path class=\"retry\"").count(), 4);
}
