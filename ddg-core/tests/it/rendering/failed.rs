//! A run that failed or was cancelled has no outcome, but its history can be drawn.

use std::future::pending;
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::render::History;
use expect_test::expect;
use tokio::time::sleep;

use super::timeline::bars;

fn automa(pace: Pace) -> (GraphAutoma, History) {
    let mut automa = GraphAutoma::new("fails");
    automa.set_pace(pace);
    automa.add_func_as_worker("begin", async || (), start()).unwrap();
    let bad = async || {
        sleep(Duration::from_millis(20)).await;
        Err::<(), _>(WorkerError::msg("no"))
    };
    automa.add_func_as_worker("bad", bad, after(["begin"])).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    (automa, history)
}

#[tokio::test(start_paused = true)]
async fn failed_workers_are_red() {
    let (automa, history) = automa(Pace::Lockstep);
    expect!["automa `fails`, step 2: worker `bad` failed: no"]
        .assert_eq(&automa.run(()).output::<()>().await.unwrap_err().to_string());
    expect![[r#"
        ---
        title: "fails"
        ---
        flowchart TD
            n0(["begin"])
            n1["bad<br/>failed"]
            n0 --> n1
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef failed stroke:#e53935,stroke-width:3px
            class n1 failed
    "#]]
    .assert_eq(&automa.drawing().with(&history).to_mermaid());
    expect![[r#"
        fails | 2 kickoffs of 2 workers in 2 steps, 20 ms; 1 failed | 20 ms | step | 1 | 0 s | 2
        begin
                216.0 +18.0 due: step 1: a start worker; began at 0 s, took 0 s
        bad
                234.0 +862.0 failed: step 2: its dependencies had run; began at 0 s, failed after 20 ms
        ran when it was ready | failed | One step was too short to be seen and is drawn wider.
    "#]].assert_eq(&bars(&history));
}

/// It counts how a worker ended last: one that failed and then ran is not red.
#[tokio::test]
async fn failed_and_then_ran() {
    let mut automa = GraphAutoma::new("again");
    let odd = async |n: i64| if n == 0 { Err(WorkerError::msg("zero")) } else { Ok(n) };
    automa.add_func_as_worker("odd", odd, start().output()).unwrap();
    let history = History::new();
    automa.add_callback(history.clone());
    let is_red = || automa.drawing().with(&history).to_mermaid().contains("class n0 failed");
    expect!["automa `again`, step 1: worker `odd` failed: zero"]
        .assert_eq(&automa.run(args!(0)).output::<i64>().await.unwrap_err().to_string());
    assert!(is_red());
    automa.run(args!(1)).output::<i64>().await.unwrap();
    assert!(!is_red());
}

/// The worker beside it was stopped: its bar goes as far as anything was seen.
#[tokio::test(start_paused = true)]
async fn stopped_workers_did_not_end() {
    let (mut automa, history) = automa(Pace::Rolling);
    automa.add_func_as_worker("never", async || pending::<()>().await, start()).unwrap();
    expect!["automa `fails`, step 2: worker `bad` failed: no"]
        .assert_eq(&automa.run(()).output::<()>().await.unwrap_err().to_string());
    expect![[r#"
        fails | 3 kickoffs of 3 workers in 2 steps, 20 ms; 1 failed; 1 did not end | 20 ms | step | 1 | 0 s | 2
        begin
                216.0 +18.0 due: step 1: a start worker; began at 0 s, took 0 s
        never
                216.0 +880.0 unended: step 1: a start worker; began at 0 s, did not end within 20 ms
        bad
                234.0 +862.0 failed: step 2: its dependencies had run; began at 0 s, failed after 20 ms
        ran when it was ready | failed | did not end | One step was too short to be seen and is drawn wider.
    "#]].assert_eq(&bars(&history));
}
