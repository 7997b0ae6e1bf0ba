//! The effects of a worker count once, although it does not run again.

use ddg_core::Key;
use ddg_core::prelude::*;

use super::{PLENTY, Stage, go_on, kept, leave_in_the_middle};
use crate::gated_store::GatedStore;

/// All that can be asked for, by `boss`; `slow` holds the step up.
fn asking(stage: &Stage) -> GraphAutoma {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("x", async || 5_u64, start().output()).unwrap();
    inner.declare_func("y", async |x: u64| x * 2, free()).unwrap();
    let mut automa = GraphAutoma::new("asking");
    let boss = |cx: &Context| {
        cx.local().set("done", "all of it".to_owned());
        cx.ferry_to("tail", args!(7_u64, by = "name".to_owned()));
        cx.ferry_to("new", args!(8_u64));
        cx.add_func_as_worker("new", Key::from("tool"), after(["tail"]));
        cx.add_worker("made", made(), free());
        cx.remove_worker("gone");
        cx.add_dependency("inner", "boss");
        cx.remove_dependency("rest", "slow");
        let inner = cx.nested("inner").unwrap();
        inner.add_func_as_worker("z", Key::from("y"), after(["x"]));
        Ok(1)
    };
    automa.add_worker("boss", stage.worker(boss), start()).unwrap();
    automa.add_worker("slow", stage.worker(|_| Ok(2)), start()).unwrap();
    automa.add_func_as_worker("gone", async |_: u64| 3_u64, after(["boss"])).unwrap();
    let rest = after(["boss", "slow"]).suppressed();
    automa.add_func_as_worker("rest", async || 4_u64, rest).unwrap();
    let tail = async |x: u64, by: String| format!("{x} {by}");
    automa.add_func_as_worker("tail", tail, free().params(["x", "by"])).unwrap();
    automa.add_worker("inner", inner, free().suppressed().output()).unwrap();
    automa.declare_func("tool", async |x: Value| x, free()).unwrap();
    automa
}

/// An automa that is created during the run.
fn made() -> GraphAutoma {
    GraphAutoma::new("made")
}

/// [X9] [L1]
#[tokio::test(start_paused = true)]
async fn effects_count_once() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = asking(&stage);
    stage.open(["boss#0"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!((stage.calls().as_str(), kept(&store).await), ("boss#0 slow#1", vec![0]));
    stage.open(["slow#1"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "slow#1");

    let undisturbed = automa.run(()).await.unwrap();
    let json = |outcome: &Outcome| serde_json::to_string(&outcome.snapshot().unwrap()).unwrap();
    assert_eq!(json(&outcome), json(&undisturbed));
    for expected in ["all of it", "7 name", "\"made\"", "\"z\"", "\"removed\":[\"gone\"]"] {
        assert!(json(&outcome).contains(expected), "{expected} in {}", json(&outcome));
    }
}

/// [X9] [X3]
#[tokio::test(start_paused = true)]
async fn a_stop_that_was_asked_for_counts() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = GraphAutoma::new("stops");
    let stop = |cx: &Context| {
        cx.stop();
        Ok(1)
    };
    automa.add_worker("stop", stage.worker(stop), start()).unwrap();
    automa.add_worker("slow", stage.worker(|_| Ok(2)), start()).unwrap();
    automa.add_func_as_worker("end", async |x: u64| x, after(["slow"]).output()).unwrap();
    stage.open(["stop#0"]);
    leave_in_the_middle(&automa, &store).await;
    stage.open(["slow#1"]);
    let outcome = go_on(&automa, &store).await;
    assert!(outcome.stopped() && outcome.output().is_null());
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 2);
}
