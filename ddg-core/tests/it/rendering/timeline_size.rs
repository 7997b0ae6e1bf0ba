//! The timeline of a run with very many workers or steps stays small, and says what it omits.

use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::render::History;
use expect_test::expect;
use tokio::time::sleep;

/// How many names of workers there are.
fn names(svg: &str) -> Vec<&str> {
    let names = svg.lines().filter_map(|line| line.strip_prefix("<g><title>"));
    names.map(|name| name.split_once("</title>").unwrap().0).collect()
}

/// Some are shown, and those that failed, with the automata that they are in.
#[tokio::test(start_paused = true)]
async fn very_many_workers() {
    let mut automa = GraphAutoma::new("many");
    for i in 0..3_000 {
        let name = format!("worker {i}");
        let work =
            move || async move { if i == 2_000 { Err(WorkerError::msg("no")) } else { Ok(()) } };
        automa.add_func_as_worker(name, work, start()).unwrap();
    }
    let mut inner = GraphAutoma::new("inner");
    inner
        .add_func_as_worker("bad", async || Err::<(), _>(WorkerError::msg("no")), start())
        .unwrap();
    automa.add_worker("inner", inner, start()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    expect![[r#"
        automa `many`, step 1: 2 failures
        - worker `worker 2000` failed: no
        - worker `inner` failed: automa `inner`, step 1: worker `inner/bad` failed: no"#]]
    .assert_eq(&automa.run(()).output::<()>().await.unwrap_err().to_string());

    let svg = history.to_svg();
    let names = names(&svg);
    assert_eq!(names.len(), 100);
    assert_eq!(names[..2], ["worker 0", "worker 1"]);
    assert_eq!(names[96..], ["worker 96", "worker 2000", "inner", "bad"]);
    assert!(svg.contains("3,002 kickoffs of 3,002 workers in 1 step, 0 s; 3 failed"));
    assert!(svg.contains("… and 2,902 more workers"));
    assert!(svg.len() < 100_000, "{}", svg.len());
}

/// Kickoffs that no eye could tell apart are one bar; every one is counted.
#[tokio::test(start_paused = true)]
async fn very_many_steps() {
    const TURNS: u64 = 5_000;
    let mut automa = GraphAutoma::new("long");
    let ping = async |n: u64, cx: Context| {
        sleep(Duration::from_millis(1)).await;
        if n < TURNS {
            cx.ferry_to("pong", (n,));
        }
    };
    automa.add_func_as_worker("ping", ping, start()).unwrap();
    let pong = async |n: u64, cx: Context| cx.ferry_to("ping", (n + 1,));
    automa.add_func_as_worker("pong", pong, free()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(args!(1)).output::<()>().await.unwrap();

    let svg = history.to_svg();
    assert!(svg.contains("9,999 kickoffs of 2 workers in 9,999 steps, 5 s"));
    assert!(svg.contains("The ferries are too many to be drawn."));
    let mut n_kickoffs = 0;
    for line in svg.lines().filter(|line| line.starts_with("<rect") && line.contains("<title>")) {
        let title = line.split_once("<title>").unwrap().1;
        n_kickoffs += match title.split_once(" kickoffs in ") {
            Some((n, _)) => n.parse::<u64>().unwrap(),
            None => 1,
        };
    }
    assert_eq!(n_kickoffs, 2 * TURNS - 1);
    assert!(svg.len() < 200_000, "{}", svg.len());
}

/// The slowest and the output worker are among those that are shown, wherever they are declared.
#[tokio::test(start_paused = true)]
async fn the_slowest_and_the_output_worker_are_shown() {
    let mut automa = GraphAutoma::new("wide");
    let mut keys = Vec::new();
    for n in 0..300_u64 {
        let key = format!("worker {n}");
        let millis = if n == 250 { 900 } else { 10 + n % 5 };
        let work = move || async move { sleep(Duration::from_millis(millis)).await };
        automa.add_func_as_worker(&key, work, start()).unwrap();
        keys.push(key);
    }
    automa.add_func_as_worker("join", async || 1, after(keys).suppressed().output()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).output::<i32>().await.unwrap();

    let svg = history.to_svg();
    let names = names(&svg);
    assert_eq!(names.len(), 100);
    assert!(names.contains(&"worker 250") && names.contains(&"join"), "{names:?}");
    assert!(svg.contains("<text class=\"output\""), "{svg}");
    assert!(svg.contains("No kickoff of a worker that is not shown took longer than 14 ms."));
}

/// A timeline of 400 steps is split into strips, each with its names, steps and times.
#[tokio::test(start_paused = true)]
async fn many_steps_are_wrapped() {
    let mut automa = GraphAutoma::new("loop");
    let turn = async |n: u64, cx: Context| {
        sleep(Duration::from_millis(1 + n % 7)).await;
        if n < 400 {
            cx.ferry_to("turn", (n + 1,));
        }
    };
    automa.set_pace(Pace::Rolling);
    automa.add_func_as_worker("turn", turn, start()).unwrap();
    let slow = async |_: u64| sleep(Duration::from_millis(1000)).await;
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(args!(1_u64)).output::<()>().await.unwrap();
    let svg = history.to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let size = |name| document.root_element().attribute(name).unwrap().parse::<u32>().unwrap();
    assert_eq!((size("width"), size("height")), (1112, 1116));
    assert_eq!(names(&svg).len(), 20, "both in each of ten strips");
    let number = |node: roxmltree::Node<'_, '_>, name| -> f64 {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let mut n_slow = 0;
    for bar in document.descendants().filter(|node| node.has_tag_name("rect")) {
        let Some(title) = bar.first_element_child() else { continue };
        let (begin, end) = (number(bar, "x"), number(bar, "x") + number(bar, "width"));
        assert!(begin >= 216.0 && end <= 1096.1, "{title:?} from {begin} to {end}");
        n_slow += usize::from(title.text().unwrap().ends_with("took 1 s"));
    }
    assert_eq!(n_slow, 7, "one bar that goes on in the strips below");
    assert!(svg.contains("Each strip has a scale of its own."));
}
