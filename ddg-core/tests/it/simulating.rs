//! The driver for tests follows the same rules as the real one.

use ddg_core::prelude::*;

/// [X3]
#[tokio::test]
async fn a_worker_that_stops_and_ferries_to_itself_stops() {
    let mut automa = GraphAutoma::new("stops");
    automa
        .add_func_as_worker(
            "w",
            async |cx: Context| {
                cx.stop();
                cx.ferry_to("w", ());
            },
            start(),
        )
        .unwrap();
    assert!(automa.run(()).await.unwrap().stopped());
    assert!(automa.run(()).simulate(|_| 0).await.unwrap().stopped());
}

/// [L3]
#[tokio::test]
async fn a_paused_run_keeps_no_local_spaces() {
    let mut automa = GraphAutoma::new("asks");
    automa
        .add_func_as_worker(
            "count",
            async |cx: Context| {
                cx.local().update("n", |n: &mut u32| {
                    *n += 1;
                    *n
                })
            },
            start().output(),
        )
        .unwrap();
    automa
        .add_func_as_worker(
            "ask",
            async |ask: bool, cx: Context| -> Result<(), WorkerError> {
                if ask {
                    cx.interact_with_human::<bool>("Go on?".to_owned())?;
                }
                Ok(())
            },
            start().params(["ask"]),
        )
        .unwrap();
    automa.keep_local_spaces();
    assert!(automa.run(args!(ask = true)).simulate(|_| 0).await.unwrap().is_paused());
    assert_eq!(automa.run(args!(ask = false)).output::<u32>().await.unwrap(), 1);
    assert_eq!(automa.run(args!(ask = false)).output::<u32>().await.unwrap(), 2);
}

/// [S14]
#[tokio::test]
async fn at_a_rolling_pace_a_choice_past_the_end_settles_what_has_ended() {
    let mut automa = GraphAutoma::new("rolling");
    automa.add_func_as_worker("a", async || 1, start()).unwrap();
    automa.add_func_as_worker("b", async || 2, start()).unwrap();
    automa.add_func_as_worker("after_a", async || 3, after(["a"]).suppressed()).unwrap();
    // Everything settles together: `after_a` is in step 2.
    let together = automa.run(()).pace(Pace::Rolling).simulate(|_| 0).await.unwrap();
    assert_eq!(together.steps(), 2);
    // `a` settles alone, and `after_a` runs while `b` has not been polled.
    let mut seen = Vec::new();
    let mut ended = 0;
    let choose = |ready: &[ddg_core::run::Kickoff]| {
        let keys: Vec<_> = ready.iter().map(|kickoff| kickoff.key().to_string()).collect();
        seen.push(keys.join(" "));
        ended += 1;
        if ended == 2 { usize::MAX } else { 0 }
    };
    automa.run(()).pace(Pace::Rolling).simulate(choose).await.unwrap();
    assert_eq!(seen, ["a b", "b", "b after_a", "after_a"]);
}
