//! The result of a run does not depend on how the workers of a step interleave: every interleaving
//! of a few programs is tried.

use std::future::poll_fn;
use std::task::Poll;

use ddg_core::prelude::*;

/// Runs `automa` in every way in which its workers can interleave; gives what came out.
async fn every_interleaving(
    automa: &GraphAutoma,
    report: impl Fn(&Outcome) -> String,
) -> Vec<String> {
    let mut reports = Vec::new();
    let mut script: Vec<usize> = Vec::new();
    loop {
        // What could have been chosen at each point of this run.
        let mut options = Vec::new();
        let outcome = automa
            .run(args!(1))
            .simulate(|ready| {
                let choice = script.get(options.len()).copied().unwrap_or(0);
                options.push(ready.len());
                choice
            })
            .await
            .unwrap();
        reports.push(report(&outcome));
        script.resize(options.len(), 0);
        // The next script in depth-first order.
        while let Some(last) = script.pop() {
            if last + 1 < options[script.len()] {
                script.push(last + 1);
                break;
            }
        }
        if script.is_empty() {
            return reports;
        }
    }
}

/// Yields to the others once, and is ready again at once.
async fn pause() {
    let mut paused = false;
    poll_fn(|task| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn assert_all_equal(reports: &[String], at_least: usize) {
    assert!(reports.len() >= at_least, "only {} interleavings", reports.len());
    for report in reports {
        assert_eq!(report, &reports[0]);
    }
}

/// [S4] [E2]
#[tokio::test]
async fn ferries_and_edits_are_applied_in_kickoff_order() {
    let mut automa = GraphAutoma::new("three");
    for (key, pauses) in [("a", 2), ("b", 1), ("c", 0)] {
        let function = move |x: i64, cx: Context| async move {
            for _ in 0..pauses {
                pause().await;
            }
            cx.add_func_as_worker(format!("{key}_echo"), async |text: String| text, after(["log"]));
            cx.ferry_to("log", (format!("{key}{x}"),));
        };
        automa.add_func_as_worker(key, function, start()).unwrap();
    }
    let log = async |text: String, cx: Context| {
        // Each of the three executions knows its place among the kickoffs, not when it got on.
        format!("{text} {:?}", cx.kickoff_id())
    };
    automa.add_func_as_worker("log", log, free()).unwrap();
    let reports = every_interleaving(&automa, |outcome| {
        let last = outcome.automa().output("log");
        format!("{:?} {last:?} {}", outcome.graph(), outcome.steps())
    })
    .await;
    assert_all_equal(&reports, 360);
    assert!(reports[0].contains("c1 KickoffId(5)"), "{}", reports[0]);
}

/// [S4] [A4]
#[tokio::test]
async fn outputs_are_taken_in_the_order_of_dependencies() {
    let mut automa = GraphAutoma::new("diamond");
    automa.add_func_as_worker("start", async |x: i64| x, start()).unwrap();
    for (key, pauses) in [("left", 3), ("middle", 2), ("right", 1)] {
        let function = move |x: i64| async move {
            for _ in 0..pauses {
                pause().await;
            }
            format!("{key}{x}")
        };
        automa.add_func_as_worker(key, function, after(["start"])).unwrap();
    }
    let join = async |parts: Vec<String>| parts.join(" ");
    let options = after(["middle", "right", "left"]).merge().output();
    automa.add_func_as_worker("join", join, options).unwrap();
    let reports = every_interleaving(&automa, |outcome| format!("{outcome:?}")).await;
    assert_all_equal(&reports, 1260);
    assert!(reports[0].contains("middle1 right1 left1"), "{}", reports[0]);
}
