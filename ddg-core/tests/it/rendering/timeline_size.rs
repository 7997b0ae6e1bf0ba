//! The timeline of a run of very many workers, or of very many steps, stays small and says what it
//! leaves out.

use std::time::Duration;

use ddg_core::History;
use ddg_core::prelude::*;
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
    automa.run(()).output::<()>().await.unwrap_err();

    let svg = history.to_svg();
    let names = names(&svg);
    assert_eq!(names.len(), 200);
    assert_eq!(names[..2], ["worker 0", "worker 1"]);
    assert_eq!(names[196..], ["worker 196", "worker 2000", "inner", "bad"]);
    assert!(svg.contains("3,002 kickoffs of 3,002 workers in 1 step, 0 s; 3 failed"));
    assert!(svg.contains("… and 2,802 more workers"));
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
