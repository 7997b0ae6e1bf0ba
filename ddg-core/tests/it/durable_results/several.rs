//! Kickoffs of one worker, and results that cannot be written.

use ddg_core::prelude::*;
use ddg_core::values::Opaque;
use expect_test::expect;

use super::{PLENTY, Stage, go_on, kept, leave_in_the_middle, stored};
use crate::gated_store::GatedStore;

/// Kickoffs 1, 2 and 3 of `each`, in one step.
fn several(stage: &Stage, each: fn(&Context) -> Result<u64, WorkerError>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("several");
    let deal = async |cx: Context| (0..3).for_each(|_| cx.ferry_to("each", ()));
    automa.add_func_as_worker("deal", deal, start()).unwrap();
    automa.add_worker("each", stage.worker(each), free()).unwrap();
    automa
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn kickoffs_of_one_worker_are_written_one_by_one() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = several(&stage, |_| Ok(1));
    stage.open(["each#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [2]);
    _ = stage.calls();
    stage.open(["each#1", "each#3"]);
    go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "each#1 each#3");
}

/// [X10]
#[tokio::test(start_paused = true)]
async fn kickoffs_that_change_one_local_space_are_written_together() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = several(&stage, |cx| {
        Ok(cx.local().update("n", |n: &mut u64| {
            *n += 1;
            *n
        }))
    });
    automa.add_worker("slow", stage.worker(|_| Ok(0)), after(["deal"]).suppressed()).unwrap();
    stage.open(["each#1", "each#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [0; 0]);

    stage.open(["each#3"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [1, 2, 3]);

    _ = stage.calls();
    stage.open(["slow#4"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "slow#4");
    let snapshot = serde_json::to_value(outcome.snapshot().unwrap()).unwrap();
    assert_eq!(snapshot["run"]["locals"]["each"]["n"], 3);
}

/// [X10] What is not known to be saved is not counted as saved.
#[tokio::test(start_paused = true)]
async fn results_that_cannot_be_written_run_again() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = GraphAutoma::new("closure");
    let adds = |cx: &Context| {
        cx.add_func_as_worker("nobody knows", async || 1_u64, free());
        Ok(1)
    };
    automa.add_worker("adds", stage.worker(adds), start()).unwrap();
    automa.add_func_as_worker("opaque", async || Opaque::new(1_u64), start()).unwrap();
    automa.add_worker("plain", stage.worker(|_| Ok(1)), start()).unwrap();
    automa.add_worker("slow", stage.worker(|_| Ok(1)), start()).unwrap();
    stage.open(["adds#0", "plain#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [2]);
    _ = stage.calls();
    stage.open(["slow#3"]);
    // The step cannot be written either, and says why.
    let error = stored(&automa, &store).await.unwrap_err();
    expect!["automa `closure`: the run has added worker `nobody knows`, which cannot be restored: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&error.to_string());
    assert_eq!(stage.calls(), "adds#0 slow#3");
}
